"""Layers of Keras 2, as their configuration stands in an .h5 file, built as layers of Keras 3.

Each option of a layer is known by name: it is taken over, or it says nothing about the scores, or the file is refused.
Only the layers listed here are ever built: nothing in a file can name code that would then be executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from discrimen.errors import SettingsError

_WINDOW = ("padding", "data_format")
_WEIGHED = ("strides", "dilation_rate", "activation", "use_bias", *_WINDOW)
_CELL = (
    "units",
    "activation",
    "use_bias",
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "dropout",
    "recurrent_dropout",
)
_GATED = (*_CELL, "recurrent_activation")

TAKEN_OVER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Dense": ("units", "activation", "use_bias"),
        "Conv1D": ("filters", "kernel_size", "groups", *_WEIGHED),
        "DepthwiseConv1D": ("kernel_size", "depth_multiplier", *_WEIGHED),
        "SeparableConv1D": ("filters", "kernel_size", "depth_multiplier", *_WEIGHED),
        "Conv1DTranspose": ("filters", "kernel_size", "output_padding", *_WEIGHED),
        "MaxPooling1D": ("pool_size", "strides", *_WINDOW),
        "AveragePooling1D": ("pool_size", "strides", *_WINDOW),
        "GlobalMaxPooling1D": ("data_format", "keepdims"),
        "GlobalAveragePooling1D": ("data_format", "keepdims"),
        "UpSampling1D": ("size",),
        "ZeroPadding1D": ("padding",),
        "Cropping1D": ("cropping",),
        "Flatten": ("data_format",),
        "Reshape": ("target_shape",),
        "Permute": ("dims",),
        "RepeatVector": ("n",),
        "LSTM": _GATED,
        "GRU": (*_GATED, "reset_after"),
        "SimpleRNN": _CELL,
        "BatchNormalization": ("axis", "momentum", "epsilon", "center", "scale"),
        "LayerNormalization": ("axis", "epsilon", "center", "scale"),
        "Activation": ("activation",),
        "ReLU": ("max_value", "negative_slope", "threshold"),
        "LeakyReLU": ("negative_slope",),
        "ELU": ("alpha",),
        "PReLU": ("shared_axes",),
        "Softmax": ("axis",),
        "Dropout": ("rate",),
        "SpatialDropout1D": ("rate",),
        "AlphaDropout": ("rate",),
        "GaussianDropout": ("rate",),
        "GaussianNoise": ("stddev",),
        "Add": (),
        "Subtract": (),
        "Average": (),
        "Multiply": (),
        "Concatenate": ("axis",),
        "Bidirectional": ("layer", "backward_layer", "merge_mode"),
        "TimeDistributed": ("layer",),
    }
)
"""The layers that are read, and their options that decide what they compute."""

_SILENT = (
    "name", "trainable", "dtype", "batch_input_shape", "input_dim", "input_length", "input_shape", "seed",
    "noise_shape", "implementation", "unroll", "unit_forget_bias", "time_major", "zero_output_for_mask",
    "renorm", "renorm_clipping", "renorm_momentum", "fused", "virtual_batch_size", "adjustment", "synchronized",
    "rank", "interpolation", "sparse", "ragged", "autocast", "batch_size", "activity_regularizer", "input_spec",
    "reset_after", "shared_object_id",
)  # fmt: skip
_SILENT_ENDS = ("_initializer", "_regularizer", "_constraint")
"""Options that say how a layer was trained, or where it lies."""

_OTHER_NAMES = {
    "Convolution1D": "Conv1D",
    "Convolution1DTranspose": "Conv1DTranspose",
    "SeparableConvolution1D": "SeparableConv1D",
    "MaxPool1D": "MaxPooling1D",
    "AvgPool1D": "AveragePooling1D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "LSTMV1": "LSTM",
    "LSTMV2": "LSTM",
    "GRUV1": "GRU",
    "GRUV2": "GRU",
}
_OTHER_OPTIONS = {("LeakyReLU", "alpha"): "negative_slope"}
_ACTIVATIONS = (
    "linear", "relu", "tanh", "sigmoid", "elu", "gelu", "silu", "swish", "softmax", "selu", "softplus",
    "hard_sigmoid", "exponential", "softsign", "relu6", "leaky_relu",
)  # fmt: skip
_INSTEAD = {
    "Lambda": "its code is not part of the weights and is never executed; build it of layers of Keras",
    "TFOpLambda": "it is an operation outside of layers; build it of layers of Keras (Add, Multiply, Reshape)",
    "SlicingOpLambda": "it cuts a tensor outside of layers; use Cropping1D",
    "CuDNNLSTM": "build the network with LSTM and its weights, and save it again",
    "CuDNNGRU": "build the network with GRU and its weights, and save it again",
    "Conv2D": "pulses have one axis of samples; build it with Conv1D",
    "Masking": "pulses have a fixed length; leave it out",
    "Normalization": "put its mean and variance into a BatchNormalization, or leave it to --scale",
}
_SMOOTHER = 1.2
"""Keras 2 computes hard_sigmoid(x) = clip(0.2 x + 0.5), Keras 3 clip(x / 6 + 0.5): the first is the second of 1.2 x."""


@dataclass(frozen=True, slots=True)
class Keras2Layer:
    """One layer of a configuration, read and checked.

    Parameters
    ----------
    kind : str
        Its class in Keras 3.
    name : str
        Its name.
    options : dict
        Its options in Keras 3.
    """

    kind: str
    name: str
    options: dict[str, Any]


def read_layer(config: Mapping[str, Any]) -> Keras2Layer:
    """Read and check one layer's configuration.

    Raises
    ------
    SettingsError
        If its class or one of its options is not known.
    """
    given = dict(config["config"])
    kind, name = str(config["class_name"]), str(given.get("name", config.get("name", "?")))
    kind = _OTHER_NAMES.get(kind, kind)
    if kind not in TAKEN_OVER:
        raise SettingsError(f"layer '{name}' ({kind}) cannot be adopted: {_advice(kind)}")
    _require_float32(name, given.get("dtype"))
    if given.get("time_major"):
        raise SettingsError(f"layer '{name}': time_major cannot be adopted; put the pulses on the first axis")
    if given.get("renorm"):
        raise SettingsError(f"layer '{name}': renorm cannot be adopted")
    given = {_OTHER_OPTIONS.get((kind, option), option): value for option, value in given.items()}
    for option in given:
        if option not in TAKEN_OVER[kind] and option not in _SILENT and not option.endswith(_SILENT_ENDS):
            raise SettingsError(f"layer '{name}' ({kind}): its option {option}={given[option]!r} is not known")
    options = {option: given[option] for option in TAKEN_OVER[kind] if option in given}
    _mend(kind, name, options)
    return Keras2Layer(kind, name, options)


def built(layer: Keras2Layer, keras: Any) -> Any:
    """Build the layer of Keras 3, still without weights."""
    options = {
        option: built(read_layer(value), keras) if option in ("layer", "backward_layer") else value
        for option, value in layer.options.items()
    }
    if layer.kind in ("LSTM", "GRU"):
        options["use_cudnn"] = False
    return getattr(keras.layers, layer.kind)(name=layer.name.replace("/", "_"), **options)


def smoothed(layer: Keras2Layer, weights: list[Any]) -> list[Any]:
    """Stretch the weights in front of a hard sigmoid, which Keras 3 defines with another slope.

    Parameters
    ----------
    layer : Keras2Layer
        Whose weights they are.
    weights : list of ndarray
        In the order of Keras.

    Returns
    -------
    list of ndarray
        The same, where the layer has no hard sigmoid.
    """
    inner = layer.options.get("layer")
    if inner is not None:
        inside = read_layer(inner)
        n_each = len(weights) // (2 if layer.kind == "Bidirectional" else 1)
        parts = [weights[first : first + n_each] for first in range(0, len(weights), max(1, n_each))]
        return [weight for part in parts for weight in smoothed(inside, part)]
    if layer.kind in ("LSTM", "GRU"):
        if layer.options.get("recurrent_activation") != "hard_sigmoid":
            return weights
        units = layer.options["units"]
        n_gates = 4 if layer.kind == "LSTM" else 3
        candidate = 2
        factors = np.repeat([1.0 if gate == candidate else _SMOOTHER for gate in range(n_gates)], units)
        return [weight * factors.astype(np.float32) for weight in weights]
    if layer.options.get("activation") != "hard_sigmoid" or layer.kind == "Activation":
        return weights
    if layer.kind in ("SeparableConv1D",):
        return [weights[0], *(weight * np.float32(_SMOOTHER) for weight in weights[1:])]
    return [weight * np.float32(_SMOOTHER) for weight in weights]


def called(layer: Keras2Layer, made: Any, keras: Any, tensors: list[Any]) -> Any:
    """Call a layer that was built; a hard sigmoid by itself gets its argument stretched."""
    read = tensors if len(tensors) > 1 else tensors[0]
    if layer.kind == "Activation" and layer.options.get("activation") == "hard_sigmoid":
        read = keras.layers.Rescaling(_SMOOTHER, name=f"{made.name}_slope_of_keras_2")(read)
    return made(read)


def _mend(kind: str, name: str, options: dict[str, Any]) -> None:
    """Put options into the form of Keras 3."""
    for option in ("activation", "recurrent_activation"):
        value = options.get(option, "linear")
        if value is None:
            options[option] = "linear"
        elif not isinstance(value, str) or value not in _ACTIVATIONS:
            raise SettingsError(
                f"layer '{name}': {option} {_shown(value)} cannot be adopted: {', '.join(_ACTIVATIONS)} can"
            )
    if kind == "GRU":
        # Files from before this option computed without it.
        options.setdefault("reset_after", False)
    if kind == "BatchNormalization" and isinstance(options.get("axis"), list):
        if len(options["axis"]) != 1:
            raise SettingsError(f"layer '{name}': axis must be a single one, got {options['axis']}")
        (options["axis"],) = options["axis"]
    if kind == "ReLU" and isinstance(options.get("negative_slope"), list):
        options["negative_slope"] = options["negative_slope"][0]
    for option in ("alpha", "negative_slope"):
        value = options.get(option)
        if isinstance(value, dict):
            # Arrays stand in the file as {"class_name": "__ndarray__", "config": {"type": ..., "value": ...}}.
            options[option] = float(np.ravel(value["config"]["value"])[0])


def _require_float32(name: str, dtype: Any) -> None:
    shown = dtype["config"].get("name") if isinstance(dtype, dict) else dtype
    if shown not in (None, "float32"):
        raise SettingsError(f"layer '{name}' computes in {shown}, expected float32: build the network in float32")


def _advice(kind: str) -> str:
    return _INSTEAD.get(kind, f"known are {', '.join(sorted(TAKEN_OVER))}")


def _shown(value: Any) -> str:
    return repr(value.get("class_name", "?") if isinstance(value, dict) else value)
