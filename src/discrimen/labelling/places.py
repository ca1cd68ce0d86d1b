"""Pulses by where they were digitised: every channel is labelled by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, fields, replace
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.pulses import Pulses

_SHOWN = 3


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


def board_and_channel(pulses: Pulses) -> dict[str, NDArray[np.int32]]:
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
    return replace(pulses, **{name: values[which] for name, values in _columns(pulses).items()})


def joined(parts: Iterable[_Placed]) -> _Placed:
    """Join the pulses of several stretches.

    Raises
    ------
    DataError
        If there are none, or their energies have different units.
    """
    all_parts = list(parts)
    if not all_parts:
        raise DataError("no pulses to label")
    units = sorted({str(getattr(part, "energy_unit", "")) for part in all_parts})
    if len(units) != 1:
        raise DataError(
            f"cannot join energies in {' and '.join(units)}: give all runs the same --settings, or label each by itself"
        )
    names = _columns(all_parts[0])
    return replace(
        all_parts[0], **{name: np.concatenate([getattr(part, name) for part in all_parts]) for name in names}
    )


def reasons(problems: Mapping[Place, str]) -> list[dict[str, Any]]:
    """Return why places have no labels as plain data, ready for JSON."""
    return [{**place._asdict(), "reason": reason} for place, reason in problems.items()]


def no_place(problems: Mapping[Place, str]) -> DataError:
    """Return the error that not one place can be labelled, with the reasons of the first three."""
    told = [f"{place}: {reason}" for place, reason in list(problems.items())[:_SHOWN]]
    more = [f"and {len(problems) - _SHOWN} more channels"] if len(problems) > _SHOWN else []
    return DataError("; ".join(told + more))


def _columns(pulses: Placed) -> dict[str, NDArray[Any]]:
    values = {each.name: getattr(pulses, each.name) for each in fields(pulses)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
