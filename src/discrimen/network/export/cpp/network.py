"""The layers of a frozen network as C++: a type with constants for each, and the plain sequence of calls."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from discrimen.errors import DataError
from discrimen.network.export.cpp.layer_text import LayerText, Shape, layer_text
from discrimen.network.export.cpp.literals import array_text
from discrimen.network.layers import AddKept, Keep, Layer, weights_of

FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkText:
    """A network in C++.

    Parameters
    ----------
    layers : str
        The types that hold sizes and weights.
    network : str
        The function that calls one layer after the other.
    summary : tuple of str
        One line a layer, for people.
    n_parameters : int
        Weights and biases.
    stack_bytes : int
        What the values between the layers, and within the largest, take on the stack.
    """

    layers: str
    network: str
    summary: tuple[str, ...]
    n_parameters: int
    stack_bytes: int


def network_text(layers: Sequence[Layer], *, window_length: int, n_classes: int) -> NetworkText:
    """Write a network.

    Parameters
    ----------
    layers : sequence of Layer
        In the order of computation.
    window_length : int
        Samples of a prepared waveform.
    n_classes : int
        Number of scores.

    Raises
    ------
    DataError
        If a layer does not fit what comes out of the one before, or the network does not give one score a class.
    """
    buffers = _Buffers(window_length)
    types, calls, summary = [], [], []
    scratch = 0
    shape: Shape = (window_length,)
    for number, layer in enumerate(layers, start=1):
        text = layer_text(layer, shape, number=number)
        headline = f"{number}. {type(layer).__name__}: {_shape(shape)} -> {_shape(text.shape)}{text.remark}"
        summary.append(headline)
        if text.constants:
            types.append(_type(f"Layer{number}", headline, text))
        calls.append(_call(layer, text, number, buffers))
        shape, scratch = text.shape, max(scratch, text.scratch)
    if shape != (n_classes,):
        raise DataError(f"expected {n_classes} scores a pulse, the network gives values of shape {_shape(shape)}")
    calls.append(f"std::copy_n({buffers.current}, {n_classes}, scores);")
    body = [*buffers.declarations(), *(call for call in calls if call)]
    return NetworkText(
        layers="\n".join(types),
        network="// From a prepared window to scores; the window is overwritten.\n"
        "inline void network(float* window, float* scores) noexcept {\n"
        + textwrap.indent("\n".join(body), "    ")
        + "\n}\n",
        summary=tuple(summary),
        n_parameters=sum(array.size for layer in layers for array in weights_of(layer).values()),
        stack_bytes=FLOAT_BYTES * (window_length + 1 + sum(buffers.lengths.values()) + scratch),
    )


class _Buffers:
    """Where the values are while the network is computed: the window, then two buffers in turn; kept values beside."""

    def __init__(self, window_length: int) -> None:
        self.current = "window"
        self.lengths: dict[str, int] = {}
        self.kept: dict[int, Shape] = {}
        self._window_length = window_length

    def next(self, length: int) -> tuple[str, str]:
        """Return where the values are and where the next ones go."""
        before = self.current
        self.current = "second" if before == "first" else "first"
        self.reserve(self.current, length)
        return before, self.current

    def reserve(self, name: str, length: int) -> None:
        self.lengths[name] = max(length, self.lengths.get(name, 0))

    def declarations(self) -> list[str]:
        return [f"float {name}[{length}];" for name, length in self.lengths.items()]


def _call(layer: Layer, text: LayerText, number: int, buffers: _Buffers) -> str:
    length = prod(text.shape)
    if isinstance(layer, Keep):
        buffers.kept[layer.slot] = text.shape
        buffers.reserve(f"kept_{layer.slot}", length)
        return f"std::copy_n({buffers.current}, {length}, kept_{layer.slot});"
    if isinstance(layer, AddKept):
        kept = buffers.kept.get(layer.slot)
        if kept != text.shape:
            found = "nothing is kept" if kept is None else f"values of shape {_shape(kept)} are kept"
            raise DataError(f"layer {number} (AddKept) adds {_shape(text.shape)}, but {found} under {layer.slot}")
        return f"add_kept<{length}>(kept_{layer.slot}, {buffers.current});"
    if not text.function:
        return ""
    if text.in_place:
        return f"{text.function}<Layer{number}>({buffers.current});"
    before, after = buffers.next(length)
    return f"{text.function}<Layer{number}>({before}, {after});"


def _type(name: str, headline: str, text: LayerText) -> str:
    lines = [f"// {headline}", f"struct {name} {{"]
    sizes = ", ".join(f"{key} = {value}" for key, value in text.constants.items() if type(value) is int)
    lines.append(f"    static constexpr std::size_t {sizes};")
    if text.activation is not None:
        lines.append(f"    static constexpr Activation activation = Activation::{text.activation};")
    if text.sequences is not None:
        lines.append(f"    static constexpr bool sequences = {str(text.sequences).lower()};")
    for key, values in text.weights.items():
        flat = np.ascontiguousarray(values, np.float32).ravel()
        lines.append(f"    alignas(64) static constexpr float {key}[{flat.size}] = {{")
        lines += [textwrap.indent(array_text(flat), "        "), "    };"]
    return "\n".join([*lines, "};", ""])


def _shape(shape: Shape) -> str:
    return " x ".join(map(str, shape))
