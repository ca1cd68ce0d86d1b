"""Keras layers to the layers of a frozen network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from discrimen.errors import SettingsError
from discrimen.spec import layers as spec
from discrimen.spec.layers import ACTIVATIONS, Layer, Weights


def layers_of(model: Any) -> tuple[Layer, ...]:
    """Translate a sequential Keras model.

    Parameters
    ----------
    model : keras.Model
        Built, with its weights.

    Returns
    -------
    tuple of Layer
        In the order of computation; layers that do nothing when scores are computed (dropout, input) are left out.

    Raises
    ------
    SettingsError
        If the model is no plain sequence, or a layer or one of its options has no counterpart.
    """
    if type(model).__name__ != "Sequential":
        raise SettingsError(f"only sequential models can be frozen, this one is a {type(model).__name__}")
    return tuple(layer for keras_layer in model.layers for layer in _translated(keras_layer))


def _translated(layer: Any) -> tuple[Layer, ...]:
    kind = type(layer).__name__
    translate = _TRANSLATIONS.get(kind)
    if translate is None:
        known = ", ".join(sorted(_TRANSLATIONS))
        raise SettingsError(f"layer '{layer.name}' ({kind}) cannot be frozen; known are: {known}")
    return translate(layer)


def _dense(layer: Any) -> tuple[Layer, ...]:
    kernel = _weights(layer.kernel)
    return (spec.Dense(kernel=kernel, bias=_bias(layer, kernel.shape[-1]), activation=_activation(layer)),)


def _conv1d(layer: Any) -> tuple[Layer, ...]:
    _require(layer, data_format="channels_last", groups=1)
    if layer.padding not in spec.PADDINGS:
        raise SettingsError(f"layer '{layer.name}': padding {layer.padding!r} cannot be frozen")
    kernel = _weights(layer.kernel)
    return (
        spec.Conv1D(
            kernel=kernel,
            bias=_bias(layer, kernel.shape[-1]),
            activation=_activation(layer),
            stride=layer.strides[0],
            dilation=layer.dilation_rate[0],
            padding=layer.padding,
        ),
    )


def _pooling(kind: type[spec.MaxPooling1D | spec.AveragePooling1D]) -> Callable[[Any], tuple[Layer, ...]]:
    def translate(layer: Any) -> tuple[Layer, ...]:
        _require(layer, data_format="channels_last")
        return (kind(size=_single(layer.pool_size), stride=_single(layer.strides), padding=layer.padding),)

    return translate


def _global_pooling(
    kind: type[spec.GlobalMaxPooling1D | spec.GlobalAveragePooling1D],
) -> Callable[[Any], tuple[Layer, ...]]:
    def translate(layer: Any) -> tuple[Layer, ...]:
        _require(layer, data_format="channels_last", keepdims=False)
        return (kind(),)

    return translate


def _reshape(layer: Any) -> tuple[Layer, ...]:
    shape = tuple(layer.output.shape[1:])
    if len(shape) > 2 or None in shape:
        raise SettingsError(f"layer '{layer.name}': only shapes of one or two axes can be frozen, got {shape}")
    steps, channels = (0, shape[0]) if len(shape) == 1 else shape
    return (spec.Reshape(steps=steps, channels=channels),)


def _lstm(layer: Any) -> tuple[Layer, ...]:
    cell = layer.cell
    _require(layer, go_backwards=False, stateful=False)
    _require_gates(layer, activation="tanh", recurrent_activation="sigmoid")
    kernel, recurrent = _weights(cell.kernel), _weights(cell.recurrent_kernel)
    bias = _bias(cell, kernel.shape[-1])
    return (spec.Lstm(kernel=kernel, recurrent_kernel=recurrent, bias=bias, sequences=layer.return_sequences),)


def _gru(layer: Any) -> tuple[Layer, ...]:
    cell = layer.cell
    _require(layer, go_backwards=False, stateful=False, reset_after=True)
    _require_gates(layer, activation="tanh", recurrent_activation="sigmoid")
    kernel, recurrent = _weights(cell.kernel), _weights(cell.recurrent_kernel)
    both = _weights(cell.bias) if cell.use_bias else np.zeros((2, kernel.shape[-1]), np.float32)
    return (
        spec.Gru(
            kernel=kernel,
            recurrent_kernel=recurrent,
            bias=both[0],
            recurrent_bias=both[1],
            sequences=layer.return_sequences,
        ),
    )


def _nothing(_: Any) -> tuple[Layer, ...]:
    return ()


def _flatten(_: Any) -> tuple[Layer, ...]:
    return (spec.Flatten(),)


_TRANSLATIONS: Mapping[str, Callable[[Any], tuple[Layer, ...]]] = MappingProxyType(
    {
        "InputLayer": _nothing,
        "Dropout": _nothing,
        "Dense": _dense,
        "Conv1D": _conv1d,
        "MaxPooling1D": _pooling(spec.MaxPooling1D),
        "AveragePooling1D": _pooling(spec.AveragePooling1D),
        "GlobalMaxPooling1D": _global_pooling(spec.GlobalMaxPooling1D),
        "GlobalAveragePooling1D": _global_pooling(spec.GlobalAveragePooling1D),
        "Flatten": _flatten,
        "Reshape": _reshape,
        "LSTM": _lstm,
        "GRU": _gru,
        "Activation": lambda layer: (spec.Activate(activation=_activation(layer)),),
    }
)


def _activation(layer: Any) -> spec.Activation:
    name = getattr(layer.activation, "__name__", str(layer.activation))
    if name not in ACTIVATIONS:
        raise SettingsError(f"layer '{layer.name}': activation {name!r} cannot be frozen: {', '.join(ACTIVATIONS)} can")
    return cast(spec.Activation, name)


def _weights(variable: Any) -> Weights:
    return np.asarray(variable, dtype=np.float32)


def _bias(layer: Any, length: int) -> Weights:
    return _weights(layer.bias) if layer.use_bias else np.zeros(length, np.float32)


def _single(value: Any) -> int:
    return int(value[0] if isinstance(value, list | tuple) else value)


def _require(layer: Any, **wanted: Any) -> None:
    for name, value in wanted.items():
        found = getattr(layer, name, value)
        if found != value:
            raise SettingsError(f"layer '{layer.name}': {name} must be {value!r} to be frozen, got {found!r}")


def _require_gates(layer: Any, **wanted: str) -> None:
    for name, value in wanted.items():
        found = getattr(getattr(layer, name), "__name__", None)
        if found != value:
            raise SettingsError(f"layer '{layer.name}': {name} must be {value} to be frozen, got {found}")
