"""Recurrent layers that no operator computes in every runtime: the nodes of each step, one step after another."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from discrimen.network import layers
from discrimen.network.export.onnx.activations import add_elementwise
from discrimen.network.export.onnx.graph import Graph
from discrimen.network.export.onnx.layout import Values

Recurrent = layers.Lstm | layers.Gru | layers.SimpleRnn


def add_step_by_step(graph: Graph, layer: Recurrent, values: Values) -> str:
    """Add a recurrent layer on values with the steps first; return the name of all states, or of the last."""
    units, n_gates = layer.recurrent_kernel.shape
    driven = graph.node("MatMul", values.name, graph.constant(layer.kernel))
    driven = graph.node("Add", driven, graph.constant(layer.bias))
    entries = [graph.node("Gather", driven, graph.constant(np.array(step)), axis=0) for step in range(values.shape[0])]
    state = cell = graph.node("MatMul", entries[0], graph.constant(np.zeros((n_gates, units), np.float32)))
    states = []
    for entry in entries:
        state, cell = _step(layer, graph, entry, state, cell)
        states.append(state)
    if not layer.sequences:
        return state
    return graph.node("Concat", *(graph.node("Unsqueeze", each, graph.integers(0)) for each in states), axis=0)


@singledispatch
def _step(layer: layers.Layer, graph: Graph, entry: str, state: str, cell: str) -> tuple[str, str]:
    """Return state and cell after a step that is driven by an entry."""
    raise NotImplementedError


@_step.register
def _(layer: layers.SimpleRnn, graph: Graph, entry: str, state: str, cell: str) -> tuple[str, str]:
    driven = graph.node("Add", entry, graph.node("MatMul", state, graph.constant(layer.recurrent_kernel)))
    return add_elementwise(graph, layer.activation, driven), cell


@_step.register
def _(layer: layers.Lstm, graph: Graph, entry: str, state: str, cell: str) -> tuple[str, str]:
    units = len(layer.recurrent_kernel)
    driven = graph.node("Add", entry, graph.node("MatMul", state, graph.constant(layer.recurrent_kernel)))
    gates = add_elementwise(graph, layer.gate_activation, driven)
    entering, forget, output = (graph.cut(gates, at * units, (at + 1) * units, axis=1) for at in (0, 1, 3))
    candidate = graph.node("Tanh", graph.cut(driven, 2 * units, 3 * units, axis=1))
    cell = graph.node("Add", graph.node("Mul", forget, cell), graph.node("Mul", entering, candidate))
    return graph.node("Mul", output, graph.node("Tanh", cell)), cell


@_step.register
def _(layer: layers.Gru, graph: Graph, entry: str, state: str, cell: str) -> tuple[str, str]:
    units = len(layer.recurrent_kernel)

    def product(values: str, start: int, stop: int) -> str:
        name = graph.node("MatMul", values, graph.constant(layer.recurrent_kernel[:, start:stop]))
        return graph.node("Add", name, graph.constant(layer.recurrent_bias[start:stop]))

    driven = graph.node("Add", graph.cut(entry, 0, 2 * units, axis=1), product(state, 0, 2 * units))
    gates = add_elementwise(graph, layer.gate_activation, driven)
    keep, opened = graph.cut(gates, 0, units, axis=1), graph.cut(gates, units, 2 * units, axis=1)
    if layer.reset_after:
        recalled = graph.node("Mul", opened, product(state, 2 * units, 3 * units))
    else:
        recalled = product(graph.node("Mul", opened, state), 2 * units, 3 * units)
    new = graph.node("Tanh", graph.node("Add", graph.cut(entry, 2 * units, 3 * units, axis=1), recalled))
    return graph.node("Add", new, graph.node("Mul", keep, graph.node("Sub", state, new))), cell
