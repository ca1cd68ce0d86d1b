"""The activations of frozen networks, each a formula for any array library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import erf, pi, sqrt
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

Activation = Literal[
    "linear",
    "relu",
    "tanh",
    "sigmoid",
    "elu",
    "gelu",
    "silu",
    "softmax",
    "relu6",
    "selu",
    "softplus",
    "mish",
    "hard_sigmoid",
    "exponential",
    "softsign",
    "hard_silu",
    "gelu_tanh",
    "sqrt",
]
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
"""By number, as in the frozen file; numbers are never given again."""

_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717
_each_erf = np.vectorize(erf, otypes=[np.float64])


def activate(xp: Any, activation: str, values: Any) -> Any:
    """Apply an activation; softmax over the last axis, everything else to each value.

    Parameters
    ----------
    xp : module
        The array library: ``numpy``, or one with the same functions.
    activation : str
        One of :data:`ACTIVATIONS`.
    values : array
        Of that library.
    """
    return _FORMULAS[activation](xp, values)


def expit(xp: Any, values: Any) -> Any:
    """Return the logistic function, without overflow on either side."""
    return 0.5 * (1 + xp.tanh(0.5 * values))


def _softmax(xp: Any, values: Any) -> Any:
    powers = xp.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _elu(xp: Any, values: Any) -> Any:
    return xp.where(values > 0, values, xp.expm1(xp.minimum(values, 0)))


def _numpy_erf(values: Any) -> Any:
    return _each_erf(values).astype(values.dtype)


def _gelu(xp: Any, values: Any) -> Any:
    # NumPy has no error function; other libraries bring theirs along.
    return 0.5 * values * (1 + getattr(xp, "erf", _numpy_erf)(values / sqrt(2)))


def _gelu_tanh(xp: Any, values: Any) -> Any:
    return 0.5 * values * (1 + xp.tanh(sqrt(2 / pi) * (values + 0.044715 * values**3)))


def _selu(xp: Any, values: Any) -> Any:
    return _SELU_SCALE * xp.where(values > 0, values, _SELU_ALPHA * xp.expm1(xp.minimum(values, 0)))


def _softplus(xp: Any, values: Any) -> Any:
    return xp.maximum(values, 0) + xp.log1p(xp.exp(-xp.abs(values)))


def _hard_sigmoid(xp: Any, values: Any) -> Any:
    return xp.clip(values + 3, 0, 6) / 6


_FORMULAS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "linear": lambda xp, x: x,
        "relu": lambda xp, x: xp.maximum(x, 0),
        "tanh": lambda xp, x: xp.tanh(x),
        "sigmoid": expit,
        "elu": _elu,
        "gelu": _gelu,
        "silu": lambda xp, x: x * expit(xp, x),
        "softmax": _softmax,
        "relu6": lambda xp, x: xp.clip(x, 0, 6),
        "selu": _selu,
        "softplus": _softplus,
        "mish": lambda xp, x: x * xp.tanh(_softplus(xp, x)),
        "hard_sigmoid": _hard_sigmoid,
        "exponential": lambda xp, x: xp.exp(x),
        "softsign": lambda xp, x: x / (1 + xp.abs(x)),
        "hard_silu": lambda xp, x: x * _hard_sigmoid(xp, x),
        "gelu_tanh": _gelu_tanh,
        "sqrt": lambda xp, x: xp.sqrt(xp.maximum(x, 0)),
    }
)
