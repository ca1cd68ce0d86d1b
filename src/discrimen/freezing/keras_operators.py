"""Operators that join a value of a Keras model with a constant: a change of scale written as a formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft
from discrimen.freezing.keras_scalings import scaled
from discrimen.freezing.keras_values import exact

Line = tuple[Any, Any]

_BEHIND: Mapping[str, Callable[[NDArray[np.float64]], Line]] = MappingProxyType(
    {
        "Add": lambda constant: (1.0, constant),
        "Subtract": lambda constant: (1.0, -constant),
        "Multiply": lambda constant: (constant, 0.0),
        "Divide": lambda constant: (1 / constant, 0.0),
        "TrueDivide": lambda constant: (1 / constant, 0.0),
    }
)
"""Scale and shift by the kind of the operator, for a constant behind it."""

_IN_FRONT: Mapping[str, Callable[[NDArray[np.float64]], Line]] = MappingProxyType(
    {
        "Add": lambda constant: (1.0, constant),
        "Subtract": lambda constant: (-1.0, constant),
        "Multiply": lambda constant: (constant, 0.0),
    }
)


def joins_a_constant(layer: Any, arguments: Mapping[str, Any]) -> bool:
    """Tell whether a call is an operator between a value of the model and a constant."""
    if not type(layer).__module__.startswith("keras.src.ops") or set(arguments) != {"x1", "x2"}:
        return False
    return sum(hasattr(value, "_keras_history") for value in arguments.values()) == 1


def joined_with_constant(draft: Draft, layer: Any, arguments: Mapping[str, Any], value: int) -> int:
    """Append an operator between a value and a constant.

    Parameters
    ----------
    draft : Draft
        Of the network.
    layer : keras.Operation
        The operator.
    arguments : mapping
        Of its call, by name.
    value : int
        What stands for the value of the model.

    Raises
    ------
    SettingsError
        If the operator has no counterpart, or the constant is not finite or spreads over pulses.
    """
    behind = hasattr(arguments["x1"], "_keras_history")
    lines, kind = (_BEHIND if behind else _IN_FRONT), type(layer).__name__
    if kind not in lines:
        raise SettingsError(
            f"layer '{layer.name}' ({kind}) joins a value with a constant {'behind' if behind else 'in front of'} it, "
            f"which cannot be frozen; {', '.join(lines)} can"
        )
    draft.origin = layer.name
    constant = exact(layer, arguments["x2" if behind else "x1"])
    if constant.ndim > len(draft.shapes[value]) and constant.shape[0] == 1:
        constant = constant[0]
    with np.errstate(divide="ignore"):
        scale, shift = lines[kind](constant)
    return scaled(draft, value, np.asarray(scale), np.asarray(shift))
