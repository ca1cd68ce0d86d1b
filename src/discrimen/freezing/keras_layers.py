"""One Keras layer to layers of a frozen network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.batch_norm import Scaling
from discrimen.network import layers as spec
from discrimen.network.layers import ACTIVATIONS, Layer, Weights

Translation = tuple[Layer | Scaling, ...]


def translated(layer: Any) -> Translation:
    """Translate one Keras layer.

    Parameters
    ----------
    layer : keras.Layer
        Built, with its weights.

    Returns
    -------
    tuple of Layer or Scaling
        Empty for a layer that does nothing when scores are computed; a scaling for batch normalisation.

    Raises
    ------
    SettingsError
        If the layer or one of its options has no counterpart.
    """
    kind = type(layer).__name__
    translate = _TRANSLATIONS.get(kind)
    if translate is None:
        known = ", ".join(sorted(_TRANSLATIONS))
        raise SettingsError(f"layer '{layer.name}' ({kind}) cannot be frozen; known are: {known}")
    return translate(layer)


def _dense(layer: Any) -> Translation:
    kernel = _weights(layer.kernel)
    return (spec.Dense(kernel=kernel, bias=_bias(layer, kernel.shape[-1]), activation=_activation(layer)),)


def _conv1d(layer: Any) -> Translation:
    _require(layer, data_format="channels_last", groups=1)
    kernel = _weights(layer.kernel)
    return (
        spec.Conv1D(
            kernel=kernel,
            bias=_bias(layer, kernel.shape[-1]),
            activation=_activation(layer),
            stride=layer.strides[0],
            dilation=layer.dilation_rate[0],
            padding=_padding(layer),
        ),
    )


def _conv1d_transpose(layer: Any) -> Translation:
    _require(layer, data_format="channels_last", dilation_rate=(1,), output_padding=None)
    kernel = _weights(layer.kernel)
    return (
        spec.Conv1DTranspose(
            kernel=kernel,
            bias=_bias(layer, kernel.shape[1]),
            activation=_activation(layer),
            stride=layer.strides[0],
            padding=_padding(layer),
        ),
    )


def _upsampling(layer: Any) -> Translation:
    return (spec.UpSampling1D(size=layer.size),)


def _batch_normalisation(layer: Any) -> Translation:
    """Turn the moving averages into a line for each channel; the deviation of a batch plays no part any more."""
    n_axes = layer.input_spec.ndim
    if n_axes not in (2, 3) or layer.axis not in (-1, n_axes - 1):
        raise SettingsError(f"layer '{layer.name}': axis must be the channels (-1) to be frozen, got {layer.axis}")
    mean, variance = _exact(layer.moving_mean), _exact(layer.moving_variance)
    if not (variance + layer.epsilon > 0).all():
        raise SettingsError(
            f"layer '{layer.name}': variance and epsilon must add up to more than 0, "
            f"got {(variance + layer.epsilon).min():g}; train again with a larger epsilon"
        )
    scale = (_exact(layer.gamma) if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
    shift = (_exact(layer.beta) if layer.center else 0.0) - mean * scale
    return (Scaling(scale=scale, shift=shift, along_steps=n_axes == 3),)


def _relu(layer: Any) -> Translation:
    _require(layer, negative_slope=0, max_value=None, threshold=0)
    return (spec.Activate(activation="relu"),)


def _elu(layer: Any) -> Translation:
    _require(layer, alpha=1)
    return (spec.Activate(activation="elu"),)


def _softmax(layer: Any) -> Translation:
    n_axes = len(layer.output.shape)
    if layer.axis not in (-1, n_axes - 1):
        raise SettingsError(f"layer '{layer.name}': axis must be the last (-1) to be frozen, got {layer.axis}")
    return (spec.Activate(activation="softmax"),)


def _activation_layer(layer: Any) -> Translation:
    activation = _activation(layer)
    return () if activation == "linear" else (spec.Activate(activation=activation),)


def _pooling(kind: type[spec.MaxPooling1D | spec.AveragePooling1D]) -> Callable[[Any], Translation]:
    def translate(layer: Any) -> Translation:
        _require(layer, data_format="channels_last")
        return (kind(size=_single(layer.pool_size), stride=_single(layer.strides), padding=_padding(layer)),)

    return translate


def _global_pooling(
    kind: type[spec.GlobalMaxPooling1D | spec.GlobalAveragePooling1D],
) -> Callable[[Any], Translation]:
    def translate(layer: Any) -> Translation:
        _require(layer, data_format="channels_last", keepdims=False)
        return (kind(),)

    return translate


def _reshape(layer: Any) -> Translation:
    shape = tuple(layer.output.shape[1:])
    if len(shape) > 2 or None in shape:
        raise SettingsError(f"layer '{layer.name}': only shapes of one or two axes can be frozen, got {shape}")
    steps, channels = (0, shape[0]) if len(shape) == 1 else shape
    return (spec.Reshape(steps=steps, channels=channels),)


def _lstm(layer: Any) -> Translation:
    cell = layer.cell
    _require(layer, go_backwards=False, stateful=False)
    _require_gates(layer, activation="tanh", recurrent_activation="sigmoid")
    kernel, recurrent = _weights(cell.kernel), _weights(cell.recurrent_kernel)
    bias = _bias(cell, kernel.shape[-1])
    return (spec.Lstm(kernel=kernel, recurrent_kernel=recurrent, bias=bias, sequences=layer.return_sequences),)


def _gru(layer: Any) -> Translation:
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


def _nothing(_: Any) -> Translation:
    return ()


def _flatten(layer: Any) -> Translation:
    _require(layer, data_format="channels_last")
    return (spec.Flatten(),)


def _repeat_vector(layer: Any) -> Translation:
    return spec.Reshape(steps=1, channels=layer.output.shape[-1]), spec.UpSampling1D(size=layer.n)


def _time_distributed(layer: Any) -> Translation:
    if type(layer.layer).__name__ != "Dense":
        raise SettingsError(f"layer '{layer.name}': only Dense can be frozen in it, got {type(layer.layer).__name__}")
    return _dense(layer.layer)


_TRANSLATIONS: Mapping[str, Callable[[Any], Translation]] = MappingProxyType(
    {
        "InputLayer": _nothing,
        "Dropout": _nothing,
        "SpatialDropout1D": _nothing,
        "AlphaDropout": _nothing,
        "GaussianDropout": _nothing,
        "GaussianNoise": _nothing,
        "ActivityRegularization": _nothing,
        "Identity": _nothing,
        "Dense": _dense,
        "Conv1D": _conv1d,
        "Conv1DTranspose": _conv1d_transpose,
        "UpSampling1D": _upsampling,
        "BatchNormalization": _batch_normalisation,
        "MaxPooling1D": _pooling(spec.MaxPooling1D),
        "AveragePooling1D": _pooling(spec.AveragePooling1D),
        "GlobalMaxPooling1D": _global_pooling(spec.GlobalMaxPooling1D),
        "GlobalAveragePooling1D": _global_pooling(spec.GlobalAveragePooling1D),
        "Flatten": _flatten,
        "Reshape": _reshape,
        "RepeatVector": _repeat_vector,
        "TimeDistributed": _time_distributed,
        "LSTM": _lstm,
        "GRU": _gru,
        "Activation": _activation_layer,
        "ReLU": _relu,
        "LeakyReLU": _relu,
        "ELU": _elu,
        "Softmax": _softmax,
    }
)


def _activation(layer: Any) -> spec.Activation:
    name = getattr(layer.activation, "__name__", str(layer.activation))
    if name not in ACTIVATIONS:
        raise SettingsError(f"layer '{layer.name}': activation {name!r} cannot be frozen: {', '.join(ACTIVATIONS)} can")
    return cast(spec.Activation, name)


def _padding(layer: Any) -> spec.Padding:
    if layer.padding not in spec.PADDINGS:
        raise SettingsError(f"layer '{layer.name}': padding {layer.padding!r} cannot be frozen")
    return cast(spec.Padding, layer.padding)


def _exact(variable: Any) -> NDArray[np.float64]:
    return np.asarray(variable, dtype=np.float32).astype(np.float64)


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
