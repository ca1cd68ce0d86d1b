"""Which shapes the layers of a network give, known before a single value is computed or room is made for it.

Shapes are those of one pulse: ``(sample,)`` or ``(step, channel)``.
"""

# ruff: noqa: ARG001 (one signature for all layers)

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from math import prod

from discrimen.errors import DataError
from discrimen.network import layers as spec

Shape = tuple[int, ...]

MOST_VALUES = 2**22
"""Values that a layer may make of one pulse; more is asked for by damaged files only."""


def shapes_of(layers: Sequence[spec.Layer], window_length: int) -> tuple[Shape, ...]:
    """Follow a prepared waveform through a network.

    Parameters
    ----------
    layers : sequence of Layer
        The network.
    window_length : int
        Samples of a prepared waveform.

    Returns
    -------
    tuple of tuple of int
        Shape before the first layer and after each.

    Raises
    ------
    DataError
        If a layer does not fit what comes out of the one before, its weights do not fit each other, it makes more
        than :data:`MOST_VALUES` values of a pulse, or values are to be added that were never kept.
    """
    shapes: list[Shape] = [(window_length,)]
    kept: dict[int, Shape] = {}
    for number, layer in enumerate(layers):
        shape = shapes[-1]
        try:
            if isinstance(layer, spec.Keep):
                kept[layer.slot] = shape
            elif isinstance(layer, spec.AddKept):
                _require_same(shape, kept, layer.slot)
            else:
                shape = shape_after(layer, shape)
            if prod(shape) > MOST_VALUES:
                raise DataError(f"it would make {prod(shape)} values of a pulse, at most {MOST_VALUES} are allowed")
        except DataError as error:
            name = type(layer).__name__
            raise DataError(f"layer {number} ({name}) does not fit values of shape {shapes[-1]}: {error}") from error
        shapes.append(shape)
    return tuple(shapes)


@singledispatch
def shape_after(layer: spec.Layer, shape: Shape) -> Shape:
    """Return what a layer makes of values of a shape.

    Raises
    ------
    DataError
        If it does not fit.
    """
    raise DataError(f"this engine does not know layer {type(layer).__name__}")


@shape_after.register
def _(layer: spec.Dense, shape: Shape) -> Shape:
    _require_axes("kernel", layer.kernel, 2)
    inputs, outputs = layer.kernel.shape
    _require_channels(shape, inputs)
    _require_shape("bias", layer.bias, (outputs,))
    return (*shape[:-1], outputs)


@shape_after.register
def _(layer: spec.Conv1D, shape: Shape) -> Shape:
    _require_axes("kernel", layer.kernel, 3)
    length, inputs, outputs = layer.kernel.shape
    steps = _steps(shape)
    _require_channels(shape, inputs)
    _require_shape("bias", layer.bias, (outputs,))
    reach = (length - 1) * layer.dilation + 1
    return steps_after(steps, reach=reach, stride=layer.stride, padding=layer.padding), outputs


@shape_after.register
def _(layer: spec.Conv1DTranspose, shape: Shape) -> Shape:
    _require_axes("kernel", layer.kernel, 3)
    length, outputs, inputs = layer.kernel.shape
    steps = _steps(shape)
    _require_channels(shape, inputs)
    _require_shape("bias", layer.bias, (outputs,))
    if layer.padding == "same":
        return steps * layer.stride, outputs
    return (steps - 1) * layer.stride + max(length, layer.stride), outputs


@shape_after.register(spec.MaxPooling1D)
@shape_after.register(spec.AveragePooling1D)
def _(layer: spec.MaxPooling1D | spec.AveragePooling1D, shape: Shape) -> Shape:
    return steps_after(_steps(shape), reach=layer.size, stride=layer.stride, padding=layer.padding), shape[1]


@shape_after.register(spec.GlobalMaxPooling1D)
@shape_after.register(spec.GlobalAveragePooling1D)
def _(layer: spec.GlobalMaxPooling1D | spec.GlobalAveragePooling1D, shape: Shape) -> Shape:
    _steps(shape)
    return (shape[1],)


@shape_after.register
def _(layer: spec.UpSampling1D, shape: Shape) -> Shape:
    return _steps(shape) * layer.size, shape[1]


@shape_after.register
def _(layer: spec.Flatten, shape: Shape) -> Shape:
    return (prod(shape),)


@shape_after.register
def _(layer: spec.Reshape, shape: Shape) -> Shape:
    wanted = (layer.channels,) if layer.steps == 0 else (layer.steps, layer.channels)
    if prod(wanted) != prod(shape):
        raise DataError(f"it wants shape {wanted}, {prod(wanted)} values, and gets {prod(shape)}")
    return wanted


@shape_after.register
def _(layer: spec.Lstm, shape: Shape) -> Shape:
    units = _recurrent_units(layer, shape, gates=4)
    return (_steps(shape), units) if layer.sequences else (units,)


@shape_after.register
def _(layer: spec.Gru, shape: Shape) -> Shape:
    units = _recurrent_units(layer, shape, gates=3)
    _require_shape("recurrent bias", layer.recurrent_bias, (3 * units,))
    return (_steps(shape), units) if layer.sequences else (units,)


@shape_after.register
def _(layer: spec.Activate, shape: Shape) -> Shape:
    return shape


def steps_after(n_steps: int, *, reach: int, stride: int, padding: spec.Padding) -> int:
    """Return how many positions a kernel or a group that reaches over some steps takes.

    Raises
    ------
    DataError
        If there is none.
    """
    if padding == "same":
        return -(-n_steps // stride)
    if reach > n_steps:
        raise DataError(f"it reaches over {reach} steps without padding, {n_steps} are there")
    return (n_steps - reach) // stride + 1


def _recurrent_units(layer: spec.Lstm | spec.Gru, shape: Shape, *, gates: int) -> int:
    _steps(shape)
    _require_axes("recurrent kernel", layer.recurrent_kernel, 2)
    units = len(layer.recurrent_kernel)
    _require_shape("recurrent kernel", layer.recurrent_kernel, (units, gates * units))
    _require_shape("kernel", layer.kernel, (shape[1], gates * units))
    _require_shape("bias", layer.bias, (gates * units,))
    return units


def _require_same(shape: Shape, kept: dict[int, Shape], slot: int) -> None:
    if slot not in kept:
        raise DataError(f"nothing was kept under number {slot}")
    if kept[slot] != shape:
        raise DataError(f"the values kept under number {slot} have shape {kept[slot]}")


def _steps(shape: Shape) -> int:
    if len(shape) != 2:
        raise DataError("it wants steps and channels")
    return shape[0]


def _require_channels(shape: Shape, wanted: int) -> None:
    if shape[-1] != wanted:
        raise DataError(f"it wants {wanted} channels")


def _require_axes(name: str, weights: spec.Weights, wanted: int) -> None:
    if weights.ndim != wanted:
        raise DataError(f"its {name} must have {wanted} axes, got shape {weights.shape}")


def _require_shape(name: str, weights: spec.Weights, wanted: Shape) -> None:
    if weights.shape != wanted:
        raise DataError(f"its {name} must have shape {wanted}, got {weights.shape}")
