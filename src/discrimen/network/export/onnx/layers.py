"""Each layer of a frozen network as nodes of an ONNX graph."""

# ruff: noqa: ARG001 - one signature for all layers

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import singledispatch
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network import layers as spec
from discrimen.network.export.onnx.activations import add_activation
from discrimen.network.export.onnx.graph import Graph
from discrimen.network.export.onnx.layout import Layout, Values, moved, reshaped, rows


def add_layers(graph: Graph, layers: Iterable[spec.Layer], values: Values) -> Values:
    """Add the nodes of a network.

    Parameters
    ----------
    graph : Graph
        Grows.
    layers : iterable of Layer
        The network.
    values : Values
        Its input.

    Raises
    ------
    DataError
        If a layer does not fit what comes out of the one before.
    """
    kept: dict[int, Values] = {}
    for number, layer in enumerate(layers):
        try:
            if isinstance(layer, spec.Keep):
                kept[layer.slot] = values
            elif isinstance(layer, spec.AddKept):
                values = _sum(graph, values, kept[layer.slot])
            else:
                values = add_layer(layer, graph, values)
        except (DataError, KeyError) as error:
            name = type(layer).__name__
            raise DataError(f"layer {number} ({name}) does not fit values of shape {values.shape}") from error
    return moved(graph, values, Layout.ROWS) if len(values.shape) == 1 else values


@singledispatch
def add_layer(layer: spec.Layer, graph: Graph, values: Values) -> Values:
    """Add the nodes of one layer."""
    raise DataError(f"layer {type(layer).__name__} cannot be written as ONNX")


@add_layer.register
def _(layer: spec.Dense, graph: Graph, values: Values) -> Values:
    n_inputs, n_outputs = layer.kernel.shape
    _require(n_inputs == values.shape[-1], "as many values as the kernel takes")
    if values.layout is Layout.CHANNELS_FIRST:
        as_convolution = spec.Conv1D(kernel=layer.kernel[np.newaxis], bias=layer.bias, activation=layer.activation)
        return add_layer(as_convolution, graph, values)
    kernel, bias, activation = layer.kernel, layer.bias, layer.activation
    if activation == "softmax" and n_outputs == 2:
        # The same two probabilities from the difference of the two, without the slow sum over so short an axis.
        kernel, bias, activation = kernel - kernel[:, ::-1], bias - bias[::-1], "sigmoid"
    if values.layout is Layout.ROWS_BY_CHANNEL:
        # Reorders the kernel's rows instead of every pulse's values.
        kernel = kernel.reshape(values.steps, values.channels, n_outputs).swapaxes(0, 1).reshape(kernel.shape)
        values = rows(values.name, n_inputs)
    if values.layout is Layout.ROWS:
        name = graph.node("Gemm", values.name, graph.constant(kernel), graph.constant(bias))
    else:
        name = graph.node("MatMul", values.name, graph.constant(kernel))
        name = graph.node("Add", name, graph.constant(bias))
    return add_activation(graph, activation, replace(values, name=name, channels=n_outputs))


@add_layer.register
def _(layer: spec.Conv1D, graph: Graph, values: Values) -> Values:
    length, n_inputs, n_outputs = layer.kernel.shape
    values.require_steps()
    _require(n_inputs == values.channels, "as many channels as the kernel takes")
    steps, pads = _placed(values.steps, layer.padding, size=length, stride=layer.stride, dilation=layer.dilation)
    values = moved(graph, values, Layout.CHANNELS_FIRST)
    kernel = graph.constant(layer.kernel.transpose(2, 1, 0))
    name = graph.node(
        "Conv",
        values.name,
        kernel,
        graph.constant(layer.bias),
        kernel_shape=[length],
        strides=[layer.stride],
        dilations=[layer.dilation],
        pads=pads,
    )
    return add_activation(graph, layer.activation, replace(values, name=name, steps=steps, channels=n_outputs))


