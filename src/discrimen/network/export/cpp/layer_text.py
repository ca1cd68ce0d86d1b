"""Each layer as the C++ function that computes it, with the constants and the layout of weights that it wants."""

# ruff: noqa: ARG001 (one signature for all layers)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from math import prod

import numpy as np

from discrimen.errors import DataError
from discrimen.network import layers as spec
from discrimen.network.layers import Weights

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LayerText:
    """One layer in C++.

    Parameters
    ----------
    shape : tuple of int
        Of the values that come out, without the pulse: (sample,) or (step, channel).
    function : str
        Name of the C++ function; empty where nothing is to be computed.
    in_place : bool
        Whether the function changes the values where they are.
    constants : mapping of str to int
        Sizes that the function reads from the layer's type.
    activation, sequences
        As in the layer, where it has them.
    weights : mapping of str to ndarray of float32
        In the layout that the function reads.
    scratch : int
        Values that the function keeps on the stack while it runs, where they are as many as the layer's output.
    remark : str
        For people.
    """

    shape: Shape
    function: str = ""
    in_place: bool = False
    constants: Mapping[str, int] = field(default_factory=dict)
    activation: str | None = None
    sequences: bool | None = None
    weights: Mapping[str, Weights] = field(default_factory=dict)
    scratch: int = 0
    remark: str = ""


def layer_text(layer: spec.Layer, shape: Shape, *, number: int) -> LayerText:
    """Return the C++ of a layer on values of a shape.

    Parameters
    ----------
    layer : Layer
        What to compute.
    shape : tuple of int
        Of the values that come in.
    number : int
        Position of the layer in the network, for the message.

    Raises
    ------
    DataError
        If the layer does not fit the shape.
    """
    try:
        text = _text(layer, shape)
    except ValueError as error:
        kind = type(layer).__name__
        raise DataError(f"layer {number} ({kind}) does not fit values of shape {shape}: {error}") from error
    return text


