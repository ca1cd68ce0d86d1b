"""Activations as nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import pi, sqrt
from types import MappingProxyType
from typing import Any

import numpy as np

from discrimen.network.activations import Activation
from discrimen.network.export.onnx.graph import Graph
from discrimen.network.export.onnx.layout import Values, settled


def add_activation(graph: Graph, activation: Activation, values: Values) -> Values:
    """Add an activation; softmax over the channels, everything else to each value."""
    if activation != "softmax":
        return replace(values, name=add_elementwise(graph, activation, values.name))
    values = settled(graph, values)
    if values.shape == (2,):
        # The same two probabilities from the difference of the two, without the slow sum over so short an axis.
        difference = graph.constant(np.array([[1, -1], [-1, 1]], dtype=np.float32))
        return replace(values, name=graph.node("Sigmoid", graph.node("MatMul", values.name, difference)))
    return replace(values, name=graph.node("Softmax", values.name, axis=values.layout.channel_axis))


def add_elementwise(graph: Graph, activation: Activation, values: str) -> str:
    """Add an activation of each value by itself."""
    return _ELEMENTWISE[activation](graph, values)


def _operator(operator: str, **attributes: Any) -> Callable[[Graph, str], str]:
    return lambda graph, values: graph.node(operator, values, **attributes)


def _gelu(graph: Graph, values: str) -> str:
    # In the order in which the runtimes recognise it and put one operator in its place.
    error = graph.node("Erf", graph.node("Div", values, graph.number(sqrt(2))))
    return _half_of_one_and(graph, values, error)


def _gelu_tanh(graph: Graph, values: str) -> str:
    cube = graph.node("Mul", graph.node("Mul", values, values), values)
    inner = graph.node("Add", values, graph.node("Mul", cube, graph.number(0.044715)))
    return _half_of_one_and(graph, values, graph.node("Tanh", graph.node("Mul", inner, graph.number(sqrt(2 / pi)))))


def _half_of_one_and(graph: Graph, values: str, share: str) -> str:
    doubled = graph.node("Mul", values, graph.node("Add", share, graph.number(1)))
    return graph.node("Mul", doubled, graph.number(0.5))


_ELEMENTWISE: Mapping[str, Callable[[Graph, str], str]] = MappingProxyType(
    {
        "linear": lambda _, values: values,
        "relu": _operator("Relu"),
        "tanh": _operator("Tanh"),
        "sigmoid": _operator("Sigmoid"),
        "elu": _operator("Elu"),
        "gelu": _gelu,
        "silu": lambda graph, values: graph.node("Mul", values, graph.node("Sigmoid", values)),
        "relu6": lambda graph, values: graph.node("Clip", values, graph.number(0), graph.number(6)),
        "selu": _operator("Selu"),
        "softplus": _operator("Softplus"),
        "mish": _operator("Mish"),
        "hard_sigmoid": _operator("HardSigmoid", alpha=1 / 6, beta=0.5),
        "exponential": _operator("Exp"),
        "softsign": _operator("Softsign"),
        "hard_silu": _operator("HardSwish"),
        "gelu_tanh": _gelu_tanh,
        "sqrt": lambda graph, values: graph.node("Sqrt", graph.node("Relu", values)),
    }
)
