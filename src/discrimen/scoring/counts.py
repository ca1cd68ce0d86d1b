"""How many pulses of each channel of a run are what, and when they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.places import Place, board_and_channel, numbered_places
from discrimen.scoring.pile_up import PileUp

_LOSSES = (PulseFlag.DEAD_TIME, PulseFlag.MEMORY_FULL, PulseFlag.TRIGGER_LOST, PulseFlag.N_TRIGGERS_LOST)
"""Flags by which a digitizer says that it missed pulses."""

_RESET_PS = 10**12


class Counted(IntEnum):
    """What a pulse counts as."""

    GAMMA = 0
    NEUTRON = 1
    NOT_SCORED = 2
    VETOED = 3


@dataclass(slots=True)
class ChannelTally:
    """Counts of one channel.

    Attributes
    ----------
    counted : ndarray of int64, shape (4,)
        Pulses by :class:`Counted`.
    n_outside : int
        Pulses unlike those that the model has seen.
    n_in_record, n_told : int
        Records in which a second pulse was found; those that the digitizer flags.
    recorded_ns : float
        Length of all records together.
    """

    counted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(Counted), np.int64))
    n_outside: int = 0
    n_in_record: int = 0
    n_told: int = 0
    recorded_ns: float = 0.0

    def __len__(self) -> int:
        return int(self.counted.sum())


@dataclass(slots=True)
class RunTally:
    """Counts of all channels of a run, filled chunk by chunk.

    Attributes
    ----------
    channels : dict of Place to ChannelTally
        By board and channel; both 0 where the file does not say.
    has_time, has_flags : bool
        Whether every pulse has a time stamp, and flags of the digitizer.
    first_ps, last_ps : int or None
        Lowest and highest time stamp.
    run : int or None
        Number of the run of the first pulse.
    has_one_clock : bool
        Whether all pulses are of that run.
    n_back : int
        Pulses more than a second before an earlier one of the file.
    losses : Counter of str
        Events that carry a flag of pulses missed.
    """

    channels: dict[Place, ChannelTally] = field(default_factory=dict)
    has_time: bool = True
    has_flags: bool = True
    first_ps: int | None = None
    last_ps: int | None = None
    run: int | None = None
    has_one_clock: bool = True
    n_back: int = 0
    losses: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return sum(len(each) for each in self.channels.values())

    def count(self, *what: Counted) -> int:
        """Return how many pulses of all channels count as one of these."""
        return int(sum(each.counted[list(what)].sum() for each in self.channels.values()))

    def add(
        self,
        pulses: Pulses,
        counted: NDArray[np.int8],
        *,
        outside: NDArray[np.uint16] | None = None,
        pile_up: NDArray[np.uint8] | None = None,
    ) -> None:
        """Count the pulses of a chunk.

        Parameters
        ----------
        pulses : Pulses
            The chunk.
        counted : ndarray of int8, shape (pulse,)
            Values of :class:`Counted`.
        outside, pile_up : ndarray, shape (pulse,), optional
            Bits of :class:`~discrimen.network.domain.Outside` and of :class:`~discrimen.scoring.pile_up.PileUp`.
        """
        places, number = numbered_places(*board_and_channel(pulses).values())
        n_places, n_kinds = len(places), len(Counted)
        table = np.bincount(number * n_kinds + counted, minlength=n_places * n_kinds).reshape(n_places, n_kinds)
        told = None if pulses.flags is None else pulses.flags & np.uint32(PulseFlag.PILE_UP)
        in_record = None if pile_up is None else pile_up & np.uint8(PileUp.IN_RECORD)
        marked = [_of_place(number, mark, n_places) for mark in (outside, in_record, told)]
        record_ns = pulses.n_samples * (pulses.sample_period_ns or 0.0)
        for place, row, n_outside, n_in_record, n_told in zip(places, table, *marked, strict=True):
            tally = self.channels.setdefault(place, ChannelTally())
            tally.counted += row
            tally.n_outside += int(n_outside)
            tally.n_in_record += int(n_in_record)
            tally.n_told += int(n_told)
            tally.recorded_ns += record_ns * int(row.sum())
        if pulses.run is not None:
            self.run = int(pulses.run[0]) if self.run is None else self.run
            self.has_one_clock &= bool((pulses.run == self.run).all())
        self._add_times(pulses.timestamp_ps)
        self._add_losses(pulses.flags)

    def as_dict(self) -> dict[str, Any]:
        """Return all that was counted as plain data, for :meth:`add_dict`."""
        return {
            "channels": [
                [*place, each.counted.tolist(), each.n_outside, each.n_in_record, each.n_told, each.recorded_ns]
                for place, each in self.channels.items()
            ],
            "has_time": self.has_time,
            "has_flags": self.has_flags,
            "times_ps": [self.first_ps, self.last_ps],
            "n_back": self.n_back,
            "losses": dict(self.losses),
        }

    def add_dict(self, part: Mapping[str, Any]) -> None:
        """Count what the tally of the next part of the run has counted.

        Raises
        ------
        DataError
            If the clock was set back between the two: how many pulses are back, only the whole run tells.
        """
        for board, channel, counted, n_outside, n_in_record, n_told, recorded_ns in part["channels"]:
            tally = self.channels.setdefault(Place(board, channel), ChannelTally())
            tally.counted += np.array(counted, np.int64)
            tally.n_outside += n_outside
            tally.n_in_record += n_in_record
            tally.n_told += n_told
            tally.recorded_ns += recorded_ns
        self.has_time &= part["has_time"]
        self.has_flags &= part["has_flags"]
        self.n_back += part["n_back"]
        self.losses.update(part["losses"])
        first_ps, last_ps = part["times_ps"]
        if first_ps is not None:
            if self.last_ps is not None and first_ps < self.last_ps - _RESET_PS:
                raise DataError("the clock was set back between two parts")
            self.first_ps = first_ps if self.first_ps is None else min(first_ps, self.first_ps)
            self.last_ps = last_ps if self.last_ps is None else max(last_ps, self.last_ps)

    def _add_times(self, stamps_ps: NDArray[np.int64] | None) -> None:
        if stamps_ps is None:
            self.has_time = False
            return
        first, last = int(stamps_ps.min()), int(stamps_ps.max())
        so_far = stamps_ps[0] if self.last_ps is None else self.last_ps
        if first < max(last, so_far) - _RESET_PS:
            latest = np.maximum.accumulate(np.maximum(stamps_ps, so_far))
            self.n_back += int((stamps_ps < latest - _RESET_PS).sum())
        self.first_ps = first if self.first_ps is None else min(first, self.first_ps)
        self.last_ps = last if self.last_ps is None else max(last, self.last_ps)

    def _add_losses(self, flags: NDArray[np.uint32] | None) -> None:
        if flags is None:
            self.has_flags = False
            return
        met = int(np.bitwise_or.reduce(flags))
        for flag in _LOSSES:
            if met & flag:
                self.losses[flag.name or hex(flag)] += int(np.count_nonzero(flags & np.uint32(flag)))


def _of_place(number: NDArray[np.int64], mark: NDArray[np.generic] | None, n_places: int) -> NDArray[np.int64]:
    """Return how many pulses of each place are marked."""
    if mark is None or not mark.any():
        return np.zeros(n_places, np.int64)
    return np.bincount(number[mark != 0], minlength=n_places)
