"""Layers that gather steps: pooling by groups and over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from discrimen.errors import DataError
from discrimen.network.layers.base import Arrays, Layer, Padding, Shape, Values, steps_of
from discrimen.network.layers.visits import Visits, visits

__all__ = ["AveragePooling1D", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "MaxPooling1D"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Pooling1D(Layer):
    """Groups of `size` steps, `stride` apart; with ``same``, a group at an edge holds fewer."""

    size: int
    stride: int
    padding: Padding = "valid"

    def visits(self, n_steps: int) -> Visits:
        """Return where the groups lie."""
        if self.padding == "causal":
            raise DataError("its padding must be valid or same")
        return visits(n_steps, self.size, stride=self.stride, padding=self.padding)

    def shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        return self.visits(steps_of(shape)).steps, shape[1]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MaxPooling1D(Pooling1D):
    """Largest value of each group of steps."""

    code: ClassVar[int] = 3

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        visited = self.visits(inputs[0].shape[1])
        padded = visited.padded(xp, inputs[0], -xp.inf)
        result = visited.taken(padded, 0)
        for tap in range(1, self.size):
            result = xp.maximum(result, visited.taken(padded, tap))
        return result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AveragePooling1D(Pooling1D):
    """Mean of each group of steps, of those that are there."""

    code: ClassVar[int] = 4

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        visited = self.visits(inputs[0].shape[1])
        padded = visited.padded(xp, inputs[0], 0.0)
        there = visited.padded(xp, xp.ones_like(inputs[0][:1, :, :1]), 0.0)
        total = sum(visited.taken(padded, tap) for tap in range(self.size))
        return total / sum(visited.taken(there, tap) for tap in range(self.size))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GlobalMaxPooling1D(Layer):
    """Largest value of each channel over all steps."""

    code: ClassVar[int] = 5

    def shape(self, *inputs: Shape) -> Shape:
        steps_of(inputs[0])
        return (inputs[0][1],)

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return inputs[0].max(axis=1)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GlobalAveragePooling1D(Layer):
    """Mean of each channel over all steps."""

    code: ClassVar[int] = 6

    def shape(self, *inputs: Shape) -> Shape:
        steps_of(inputs[0])
        return (inputs[0][1],)

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return inputs[0].mean(axis=1)
