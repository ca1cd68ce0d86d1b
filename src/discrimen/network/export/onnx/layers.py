"""Each layer of a frozen network as nodes of an ONNX graph."""

# ruff: noqa: ARG001 - one signature for all layers

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce, singledispatch

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network import layers
from discrimen.network.export.onnx.activations import add_activation
from discrimen.network.export.onnx.graph import Graph
from discrimen.network.export.onnx.layout import Layout, Values, alike, as_rows, held, settled
from discrimen.network.export.onnx.recurrent import add_recurrent
from discrimen.network.layers.visits import Visits, visits


@singledispatch
def add_layer(layer: layers.Layer, graph: Graph, *inputs: Values) -> Values:
    """Add the nodes of one layer on values that fit it.

    Parameters
    ----------
    layer : Layer
        What to add.
    graph : Graph
        Grows.
    *inputs : Values
        What the layer reads.
    """
    raise DataError(f"layer {type(layer).__name__} cannot be written as ONNX")


@add_layer.register
def _(layer: layers.Dense, graph: Graph, *inputs: Values) -> Values:
    (values,) = inputs
    shape, kernel = layer.shape(values.shape), layer.kernel
    if len(shape) == 1 or shape[0] == 1:
        if values.layout is Layout.CHANNELS_FIRST:
            # Reorders the kernel's rows instead of every pulse's values.
            kernel = kernel.reshape(*values.held, -1).swapaxes(0, 1).reshape(kernel.shape)
            name = graph.reshape(values.name, len(kernel))
        else:
            name = as_rows(graph, values).name
        name = graph.node("Gemm", name, graph.constant(kernel), graph.constant(layer.bias))
        result = Values(name=name, layout=Layout.ROWS, held=shape[-1:], shape=shape)
        return add_activation(graph, layer.activation, result)
    values = settled(graph, values)
    if values.layout is Layout.CHANNELS_FIRST:
        as_convolution = layers.Conv1D(kernel=kernel[np.newaxis], bias=layer.bias, activation=layer.activation)
        return add_layer(as_convolution, graph, values)
    name = graph.node("MatMul", values.name, graph.constant(kernel))
    name = graph.node("Add", name, graph.constant(layer.bias))
    return add_activation(graph, layer.activation, held(name, values.layout, shape))


@add_layer.register
def _(layer: layers.Conv1D, graph: Graph, *inputs: Values) -> Values:
    values = settled(graph, inputs[0], Layout.CHANNELS_FIRST)
    length = len(layer.kernel)
    placed = visits(values.shape[0], length, stride=layer.stride, dilation=layer.dilation, padding=layer.padding)
    name = graph.node(
        "Conv",
        values.name,
        graph.constant(layer.kernel.transpose(2, 1, 0)),
        graph.constant(layer.bias),
        kernel_shape=[length],
        strides=[layer.stride],
        dilations=[layer.dilation],
        pads=[placed.front, placed.back],
        group=layer.groups,
    )
    return add_activation(graph, layer.activation, held(name, values.layout, layer.shape(values.shape)))


@add_layer.register
def _(layer: layers.Conv1DTranspose, graph: Graph, *inputs: Values) -> Values:
    values = settled(graph, inputs[0], Layout.CHANNELS_FIRST)
    length = len(layer.kernel)
    cut = max(0, length - layer.stride) if layer.padding == "same" else 0
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
    return add_activation(graph, layer.activation, held(name, values.layout, layer.shape(values.shape)))


@add_layer.register
def _(layer: layers.MaxPooling1D, graph: Graph, *inputs: Values) -> Values:
    return _pooled(graph, "MaxPool", layer, inputs[0])


@add_layer.register
def _(layer: layers.AveragePooling1D, graph: Graph, *inputs: Values) -> Values:
    return _pooled(graph, "AveragePool", layer, inputs[0])


@add_layer.register
def _(layer: layers.GlobalMaxPooling1D, graph: Graph, *inputs: Values) -> Values:
    return _over_steps(graph, "ReduceMax", inputs[0])


@add_layer.register
def _(layer: layers.GlobalAveragePooling1D, graph: Graph, *inputs: Values) -> Values:
    return _over_steps(graph, "ReduceMean", inputs[0])


