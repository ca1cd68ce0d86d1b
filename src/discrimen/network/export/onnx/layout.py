"""Where the axes of the values between two layers lie, and how to move them no more than needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from discrimen.errors import DataError
from discrimen.network.export.onnx.graph import Graph


class Layout(Enum):
    """Order of the axes. P: pulse, T: step, C: channel."""

    ROWS = "PF"
    """No steps: (pulse, value)."""
    ROWS_BY_CHANNEL = "PX"
    """(pulse, value) whose values lie channel by channel, as flattening PCT leaves them, not step by step."""
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
        """Which axis the channels, or the values of a row, lie on."""
        return self.value.index("C") if "C" in self.value else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What flows between two layers.

    Parameters
    ----------
    name : str
        Of the ONNX value.
    layout : Layout
        Order of its axes.
    steps, channels : int
        Lengths of the axes; rows have 0 steps, unless they lie channel by channel.
    """

    name: str
    layout: Layout
    steps: int
    channels: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one pulse, as the layers describe it."""
        if self.layout is Layout.ROWS:
            return (self.channels,)
        if self.layout is Layout.ROWS_BY_CHANNEL:
            return (self.steps * self.channels,)
        return (self.steps, self.channels)

    def require_steps(self) -> None:
        """Refuse rows."""
        if len(self.shape) != 2:
            raise DataError("expected values with steps")


def rows(name: str, length: int) -> Values:
    """Return values without steps."""
    return Values(name=name, layout=Layout.ROWS, steps=0, channels=length)


def moved(graph: Graph, values: Values, layout: Layout) -> Values:
    """Return the values in another order of axes; adds nodes only where the order in memory differs."""
    if values.layout is layout:
        return values
    if values.layout is Layout.ROWS_BY_CHANNEL:
        name = graph.reshape(values.name, -1, values.channels, values.steps)
        unflattened = replace(values, name=name, layout=Layout.CHANNELS_FIRST)
        return reshaped(graph, moved(graph, unflattened, Layout.CHANNELS_LAST), values.shape)
    one_channel = values.channels == 1 and Layout.STEPS_FIRST not in (values.layout, layout)
    if one_channel:
        shape = (-1, 1, values.steps) if layout is Layout.CHANNELS_FIRST else (-1, values.steps, 1)
        name = graph.reshape(values.name, *shape)
    else:
        order = [values.layout.value.index(axis) for axis in layout.value]
        name = graph.node("Transpose", values.name, perm=order)
    return replace(values, name=name, layout=layout)


def reshaped(graph: Graph, values: Values, shape: tuple[int, ...]) -> Values:
    """Return the values of each pulse in another shape, in the order in which the layers describe them."""
    if values.shape == shape:
        return values
    if values.layout not in (Layout.ROWS, Layout.CHANNELS_LAST):
        values = moved(graph, values, Layout.ROWS if len(values.shape) == 1 else Layout.CHANNELS_LAST)
    name = graph.reshape(values.name, -1, *shape)
    if len(shape) == 1:
        return rows(name, shape[0])
    return Values(name=name, layout=Layout.CHANNELS_LAST, steps=shape[0], channels=shape[1])
