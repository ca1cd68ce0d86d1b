"""The layers of a frozen network: what each computes, and with which weights. No Keras here.

Shapes are those of one pulse, without the batch: ``(sample,)`` or ``(step, channel)``. Weights are float32 and have the
layout of Keras 3; batch normalisation does not appear, it is folded into its neighbour when a network is frozen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError

Activation = Literal["linear", "relu", "tanh", "sigmoid", "elu", "gelu", "silu", "softmax"]
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
Padding = Literal["valid", "same"]
PADDINGS: tuple[str, ...] = get_args(Padding)
Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Dense:
    """y = activation(x @ kernel + bias) on the last axis; kernel (input, output), bias (output,)."""

    code: ClassVar[int] = 1
    kernel: Weights
    bias: Weights
    activation: Activation = "linear"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Conv1D:
    """Cross-correlation along the steps; kernel (length, input channel, output channel), bias (output channel,).

    ``same`` pads with zeros to ceil(steps / stride), the surplus zero behind.
    """

    code: ClassVar[int] = 2
    kernel: Weights
    bias: Weights
    activation: Activation = "linear"
    stride: int = 1
    dilation: int = 1
    padding: Padding = "valid"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MaxPooling1D:
    """Largest value of each group of steps; with ``same``, a group at an edge holds fewer."""

    code: ClassVar[int] = 3
    size: int
    stride: int
    padding: Padding = "valid"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AveragePooling1D:
    """Mean of each group of steps; with ``same``, of the steps that are there."""

    code: ClassVar[int] = 4
    size: int
    stride: int
    padding: Padding = "valid"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GlobalMaxPooling1D:
    """Largest value of each channel over all steps."""

    code: ClassVar[int] = 5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GlobalAveragePooling1D:
    """Mean of each channel over all steps."""

    code: ClassVar[int] = 6


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Flatten:
    """All values in one row, steps outermost."""

    code: ClassVar[int] = 7


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reshape:
    """The same values in another shape of at most two axes; 0 steps stands for no axis of steps."""

    code: ClassVar[int] = 8
    steps: int
    channels: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Lstm:
    """Long short-term memory, gates in the order input, forget, cell, output.

    kernel (channel, 4 units), recurrent_kernel (units, 4 units), bias (4 units,); tanh and sigmoid.
    """

    code: ClassVar[int] = 9
    kernel: Weights
    recurrent_kernel: Weights
    bias: Weights
    sequences: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Gru:
    """Gated recurrent unit, gates in the order update, reset, candidate; the reset gate acts after the product.

    kernel (channel, 3 units), recurrent_kernel (units, 3 units), bias and recurrent_bias (3 units,).
    """

    code: ClassVar[int] = 10
    kernel: Weights
    recurrent_kernel: Weights
    bias: Weights
    recurrent_bias: Weights
    sequences: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Activate:
    """An activation by itself; softmax over the last axis."""

    code: ClassVar[int] = 11
    activation: Activation


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Conv1DTranspose:
    """The transpose of a convolution: each step adds its kernel to the output from ``step * stride`` on.

    kernel (length, output channel, input channel), bias (output channel,). ``valid`` gives
    ``(steps - 1) * stride + max(length, stride)`` steps; ``same`` gives ``steps * stride`` and cuts off
    ``length - stride`` steps, the surplus one behind. Steps that no kernel reaches, where the stride is the longer,
    hold the bias alone.
    """

    code: ClassVar[int] = 12
    kernel: Weights
    bias: Weights
    activation: Activation = "linear"
    stride: int = 1
    padding: Padding = "valid"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UpSampling1D:
    """Every step, `size` times."""

    code: ClassVar[int] = 13
    size: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Keep:
    """Lets the values pass and remembers them under a number, below :data:`MAX_KEPT`."""

    code: ClassVar[int] = 14
    slot: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AddKept:
    """Adds the values remembered by the last :class:`Keep` of that number; the shapes are the same."""

    code: ClassVar[int] = 15
    slot: int


MAX_KEPT = 8
"""How many values a network can remember at a time."""

Layer = (
    Dense
    | Conv1D
    | MaxPooling1D
    | AveragePooling1D
    | GlobalMaxPooling1D
    | GlobalAveragePooling1D
    | Flatten
    | Reshape
    | Lstm
    | Gru
    | Activate
    | Conv1DTranspose
    | UpSampling1D
    | Keep
    | AddKept
)
LAYERS: dict[int, type[Layer]] = {kind.code: kind for kind in get_args(Layer)}
"""Every kind of layer by its number in the frozen file; numbers are never given anew."""


def weights_of(layer: Layer) -> dict[str, Weights]:
    """Return the weights of a layer by name, in their order."""
    return {name: value for name, value in _values(layer) if isinstance(value, np.ndarray)}


def options_of(layer: Layer) -> dict[str, int]:
    """Return all that a layer has beside weights, as integers, in their order."""
    return {name: _as_integer(name, value) for name, value in _values(layer) if not isinstance(value, np.ndarray)}


def layer_from(code: int, options: list[int], weights: list[Weights]) -> Layer:
    """Build a layer from its number, the integers of :func:`options_of` and its weights.

    Raises
    ------
    DataError
        If there is no such layer, or options or weights do not fit it.
    """
    kind = LAYERS.get(code)
    if kind is None:
        raise DataError(f"there is no layer with number {code}; the file comes from a newer version")
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


def _values(layer: Layer) -> Iterator[tuple[str, Any]]:
    for field in fields(layer):
        yield field.name, getattr(layer, field.name)


def _as_integer(name: str, value: Any) -> int:
    if name == "activation":
        return ACTIVATIONS.index(value)
    if name == "padding":
        return PADDINGS.index(value)
    return int(value)


def _from_integer(name: str, value: int) -> Any:
    names = {"activation": ACTIVATIONS, "padding": PADDINGS}.get(name)
    if names is not None:
        if not 0 <= value < len(names):
            raise DataError(f"there is no {name} with number {value}")
        return names[value]
    if name == "sequences":
        return bool(value)
    least = 0 if name in ("steps", "slot") else 1
    most = MAX_KEPT - 1 if name == "slot" else 2**24 - 1
    if not least <= value <= most:
        raise DataError(f"{name} must lie between {least} and {most}, got {value}")
    return value
