"""Pulses by where they were digitised."""

from __future__ import annotations

import re
from dataclasses import Field, fields, replace
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from discrimen.pulses.list_mode import ListModeEvents
from discrimen.pulses.waveforms import Pulses

_MOST_COUNTED = 2**20


class Place(NamedTuple):
    """Where a pulse was digitised."""

    board: int
    channel: int

    def __str__(self) -> str:
        return f"board {self.board} channel {self.channel}"

    @property
    def file_name(self) -> str:
        """What a file or folder of this channel is called."""
        return f"b{self.board}_ch{self.channel}"

    @classmethod
    def of_file_name(cls, name: str) -> Place | None:
        """Return the channel that a file or folder is called after; None if it is not."""
        found = re.fullmatch(r"b(\d+)_ch(\d+)", name)
        return None if found is None else cls(*map(int, found.groups()))


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


def numbered_places(board: NDArray[Any], channel: NDArray[Any]) -> tuple[list[Place], NDArray[np.int64]]:
    """Return the places of some pulses in order, and which of them each pulse is of, shape (pulse,)."""
    if not len(board):
        return [], np.empty(0, np.int64)
    first = Place(int(board.min()), int(channel.min()))
    width = int(channel.max()) - first.channel + 1
    code = (board.astype(np.int64) - first.board) * width + (channel - first.channel)
    if not code.any():
        found, number = code[:1], np.zeros(len(code), np.int64)
    elif code.max() < _MOST_COUNTED:
        # Much faster than sorting, which np.unique does.
        there = np.bincount(code) > 0
        found, number = np.flatnonzero(there), (np.cumsum(there) - 1)[code]
    else:
        found, number = np.unique(code, return_inverse=True)
    places = [Place(first.board + int(each) // width, first.channel + int(each) % width) for each in found]
    return places, number.astype(np.int64, copy=False)


def by_place(pulses: Placed) -> dict[Place, NDArray[np.intp]]:
    """Return the positions of the pulses of each place, in the order of the places."""
    places, number = numbered_places(pulses.board, pulses.channel)
    return {place: np.flatnonzero(number == at) for at, place in enumerate(places)}


def chosen(pulses: _Placed, which: NDArray[Any]) -> _Placed:
    """Return some of the pulses: every column by a mask or by positions."""
    return replace(pulses, **{name: values[which] for name, values in columns_of(pulses).items()})


def columns_of(pulses: Placed) -> dict[str, NDArray[Any]]:
    """Return the columns of a dataclass by name."""
    values = {each.name: getattr(pulses, each.name) for each in fields(pulses)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
