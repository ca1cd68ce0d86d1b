"""Layers of Keras that read several values: sums, products, values side by side, and attention."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft, Scaling
from discrimen.freezing.keras_scalings import single_axis
from discrimen.freezing.keras_values import exact, require
from discrimen.network.layers import Add, Attention, Concatenate, Dense, Multiply, Reshape, Shape, UpSampling1D

Values = tuple[int, ...]


def _add(draft: Draft, layer: Any, values: Values) -> int:
    whole = _whole_shape(draft, layer, values)
    return draft.add(Add(), *(_spread(draft, value, whole) for value in values))


def _subtract(draft: Draft, layer: Any, values: Values) -> int:
    first, second = values
    return _add(draft, layer, (first, _times(draft, second, -1.0)))


def _average(draft: Draft, layer: Any, values: Values) -> int:
    return _times(draft, _add(draft, layer, values), 1 / len(values))


def _multiply(draft: Draft, layer: Any, values: Values) -> int:
    whole = _whole_shape(draft, layer, values)
    factors = []
    for value in values:
        shape = draft.shapes[value]
        if shape in ((1, whole[-1]), whole[-1:]):
            # A row of channels counts at each step.
            factors.append(draft.add(Reshape(steps=0, channels=whole[-1]), value))
        else:
            factors.append(_spread(draft, value, whole))
    if len(whole) == 2 and all(len(draft.shapes[value]) == 1 for value in factors):
        factors = [_spread(draft, value, whole) for value in factors]
    return draft.add(Multiply(), *factors)


def _concatenate(draft: Draft, layer: Any, values: Values) -> int:
    n_axes = len(draft.shapes[values[0]]) + 1
    axis = single_axis(layer, n_axes)
    if axis == 0:
        raise SettingsError(f"layer '{layer.name}': axis must be one of the values' axes to be frozen, got {axis}")
    return draft.add(Concatenate(along_steps=axis == 1 and n_axes == 3), *values)


def _times(draft: Draft, value: int, factor: float) -> int:
    channels = draft.shapes[value][-1]
    return draft.add(Scaling(scale=np.full(channels, factor), shift=np.zeros(channels)), value)


def _whole_shape(draft: Draft, layer: Any, values: Values) -> Shape:
    """Return the shape that values have when they are spread over each other."""
    shapes = [draft.shapes[value] for value in values]
    given = ", ".join(map(str, shapes))
    if len(set(map(len, shapes))) > 1 and type(layer).__module__.startswith("keras.src.ops"):
        raise SettingsError(
            f"layer '{layer.name}' joins values of shapes {given} by an operator, which spreads pulses over each "
            "other; use the layers Reshape and Add or Multiply"
        )
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError as error:
        raise SettingsError(
            f"layer '{layer.name}' joins values of shapes that do not fit each other: {given}"
        ) from error


def _spread(draft: Draft, value: int, whole: Shape) -> int:
    """Repeat a value over the steps or channels that it lacks."""
    shape = draft.shapes[value]
    if shape == whole:
        return value
    if shape[-1] < whole[-1]:
        value = draft.add(
            Dense(kernel=np.ones((1, whole[-1]), np.float32), bias=np.zeros(whole[-1], np.float32)), value
        )
    if len(whole) == 2 and draft.shapes[value] != whole:
        value = draft.through(value, Reshape(steps=1, channels=whole[-1]), UpSampling1D(size=whole[0]))
    return value


def _multi_head_attention(draft: Draft, layer: Any, values: Values) -> int:
    """Append four dense layers and what lies between them; `values` are query, value and perhaps key."""
    require(layer, _use_gate=False, _sliding_window=None)
    query, value = values[:2]
    key = values[2] if len(values) > 2 else value
    if any(len(draft.shapes[each]) != 2 for each in values) or layer.attention_axes not in (None, (1,)):
        raise SettingsError(f"layer '{layer.name}': attention along the steps can be frozen, of steps and channels")
    scale = 1 / np.sqrt(layer.key_dim)
    projected = (
        _projection(draft, layer, layer.query_dense, query, scale=scale),
        _projection(draft, layer, layer.key_dense, key),
        _projection(draft, layer, layer.value_dense, value),
    )
    attended = draft.add(Attention(heads=layer.num_heads), *projected)
    kernel = exact(layer, layer.output_dense.kernel)
    if kernel.ndim != 3:
        raise SettingsError(f"layer '{layer.name}': output_shape must be a single number to be frozen")
    return draft.add(_dense(layer, layer.output_dense, kernel.reshape(-1, kernel.shape[-1])), attended)


def _projection(draft: Draft, layer: Any, dense: Any, value: int, *, scale: float = 1.0) -> int:
    kernel = exact(layer, dense.kernel)
    return draft.add(_dense(layer, dense, kernel.reshape(len(kernel), -1), scale=scale), value)


def _dense(layer: Any, dense: Any, kernel: NDArray[np.float64], *, scale: float = 1.0) -> Dense:
    bias: Any = np.zeros(kernel.shape[1]) if dense.bias is None else exact(layer, dense.bias).reshape(-1) * scale
    scaled: Any = kernel * scale
    return Dense(kernel=scaled, bias=bias)


def _dot_product_attention(draft: Draft, layer: Any, values: Values) -> int:
    require(layer, score_mode="dot")
    query, value = values[:2]
    key = values[2] if len(values) > 2 else value
    if layer.use_scale:
        query = _times(draft, query, float(exact(layer, layer.scale)))
    return draft.add(Attention(heads=1), query, key, value)


JOINING_LAYERS = {
    "Add": _add,
    "Subtract": _subtract,
    "Average": _average,
    "Multiply": _multiply,
    "Concatenate": _concatenate,
    "MultiHeadAttention": _multi_head_attention,
    "Attention": _dot_product_attention,
}
"""Functions that append a layer of Keras behind several values, by its kind."""
