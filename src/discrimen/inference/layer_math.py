"""What each layer computes, in float64: slow, plain, and the measure of every faster engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from math import ceil, erf, sqrt

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.spec import layers as spec

Values = NDArray[np.float64]


def run_layers(layers: Sequence[spec.Layer], waveforms: NDArray[np.float32]) -> Values:
    """Send prepared waveforms through a network.

    Parameters
    ----------
    layers : sequence of Layer
        The network.
    waveforms : ndarray of float32, shape (pulse, window sample)
        From :func:`discrimen.prepare.prepare`.

    Returns
    -------
    ndarray of float64, shape (pulse, class)
        Scores.

    Raises
    ------
    DataError
        If a layer does not fit what comes out of the one before.
    """
    values: Values = waveforms.astype(np.float64)
    for number, layer in enumerate(layers):
        try:
            values = compute(layer, values)
        except (ValueError, IndexError) as error:
            name = type(layer).__name__
            raise DataError(f"layer {number} ({name}) does not fit values of shape {values.shape[1:]}") from error
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
    length = layer.kernel.shape[0]
    groups = _groups(values, size=length, stride=layer.stride, dilation=layer.dilation, padding=layer.padding, fill=0.0)
    return activate(layer.activation, np.einsum("pskc,kco->pso", groups, layer.kernel.astype(np.float64)) + layer.bias)


@compute.register
def _(layer: spec.MaxPooling1D, values: Values) -> Values:
    groups = _groups(values, size=layer.size, stride=layer.stride, padding=layer.padding, fill=-np.inf)
    result: Values = groups.max(axis=2)
    return result


@compute.register
def _(layer: spec.AveragePooling1D, values: Values) -> Values:
    groups = _groups(values, size=layer.size, stride=layer.stride, padding=layer.padding, fill=np.nan)
    result: Values = np.nanmean(groups, axis=2)
    return result


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


def _groups(values: Values, *, size: int, stride: int, padding: spec.Padding, fill: float, dilation: int = 1) -> Values:
    """Gather the steps under each position of a kernel: shape (pulse, output step, size, channel)."""
    reach = (size - 1) * dilation + 1
    n_steps = values.shape[1]
    if reach > 2 * n_steps:
        # Nobody trains such a layer; a damaged file could ask for any amount of padding with it.
        raise ValueError(f"a kernel that reaches over {reach} steps on {n_steps} steps")
    if padding == "same":
        surplus = max(0, (ceil(n_steps / stride) - 1) * stride + reach - n_steps)
        values = np.pad(values, ((0, 0), (surplus // 2, surplus - surplus // 2), (0, 0)), constant_values=fill)
    starts = np.arange(0, values.shape[1] - reach + 1, stride)
    return values[:, starts[:, np.newaxis] + np.arange(size) * dilation]
