"""A network in the making: layers and scalings with their shapes, before they are joined, rounded and numbered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network import layers as kinds
from discrimen.network.graph import Network, Node
from discrimen.network.layers import MOST_VALUES, Layer, Shape


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scaling:
    """y = scale * x + shift, for each channel; batch normalisation and the like.

    Parameters
    ----------
    scale, shift : ndarray of float64, shape (channel,)
        The line of each channel.
    """

    scale: NDArray[np.float64]
    shift: NDArray[np.float64]


@dataclass(slots=True, eq=False)
class Step:
    """A layer or scaling, the numbers of the values that it reads, and the name of the layer that it comes from."""

    layer: Layer | Scaling
    inputs: tuple[int, ...]
    origin: str


class Draft:
    """Values are numbered as in a :class:`~discrimen.network.graph.Network`: 0 is the prepared input.

    Layers that only give values another shape are joined, or left out, as they are added; what is computed without
    weights from the same values is computed once.

    Parameters
    ----------
    input_shape : tuple of int
        Channels and samples of the prepared input.
    """

    def __init__(self, input_shape: Shape) -> None:
        self.shapes: list[Shape] = [input_shape]
        self.steps: list[Step] = []
        self.origin = "the network"

    def add(self, layer: Layer | Scaling, *inputs: int) -> int:
        """Append a layer and return the number of its value.

        Raises
        ------
        SettingsError
            If it does not fit the values that it reads.
        """
        shape = self._shape(layer, inputs)
        if _reshapes(layer, self.shapes[inputs[0]]):
            return self._reshaped(inputs[0], shape)
        before = self.step_behind(inputs[0])
        if isinstance(layer, kinds.Permute) and before is not None and isinstance(before.layer, kinds.Permute):
            return before.inputs[0]
        return self._append(layer, inputs, shape)

    def through(self, value: int, *layers: Layer | Scaling) -> int:
        """Append a chain of layers behind a value and return the number of the last one's."""
        for layer in layers:
            value = self.add(layer, value)
        return value

    def step_behind(self, value: int) -> Step | None:
        """Return what a value comes from, or None for the prepared input."""
        return self.steps[value - 1] if value else None

    def readers(self, value: int) -> list[Step]:
        """Return the steps that read a value, one of them once for each time it does."""
        return [step for step in self.steps for read in step.inputs if read == value]

    def forget_unneeded(self, outputs: Iterable[int]) -> None:
        """Let steps that no output needs read nothing any more."""
        needed = self._needed(outputs)
        for number, step in enumerate(self.steps):
            if number + 1 not in needed:
                step.inputs = ()

    def network(self, outputs: Sequence[int]) -> Network:
        """Leave out what no output needs, round the weights to float32 and number what is left.

        Raises
        ------
        SettingsError
            If a weight is not finite.
        """
        needed = self._needed(outputs)
        numbers = {value: number for number, value in enumerate([0, *sorted(needed - {0})])}
        nodes = []
        for value in sorted(needed - {0}):
            step = self.steps[value - 1]
            nodes.append(Node(_rounded(step), tuple(numbers[read] for read in step.inputs)))
        return Network(tuple(nodes), tuple(numbers[value] for value in outputs))

    def _needed(self, outputs: Iterable[int]) -> set[int]:
        needed = set(outputs)
        for value in range(len(self.steps), 0, -1):
            if value in needed:
                needed.update(self.steps[value - 1].inputs)
        return needed

    def _append(self, layer: Layer | Scaling, inputs: tuple[int, ...], shape: Shape) -> int:
        for number, step in enumerate(self.steps):
            if step.inputs == inputs and _computes_the_same(step.layer, layer):
                return number + 1
        self.steps.append(Step(layer, inputs, self.origin))
        self.shapes.append(shape)
        return len(self.steps)

    def _reshaped(self, value: int, shape: Shape) -> int:
        before = self.step_behind(value)
        while before is not None and isinstance(before.layer, kinds.Flatten | kinds.Reshape):
            value = before.inputs[0]
            before = self.step_behind(value)
        if self.shapes[value] == shape:
            return value
        if len(shape) == 1:
            return self._append(kinds.Flatten(), (value,), shape)
        return self._append(kinds.Reshape(steps=shape[0], channels=shape[1]), (value,), shape)

    def _shape(self, layer: Layer | Scaling, inputs: tuple[int, ...]) -> Shape:
        read = [self.shapes[value] for value in inputs]
        if isinstance(layer, Scaling):
            return read[0]
        try:
            shape = layer.shape(*read)
            if not 1 <= prod(shape) <= MOST_VALUES:
                raise DataError(f"it would make {prod(shape)} values of a pulse, 1 to {MOST_VALUES} are allowed")
        except DataError as error:
            raise SettingsError(
                f"layer '{self.origin}' does not fit values of shape {' and '.join(map(str, read))}: {error}"
            ) from error
        return shape


def _computes_the_same(one: Layer | Scaling, other: Layer | Scaling) -> bool:
    """Tell whether two layers without weights are alike; branches that begin alike need no two of them."""
    # Two draws from one distribution are two numbers.
    if isinstance(one, Scaling | kinds.Sample) or isinstance(other, Scaling) or type(one) is not type(other):
        return False
    return not kinds.weights_of(one) and kinds.options_of(one) == kinds.options_of(other)


def _reshapes(layer: Layer | Scaling, shape: Shape) -> bool:
    """Tell whether a layer leaves the values in their order."""
    if isinstance(layer, kinds.Permute):
        return 1 in shape
    return isinstance(layer, kinds.Flatten | kinds.Reshape)


def _rounded(step: Step) -> Layer:
    if isinstance(step.layer, Scaling):
        raise TypeError(f"scaling of '{step.origin}' was not made a layer")
    weights: dict[str, Any] = {}
    for name, value in kinds.weights_of(step.layer).items():
        with np.errstate(over="ignore"):
            weights[name] = np.asarray(value, dtype=np.float32)
        if not np.isfinite(weights[name]).all():
            raise SettingsError(
                f"layer '{step.origin}': its {name.replace('_', ' ')} is not finite in float32; train the network again"
            )
    return replace(step.layer, **weights)
