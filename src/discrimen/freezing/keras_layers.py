"""One Keras layer to layers of a frozen network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft, Scaling
from discrimen.freezing.keras_activations import ACTIVATION_LAYERS, activated
from discrimen.freezing.keras_joining import JOINING_LAYERS
from discrimen.freezing.keras_recurrent import RECURRENT_LAYERS
from discrimen.freezing.keras_scalings import SCALING_LAYERS
from discrimen.freezing.keras_values import bias_of, padding_of, require, require_full_precision, single, weights
from discrimen.network import layers as kinds

Translate = Callable[[Draft, Any, int], int]
"""From a layer of Keras and the number of the value that it reads to the number of the value that it gives."""


def translated(draft: Draft, layer: Any, values: tuple[int, ...]) -> int:
    """Append one Keras layer.

    Parameters
    ----------
    draft : Draft
        Of the network.
    layer : keras.Layer
        Built, with its weights.
    values : tuple of int
        What it reads.

    Returns
    -------
    int
        What it gives: one of `values` for a layer that does nothing when scores are computed.

    Raises
    ------
    SettingsError
        If the layer or one of its options has no counterpart.
    """
    kind = type(layer).__name__
    draft.origin = layer.name
    if not type(layer).__module__.startswith(_KNOWN_LAYERS):
        raise SettingsError(
            f"layer '{layer.name}' ({kind}) is none of Keras' own and cannot be frozen: build it of layers of Keras"
        )
    require_full_precision(layer)
    if kind in JOINING_LAYERS:
        return JOINING_LAYERS[kind](draft, layer, values)
    translate = _TRANSLATIONS.get(kind)
    if translate is None or len(values) != 1:
        raise SettingsError(f"layer '{layer.name}' ({kind}) cannot be frozen: {_advice(kind)}")
    return translate(draft, layer, values[0])


def _dense(draft: Draft, layer: Any, value: int) -> int:
    kernel = weights(layer, layer.kernel)
    bias = bias_of(layer, layer, kernel.shape[-1])
    diagonal = np.diagonal(kernel)
    if np.array_equal(kernel, np.diag(diagonal)):
        # A change of units, most likely: a line for each channel can go into the layer before.
        value = draft.add(Scaling(scale=diagonal.astype(np.float64), shift=bias.astype(np.float64)), value)
    else:
        value = draft.add(kinds.Dense(kernel=kernel, bias=bias), value)
    return activated(draft, value, layer, layer.activation)


def _channels_last(translate: Translate) -> Translate:
    """Let a layer that keeps its channels first see them last."""

    def turned(draft: Draft, layer: Any, value: int) -> int:
        if getattr(layer, "data_format", "channels_last") == "channels_last":
            return translate(draft, layer, value)
        value = translate(draft, layer, draft.add(kinds.Permute(), value))
        return draft.add(kinds.Permute(), value) if len(draft.shapes[value]) == 2 else value

    return turned


def _conv1d(draft: Draft, layer: Any, value: int) -> int:
    kernel = weights(layer, layer.kernel)
    convolution = kinds.Conv1D(
        kernel=kernel,
        bias=bias_of(layer, layer, kernel.shape[-1]),
        stride=layer.strides[0],
        dilation=layer.dilation_rate[0],
        padding=padding_of(layer),
        groups=layer.groups,
    )
    return activated(draft, draft.add(convolution, value), layer, layer.activation)


def _depthwise(layer: Any, kernel: kinds.Weights, bias: kinds.Weights) -> kinds.Conv1D:
    """Return the convolution of each channel by itself; `kernel` is (length, channel, times that a channel is used)."""
    length, channels, times = kernel.shape
    return kinds.Conv1D(
        kernel=kernel.reshape(length, 1, channels * times),
        bias=bias,
        stride=single(layer.strides),
        dilation=single(layer.dilation_rate),
        padding=padding_of(layer),
        groups=channels,
    )


def _depthwise_conv1d(draft: Draft, layer: Any, value: int) -> int:
    kernel = weights(layer, layer.kernel)
    bias = bias_of(layer, layer, kernel.shape[1] * kernel.shape[2])
    return activated(draft, draft.add(_depthwise(layer, kernel, bias), value), layer, layer.activation)


def _separable_conv1d(draft: Draft, layer: Any, value: int) -> int:
    each, across = weights(layer, layer.depthwise_kernel), weights(layer, layer.pointwise_kernel)
    depthwise = _depthwise(layer, each, np.zeros(each.shape[1] * each.shape[2], np.float32))
    pointwise = kinds.Conv1D(kernel=across, bias=bias_of(layer, layer, across.shape[-1]))
    return activated(draft, draft.through(value, depthwise, pointwise), layer, layer.activation)


def _conv1d_transpose(draft: Draft, layer: Any, value: int) -> int:
    require(layer, dilation_rate=(1,), output_padding=None, groups=1)
    kernel = weights(layer, layer.kernel)
    bias = bias_of(layer, layer, kernel.shape[1])
    transposed = kinds.Conv1DTranspose(kernel=kernel, bias=bias, stride=layer.strides[0], padding=padding_of(layer))
    return activated(draft, draft.add(transposed, value), layer, layer.activation)


def _pooling(kind: type[kinds.MaxPooling1D | kinds.AveragePooling1D]) -> Translate:
    def translate(draft: Draft, layer: Any, value: int) -> int:
        size, stride = single(layer.pool_size), single(layer.strides)
        return draft.add(kind(size=size, stride=stride, padding=padding_of(layer)), value)

    return _channels_last(translate)


def _global_pooling(kind: type[kinds.GlobalMaxPooling1D | kinds.GlobalAveragePooling1D]) -> Translate:
    def translate(draft: Draft, layer: Any, value: int) -> int:
        value = draft.add(kind(), value)
        if layer.keepdims:
            value = draft.add(kinds.Reshape(steps=1, channels=draft.shapes[value][-1]), value)
        return value

    return _channels_last(translate)


def _flatten(draft: Draft, layer: Any, value: int) -> int:
    if layer.data_format == "channels_first" and len(draft.shapes[value]) == 2:
        value = draft.add(kinds.Permute(), value)
    return draft.add(kinds.Flatten(), value)


def _reshape(draft: Draft, layer: Any, value: int) -> int:
    shape = tuple(layer.target_shape)
    if len(shape) not in (1, 2):
        raise SettingsError(f"layer '{layer.name}': only shapes of one or two axes can be frozen, got {shape}")
    if -1 in shape:
        known = -int(np.prod(shape))
        shape = tuple(int(np.prod(draft.shapes[value])) // known if axis == -1 else axis for axis in shape)
    steps, channels = (0, shape[0]) if len(shape) == 1 else shape
    return draft.add(kinds.Reshape(steps=steps, channels=channels), value)


def _repeat_vector(draft: Draft, layer: Any, value: int) -> int:
    channels = draft.shapes[value][-1]
    return draft.through(value, kinds.Reshape(steps=1, channels=channels), kinds.UpSampling1D(size=layer.n))


def _permute(draft: Draft, layer: Any, value: int) -> int:
    if tuple(layer.dims) == tuple(range(1, len(layer.dims) + 1)):
        return value
    return draft.add(kinds.Permute(), value)


def _flip(draft: Draft, layer: Any, value: int) -> int:
    n_axes = len(draft.shapes[value]) + 1
    axes = layer.axis if isinstance(layer.axis, list | tuple) else (layer.axis,)
    if n_axes != 3 or [axis % n_axes for axis in axes if axis is not None] != [1]:
        raise SettingsError(f"layer '{layer.name}': only the steps (axis 1) can be turned round, got axis {layer.axis}")
    return draft.add(kinds.Reverse(), value)


def _upsampling(draft: Draft, layer: Any, value: int) -> int:
    return draft.add(kinds.UpSampling1D(size=single(layer.size)), value)


def _zero_padding(draft: Draft, layer: Any, value: int) -> int:
    front, back = layer.padding
    return draft.add(kinds.ZeroPadding1D(front=front, back=back), value)


def _cropping(draft: Draft, layer: Any, value: int) -> int:
    front, back = layer.cropping
    return draft.add(kinds.Cropping1D(front=front, back=back), value)


def _nothing(_draft: Draft, _layer: Any, value: int) -> int:
    return value


_KNOWN_LAYERS = ("keras.", "discrimen.models.neighbours_layer")
"""Modules whose layers can be frozen: those of Keras, and ours."""


def _neighbours(draft: Draft, layer: Any, value: int) -> int:
    return draft.add(kinds.Neighbours(sectors=layer.sectors, rings=layer.rings, last=layer.last), value)


_EACH_STEP = (
    *("Dense", "LayerNormalization", "Activation", "ReLU", "LeakyReLU", "ELU"),
    *("Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout", "Identity"),
)
"""Layers that compute the same on the channels of each step as on those of all steps."""


def _time_distributed(draft: Draft, layer: Any, value: int) -> int:
    kind = type(layer.layer).__name__
    if kind not in _EACH_STEP or len(draft.shapes[value]) != 2:
        raise SettingsError(
            f"layer '{layer.name}': {', '.join(_EACH_STEP)} can be frozen in it, on steps and channels, "
            f"got {kind} on values of shape {draft.shapes[value]}"
        )
    return translated(draft, layer.layer, (value,))


_TRANSLATIONS: Mapping[str, Translate] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                *("InputLayer", "Identity", "ActivityRegularization"),
                *("Dropout", "SpatialDropout1D", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
            ),
            _nothing,
        ),
        "Dense": _dense,
        "Conv1D": _channels_last(_conv1d),
        "DepthwiseConv1D": _channels_last(_depthwise_conv1d),
        "SeparableConv1D": _channels_last(_separable_conv1d),
        "Conv1DTranspose": _channels_last(_conv1d_transpose),
        "MaxPooling1D": _pooling(kinds.MaxPooling1D),
        "AveragePooling1D": _pooling(kinds.AveragePooling1D),
        "GlobalMaxPooling1D": _global_pooling(kinds.GlobalMaxPooling1D),
        "GlobalAveragePooling1D": _global_pooling(kinds.GlobalAveragePooling1D),
        "Flatten": _flatten,
        "Reshape": _reshape,
        "RepeatVector": _repeat_vector,
        "Permute": _permute,
        "Flip": _flip,
        "UpSampling1D": _upsampling,
        "ZeroPadding1D": _channels_last(_zero_padding),
        "Cropping1D": _cropping,
        "TimeDistributed": _time_distributed,
        "Neighbours": _neighbours,
        **ACTIVATION_LAYERS,
        **SCALING_LAYERS,
        **RECURRENT_LAYERS,
    }
)

_INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "Lambda": "its code is not part of the weights and is never executed; build it of layers of Keras",
        "RMSNormalization": "use LayerNormalization",
        "GroupNormalization": "use LayerNormalization or BatchNormalization",
        "UnitNormalization": "use LayerNormalization",
        "SpectralNormalization": "take the layer within it, with its normalised weights",
        "Masking": "pulses have a fixed length; leave it out",
        "Embedding": "samples are no words; use Dense or Conv1D",
        "EinsumDense": "use Dense",
        "Maximum": "use Add, Multiply, Average or Concatenate",
        "Minimum": "use Add, Multiply, Average or Concatenate",
        "Dot": "use Multiply, or MultiHeadAttention",
        "AdditiveAttention": "use MultiHeadAttention",
        "GroupQueryAttention": "use MultiHeadAttention",
        "AdaptiveAveragePooling1D": "use AveragePooling1D or GlobalAveragePooling1D",
        "AdaptiveMaxPooling1D": "use MaxPooling1D or GlobalMaxPooling1D",
        "RNN": "use LSTM, GRU or SimpleRNN",
        "ConvLSTM1D": "use Conv1D and LSTM",
        "Discretization": "use Dense on the samples themselves",
        "RandomNoise": "leave it out",
    }
)
"""What to build a network of instead of a layer that cannot be frozen."""


def _advice(kind: str) -> str:
    if kind in _INSTEAD:
        return _INSTEAD[kind]
    if kind.endswith(("2D", "3D")):
        return f"a pulse has one axis of time; use {kind[:-2]}1D"
    return f"known are {', '.join(sorted((*_TRANSLATIONS, *JOINING_LAYERS)))}"