@add_layer.register(layers.Flatten)
@add_layer.register(layers.Reshape)
def _(layer: layers.Flatten | layers.Reshape, graph: Graph, *inputs: Values) -> Values:
    return replace(inputs[0], shape=layer.shape(inputs[0].shape))


@add_layer.register(layers.Lstm)
@add_layer.register(layers.Gru)
@add_layer.register(layers.SimpleRnn)
def _(layer: layers.Lstm | layers.Gru | layers.SimpleRnn, graph: Graph, *inputs: Values) -> Values:
    return add_recurrent(graph, layer, inputs[0])


@add_layer.register
def _(layer: layers.Activate, graph: Graph, *inputs: Values) -> Values:
    return add_activation(graph, layer.activation, inputs[0])


@add_layer.register
def _(layer: layers.UpSampling1D, graph: Graph, *inputs: Values) -> Values:
    return _chosen(graph, inputs[0], lambda steps: np.repeat(steps, layer.size))


@add_layer.register
def _(layer: layers.Cropping1D, graph: Graph, *inputs: Values) -> Values:
    return _chosen(graph, inputs[0], lambda steps: steps[layer.front : len(steps) - layer.back])


@add_layer.register
def _(layer: layers.Reverse, graph: Graph, *inputs: Values) -> Values:
    return _chosen(graph, inputs[0], lambda steps: steps[::-1])


@add_layer.register
def _(layer: layers.ZeroPadding1D, graph: Graph, *inputs: Values) -> Values:
    values = settled(graph, inputs[0])
    pads = graph.integers(layer.front, layer.back)
    name = graph.node("Pad", values.name, pads, "", graph.integers(values.layout.step_axis))
    return held(name, values.layout, layer.shape(values.shape))


@add_layer.register
def _(layer: layers.Permute, graph: Graph, *inputs: Values) -> Values:
    values = settled(graph, inputs[0])
    if values.layout is Layout.STEPS_FIRST:
        values = settled(graph, values, Layout.CHANNELS_LAST)
    # The axes stay where they are, and change their names.
    was_last = values.layout is Layout.CHANNELS_LAST
    return held(values.name, Layout.CHANNELS_FIRST if was_last else Layout.CHANNELS_LAST, values.shape[::-1])


@add_layer.register
def _(layer: layers.Add, graph: Graph, *inputs: Values) -> Values:
    values = alike(graph, inputs)
    return replace(values[0], name=reduce(lambda one, other: graph.node("Add", one, other), (v.name for v in values)))


@add_layer.register
def _(layer: layers.Multiply, graph: Graph, *inputs: Values) -> Values:
    shape = layer.shape(*(values.shape for values in inputs))
    whole = alike(graph, tuple(values for values in inputs if len(values.shape) == len(shape)))
    names = [values.name for values in whole]
    for values in inputs:
        if len(values.shape) < len(shape):
            axis = graph.integers(whole[0].layout.step_axis)
            names.append(graph.node("Unsqueeze", settled(graph, values).name, axis))
    return replace(whole[0], name=reduce(lambda one, other: graph.node("Mul", one, other), names))


@add_layer.register
def _(layer: layers.Concatenate, graph: Graph, *inputs: Values) -> Values:
    values = alike(graph, inputs)
    layout = values[0].layout
    axis = layout.step_axis if layer.along_steps else layout.channel_axis
    name = graph.node("Concat", *(each.name for each in values), axis=axis)
    return held(name, layout, layer.shape(*(each.shape for each in values)))


@add_layer.register
def _(layer: layers.Prelu, graph: Graph, *inputs: Values) -> Values:
    values = settled(graph, inputs[0])
    slope = layer.slope[np.newaxis]
    if values.layout is not Layout.ROWS:
        slope = layer.slope.reshape(1, -1, layer.slope.shape[-1]).transpose(values.layout.order)
    return replace(values, name=graph.node("PRelu", values.name, graph.constant(slope)))


