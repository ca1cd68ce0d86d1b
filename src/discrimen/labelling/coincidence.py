"""Time of flight from two detectors: from the pulse of a start detector to that of each other one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError

LARGEST_OCCUPANCY = 0.05
"""Starts in one window, on average: with more, a late stop is often given to another start, and accidentals slope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDetector:
    """Whose pulses start the clock.

    Parameters
    ----------
    channel : int
        Of the start detector.
    board : int, optional
        Needed only where several boards have such a channel.
    window_ns : (float, float)
        Times behind a start in which a stop belongs to it; negative ones count accidentals before the flash.
    """

    channel: int
    board: int | None = None
    window_ns: tuple[float, float] = (-200.0, 400.0)

    def __str__(self) -> str:
        return f"channel {self.channel}" if self.board is None else f"board {self.board} channel {self.channel}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Coincidences:
    """Times behind the start detector.

    Parameters
    ----------
    tof_ns : ndarray of float64, shape (pulse,)
        NaN for starts, and where no start lies in the window.
    n_starts : int
        Pulses of the start detector.
    occupancy : float
        How many starts lie in one window on average.
    """

    tof_ns: NDArray[np.float64]
    n_starts: int
    occupancy: float


def find_coincidences(
    timestamp_ps: NDArray[np.int64], board: NDArray[Any], channel: NDArray[Any], *, start: StartDetector
) -> Coincidences:
    """Give each pulse the time since the latest start that lies in its window.

    Parameters
    ----------
    timestamp_ps : ndarray of int64, shape (pulse,)
        In any order.
    board, channel : ndarray of int, shape (pulse,)
        Where the pulses were digitised.
    start : StartDetector
        Which channel starts, and its window.

    Raises
    ------
    DataError
        If the start detector has no pulses, or is the only one, or its rate is too high for the window.
    """
    is_start = channel == start.channel
    if start.board is not None:
        is_start &= board == start.board
    n_starts = int(is_start.sum())
    if not 0 < n_starts < len(channel):
        there = ", ".join(str(number) for number in np.unique(channel))
        raise DataError(f"the start detector, {start}, has {n_starts} of {len(channel)} pulses; channels: {there}")
    low_ns, high_ns = start.window_ns
    starts = np.sort(timestamp_ps[is_start])
    span_ns = max(1.0, float(timestamp_ps.max() - timestamp_ps.min()) * 1e-3)
    occupancy = n_starts * (high_ns - low_ns) / span_ns
    if occupancy > LARGEST_OCCUPANCY:
        raise DataError(
            f"{n_starts} starts in {span_ns * 1e-9:.3g} s make {occupancy:.2g} in a window of {high_ns - low_ns:g} ns, "
            f"{LARGEST_OCCUPANCY:g} at most: accidentals would not be flat; narrow it with --start-window-ns"
        )
    latest = np.searchsorted(starts, timestamp_ps - np.int64(round(low_ns * 1e3)), side="right") - 1
    elapsed_ns = (timestamp_ps - starts[np.maximum(latest, 0)]) * 1e-3
    known = ~is_start & (latest >= 0) & (elapsed_ns <= high_ns)
    return Coincidences(tof_ns=np.where(known, elapsed_ns, np.nan), n_starts=n_starts, occupancy=occupancy)
