"""What each layer computes, in float64: slow, plain, and the measure of every faster engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import singledispatch
from math import erf, prod, sqrt

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network import layers as spec
from discrimen.network.shapes import shapes_of, steps_after

Values = NDArray[np.float64]

MOST_AT_ONCE = 2**24
"""Values that a layer makes of all pulses computed together; more pulses are computed one batch after another."""


def run_layers(layers: Sequence[spec.Layer], waveforms: NDArray[np.float32]) -> Values:
    """Send prepared waveforms through a network.

    Parameters
    ----------
    layers : sequence of Layer
        The network.
    waveforms : ndarray of float32, shape (pulse, window sample)
        From :func:`discrimen.network.prepare.prepare`.

    Returns
    -------
    ndarray of float64, shape (pulse, class)
        Scores.

    Raises
    ------
    DataError
        If a layer does not fit what comes out of the one before; see
        :func:`~discrimen.network.shapes.shapes_of`.
    """
    shapes = shapes_of(layers, waveforms.shape[1])
    n_at_once = max(1, MOST_AT_ONCE // max(map(prod, shapes)))
    result = np.empty((len(waveforms), *shapes[-1]))
    for start in range(0, len(waveforms), n_at_once):
        batch = slice(start, start + n_at_once)
        result[batch] = _run_batch(layers, waveforms[batch].astype(np.float64))
    return result


def _run_batch(layers: Sequence[spec.Layer], values: Values) -> Values:
    kept: dict[int, Values] = {}
    for layer in layers:
        if isinstance(layer, spec.Keep):
            kept[layer.slot] = values
        elif isinstance(layer, spec.AddKept):
            values = values + kept[layer.slot]
        else:
            values = compute(layer, values)
    return values


@singledispatch
def compute(layer: spec.Layer, values: Values) -> Values:
    """Compute one layer on values of shape (pulse, sample) or (pulse, step, channel)."""
    raise DataError(f"this engine does not know layer {type(layer).__name__}")


@compute.register
def _(layer: spec.Dense, values: Values) -> Values:
    return activate(layer.activation, values @ layer.kernel.astype(np.float64) + layer.bias)


@compute.register
def _(layer: spec.Conv1D, values: Values) -> Values:
    kernel = layer.kernel.astype(np.float64)
    n_steps, length = values.shape[1], len(kernel)
    reach = (length - 1) * layer.dilation + 1
    n_outputs = steps_after(n_steps, reach=reach, stride=layer.stride, padding=layer.padding)
    result: Values = np.zeros((len(values), n_outputs, kernel.shape[2])) + layer.bias.astype(np.float64)
    for place, outputs, inputs in _overlaps(
        n_steps, n_outputs, size=length, stride=layer.stride, dilation=layer.dilation, padding=layer.padding
    ):
        result[:, outputs] += values[:, inputs] @ kernel[place]
    return activate(layer.activation, result)


@compute.register
def _(layer: spec.Conv1DTranspose, values: Values) -> Values:
    kernel = layer.kernel.astype(np.float64)
    n_steps, length, stride = values.shape[1], len(kernel), layer.stride
    n_outputs = (n_steps - 1) * stride + max(length, stride)
    whole: Values = np.zeros((len(values), n_outputs, kernel.shape[1])) + layer.bias.astype(np.float64)
    for place in range(length):
        whole[:, place : place + (n_steps - 1) * stride + 1 : stride] += values @ kernel[place].T
    if layer.padding == "same":
        cut_off = max(0, length - stride) // 2
        whole = whole[:, cut_off : cut_off + n_steps * stride]
    return activate(layer.activation, whole)


@compute.register
def _(layer: spec.UpSampling1D, values: Values) -> Values:
    return np.repeat(values, layer.size, axis=1)


@compute.register
def _(layer: spec.MaxPooling1D, values: Values) -> Values:
    result, overlaps = _pooling(layer, values, start=-np.inf)
    for _, outputs, inputs in overlaps:
        np.maximum(result[:, outputs], values[:, inputs], out=result[:, outputs])
    return result


@compute.register
def _(layer: spec.AveragePooling1D, values: Values) -> Values:
    result, overlaps = _pooling(layer, values, start=0.0)
    n_steps_of = np.zeros((result.shape[1], 1))
    for _, outputs, inputs in overlaps:
        result[:, outputs] += values[:, inputs]
        n_steps_of[outputs] += 1
    return result / n_steps_of


@compute.register
def _(layer: spec.GlobalMaxPooling1D, values: Values) -> Values:
    result: Values = values.max(axis=1)
    return result


@compute.register
def _(layer: spec.GlobalAveragePooling1D, values: Values) -> Values:
    result: Values = values.mean(axis=1)
    return result


@compute.register
def _(layer: spec.Flatten, values: Values) -> Values:
    return values.reshape(len(values), int(np.prod(values.shape[1:])))


@compute.register
def _(layer: spec.Reshape, values: Values) -> Values:
    shape = (layer.channels,) if layer.steps == 0 else (layer.steps, layer.channels)
    return values.reshape(len(values), *shape)


@compute.register
def _(layer: spec.Lstm, values: Values) -> Values:
    units = layer.recurrent_kernel.shape[0]
    state, cell = np.zeros((len(values), units)), np.zeros((len(values), units))
    outputs = []
    for step in range(values.shape[1]):
        gates = values[:, step] @ layer.kernel + state @ layer.recurrent_kernel + layer.bias
        entry, forget, candidate, output = np.split(gates, 4, axis=1)
        cell = expit(forget) * cell + expit(entry) * np.tanh(candidate)
        state = expit(output) * np.tanh(cell)
        outputs.append(state)
    return np.stack(outputs, axis=1) if layer.sequences else state


@compute.register
def _(layer: spec.Gru, values: Values) -> Values:
    state = np.zeros((len(values), layer.recurrent_kernel.shape[0]))
    outputs = []
    for step in range(values.shape[1]):
        update, reset, candidate = np.split(values[:, step] @ layer.kernel + layer.bias, 3, axis=1)
        from_state = np.split(state @ layer.recurrent_kernel + layer.recurrent_bias, 3, axis=1)
        keep = expit(update + from_state[0])
        new = np.tanh(candidate + expit(reset + from_state[1]) * from_state[2])
        state = keep * state + (1 - keep) * new
        outputs.append(state)
    return np.stack(outputs, axis=1) if layer.sequences else state


@compute.register
def _(layer: spec.Activate, values: Values) -> Values:
    return activate(layer.activation, values)


def activate(activation: spec.Activation, values: Values) -> Values:
    """Apply an activation; softmax over the last axis, GELU with the error function."""
    return _ACTIVATIONS[activation](values)


def expit(values: Values) -> Values:
    """Return the logistic function, without overflow on either side."""
    result: Values = 0.5 * (1 + np.tanh(0.5 * values))
    return result


def _gelu(values: Values) -> Values:
    result: Values = 0.5 * values * (1 + np.vectorize(erf, otypes=[np.float64])(values / sqrt(2)))
    return result


def _softmax(values: Values) -> Values:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    result: Values = powers / powers.sum(axis=-1, keepdims=True)
    return result


_ACTIVATIONS: dict[str, Callable[[Values], Values]] = {
    "linear": lambda values: values,
    "relu": lambda values: np.maximum(values, 0),
    "tanh": np.tanh,
    "sigmoid": expit,
    "elu": lambda values: np.where(values > 0, values, np.expm1(np.minimum(values, 0))),
    "gelu": _gelu,
    "silu": lambda values: values * expit(values),
    "softmax": _softmax,
}


Overlaps = Iterator[tuple[int, slice, slice]]


def _pooling(
    layer: spec.MaxPooling1D | spec.AveragePooling1D, values: Values, *, start: float
) -> tuple[Values, Overlaps]:
    n_pulses, n_steps, n_channels = values.shape
    n_outputs = steps_after(n_steps, reach=layer.size, stride=layer.stride, padding=layer.padding)
    overlaps = _overlaps(n_steps, n_outputs, size=layer.size, stride=layer.stride, padding=layer.padding)
    return np.full((n_pulses, n_outputs, n_channels), start), overlaps


def _overlaps(
    n_steps: int, n_outputs: int, *, size: int, stride: int, padding: spec.Padding, dilation: int = 1
) -> Overlaps:
    """Say for each place in a kernel which output steps it serves, and from which input steps.

    Places that meet nothing but padding are left out, so that neither time nor memory goes into padding, however much
    of it a damaged file asks for.
    """
    reach = (size - 1) * dilation + 1
    surplus = max(0, (n_outputs - 1) * stride + reach - n_steps) if padding == "same" else 0
    before = surplus // 2
    first_place = max(0, _ceil_divide(before - (n_outputs - 1) * stride, dilation))
    end_place = min(size, (n_steps - 1 + before) // dilation + 1)
    for place in range(first_place, end_place):
        shift = place * dilation - before
        first = max(0, _ceil_divide(-shift, stride))
        end = min(n_outputs, (n_steps - 1 - shift) // stride + 1)
        if first < end:
            yield place, slice(first, end), slice(first * stride + shift, (end - 1) * stride + shift + 1, stride)


def _ceil_divide(number: int, divisor: int) -> int:
    return -(-number // divisor)
