"""Layers that move values and compute nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from discrimen.errors import DataError
from discrimen.network.layers.base import Arrays, Layer, Shape, Values, steps_of

__all__ = ["Cropping1D", "Flatten", "Permute", "Reshape", "Reverse", "UpSampling1D", "ZeroPadding1D"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Flatten(Layer):
    """All values in one row, steps outermost."""

    code: ClassVar[int] = 7

    def shape(self, *inputs: Shape) -> Shape:
        return (prod(inputs[0]),)

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return inputs[0].reshape(len(inputs[0]), prod(inputs[0].shape[1:]))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reshape(Layer):
    """The same values in another shape of at most two axes; 0 steps stands for no axis of steps."""

    code: ClassVar[int] = 8
    steps: int
    channels: int

    def shape(self, *inputs: Shape) -> Shape:
        wanted = (self.channels,) if self.steps == 0 else (self.steps, self.channels)
        if prod(wanted) != prod(inputs[0]):
            raise DataError(f"it wants shape {wanted}, {prod(wanted)} values, and gets {prod(inputs[0])}")
        return wanted

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return inputs[0].reshape(len(inputs[0]), *self.shape(inputs[0].shape[1:]))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UpSampling1D(Layer):
    """Every step, `size` times."""

    code: ClassVar[int] = 13
    size: int

    def shape(self, *inputs: Shape) -> Shape:
        return steps_of(inputs[0]) * self.size, inputs[0][1]

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return xp.repeat(inputs[0], self.size, axis=1)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Permute(Layer):
    """Steps become channels, and channels steps."""

    code: ClassVar[int] = 17

    def shape(self, *inputs: Shape) -> Shape:
        steps = steps_of(inputs[0])
        return inputs[0][1], steps

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return xp.swapaxes(inputs[0], 1, 2)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ZeroPadding1D(Layer):
    """Steps of zeros in front and behind."""

    code: ClassVar[int] = 20
    front: int
    back: int

    def shape(self, *inputs: Shape) -> Shape:
        return self.front + steps_of(inputs[0]) + self.back, inputs[0][1]

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return xp.pad(inputs[0], ((0, 0), (self.front, self.back), (0, 0)))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Cropping1D(Layer):
    """Leaves out steps in front and behind."""

    code: ClassVar[int] = 21
    front: int
    back: int

    def shape(self, *inputs: Shape) -> Shape:
        steps = steps_of(inputs[0])
        if self.front + self.back >= steps:
            raise DataError(f"it leaves out {self.front} and {self.back} steps, {steps} are there")
        return steps - self.front - self.back, inputs[0][1]

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return inputs[0][:, self.front : inputs[0].shape[1] - self.back]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reverse(Layer):
    """The steps in the opposite order."""

    code: ClassVar[int] = 22

    def shape(self, *inputs: Shape) -> Shape:
        return steps_of(inputs[0]), inputs[0][1]

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return inputs[0][:, ::-1]
