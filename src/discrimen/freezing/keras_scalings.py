"""Normalisations of Keras: fixed lines for each channel, and the layer normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft, Scaling
from discrimen.freezing.keras_values import exact, require, weights
from discrimen.network.layers import Flatten, LayerNorm, Permute, Reshape

_SMALLEST_DEVIATION = 1e-7
"""Keras divides by no smaller standard deviation in Normalization (``keras.config.epsilon()``)."""


def _batch_normalisation(draft: Draft, layer: Any, value: int) -> int:
    """Turn the moving averages into a line for each channel; the deviation of a batch plays no part any more."""
    mean, variance = exact(layer, layer.moving_mean), exact(layer, layer.moving_variance)
    if not (variance + layer.epsilon > 0).all():
        raise SettingsError(
            f"layer '{layer.name}': variance and epsilon must add up to more than 0, "
            f"got {(variance + layer.epsilon).min():g}; train again with a larger epsilon"
        )
    scale = (exact(layer, layer.gamma) if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
    shift = (exact(layer, layer.beta) if layer.center else 0.0) - mean * scale
    n_axes = len(draft.shapes[value]) + 1
    axis = single_axis(layer, n_axes)
    lined_up = tuple(-1 if number == axis else 1 for number in range(1, n_axes))
    return scaled(draft, value, scale.reshape(lined_up), shift.reshape(lined_up))


def _normalisation(draft: Draft, layer: Any, value: int) -> int:
    mean, variance = (exact(layer, each)[0] for each in (layer.mean, layer.variance))
    deviation = np.maximum(np.sqrt(variance), _SMALLEST_DEVIATION)
    if layer.invert:
        return scaled(draft, value, deviation, mean)
    return scaled(draft, value, 1 / deviation, -mean / deviation)


def _rescaling(draft: Draft, layer: Any, value: int) -> int:
    return scaled(draft, value, exact(layer, layer.scale), exact(layer, layer.offset))


def _layer_normalisation(draft: Draft, layer: Any, value: int) -> int:
    require(layer, rms_scaling=False)
    n_axes = len(draft.shapes[value]) + 1
    if single_axis(layer, n_axes) != n_axes - 1:
        raise SettingsError(f"layer '{layer.name}': axis must be the channels (-1) to be frozen, got {layer.axis}")
    channels = draft.shapes[value][-1]
    gamma = weights(layer, layer.gamma) if layer.scale else np.ones(channels, np.float32)
    beta = weights(layer, layer.beta) if layer.center else np.zeros(channels, np.float32)
    return draft.add(LayerNorm(gamma=gamma, beta=beta, epsilon=np.array([layer.epsilon], np.float32)), value)


def single_axis(layer: Any, n_axes: int) -> int:
    """Return the only axis of a layer, counted from the front, the batch included.

    Raises
    ------
    SettingsError
        If there are several.
    """
    axes = layer.axis if isinstance(layer.axis, list | tuple) else (layer.axis,)
    if len(axes) != 1:
        raise SettingsError(f"layer '{layer.name}': axis must be a single one to be frozen, got {tuple(axes)}")
    return int(axes[0]) % n_axes


def scaled(draft: Draft, value: int, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> int:
    """Append a line for each value, each channel or each step, whichever the shape of `scale` says.

    Parameters
    ----------
    draft : Draft
        Of the network.
    value : int
        What is scaled.
    scale, shift : ndarray of float64
        Spread over the values as NumPy does.

    Raises
    ------
    SettingsError
        If they cannot be spread.
    """
    shape = draft.shapes[value]
    try:
        whole = [np.broadcast_to(line, shape) for line in (scale, shift)]
    except ValueError as error:
        raise SettingsError(
            f"layer '{draft.origin}': a scale of shape {np.shape(scale)} and a shift of shape {np.shape(shift)} "
            f"cannot be frozen for values of shape {shape}"
        ) from error
    if len(shape) == 1 or all((line == line[:1]).all() for line in whole):
        return draft.add(_scaling(*(line.reshape(-1, shape[-1])[0] for line in whole)), value)
    if all((line == line[:, :1]).all() for line in whole):
        return draft.through(value, Permute(), _scaling(*(line[:, 0] for line in whole)), Permute())
    back = Reshape(steps=shape[0], channels=shape[1])
    return draft.through(value, Flatten(), _scaling(*(line.reshape(-1) for line in whole)), back)


def _scaling(scale: NDArray[np.float64], shift: NDArray[np.float64]) -> Scaling:
    return Scaling(scale=scale, shift=shift)


SCALING_LAYERS = {
    "BatchNormalization": _batch_normalisation,
    "Normalization": _normalisation,
    "Rescaling": _rescaling,
    "LayerNormalization": _layer_normalisation,
}
"""Functions that append a normalisation of Keras behind a value, by its kind."""
