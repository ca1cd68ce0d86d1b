"""Recurrent layers as nodes of an ONNX graph."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network import layers
from discrimen.network.export.onnx.graph import Graph
from discrimen.network.export.onnx.layout import Layout, Values, held, settled
from discrimen.network.export.onnx.step_by_step import Recurrent, add_step_by_step

_OF_RNN = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid"}
"""Activations that every runtime has in its operator RNN."""
_Described = tuple[str, tuple[int, ...], tuple[NDArray[np.float32], NDArray[np.float32]], dict[str, Any]]


def add_recurrent(graph: Graph, layer: Recurrent, values: Values) -> Values:
    """Add a recurrent layer: one operator that goes through the steps by itself, where every runtime has it."""
    values = settled(graph, values, Layout.STEPS_FIRST)
    name = _by_operator(graph, layer, values) if _has_operator(layer) else add_step_by_step(graph, layer, values)
    return held(name, Layout.STEPS_FIRST if layer.sequences else Layout.ROWS, layer.shape(values.shape))


def _has_operator(layer: Recurrent) -> bool:
    if isinstance(layer, layers.SimpleRnn):
        return layer.activation in _OF_RNN
    # OpenVINO's operators know no other gates; 2026.4 refuses to compile them.
    return layer.gate_activation == "sigmoid"


def _by_operator(graph: Graph, layer: Recurrent, values: Values) -> str:
    operator, order, biases, attributes = _described(layer)
    weights = [_gates(array, order) for array in (layer.kernel, layer.recurrent_kernel)]
    weights.append(np.concatenate([_gates(bias, order) for bias in biases]))
    # The first axis of each is the direction; there is one.
    constants = [graph.constant(array[np.newaxis]) for array in weights]
    place = 0 if layer.sequences else 1
    units = len(layer.recurrent_kernel)
    name = graph.node(operator, values.name, *constants, place=place, hidden_size=units, **attributes)
    return graph.node("Squeeze", name, graph.integers(1 - place))


@singledispatch
def _described(layer: layers.Layer) -> _Described:
    """Return the operator, the order of its gates, the biases of input and state, and its attributes."""
    raise NotImplementedError


@_described.register
def _(layer: layers.Lstm) -> _Described:
    # ONNX wants the gates as input, output, forget, cell.
    return "LSTM", (0, 3, 1, 2), (layer.bias, np.zeros_like(layer.bias)), {}


@_described.register
def _(layer: layers.Gru) -> _Described:
    # The gates have the order of ONNX: update, reset, candidate.
    return "GRU", (0, 1, 2), (layer.bias, layer.recurrent_bias), {"linear_before_reset": int(layer.reset_after)}


@_described.register
def _(layer: layers.SimpleRnn) -> _Described:
    return "RNN", (0,), (layer.bias, np.zeros_like(layer.bias)), {"activations": [_OF_RNN[layer.activation]]}


def _gates(weights: NDArray[np.float32], order: tuple[int, ...]) -> NDArray[np.float32]:
    """Reorder the gates on the last axis, and put that axis first."""
    parts = np.split(weights, len(order), axis=-1)
    return np.concatenate([parts[gate] for gate in order], axis=-1).T