@add_layer.register
def _(layer: layers.LayerNorm, graph: Graph, *inputs: Values) -> Values:
    values = settled(graph, inputs[0])
    if values.layout is Layout.CHANNELS_FIRST:
        values = settled(graph, values, Layout.CHANNELS_LAST)
    weights = graph.constant(layer.gamma), graph.constant(layer.beta)
    name = graph.node("LayerNormalization", values.name, *weights, axis=-1, epsilon=float(layer.epsilon[0]))
    return replace(values, name=name)


@add_layer.register
def _(layer: layers.Attention, graph: Graph, *inputs: Values) -> Values:
    query, key, value = (settled(graph, values, Layout.CHANNELS_LAST) for values in inputs)

    def by_head(values: Values, *order: int) -> str:
        steps, channels = values.shape
        shared = graph.reshape(values.name, steps, layer.heads, channels // layer.heads)
        return graph.node("Transpose", shared, perm=[0, *order])

    weights = graph.node("Softmax", graph.node("MatMul", by_head(query, 2, 1, 3), by_head(key, 2, 3, 1)), axis=-1)
    gathered = graph.node("MatMul", weights, by_head(value, 2, 1, 3))
    shape = layer.shape(query.shape, key.shape, value.shape)
    name = graph.reshape(graph.node("Transpose", gathered, perm=[0, 2, 1, 3]), *shape)
    return held(name, Layout.CHANNELS_LAST, shape)


@add_layer.register
def _(layer: layers.Sample, graph: Graph, *inputs: Values) -> Values:
    return inputs[0]


@add_layer.register
def _(layer: layers.Neighbours, graph: Graph, *inputs: Values) -> Values:
    values = settled(graph, inputs[0], Layout.CHANNELS_LAST)
    channels, samples = values.shape
    n_segments = layer.sectors * layer.rings
    ends = graph.cut(graph.cut(values.name, 0, n_segments, axis=1), samples - layer.last, samples, axis=2)
    hit = graph.node("ArgMax", graph.node("ReduceSum", ends, graph.integers(2), keepdims=0), axis=1, keepdims=0)
    # Every place of a trace in the row of all values; the zeros lie behind them.
    table = layers.places_around(layer.sectors, layer.rings)
    first = np.where(table < 0, channels, table)[:, :, np.newaxis] * samples
    places = (first + np.arange(samples)).reshape(n_segments, -1).astype(np.int64)
    flat = graph.reshape(values.name, channels * samples)
    nothing = graph.node("Mul", graph.cut(flat, 0, samples, axis=1), graph.number(0.0))
    padded = graph.node("Concat", flat, nothing, axis=1)
    around = graph.node("GatherElements", padded, graph.node("Gather", graph.constant(places), hit, axis=0), axis=1)
    others = graph.cut(flat, n_segments * samples, channels * samples, axis=1)
    is_hit = graph.node("Gather", graph.constant(np.eye(n_segments, dtype=np.float32)), hit, axis=0)
    parts = (around, others, is_hit) if channels > n_segments else (around, is_hit)
    name = graph.node("Concat", *parts, axis=1)
    return Values(name=name, layout=Layout.ROWS, held=layer.shape(values.shape), shape=layer.shape(values.shape))


def _pooled(
    graph: Graph, operator: str, layer: layers.MaxPooling1D | layers.AveragePooling1D, values: Values
) -> Values:
    values = settled(graph, values, Layout.CHANNELS_FIRST)
    placed: Visits = layer.visits(values.shape[0])
    pads = [placed.front, placed.back]
    # By default an average leaves the padding out, and a maximum pads with minus infinity.
    name = graph.node(operator, values.name, kernel_shape=[layer.size], strides=[layer.stride], pads=pads)
    return held(name, values.layout, layer.shape(values.shape))


def _over_steps(graph: Graph, operator: str, values: Values) -> Values:
    values = settled(graph, values)
    axis = graph.integers(values.layout.step_axis)
    return held(graph.node(operator, values.name, axis, keepdims=0), Layout.ROWS, values.shape[1:])


def _chosen(graph: Graph, values: Values, choose: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> Values:
    values = settled(graph, values)
    steps = choose(np.arange(values.shape[0]))
    name = graph.node("Gather", values.name, graph.constant(steps), axis=values.layout.step_axis)
    return held(name, values.layout, (len(steps), values.shape[1]))
