"""ONNX operators that move numbers, and means over axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.onnx_import.assembly import Axis, Held
from discrimen.freezing.onnx_import.constants import axes_of, slice_of
from discrimen.freezing.onnx_import.context import Context, Tensor
from discrimen.freezing.onnx_import.graph import Op
from discrimen.network import layers

Translate = Callable[[Context, Op], Tensor | tuple[Tensor, ...]]
_SWAP = {Axis.STEP: Axis.CHANNEL, Axis.CHANNEL: Axis.STEP}


def _shape(context: Context, op: Op) -> NDArray[np.int64]:
    dims = context.assembly.dims(context.held(op))
    return np.array(dims[op.attributes.get("start", 0) : op.attributes.get("end", len(dims))], np.int64)


def _transpose(context: Context, op: Op) -> Held:
    held = context.held(op)
    order = op.attributes.get("perm", range(len(held.axes))[::-1])
    return replace(held, axes=tuple(held.axes[number] for number in order))


def _reshape(context: Context, op: Op) -> Held:
    held = context.held(op)
    now = context.assembly.dims(held)
    wanted = [int(each) for each in np.ravel(_constants(context, op, 1))]
    if op.attributes.get("allowzero", 0) and 0 in wanted:
        raise SettingsError(f"{op.where}: makes an axis of length 0")
    dims = [now[number] if each == 0 else each for number, each in enumerate(wanted)]
    if -1 in dims:
        rest = prod(each for each in dims if each != -1)
        dims[dims.index(-1)] = prod(now) // rest
    return context.assembly.reshaped(held, dims)


def _flatten(context: Context, op: Op) -> Held:
    held = context.held(op)
    dims = context.assembly.dims(held)
    axis = op.attributes.get("axis", 1)
    axis = axis + len(dims) if axis < 0 else axis
    return context.assembly.reshaped(held, (prod(dims[:axis]), prod(dims[axis:])))


def _squeeze(context: Context, op: Op) -> Held:
    held = context.held(op)
    dims = context.assembly.dims(held)
    given = axes_of(op, [None, context.constant(op, 1)])
    axes = {number for number, dim in enumerate(dims) if dim == 1 and number != held.pulse_axis}
    if given is not None:
        wanted = {axis % len(dims) for axis in given}
        if not wanted <= axes:
            raise SettingsError(f"{op.where}: leaves out axes {sorted(wanted)} of a tensor of {dims}")
        axes = wanted
    return _without(context, held, axes)


def _unsqueeze(context: Context, op: Op) -> Held:
    held = context.held(op)
    given = axes_of(op, [None, context.constant(op, 1)]) or []
    names = list(held.axes)
    for axis in sorted(axis % (len(names) + len(given)) for axis in given):
        names.insert(axis, Axis.ONE)
    return replace(held, axes=tuple(names))


def _concat(context: Context, op: Op) -> Held:
    parts = [context.held(op, number) for number in range(len(op.inputs))]
    first, assembly = parts[0], context.assembly
    if len(parts) == 1:
        return first
    axis = op.attributes["axis"] % len(first.axes)
    if axis == first.pulse_axis:
        raise SettingsError(f"{op.where}: puts pulses behind each other, which cannot be adopted")
    stacked = (Axis.ONE, Axis.DIRECTION)
    if axis < first.pulse_axis and all(part.axes[axis] in stacked for part in parts):
        names = (*first.axes[:axis], Axis.DIRECTION, *first.axes[axis + 1 :])
        values = [value for part in parts for value in part.values]
        if len({tuple(part.axes[axis + 1 :]) for part in parts}) > 1:
            raise SettingsError(f"{op.where}: puts tensors of different axes behind each other")
        return replace(first, values=tuple(values), axes=names)
    names = first.axes
    if names[axis] is Axis.ONE:
        dims = assembly.dims(first)
        long = [number for number, dim in enumerate(dims) if dim > 1 and number != first.pulse_axis]
        if len(long) > 1:
            raise SettingsError(f"{op.where}: makes more axes than pulses, steps and channels")
        names = tuple(
            Axis.PULSE
            if number == first.pulse_axis
            else Axis.STEP
            if number == axis
            else Axis.CHANNEL
            if number in long
            else Axis.ONE
            for number in range(len(dims))
        )
    values = [assembly.settled(part, names) for part in parts]
    layer = layers.Concatenate(along_steps=names[axis] is Axis.STEP)
    return replace(first, values=(assembly.add(layer, *values),), axes=names)


def _slice(context: Context, op: Op) -> Held:
    held = context.held(op)
    inputs = [None, *(context.constant(op, number) for number in range(1, 5))]
    for axis, part in slice_of(op, inputs):
        held = _taken(context, op, held, axis % len(held.axes), part)
    return held


def _split(context: Context, op: Op) -> tuple[Held, ...]:
    held = context.held(op)
    axis = op.attributes.get("axis", 0) % len(held.axes)
    length = context.assembly.dims(held)[axis]
    given = op.attributes.get("split", context.constant(op, 1))
    n_parts = len(op.outputs)
    even = -(-length // n_parts)
    sizes = [even] * (n_parts - 1) + [length - even * (n_parts - 1)] if given is None else np.ravel(given).tolist()
    edges = [0, *accumulate(int(size) for size in sizes)]
    return tuple(_taken(context, op, held, axis, slice(low, high, 1)) for low, high in pairwise(edges))


def _gather(context: Context, op: Op) -> Held:
    held = context.held(op)
    axis = op.attributes.get("axis", 0) % len(held.axes)
    length = context.assembly.dims(held)[axis]
    index = np.asarray(_constants(context, op, 1))
    wanted = np.ravel(index) % length
    part = slice(int(wanted[0]), int(wanted[-1]) + 1, 1)
    if index.ndim > 1 or len(wanted) != len(range(length)[part]) or (np.diff(wanted) != 1).any():
        raise SettingsError(f"{op.where}: takes single places; one place, or places behind each other, can be adopted")
    taken = _taken(context, op, held, axis, part)
    return taken if index.ndim else _without(context, taken, {axis})


def _taken(context: Context, op: Op, held: Held, axis: int, part: slice) -> Held:
    """Take a stretch of a tensor along an axis."""
    assembly = context.assembly
    length = assembly.dims(held)[axis]
    places = range(length)[part]
    if places == range(length):
        return held
    if not len(places):
        raise SettingsError(f"{op.where}: takes nothing of an axis of length {length}")
    if axis == held.pulse_axis:
        raise SettingsError(f"{op.where}: takes some of the pulses, which cannot be adopted")
    if held.axes[axis] is Axis.DIRECTION:
        values = held.values[part]
        name = Axis.ONE if len(values) == 1 else Axis.DIRECTION
        return replace(held, values=values, axes=(*held.axes[:axis], name, *held.axes[axis + 1 :]))
    if len(held.values) > 1:
        taken = [_taken(context, op, _one_direction(held, value), axis, part) for value in held.values]
        return replace(held, values=tuple(each.values[0] for each in taken))
    if held.axes[axis] is Axis.CHANNEL:
        axes = tuple(_SWAP.get(each, each) for each in held.axes)
        if Axis.STEP not in held.axes:
            axes = tuple(Axis.STEP if number == axis else each for number, each in enumerate(held.axes))
        held = _as_steps(context, held, axes)
    return replace(held, values=(_steps(context, op, held.values[0], places),))


def _as_steps(context: Context, held: Held, axes: tuple[Axis, ...]) -> Held:
    """Name the axes of a tensor again; a row of channels becomes steps of one channel."""
    if Axis.CHANNEL in axes:
        return context.assembly.with_axes(held, axes)
    value = context.assembly.reshaped_value(held.values[0], (prod(context.assembly.shapes[held.values[0]]), 1))
    return replace(held, values=(value,), axes=axes)


def _steps(context: Context, op: Op, value: int, places: range) -> int:
    assembly = context.assembly
    length = assembly.shapes[value][0]
    if places.step < 0:
        if places.step != -1:
            raise SettingsError(f"{op.where}: goes backwards by {-places.step}; by 1 can be adopted")
        value = assembly.add(layers.Reverse(), value)
        places = range(length - 1 - places[0], length - places[-1])
    front, back = places[0], length - 1 - places[-1]
    if front or back:
        value = assembly.add(layers.Cropping1D(front=front, back=back), value)
    return assembly.add(layers.MaxPooling1D(size=1, stride=places.step), value) if places.step > 1 else value


def _one_direction(held: Held, value: int) -> Held:
    return replace(held, values=(value,), axes=tuple(Axis.ONE if a is Axis.DIRECTION else a for a in held.axes))


def _without(context: Context, held: Held, axes: set[int]) -> Held:
    """Leave out axes of length 1."""
    if len(held.values) > 1:
        values = [_without(context, _one_direction(held, value), axes) for value in held.values]
        names = tuple(name for number, name in enumerate(held.axes) if number not in axes)
        if any(held.axes[number] in (Axis.STEP, Axis.CHANNEL) for number in axes):
            names = tuple(
                Axis.DIRECTION if name is Axis.DIRECTION else new
                for name, new in zip(names, values[0].axes, strict=True)
            )
        return replace(held, values=tuple(each.values[0] for each in values), axes=names)
    dims = context.assembly.dims(held)
    if all(held.axes[number] in (Axis.ONE, Axis.DIRECTION) for number in axes):
        return replace(held, axes=tuple(name for number, name in enumerate(held.axes) if number not in axes))
    return context.assembly.reshaped(held, [dim for number, dim in enumerate(dims) if number not in axes])


def _pad(context: Context, op: Op) -> Held:
    held = context.held(op)
    if op.attributes.get("mode", "constant") != "constant":
        raise SettingsError(f"{op.where}: pads by mode {op.attributes['mode']}; only zeros can be adopted")
    value = op.attributes.get("value", context.constant(op, 2))
    if value is not None and np.any(np.ravel(value)):
        raise SettingsError(f"{op.where}: pads with {np.ravel(value)[0]:g}; only zeros can be adopted")
    pads = [int(each) for each in op.attributes.get("pads", context.constant(op, 1))]
    dims = context.assembly.dims(held)
    given = context.constant(op, 3)
    axes = range(len(dims)) if given is None else [int(axis) % len(dims) for axis in np.ravel(given)]
    for number, axis in enumerate(axes):
        front, back = pads[number], pads[number + len(axes)]
        if front or back:
            held = _padded(context, op, held, axis, front, back)
    return held


def _padded(context: Context, op: Op, held: Held, axis: int, front: int, back: int) -> Held:
    if axis == held.pulse_axis or len(held.values) > 1 or held.axes[axis] not in _SWAP:
        raise SettingsError(f"{op.where}: pads an axis that is neither steps nor channels")
    if front < 0 or back < 0:
        length = context.assembly.dims(held)[axis]
        held = _taken(context, op, held, axis, slice(max(0, -front), length - max(0, -back), 1))
        front, back = max(0, front), max(0, back)
        if not (front or back):
            return held
    if held.axes[axis] is Axis.CHANNEL:
        axes = tuple(_SWAP.get(each, each) for each in held.axes)
        held = _as_steps(context, held, axes)
    value = context.assembly.add(layers.ZeroPadding1D(front=front, back=back), held.values[0])
    return replace(held, values=(value,))


def _reduce(kind: type[layers.GlobalAveragePooling1D | layers.GlobalMaxPooling1D], *, total: bool = False) -> Translate:
    def translate(context: Context, op: Op) -> Held:
        held = context.held(op)
        dims = context.assembly.dims(held)
        given = axes_of(op, [None, context.constant(op, 1)])
        if given is None:
            raise SettingsError(f"{op.where}: acts on all axes, the pulses too; give it the axes of the samples")
        axes = {axis % len(dims) for axis in given}
        if held.pulse_axis in axes:
            raise SettingsError(f"{op.where}: mixes pulses with each other, which cannot be adopted")
        long = [axis for axis in axes if dims[axis] > 1]
        if long:
            held = _reduced(context, op, held, long, kind)
        if total:
            factor = np.full((), prod(dims[axis] for axis in axes), np.float64)
            held = context.assembly.affine(held, factor, np.zeros(()))
        return held if op.attributes.get("keepdims", 1) else _without(context, held, axes)

    return translate


def _reduced(context: Context, op: Op, held: Held, axes: Sequence[int], kind: Any) -> Held:
    """Gather long axes into one number each time; they stay as axes of length 1."""
    assembly = context.assembly
    dims = assembly.dims(held)
    if len(held.values) > 1:
        raise SettingsError(f"{op.where}: acts on a recurrent layer in both directions before they are joined")
    left = [number for number, dim in enumerate(dims) if dim > 1 and number not in axes and number != held.pulse_axis]
    names = dict.fromkeys(left, Axis.CHANNEL)
    if len(axes) == 1 and len(left) == 1:
        names |= {axes[0]: Axis.STEP}
        value = assembly.settled(held, tuple(_name(number, held, names) for number in range(len(dims))))
    elif not left:
        value = assembly.reshaped_value(held.values[0], (prod(dims[axis] for axis in axes), 1))
    else:
        raise SettingsError(f"{op.where}: acts on a tensor of {dims}, which has more axes than steps and channels")
    axes_behind = tuple(_name(number, held, dict.fromkeys(left, Axis.CHANNEL)) for number in range(len(dims)))
    return replace(held, values=(assembly.add(kind(), value),), axes=axes_behind)


def _name(number: int, held: Held, names: Mapping[int, Axis]) -> Axis:
    return Axis.PULSE if number == held.pulse_axis else names.get(number, Axis.ONE)


def _upsample(context: Context, op: Op) -> Held:
    held = context.held(op)
    dims = context.assembly.dims(held)
    if op.attributes.get("mode", "nearest") != "nearest":
        raise SettingsError(f"{op.where}: enlarges by mode {op.attributes['mode']}; only 'nearest' can be adopted")
    position, rounding = op.attributes.get("coordinate_transformation_mode"), op.attributes.get("nearest_mode")
    scales, sizes = (context.constant(op, len(op.inputs) - 1 if op.kind == "Upsample" else n) for n in (2, 3))
    scales = op.attributes.get("scales", scales) if op.kind == "Upsample" else scales
    wanted = np.ravel(sizes) / dims if sizes is not None and np.size(sizes) else np.ravel(scales)  # type: ignore[arg-type]
    long = [number for number, factor in enumerate(wanted) if factor != 1]
    whole = all(float(wanted[number]).is_integer() and wanted[number] > 1 for number in long)
    usual = op.kind == "Upsample" or position != "asymmetric" or rounding == "floor"
    if len(wanted) != len(dims) or len(long) != 1 or not whole or not usual or held.axes[long[0]] not in _SWAP:
        raise SettingsError(f"{op.where}: only the repetition of each step a whole number of times can be adopted")
    if held.axes[long[0]] is Axis.CHANNEL:
        held = _as_steps(context, held, tuple(_SWAP.get(each, each) for each in held.axes))
    layer = layers.UpSampling1D(size=int(wanted[long[0]]))
    return replace(held, values=(context.assembly.add(layer, held.values[0]),))


def _constants(context: Context, op: Op, number: int) -> NDArray[Any]:
    constant = op.attributes.get("shape") if context.opset < 5 else context.constant(op, number)
    if constant is None:
        raise SettingsError(f"{op.where}: its input {number} is missing")
    return np.asarray(constant)


OPERATORS: Mapping[str, Translate] = MappingProxyType(
    {
        "Shape": _shape,
        "Transpose": _transpose,
        "Reshape": _reshape,
        "Flatten": _flatten,
        "Squeeze": _squeeze,
        "Unsqueeze": _unsqueeze,
        "Concat": _concat,
        "Slice": _slice,
        "Split": _split,
        "Gather": _gather,
        "Pad": _pad,
        "ReduceMean": _reduce(layers.GlobalAveragePooling1D),
        "ReduceMax": _reduce(layers.GlobalMaxPooling1D),
        "ReduceSum": _reduce(layers.GlobalAveragePooling1D, total=True),
        "Resize": _upsample,
        "Upsample": _upsample,
    }
)
