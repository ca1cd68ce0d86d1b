"""What all layers have in common: shapes, weights, and how a layer becomes numbers and comes back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from discrimen.errors import DataError
from discrimen.network.activations import ACTIVATIONS

__all__ = [
    "GATE_ACTIVATIONS",
    "LAYERS",
    "MOST_VALUES",
    "PADDINGS",
    "GateActivation",
    "Layer",
    "Padding",
    "Shape",
    "Weights",
    "layer_from",
    "options_of",
    "weights_of",
]

Shape = tuple[int, ...]
"""Of one pulse: ``(step, channel)`` or ``(channel,)``."""

Weights = NDArray[np.float32]
Values = Any
"""An array of any library, its first axis the pulse."""

Arrays = Any
"""The array library that computes: ``numpy``, or one with the same functions."""

Padding = Literal["valid", "same", "causal"]
PADDINGS: tuple[str, ...] = get_args(Padding)
GateActivation = Literal["sigmoid", "hard_sigmoid"]
GATE_ACTIVATIONS: tuple[str, ...] = get_args(GateActivation)

MOST_VALUES = 2**22
"""Values that a layer may make of one pulse; more is asked for by damaged files only."""

MOST_REACH = 2**16
"""Steps that a kernel or a group may reach over; more is asked for by damaged files only."""

_NAMED = {"activation": ACTIVATIONS, "padding": PADDINGS, "gate_activation": GATE_ACTIVATIONS}
_FLAGS = ("sequences", "reset_after", "along_steps")
_FROM_ZERO = ("steps", "front", "back")
_MOST_OPTION = 2**24 - 1


LAYERS: dict[int, type[Layer]] = {}
"""Every kind of layer by its number in the frozen file; numbers are never given again."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Layer(ABC):
    """One layer of a frozen network: its weights (float32, in the layout of Keras 3), its options, its arithmetic.

    ``code`` is its number in the frozen file, never given again; ``inputs_wanted`` how many values it reads, at least.
    """

    code: ClassVar[int]
    inputs_wanted: ClassVar[tuple[int, int]] = (1, 1)

    def __init_subclass__(cls) -> None:
        if "code" in cls.__dict__:
            # A dataclass with slots makes its class a second time, under the same name.
            known = LAYERS.setdefault(cls.code, cls)
            if known.__qualname__ != cls.__qualname__:
                raise TypeError(f"layers {known.__qualname__} and {cls.__qualname__} have the same number {cls.code}")
            LAYERS[cls.code] = cls

    @abstractmethod
    def shape(self, *inputs: Shape) -> Shape:
        """Return the shape that the layer makes of values of some shapes.

        Raises
        ------
        DataError
            If it does not fit, or its weights do not fit each other.
        """

    @abstractmethod
    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        """Compute the layer with an array library, on values whose first axis is the pulse."""

    def cast(self, dtype: DTypeLike) -> Self:
        """Return the layer with its weights in another precision."""
        weights: dict[str, Any] = {name: value.astype(dtype) for name, value in weights_of(self).items()}
        return replace(self, **weights)


def weights_of(layer: Layer) -> dict[str, Weights]:
    """Return the weights of a layer by name, in their order."""
    return {name: value for name, value, is_weight in _values(layer) if is_weight}


def options_of(layer: Layer) -> dict[str, int]:
    """Return all that a layer has beside weights, as integers, in their order."""
    return {name: _as_integer(name, value) for name, value, is_weight in _values(layer) if not is_weight}


def layer_from(kind: type[Layer], options: list[int], weights: list[Weights]) -> Layer:
    """Build a layer from the integers of :func:`options_of` and its weights.

    Raises
    ------
    DataError
        If options or weights do not fit it.
    """
    named: dict[str, Any] = {}
    weights_left, options_left = iter(weights), iter(options)
    for field in fields(kind):
        try:
            if field.type == "Weights":
                named[field.name] = next(weights_left)
            else:
                named[field.name] = _from_integer(field.name, next(options_left))
        except StopIteration as error:
            raise DataError(f"layer {kind.__name__} lacks its {field.name}") from error
    if next(weights_left, None) is not None or next(options_left, None) is not None:
        raise DataError(f"layer {kind.__name__} has more weights or options than it can use")
    return kind(**named)


def require_axes(name: str, weights: Weights, n_axes: int) -> None:
    """Refuse weights of another number of axes."""
    if weights.ndim != n_axes:
        raise DataError(f"its {name} must have {n_axes} axes, got {weights.ndim}")


def require_shape(name: str, weights: Weights, wanted: Shape) -> None:
    """Refuse weights of another shape."""
    if weights.shape != wanted:
        raise DataError(f"its {name} must have shape {wanted}, got {weights.shape}")


def require_channels(shape: Shape, wanted: int) -> None:
    """Refuse values of another number of channels."""
    if shape[-1] != wanted:
        raise DataError(f"its weights are made for {wanted} channels, {shape[-1]} come")


def steps_of(shape: Shape) -> int:
    """Return the number of steps.

    Raises
    ------
    DataError
        If there is no axis of steps.
    """
    if len(shape) != 2:
        raise DataError(f"it needs steps and channels, a row of {shape[0]} values comes")
    return shape[0]


def _values(layer: Layer) -> Iterator[tuple[str, Any, bool]]:
    for field in fields(layer):
        yield field.name, getattr(layer, field.name), field.type == "Weights"


def _as_integer(name: str, value: Any) -> int:
    return _NAMED[name].index(value) if name in _NAMED else int(value)


def _from_integer(name: str, value: int) -> Any:
    if name in _NAMED:
        if not 0 <= value < len(_NAMED[name]):
            raise DataError(f"there is no {name.replace('_', ' ')} with number {value}")
        return _NAMED[name][value]
    if name in _FLAGS:
        if value not in (0, 1):
            raise DataError(f"{name} must be 0 or 1, got {value}")
        return bool(value)
    least = 0 if name in _FROM_ZERO else 1
    if not least <= value <= _MOST_OPTION:
        raise DataError(f"{name} must lie between {least} and {_MOST_OPTION}, got {value}")
    return value
