"""Where the axes of the values between two layers lie, and how to move them no more than needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from math import prod

from discrimen.network.export.onnx.graph import Graph
from discrimen.network.layers import Shape


class Layout(Enum):
    """Order of the axes. P: pulse, T: step, C: channel."""

    ROWS = "PC"
    """No steps: (pulse, channel)."""
    CHANNELS_LAST = "PTC"
    """As the layers describe them."""
    CHANNELS_FIRST = "PCT"
    """As convolutions and pooling want them."""
    STEPS_FIRST = "TPC"
    """As recurrent layers want them."""

    @property
    def step_axis(self) -> int:
        """Which axis the steps lie on."""
        return self.value.index("T")

    @property
    def channel_axis(self) -> int:
        """Which axis the channels lie on."""
        return self.value.index("C")

    @property
    def order(self) -> list[int]:
        """Which axis of (pulse, step, channel) comes where."""
        return ["PTC".index(axis) for axis in self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What flows between two layers; a reshape is put off until a layer needs the axes.

    Parameters
    ----------
    name : str
        Of the ONNX value.
    layout : Layout
        Order of its axes.
    held : tuple of int
        Shape of one pulse as it is held: steps and channels, or channels.
    shape : tuple of int
        Shape of one pulse as the next layer reads it: the same values in the same order, steps outermost.
    """

    name: str
    layout: Layout
    held: Shape
    shape: Shape


def held(name: str, layout: Layout, shape: Shape) -> Values:
    """Return values that are held as they are read."""
    return Values(name=name, layout=layout, held=shape, shape=shape)


def settled(graph: Graph, values: Values, layout: Layout | None = None) -> Values:
    """Return values that are held as they are read: rows as rows, others in this order of axes, or in any."""
    if values.held != values.shape:
        name = values.name
        if values.layout is not Layout.ROWS:
            name = _moved(graph, name, values.held, values.layout, Layout.CHANNELS_LAST)
        name = graph.reshape(name, *values.shape)
        values = held(name, Layout.ROWS if len(values.shape) == 1 else Layout.CHANNELS_LAST, values.shape)
    if layout is None or values.layout is Layout.ROWS:
        return values
    name = _moved(graph, values.name, values.shape, values.layout, layout)
    return replace(values, name=name, layout=layout)


def as_rows(graph: Graph, values: Values) -> Values:
    """Return all values of each pulse in one row."""
    return settled(graph, replace(values, shape=(prod(values.shape),)))


def alike(graph: Graph, values: tuple[Values, ...]) -> tuple[Values, ...]:
    """Return values of as many axes, all in the layout of the first."""
    first = settled(graph, values[0])
    return first, *(settled(graph, each, first.layout) for each in values[1:])


def _moved(graph: Graph, name: str, shape: Shape, layout: Layout, wanted: Layout) -> str:
    if layout is wanted:
        return name
    if 1 in shape and Layout.STEPS_FIRST not in (layout, wanted):
        return graph.reshape(name, *(shape if wanted is Layout.CHANNELS_LAST else shape[::-1]))
    return graph.node("Transpose", name, perm=[layout.value.index(axis) for axis in wanted.value])
