"""Activations as nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import sqrt
from types import MappingProxyType

from discrimen.network.export.onnx.graph import Graph
from discrimen.network.export.onnx.layout import Layout, Values, moved
from discrimen.network.layers import Activation


def add_activation(graph: Graph, activation: Activation, values: Values) -> Values:
    """Add an activation; softmax over the channels, or over all values of a row."""
    if activation == "linear":
        return values
    if activation == "softmax":
        if values.layout is Layout.ROWS_BY_CHANNEL:
            values = moved(graph, values, Layout.ROWS)
        name = graph.node("Softmax", values.name, axis=values.layout.channel_axis)
    else:
        name = _ELEMENTWISE[activation](graph, values.name)
    return replace(values, name=name)


def _gelu(graph: Graph, values: str) -> str:
    # In the order in which the runtimes recognise it and put one operator in its place.
    error = graph.node("Erf", graph.node("Div", values, graph.number(sqrt(2))))
    doubled = graph.node("Mul", values, graph.node("Add", error, graph.number(1)))
    return graph.node("Mul", doubled, graph.number(0.5))


_ELEMENTWISE: Mapping[str, Callable[[Graph, str], str]] = MappingProxyType(
    {
        "relu": lambda graph, values: graph.node("Relu", values),
        "tanh": lambda graph, values: graph.node("Tanh", values),
        "sigmoid": lambda graph, values: graph.node("Sigmoid", values),
        "elu": lambda graph, values: graph.node("Elu", values),
        "gelu": _gelu,
        "silu": lambda graph, values: graph.node("Mul", values, graph.node("Sigmoid", values)),
    }
)