@add_layer.register
def _(layer: spec.Conv1DTranspose, graph: Graph, values: Values) -> Values:
    length, n_outputs, n_inputs = layer.kernel.shape
    values.require_steps()
    _require(n_inputs == values.channels, "as many channels as the kernel takes")
    surplus = max(0, length - layer.stride)
    cut = surplus if layer.padding == "same" else 0
    values = moved(graph, values, Layout.CHANNELS_FIRST)
    name = graph.node(
        "ConvTranspose",
        values.name,
        graph.constant(layer.kernel.transpose(2, 1, 0)),
        graph.constant(layer.bias),
        kernel_shape=[length],
        strides=[layer.stride],
        pads=[cut // 2, cut - cut // 2],
        output_padding=[max(0, layer.stride - length)],
    )
    steps = values.steps * layer.stride + surplus - cut
    return add_activation(graph, layer.activation, replace(values, name=name, steps=steps, channels=n_outputs))


@add_layer.register
def _(layer: spec.MaxPooling1D, graph: Graph, values: Values) -> Values:
    return _pooled(graph, "MaxPool", layer, values)


@add_layer.register
def _(layer: spec.AveragePooling1D, graph: Graph, values: Values) -> Values:
    return _pooled(graph, "AveragePool", layer, values)


@add_layer.register
def _(layer: spec.GlobalMaxPooling1D, graph: Graph, values: Values) -> Values:
    return _over_steps(graph, "ReduceMax", values)


@add_layer.register
def _(layer: spec.GlobalAveragePooling1D, graph: Graph, values: Values) -> Values:
    return _over_steps(graph, "ReduceMean", values)


@add_layer.register
def _(layer: spec.Flatten, graph: Graph, values: Values) -> Values:
    if values.layout is Layout.CHANNELS_FIRST:
        name = graph.reshape(values.name, -1, values.steps * values.channels)
        return replace(values, name=name, layout=Layout.ROWS_BY_CHANNEL)
    return reshaped(graph, values, (int(np.prod(values.shape)),))


@add_layer.register
def _(layer: spec.Reshape, graph: Graph, values: Values) -> Values:
    shape = (layer.channels,) if layer.steps == 0 else (layer.steps, layer.channels)
    _require(np.prod(shape) == np.prod(values.shape), f"as many values as {shape} holds")
    return reshaped(graph, values, shape)


@add_layer.register
def _(layer: spec.Lstm, graph: Graph, values: Values) -> Values:
    # ONNX wants the gates as input, output, forget, cell, and a second bias for the state.
    weights = [_gates(array, (0, 3, 1, 2)) for array in (layer.kernel, layer.recurrent_kernel)]
    bias = _gates(layer.bias, (0, 3, 1, 2))
    return _recurrent(graph, "LSTM", layer, values, [*weights, np.concatenate([bias, np.zeros_like(bias)])])


@add_layer.register
def _(layer: spec.Gru, graph: Graph, values: Values) -> Values:
    # The gates have the order of ONNX: update, reset, candidate.
    weights = [_gates(array, (0, 1, 2)) for array in (layer.kernel, layer.recurrent_kernel)]
    biases = np.concatenate([layer.bias, layer.recurrent_bias])
    return _recurrent(graph, "GRU", layer, values, [*weights, biases], linear_before_reset=1)


@add_layer.register
def _(layer: spec.Activate, graph: Graph, values: Values) -> Values:
    return add_activation(graph, layer.activation, values)


@add_layer.register
def _(layer: spec.UpSampling1D, graph: Graph, values: Values) -> Values:
    values.require_steps()
    source = graph.constant(np.repeat(np.arange(values.steps), layer.size))
    name = graph.node("Gather", values.name, source, axis=values.layout.step_axis)
    return replace(values, name=name, steps=values.steps * layer.size)


def _sum(graph: Graph, values: Values, kept: Values) -> Values:
    _require(values.shape == kept.shape, f"the kept shape {kept.shape}")
    # Rows by channel may differ in what they were flattened from.
    layout = Layout.ROWS if len(values.shape) == 1 else values.layout
    values, kept = moved(graph, values, layout), moved(graph, kept, layout)
    return replace(values, name=graph.node("Add", values.name, kept.name))


def _pooled(graph: Graph, operator: str, layer: spec.MaxPooling1D | spec.AveragePooling1D, values: Values) -> Values:
    values.require_steps()
    steps, pads = _placed(values.steps, layer.padding, size=layer.size, stride=layer.stride)
    values = moved(graph, values, Layout.CHANNELS_FIRST)
    # By default an average leaves the padding out, and a maximum pads with minus infinity.
    name = graph.node(operator, values.name, kernel_shape=[layer.size], strides=[layer.stride], pads=pads)
    return replace(values, name=name, steps=steps)


def _over_steps(graph: Graph, operator: str, values: Values) -> Values:
    values.require_steps()
    axis = graph.integers(values.layout.step_axis)
    return rows(graph.node(operator, values.name, axis, keepdims=0), values.channels)


def _recurrent(
    graph: Graph,
    operator: str,
    layer: spec.Lstm | spec.Gru,
    values: Values,
    weights: list[NDArray[np.float32]],
    **attributes: Any,
) -> Values:
    values.require_steps()
    _require(layer.kernel.shape[0] == values.channels, "as many channels as the kernel takes")
    units = layer.recurrent_kernel.shape[0]
    values = moved(graph, values, Layout.STEPS_FIRST)
    # The first axis of each is the direction; there is one.
    constants = [graph.constant(array[np.newaxis]) for array in weights]
    place = 0 if layer.sequences else 1
    name = graph.node(operator, values.name, *constants, place=place, hidden_size=units, **attributes)
    name = graph.node("Squeeze", name, graph.integers(1 - place))
    if layer.sequences:
        return replace(values, name=name, channels=units)
    return rows(name, units)


def _gates(weights: NDArray[np.float32], order: tuple[int, ...]) -> NDArray[np.float32]:
    """Reorder the gates on the last axis, and put that axis first."""
    parts = np.split(weights, len(order), axis=-1)
    return np.concatenate([parts[gate] for gate in order], axis=-1).T


def _placed(steps: int, padding: spec.Padding, *, size: int, stride: int, dilation: int = 1) -> tuple[int, list[int]]:
    """Return the number of output steps and the padding before and behind."""
    reach = (size - 1) * dilation + 1
    surplus = max(0, (ceil(steps / stride) - 1) * stride + reach - steps) if padding == "same" else 0
    n_outputs = (steps + surplus - reach) // stride + 1
    _require(n_outputs >= 1, f"at least {reach} steps")
    return n_outputs, [surplus // 2, surplus - surplus // 2]


def _require(condition: object, expected: str) -> None:
    if not condition:
        raise DataError(f"expected {expected}")
