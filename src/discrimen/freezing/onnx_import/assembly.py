"""A network put together value by value, and which axis of an ONNX tensor is which of ours.

ONNX tensors have any number of axes in any order: PyTorch's are (pulse, channel, step), its recurrent layers
(step, pulse, channel). Our values are (step, channel) or (channel,) of one pulse. A :class:`Held` remembers which axis
is which, so that most transpositions cost nothing; a permutation is put in only where an operator needs one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import prod

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft, Scaling
from discrimen.freezing.keras_scalings import scaled
from discrimen.network import layers
from discrimen.network.activations import Activation
from discrimen.network.layers import Layer, Shape


class Axis(Enum):
    """What an axis of an ONNX tensor is."""

    PULSE = "pulse"
    STEP = "step"
    CHANNEL = "channel"
    ONE = "one"
    """Of length 1, not among the axes of our value."""
    DIRECTION = "direction"
    """One value of ours for each index: what a recurrent layer gives forwards and backwards."""


_OURS = (Axis.STEP, Axis.CHANNEL)
ROW = (Axis.PULSE, Axis.CHANNEL)
CHANNELS_FIRST = (Axis.PULSE, Axis.CHANNEL, Axis.STEP)
STEPS_FIRST = (Axis.PULSE, Axis.STEP, Axis.CHANNEL)


@dataclass(frozen=True, slots=True)
class Held:
    """An ONNX tensor: where its numbers are in our network.

    Parameters
    ----------
    values : tuple of int
        Numbers of values: one, or one for each index along :attr:`Axis.DIRECTION`.
    axes : tuple of Axis
        What each axis of the tensor is.
    logarithm : bool
        Whether the tensor holds the logarithm of the value.
    """

    values: tuple[int, ...]
    axes: tuple[Axis, ...]
    logarithm: bool = False

    @property
    def pulse_axis(self) -> int:
        """Which axis counts the pulses."""
        return self.axes.index(Axis.PULSE)


class Assembly:
    """A network that grows node by node.

    Parameters
    ----------
    input_shape : tuple of int
        Channels and samples of the prepared input, value 0.
    n_batch : int
        How many pulses the ONNX tensors stand for.
    """

    def __init__(self, input_shape: Shape, n_batch: int) -> None:
        self.draft = Draft(input_shape)
        self.n_batch = n_batch

    @property
    def shapes(self) -> list[Shape]:
        """Of all values, in their order."""
        return self.draft.shapes

    def add(self, layer: Layer, *values: int) -> int:
        """Add a layer and return the number of its value."""
        return self.draft.add(layer, *values)

    def layer_of(self, value: int) -> Layer | Scaling | None:
        """Return the layer that gives a value, None for the input."""
        step = self.draft.step_behind(value)
        return None if step is None else step.layer

    def dims(self, held: Held) -> tuple[int, ...]:
        """Return the lengths of an ONNX tensor's axes."""
        shape = self.shapes[held.values[0]]
        lengths = {
            Axis.PULSE: self.n_batch,
            Axis.CHANNEL: shape[-1],
            Axis.STEP: shape[0],
            Axis.ONE: 1,
            Axis.DIRECTION: len(held.values),
        }
        return tuple(lengths[axis] for axis in held.axes)

    def settled(self, held: Held, axes: tuple[Axis, ...]) -> int:
        """Return the value whose steps and channels are those axes of a tensor that are named so."""
        dims = self.dims(held)
        if len(held.values) != 1 or len(axes) != len(dims):
            raise SettingsError(f"expected a tensor of {len(axes)} axes, got one of {dims} (forwards and backwards)")
        wanted = {axis: dims[number] for number, axis in enumerate(axes) if axis in _OURS}
        if axes.index(Axis.PULSE) != held.pulse_axis or prod(wanted.values()) * self.n_batch != prod(dims):
            raise SettingsError(f"its axes {self._named(held)} cannot be taken as {', '.join(a.value for a in axes)}")
        value = held.values[0]
        shape = tuple(wanted[axis] for axis in _OURS if axis in wanted) or (1,)
        if _is_swapped(held.axes) != _is_swapped(axes) and min(self.shapes[value]) > 1:
            value = self.add(layers.Permute(), value)
        return self.reshaped_value(value, shape)

    def reshaped_value(self, value: int, shape: Shape) -> int:
        """Return a value in another shape, the same numbers in the same order."""
        if self.shapes[value] == shape:
            return value
        if len(shape) == 1 and min(self.shapes[value]) > 1:
            return self.add(layers.Flatten(), value)
        return self.add(layers.Reshape(steps=0 if len(shape) == 1 else shape[0], channels=shape[-1]), value)

    def with_axes(self, held: Held, axes: tuple[Axis, ...]) -> Held:
        """Return a tensor with its axes named again; see :meth:`settled`."""
        return replace(held, values=(self.settled(held, axes),), axes=axes)

    def reshaped(self, held: Held, dims: Sequence[int]) -> Held:
        """Return a tensor in another shape."""
        if len(held.values) > 1:
            held = self._joined(held)
        held = replace(held, axes=tuple(Axis.ONE if a is Axis.DIRECTION else a for a in held.axes))
        now, at = self.dims(held), held.pulse_axis
        if prod(now) != prod(dims):
            raise SettingsError(f"a tensor of {now} cannot have the shape {tuple(dims)}")
        for place in self._places_of_pulses(dims, before=prod(now[:at])):
            kept = [each for each in (*now[:at], 0, *now[at + 1 :]) if each != 1]
            if kept == [each for each in (*dims[:place], 0, *dims[place + 1 :]) if each != 1]:
                return self._relabelled(held, dims, place)
        place = self._places_of_pulses(dims, before=1)[0] if prod(now[:at]) == 1 else -1
        large = [each for number, each in enumerate(dims) if number != place and each > 1]
        if place < 0 or prod(dims[:place]) > 1 or len(large) > 2:
            raise SettingsError(
                f"a tensor of {now} in the shape {tuple(dims)} mixes pulses, or has more than steps and channels"
            )
        value = held.values[0]
        if _is_swapped(held.axes) and min(self.shapes[value]) > 1:
            value = self.add(layers.Permute(), value)
        value = self.reshaped_value(value, tuple(large) or (1,))
        return replace(held, values=(value,), axes=_labels(dims, place, natural=True))

    def affine(self, held: Held, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> Held:
        """Return scale * tensor + shift; both are numbers or arrays that spread over the tensor's axes."""
        dims = self.dims(held)
        scale, shift = np.broadcast_arrays(scale, shift)
        if scale.ndim > len(dims):
            raise SettingsError(f"a constant of shape {scale.shape} would give a tensor of {dims} more axes")
        lengths = (1,) * (len(dims) - scale.ndim) + scale.shape
        if any(length not in (1, dim) for length, dim in zip(lengths, dims, strict=True)) or (
            lengths[held.pulse_axis] != 1 and self.n_batch != 1
        ):
            raise SettingsError(f"a constant of shape {scale.shape} does not spread over a tensor of {dims}")
        varying = {held.axes[number] for number, length in enumerate(lengths) if length > 1}
        if len(held.values) > 1 and not varying <= {Axis.CHANNEL}:
            raise SettingsError("constants that differ between the directions of a recurrent layer cannot be adopted")
        lines = [self._in_our_order(each.reshape(lengths), held) for each in (scale, shift)]
        return replace(held, values=tuple(scaled(self.draft, value, *lines) for value in held.values))

    def activated(self, held: Held, activation: Activation) -> Held:
        """Return an activation of each number."""
        return replace(
            held, values=tuple(self.add(layers.Activate(activation=activation), value) for value in held.values)
        )

    def added(self, one: Held, other: Held) -> Held:
        """Return the sum of two tensors, spread over each other."""
        one, other, same = self._aligned(one, other)
        if not same:
            ones = self.affine(one, np.zeros(()), np.ones(()))
            other = self.multiplied(ones, other)
        return replace(one, values=(self.add(layers.Add(), one.values[0], self.settled(other, one.axes)),))

    def multiplied(self, one: Held, other: Held) -> Held:
        """Return the product of two tensors, spread over each other."""
        one, other, same = self._aligned(one, other)
        if same:
            first, second = one.values[0], self.settled(other, one.axes)
            merged = self._gated(first, second) or self._gated(second, first)
            return replace(one, values=(merged or self.add(layers.Multiply(), first, second),))
        at = [number for number, length in enumerate(self.dims(other)) if length > 1 and number != other.pulse_axis]
        if len(at) > 1 or one.axes[at[0] if at else -1] not in _OURS:
            raise SettingsError(f"a tensor of {self.dims(other)} cannot be spread over one of {self.dims(one)}")
        if not at:
            at = [one.axes.index(Axis.CHANNEL)]
            other = self._repeated(other, self.dims(one)[at[0]], at[0])
        if one.axes[at[0]] is Axis.STEP:
            swap = {Axis.STEP: Axis.CHANNEL, Axis.CHANNEL: Axis.STEP}
            one = self.with_axes(one, tuple(swap.get(axis, axis) for axis in one.axes))
        row = tuple(
            axis if axis is Axis.PULSE else Axis.CHANNEL if number == at[0] else Axis.ONE
            for number, axis in enumerate(one.axes)
        )
        return replace(one, values=(self.add(layers.Multiply(), one.values[0], self.settled(other, row)),))

    def _repeated(self, held: Held, length: int, axis: int) -> Held:
        """Spread one number of each pulse over an axis."""
        value = self.reshaped_value(held.values[0], (1,))
        value = self.add(
            layers.Dense(kernel=np.ones((1, length), np.float32), bias=np.zeros(length, np.float32)), value
        )
        axes = tuple(
            Axis.PULSE if number == held.pulse_axis else Axis.CHANNEL if number == axis else Axis.ONE
            for number in range(len(held.axes))
        )
        return Held((value,), axes)

    def _gated(self, value: int, gate: int) -> int | None:
        """Recognise x * sigmoid(x) and similar products, which are one activation."""
        layer = self.layer_of(gate)
        if not isinstance(layer, layers.Activate):
            return None
        inside = self._read_by(gate)
        if layer.activation in ("sigmoid", "hard_sigmoid") and inside == value:
            return self.add(layers.Activate(activation="silu" if layer.activation == "sigmoid" else "hard_silu"), value)
        softplus = self.layer_of(inside)
        if (
            layer.activation == "tanh"
            and isinstance(softplus, layers.Activate)
            and softplus.activation == "softplus"
            and self._read_by(inside) == value
        ):
            return self.add(layers.Activate(activation="mish"), value)
        return None

    def _read_by(self, value: int) -> int:
        step = self.draft.step_behind(value)
        return -1 if step is None else step.inputs[0]

    def _aligned(self, one: Held, other: Held) -> tuple[Held, Held, bool]:
        """Give two tensors as many axes, the larger first; also returned: whether their lengths agree."""
        if len(one.values) > 1 or len(other.values) > 1:
            raise SettingsError(
                "what a recurrent layer gives in both directions must be joined before it is computed with"
            )
        if prod(self.dims(one)) < prod(self.dims(other)) or len(one.axes) < len(other.axes):
            one, other = other, one
        other = replace(other, axes=(Axis.ONE,) * (len(one.axes) - len(other.axes)) + other.axes)
        dims, others = self.dims(one), self.dims(other)
        if one.pulse_axis != other.pulse_axis or any(
            length not in (1, dim) for length, dim in zip(others, dims, strict=True)
        ):
            raise SettingsError(f"tensors of {dims} and {others} cannot be spread over each other")
        return one, other, dims == others

    def _in_our_order(self, array: NDArray[np.float64], held: Held) -> NDArray[np.float64]:
        """Give an array with a tensor's axes the axes of our value; it may still be spread over them."""
        at = [number for number, axis in enumerate(held.axes) if axis in _OURS]
        ours = array.reshape([array.shape[number] for number in at] or [1])
        return (ours.T if _is_swapped(held.axes) else ours).astype(np.float64)

    def _joined(self, held: Held) -> Held:
        """Put the directions of a recurrent layer side by side, where they lie in front of the channels."""
        at = held.axes.index(Axis.DIRECTION)
        behind = next((axis for axis in held.axes[at + 1 :] if axis is not Axis.ONE), None)
        if behind is not Axis.CHANNEL:
            raise SettingsError("the directions of a recurrent layer must be joined along its units")
        value = self.add(layers.Concatenate(), *held.values)
        axes = held.axes[:at] + held.axes[at + 1 :]
        return replace(held, values=(value,), axes=axes)

    def _places_of_pulses(self, dims: Sequence[int], *, before: int) -> list[int]:
        found = [number for number, dim in enumerate(dims) if dim == self.n_batch and prod(dims[:number]) == before]
        if not found:
            raise SettingsError(f"the shape {tuple(dims)} mixes pulses with each other")
        return found

    def _relabelled(self, held: Held, dims: Sequence[int], place: int) -> Held:
        """Name the axes of the same numbers with other axes of length 1."""
        left = [axis for axis, dim in zip(held.axes, self.dims(held), strict=True) if axis in _OURS and dim > 1]
        value = held.values[0]
        if len(left) < 2:
            value = self.reshaped_value(value, (prod(self.shapes[value]),))
            return replace(held, values=(value,), axes=_labels(dims, place, natural=True))
        axes = _labels(dims, place, natural=left == list(_OURS))
        return replace(held, values=(value,), axes=axes)

    def _named(self, held: Held) -> str:
        return ", ".join(f"{axis.value} {dim}" for axis, dim in zip(held.axes, self.dims(held), strict=True))


def _is_swapped(axes: Sequence[Axis]) -> bool:
    return [axis for axis in axes if axis in _OURS] == [Axis.CHANNEL, Axis.STEP]


def _labels(dims: Sequence[int], place: int, *, natural: bool) -> tuple[Axis, ...]:
    """Name the axes of a shape whose one or two long axes are steps and channels, in that order if `natural`."""
    large = [number for number, dim in enumerate(dims) if dim > 1 and number != place]
    ours = _OURS[-len(large) :] if large else ()
    names = dict(zip(large, ours if natural else ours[::-1], strict=True))
    return tuple(Axis.PULSE if number == place else names.get(number, Axis.ONE) for number in range(len(dims)))
