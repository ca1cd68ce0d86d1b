"""Activations of Keras, as functions and as layers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import numpy as np

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft
from discrimen.freezing.keras_values import require, weights
from discrimen.network.activations import ACTIVATIONS, Activation
from discrimen.network.layers import Activate, Layer, Permute, Prelu

_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "gelu": {"approximate": False},
    "elu": {"alpha": 1.0},
    "leaky_relu": {"negative_slope": 0.2},
}
_KNOWN = ", ".join((*ACTIVATIONS, "leaky_relu"))


def activated(draft: Draft, value: int, layer: Any, function: Any) -> int:
    """Append the activation of a layer.

    Parameters
    ----------
    draft : Draft
        Of the network.
    value : int
        What is activated.
    layer : keras.Layer
        Whose activation it is, for messages.
    function : callable, keras.Layer or None
        The activation.

    Raises
    ------
    SettingsError
        If it has no counterpart.
    """
    if function is None:
        return value
    if hasattr(function, "_inbound_nodes"):
        translate = ACTIVATION_LAYERS.get(type(function).__name__)
        if translate is None:
            raise SettingsError(f"layer '{layer.name}': a {type(function).__name__} cannot be frozen as its activation")
        return translate(draft, function, value)
    return draft.through(value, *_layers_of(layer, function))


def activation_name(layer: Any, function: Any) -> str:
    """Return the name of an activation function of Keras.

    Raises
    ------
    SettingsError
        If it is one of somebody else, whatever its name.
    """
    name = getattr(function, "__name__", type(function).__name__)
    if not str(getattr(function, "__module__", "")).startswith("keras."):
        raise SettingsError(
            f"layer '{layer.name}': the function {name!r} is none of Keras' activations and cannot be frozen; "
            f"take one of {_KNOWN}"
        )
    return str(name)


def _layers_of(layer: Any, function: Any) -> tuple[Layer, ...]:
    given: dict[str, Any] = {}
    if isinstance(function, partial) and not function.args:
        function, given = function.func, dict(function.keywords)
    name = activation_name(layer, function)
    options = {**_OPTIONS.get(name, {}), **given}
    if set(options) - set(_OPTIONS.get(name, {})):
        raise SettingsError(f"layer '{layer.name}': {name} with {', '.join(given)} cannot be frozen")
    if name == "leaky_relu":
        return (_slope(options["negative_slope"]),)
    if name == "elu":
        return _elu(options["alpha"])
    if name == "gelu" and options["approximate"]:
        name = "gelu_tanh"
    if name not in ACTIVATIONS:
        raise SettingsError(f"layer '{layer.name}': activation {name!r} cannot be frozen; {_KNOWN} can")
    return () if name == "linear" else (Activate(activation=cast(Activation, name)),)


def _elu(alpha: float) -> tuple[Layer, ...]:
    elu = Activate(activation="elu")
    return (elu,) if alpha == 1 else (elu, _slope(alpha))


def _slope(slope: float) -> Prelu:
    return Prelu(slope=np.array([slope], np.float32))


def _activation_layer(draft: Draft, layer: Any, value: int) -> int:
    return activated(draft, value, layer, layer.activation)


def _relu(draft: Draft, layer: Any, value: int) -> int:
    require(layer, threshold=0)
    if layer.negative_slope:
        require(layer, max_value=None)
        return draft.add(_slope(layer.negative_slope), value)
    if layer.max_value not in (None, 6):
        raise SettingsError(f"layer '{layer.name}': max_value must be None or 6 to be frozen, got {layer.max_value:g}")
    return draft.add(Activate(activation="relu" if layer.max_value is None else "relu6"), value)


def _leaky_relu(draft: Draft, layer: Any, value: int) -> int:
    return draft.add(_slope(float(layer.negative_slope)), value)


def _elu_layer(draft: Draft, layer: Any, value: int) -> int:
    return draft.through(value, *_elu(float(layer.alpha)))


def _prelu(draft: Draft, layer: Any, value: int) -> int:
    slope, shape = weights(layer, layer.alpha), draft.shapes[value]
    if slope.size == 1:
        slope = slope.reshape(1)
    elif slope.shape != shape[-1:]:
        slope = slope.reshape(shape[-1:]) if slope.shape[0] == 1 else np.broadcast_to(slope, shape).copy()
    return draft.add(Prelu(slope=slope), value)


def _softmax(draft: Draft, layer: Any, value: int) -> int:
    axis = layer.axis[0] if isinstance(layer.axis, list | tuple) and len(layer.axis) == 1 else layer.axis
    n_axes = len(draft.shapes[value]) + 1
    softmax = Activate(activation="softmax")
    if axis in (-1, n_axes - 1):
        return draft.add(softmax, value)
    if axis in (1, -2):
        return draft.through(value, Permute(), softmax, Permute())
    raise SettingsError(f"layer '{layer.name}': axis must be one of the values' axes to be frozen, got {axis}")


def _square_root(draft: Draft, _layer: Any, value: int) -> int:
    return draft.add(Activate(activation="sqrt"), value)


ACTIVATION_LAYERS = {
    "Activation": _activation_layer,
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "ELU": _elu_layer,
    "PReLU": _prelu,
    "Softmax": _softmax,
    "Sqrt": _square_root,
}
"""Functions that append an activation layer of Keras behind a value, by its kind."""