def row_length(n_outputs: int) -> int:
    """Return the length of a row of weights, as ``row_length`` of the C++ templates."""
    return 4 if n_outputs <= 4 else -(-n_outputs // 8) * 8


@singledispatch
def _text(layer: spec.Layer, shape: Shape) -> LayerText:
    raise DataError(f"layer {type(layer).__name__} cannot be written as C++")


@_text.register
def _(layer: spec.Dense, shape: Shape) -> LayerText:
    inputs, outputs = layer.kernel.shape
    _require(shape[-1] == inputs, f"it wants {inputs} channels")
    return LayerText(
        shape=(*shape[:-1], outputs),
        function="dense",
        constants={"steps": prod(shape[:-1]), "inputs": inputs, "outputs": outputs},
        activation=layer.activation,
        weights={"kernel": _rows(layer.kernel), "bias": _rows(layer.bias)},
        remark=f", {layer.activation}",
    )


@_text.register
def _(layer: spec.Conv1D, shape: Shape) -> LayerText:
    length, inputs, outputs = layer.kernel.shape
    steps = _steps(shape, channels=inputs)
    reach = (length - 1) * layer.dilation + 1
    output_steps, padding = _positions(steps, reach=reach, stride=layer.stride, padding=layer.padding)
    return LayerText(
        shape=(output_steps, outputs),
        function="conv1d",
        constants={
            "steps": steps,
            "inputs": inputs,
            "outputs": outputs,
            "length": length,
            "stride": layer.stride,
            "dilation": layer.dilation,
            "padding": padding,
            "output_steps": output_steps,
        },
        activation=layer.activation,
        weights={"kernel": _rows(layer.kernel), "bias": _rows(layer.bias)},
        remark=f", {length} long, stride {layer.stride}, dilation {layer.dilation}, {layer.padding}, "
        f"{layer.activation}",
    )


@_text.register
def _(layer: spec.Conv1DTranspose, shape: Shape) -> LayerText:
    length, outputs, inputs = layer.kernel.shape
    steps = _steps(shape, channels=inputs)
    cut = max(length - layer.stride, 0) if layer.padding == "same" else 0
    output_steps = (steps - 1) * layer.stride + max(length, layer.stride) - cut
    return LayerText(
        shape=(output_steps, outputs),
        function="conv1d_transpose",
        constants={
            "steps": steps,
            "inputs": inputs,
            "outputs": outputs,
            "length": length,
            "stride": layer.stride,
            "cut": cut // 2,
            "output_steps": output_steps,
        },
        activation=layer.activation,
        weights={"kernel": _rows(layer.kernel.transpose(0, 2, 1)), "bias": _rows(layer.bias)},
        scratch=output_steps * row_length(outputs),
        remark=f", {length} long, stride {layer.stride}, {layer.padding}, {layer.activation}",
    )


@_text.register
def _(layer: spec.MaxPooling1D, shape: Shape) -> LayerText:
    return _pooling("max_pooling", layer, shape)


@_text.register
def _(layer: spec.AveragePooling1D, shape: Shape) -> LayerText:
    return _pooling("average_pooling", layer, shape)


@_text.register
def _(layer: spec.GlobalMaxPooling1D, shape: Shape) -> LayerText:
    return _global_pooling("max_pooling", shape)


@_text.register
def _(layer: spec.GlobalAveragePooling1D, shape: Shape) -> LayerText:
    return _global_pooling("average_pooling", shape)


@_text.register
def _(layer: spec.Flatten, shape: Shape) -> LayerText:
    return LayerText(shape=(prod(shape),))


@_text.register
def _(layer: spec.Reshape, shape: Shape) -> LayerText:
    wanted = (layer.channels,) if layer.steps == 0 else (layer.steps, layer.channels)
    _require(prod(wanted) == prod(shape), f"it gives {prod(wanted)} values")
    return LayerText(shape=wanted)


@_text.register
def _(layer: spec.Lstm, shape: Shape) -> LayerText:
    weights = {"kernel": layer.kernel, "recurrent_kernel": layer.recurrent_kernel, "bias": layer.bias}
    return _recurrent("lstm", layer, shape, n_gates=4, weights=weights)


@_text.register
def _(layer: spec.Gru, shape: Shape) -> LayerText:
    weights = {
        "kernel": layer.kernel,
        "recurrent_kernel": layer.recurrent_kernel,
        "bias": layer.bias,
        "recurrent_bias": layer.recurrent_bias,
    }
    return _recurrent("gru", layer, shape, n_gates=3, weights=weights)


@_text.register
def _(layer: spec.Activate, shape: Shape) -> LayerText:
    return LayerText(
        shape=shape,
        function="activate",
        in_place=True,
        constants={"steps": prod(shape[:-1]), "channels": shape[-1]},
        activation=layer.activation,
        remark=f", {layer.activation}",
    )


@_text.register
def _(layer: spec.UpSampling1D, shape: Shape) -> LayerText:
    steps = _steps(shape)
    return LayerText(
        shape=(steps * layer.size, shape[1]),
        function="up_sampling",
        constants={"steps": steps, "channels": shape[1], "size": layer.size},
        remark=f", each {layer.size} times",
    )


@_text.register(spec.Keep)
@_text.register(spec.AddKept)
def _(layer: spec.Keep | spec.AddKept, shape: Shape) -> LayerText:
    return LayerText(shape=shape, remark=f", number {layer.slot}")


def _pooling(function: str, layer: spec.MaxPooling1D | spec.AveragePooling1D, shape: Shape) -> LayerText:
    steps = _steps(shape)
    output_steps, padding = _positions(steps, reach=layer.size, stride=layer.stride, padding=layer.padding)
    return LayerText(
        shape=(output_steps, shape[1]),
        function=function,
        constants={
            "steps": steps,
            "channels": shape[1],
            "size": layer.size,
            "stride": layer.stride,
            "padding": padding,
            "output_steps": output_steps,
        },
        remark=f", {layer.size} long, stride {layer.stride}, {layer.padding}",
    )


def _global_pooling(function: str, shape: Shape) -> LayerText:
    """Return a pooling with one group that holds all steps."""
    steps = _steps(shape)
    sizes = {"steps": steps, "channels": shape[1], "size": steps, "stride": 1, "padding": 0, "output_steps": 1}
    return LayerText(shape=(shape[1],), function=function, constants=sizes)


def _recurrent(
    function: str, layer: spec.Lstm | spec.Gru, shape: Shape, *, n_gates: int, weights: Mapping[str, Weights]
) -> LayerText:
    inputs, units = layer.kernel.shape[0], layer.recurrent_kernel.shape[0]
    steps = _steps(shape, channels=inputs)
    return LayerText(
        shape=(steps, units) if layer.sequences else (units,),
        function=function,
        constants={"steps": steps, "inputs": inputs, "units": units},
        sequences=layer.sequences,
        weights={name: _gate_rows(values, n_gates=n_gates) for name, values in weights.items()},
        remark=", every step" if layer.sequences else ", last step",
    )


def _steps(shape: Shape, *, channels: int | None = None) -> int:
    _require(len(shape) == 2, "it wants steps and channels")
    _require(channels is None or shape[1] == channels, f"it wants {channels} channels")
    return shape[0]


def _positions(steps: int, *, reach: int, stride: int, padding: spec.Padding) -> tuple[int, int]:
    """Return how many times a kernel or group fits, and how many steps of padding lie before the first."""
    if padding == "same":
        count = -(-steps // stride)
        return count, max(0, (count - 1) * stride + reach - steps) // 2
    _require(reach <= steps, f"it reaches over {reach} steps")
    return (steps - reach) // stride + 1, 0


def _rows(weights: Weights) -> Weights:
    """Fill up the last axis with zeros to the length of a row."""
    n_outputs = weights.shape[-1]
    return np.pad(weights, [(0, 0)] * (weights.ndim - 1) + [(0, row_length(n_outputs) - n_outputs)])


def _gate_rows(weights: Weights, *, n_gates: int) -> Weights:
    """Give each gate a row of its own."""
    return _rows(weights.reshape(*weights.shape[:-1], n_gates, weights.shape[-1] // n_gates))


def _require(fits: bool, reason: str) -> None:
    if not fits:
        raise ValueError(reason)
