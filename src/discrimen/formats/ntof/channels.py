"""The channels of an n_TOF raw file, as MODH lists them.

MODH is a u32 count and, for each channel, 88 bytes: char[4] detector, u32 number, char[4] kind of card, 4 x u8, then
settings, of which the first is the sampling rate in MS/s as a float. What the others mean is not published.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_COUNT = struct.Struct("<I")
_RECORD = struct.Struct("<4sI8xf68x")
_NAME = re.compile(r"[!-~]+")
_LEAST_RATE_MSPS, _MOST_RATE_MSPS = 0.01, 1e5
MOST_NUMBER = 2**31 - 1
"""The highest number of a channel that a column of pulses holds."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: where its pulses are told to come from, and its sampling period in ns; None if nobody knows."""

    board: int
    number: int
    sample_period_ns: float | None


@dataclass(frozen=True, slots=True)
class ChannelTable:
    """All channels of a file; `board` numbers the detectors in the order in which MODH names them.

    Parameters
    ----------
    channels : mapping of (str, int) to Channel
        By name of the detector and number.
    detectors : tuple of str
        The name of each board.
    """

    channels: Mapping[tuple[str, int], Channel]
    detectors: tuple[str, ...]

    @property
    def periods_ns(self) -> set[float | None]:
        """The sampling periods that occur."""
        return {channel.sample_period_ns for channel in self.channels.values()}

    def __str__(self) -> str:
        """For people: ``board 0 WALA (channel 1-8), board 1 LIQA (channel 1)``."""
        of_board: dict[int, list[int]] = {}
        for channel in self.channels.values():
            of_board.setdefault(channel.board, []).append(channel.number)
        return ", ".join(
            f"board {board} {self.detectors[board]} (channel {_ranges(sorted(numbers))})"
            for board, numbers in sorted(of_board.items())
        )


def read_channels(modh: bytes, *, sample_period_ns: float | None) -> ChannelTable:
    """Read the payload of MODH.

    Parameters
    ----------
    modh : bytes
        The payload; a record that does not begin with a name is passed over.
    sample_period_ns : float or None
        What the user says; wins over the file.
    """
    count = _COUNT.unpack_from(modh)[0] if len(modh) >= _COUNT.size else 0
    fits = max(0, len(modh) - _COUNT.size) // _RECORD.size
    channels: dict[tuple[str, int], Channel] = {}
    detectors: dict[str, int] = {}
    for place in range(min(count, fits)):
        name, number, rate_msps = _RECORD.unpack_from(modh, _COUNT.size + place * _RECORD.size)
        detector = name_of(name)
        if not detector or number > MOST_NUMBER:
            continue
        board = detectors.setdefault(detector, len(detectors))
        period_ns = _period_ns(rate_msps) if sample_period_ns is None else sample_period_ns
        channels[detector, number] = Channel(board, number, period_ns)
    return ChannelTable(MappingProxyType(channels), tuple(detectors))


def name_of(name: bytes) -> str:
    """Return the name of a detector or an area without what fills it up; empty if it is no name."""
    text = name.rstrip(b"\0 \t\r\n").decode("latin-1")
    return text if _NAME.fullmatch(text) else ""


def _period_ns(rate_msps: float) -> float | None:
    """Return the sampling period in ns; None if the number is no sampling rate."""
    if not (math.isfinite(rate_msps) and _LEAST_RATE_MSPS <= rate_msps <= _MOST_RATE_MSPS):
        return None
    return 1000 / rate_msps


def _ranges(numbers: list[int]) -> str:
    """Write 1, 2, 3, 5 as ``1-3 5``."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return " ".join(f"{first}-{last}" if last > first else str(first) for first, last in ranges)
