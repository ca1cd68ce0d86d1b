"""Pulses by where they were digitised."""

from __future__ import annotations

from dataclasses import Field, fields, replace
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from discrimen.pulses.list_mode import ListModeEvents
from discrimen.pulses.waveforms import Pulses


class Place(NamedTuple):
    """Where a pulse was digitised."""

    board: int
    channel: int

    def __str__(self) -> str:
        return f"board {self.board} channel {self.channel}"


class Placed(Protocol):
    """A dataclass of columns, one value a pulse; board and channel are among them."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def board(self) -> NDArray[np.int32]:
        """Zero where the file does not say."""

    @property
    def channel(self) -> NDArray[np.int32]:
        """Zero where the file does not say."""


_Placed = TypeVar("_Placed", bound=Placed)


def board_and_channel(pulses: Pulses | ListModeEvents) -> dict[str, NDArray[np.int32]]:
    """Return both columns by name, zero where the file does not say."""
    nowhere = np.zeros(len(pulses), np.int32)
    return {
        "board": nowhere if pulses.board is None else pulses.board,
        "channel": nowhere if pulses.channel is None else pulses.channel,
    }


def by_place(pulses: Placed) -> dict[Place, NDArray[np.intp]]:
    """Return the positions of the pulses of each place, in the order of the places."""
    found, number = np.unique(np.stack([pulses.board, pulses.channel]), axis=1, return_inverse=True)
    return {
        Place(int(board), int(channel)): np.flatnonzero(number.ravel() == index)
        for index, (board, channel) in enumerate(found.T)
    }


def chosen(pulses: _Placed, which: NDArray[Any]) -> _Placed:
    """Return some of the pulses: every column by a mask or by positions."""
    return replace(pulses, **{name: values[which] for name, values in columns_of(pulses).items()})


def columns_of(pulses: Placed) -> dict[str, NDArray[Any]]:
    """Return the columns of a dataclass by name."""
    values = {each.name: getattr(pulses, each.name) for each in fields(pulses)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
