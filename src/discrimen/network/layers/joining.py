"""Layers that join branches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add, mul
from typing import ClassVar

from discrimen.errors import DataError
from discrimen.network.layers.base import Arrays, Layer, Shape, Values, steps_of

_MANY = 64

__all__ = ["Add", "Concatenate", "Multiply"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Add(Layer):
    """The sum of values of one shape."""

    code: ClassVar[int] = 14
    inputs_wanted: ClassVar[tuple[int, int]] = (2, _MANY)

    def shape(self, *inputs: Shape) -> Shape:
        if len(set(inputs)) > 1:
            raise DataError(f"it adds values of one shape, got {', '.join(map(str, inputs))}")
        return inputs[0]

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return reduce(add, inputs)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Multiply(Layer):
    """The product of values of one shape; a row of channels among values with steps counts at each step."""

    code: ClassVar[int] = 15
    inputs_wanted: ClassVar[tuple[int, int]] = (2, _MANY)

    def shape(self, *inputs: Shape) -> Shape:
        whole = max(inputs, key=len)
        if any(shape not in (whole, whole[-1:]) for shape in inputs):
            raise DataError(f"it multiplies values of one shape, or rows of channels, got {inputs}")
        return whole

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        n_axes = max(value.ndim for value in inputs)
        return reduce(mul, (value if value.ndim == n_axes else value[:, None, :] for value in inputs))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Concatenate(Layer):
    """Values side by side: along the channels, or along the steps."""

    code: ClassVar[int] = 16
    inputs_wanted: ClassVar[tuple[int, int]] = (2, _MANY)
    along_steps: bool = False

    def shape(self, *inputs: Shape) -> Shape:
        axis = 0 if self.along_steps else -1
        if self.along_steps:
            for shape in inputs:
                steps_of(shape)
        others = {(len(shape), shape[1:] if self.along_steps else shape[:-1]) for shape in inputs}
        if len(others) > 1:
            raise DataError(f"it puts values of fitting shapes side by side, got {', '.join(map(str, inputs))}")
        total = sum(shape[axis] for shape in inputs)
        return (total, *inputs[0][1:]) if self.along_steps else (*inputs[0][:-1], total)

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return xp.concatenate(inputs, axis=1 if self.along_steps else -1)
