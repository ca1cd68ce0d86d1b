"""Arithmetic between constants: the shapes and zero states that exporters compute inside the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.onnx_import.graph import Op

Array = NDArray[Any]
_MOST_VALUES = 2**24
_TYPES = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64}
"""Numbers of element types in ONNX that shapes and weights come in."""


def folded(op: Op, inputs: Sequence[Array | None]) -> Array:
    """Compute a node of constants alone.

    Raises
    ------
    SettingsError
        If that operator between constants is not known, or it would make too many values.
    """
    compute = _FOLDED.get(op.kind)
    if compute is None:
        raise SettingsError(f"{op.where}: computes a constant, by an operator that is not known for that")
    result = np.asarray(compute(op, inputs))
    if result.size > _MOST_VALUES:
        raise SettingsError(f"{op.where}: makes a constant of {result.size} values, at most {_MOST_VALUES} are allowed")
    return result


def constant_of(op: Op) -> Array:
    """Return what a node Constant holds."""
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in op.attributes:
            default = np.float32 if "float" in name else np.int64
            value = op.attributes[name]
            return value if name == "value" else np.asarray(value, dtype=default)
    raise SettingsError(f"{op.where}: holds {', '.join(map(str, op.attributes)) or 'nothing'}, expected numbers")


def axes_of(op: Op, inputs: Sequence[Array | None]) -> list[int] | None:
    """Return the axes of a node: an attribute in older files, the second input in newer ones."""
    if "axes" in op.attributes:
        return [int(axis) for axis in op.attributes["axes"]]
    given = inputs[1] if len(inputs) > 1 else None
    return None if given is None else [int(axis) for axis in np.ravel(given)]


def slice_of(op: Op, inputs: Sequence[Array | None]) -> list[tuple[int, slice]]:
    """Return what a node Slice takes of which axes."""
    if "starts" in op.attributes:
        starts, ends = op.attributes["starts"], op.attributes["ends"]
        axes, steps = op.attributes.get("axes"), None
    else:
        starts, ends, axes, steps = (
            None if each is None else np.ravel(each).tolist() for each in (*inputs[1:], None, None)[:4]
        )
        if starts is None or ends is None:
            raise SettingsError(f"{op.where}: lacks its bounds")
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    return [
        (int(axis), _slice(int(start), int(end), int(step)))
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True)
    ]


def _slice(start: int, end: int, step: int) -> slice:
    # From the end backwards, ONNX says "far before the beginning" where Python says None.
    return slice(start, None if step < 0 and end < -(2**31) else end, step)


def _sliced(op: Op, inputs: Sequence[Array | None]) -> Array:
    (array, *_) = _given(inputs)
    for axis, part in slice_of(op, inputs):
        array = array[(slice(None),) * (axis % array.ndim) + (part,)]
    return array


def _expanded(op: Op, inputs: Sequence[Array | None]) -> Array:
    array, shape = _given(inputs)
    wanted = np.broadcast_shapes(array.shape, tuple(int(each) for each in shape))
    if np.prod(wanted, dtype=float) > _MOST_VALUES:
        raise SettingsError(f"{op.where}: makes a constant of shape {wanted}, which is too large")
    return np.broadcast_to(array, wanted)


def _filled(op: Op, inputs: Sequence[Array | None]) -> Array:
    (shape,) = _given(inputs)
    if np.prod(shape, dtype=float) > _MOST_VALUES:
        raise SettingsError(f"{op.where}: makes a constant of shape {shape.tolist()}, which is too large")
    value = op.attributes.get("value", np.zeros(1, np.float32))
    return np.full([int(each) for each in shape], np.ravel(value)[0])


def _unsqueezed(op: Op, inputs: Sequence[Array | None]) -> Array:
    array = _given(inputs)[0]
    axes = axes_of(op, inputs) or []
    return np.expand_dims(array, tuple(axis % (array.ndim + len(axes)) for axis in axes))


def _squeezed(op: Op, inputs: Sequence[Array | None]) -> Array:
    axes = axes_of(op, inputs)
    return np.squeeze(_given(inputs)[0], None if axes is None else tuple(axes))


def _reshaped(_: Op, inputs: Sequence[Array | None]) -> Array:
    array, shape = _given(inputs)
    wanted = [array.shape[axis] if size == 0 else int(size) for axis, size in enumerate(shape)]
    return array.reshape(wanted)


def _cast(op: Op, inputs: Sequence[Array | None]) -> Array:
    to = op.attributes["to"]
    if to not in _TYPES:
        raise SettingsError(f"{op.where}: casts to the element type {to}, which is not known")
    return np.asarray(_given(inputs)[0], dtype=_TYPES[to])


def _divided(_: Op, inputs: Sequence[Array | None]) -> Array:
    one, other = _given(inputs)
    if one.dtype.kind in "iu":
        # Integers are divided towards 0.
        return np.asarray(np.sign(one) * np.sign(other) * (np.abs(one) // np.abs(other)), dtype=one.dtype)
    return np.asarray(one / other)


def _gathered(op: Op, inputs: Sequence[Array | None]) -> Array:
    array, places = _given(inputs)
    return np.asarray(np.take(array, places, axis=op.attributes.get("axis", 0)))


def _concatenated(op: Op, inputs: Sequence[Array | None]) -> Array:
    return np.concatenate(_given(inputs), axis=op.attributes["axis"])


def _given(inputs: Sequence[Array | None]) -> list[Array]:
    return [each for each in inputs if each is not None]


def _simple(function: Callable[..., Any]) -> Callable[[Op, Sequence[Array | None]], Array]:
    return lambda _, inputs: np.asarray(function(*_given(inputs)))


_FOLDED: Mapping[str, Callable[[Op, Sequence[Array | None]], Array]] = MappingProxyType(
    {
        "Identity": _simple(lambda x: x),
        "Shape": _simple(lambda x: np.array(x.shape, np.int64)),
        "Cast": _cast,
        "Gather": _gathered,
        "Slice": _sliced,
        "Concat": _concatenated,
        "Unsqueeze": _unsqueezed,
        "Squeeze": _squeezed,
        "Reshape": _reshaped,
        "Transpose": lambda op, inputs: np.transpose(_given(inputs)[0], op.attributes.get("perm")),
        "Expand": _expanded,
        "ConstantOfShape": _filled,
        "Add": _simple(np.add),
        "Sub": _simple(np.subtract),
        "Mul": _simple(np.multiply),
        "Div": _divided,
        "Neg": _simple(np.negative),
        "Sqrt": _simple(np.sqrt),
        "Reciprocal": _simple(np.reciprocal),
        "Equal": _simple(np.equal),
        "Where": _simple(np.where),
        "MatMul": _simple(np.matmul),
    }
)
