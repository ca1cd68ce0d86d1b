"""Heat maps of all channels: counts that grow, and what becomes of them on the way to a screen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.online.monitor.axes import Axis


class HeatMap:
    """A two-dimensional histogram of each channel.

    Parameters
    ----------
    x, y : Axis
        Its axes.

    Attributes
    ----------
    counts : ndarray of uint32, shape (channel, y, x)
        Pulses.
    n_beyond : ndarray of int64, shape (channel,)
        Pulses that have values, but not between the ends of the axes.
    """

    def __init__(self, x: Axis, y: Axis) -> None:
        self.x, self.y = x, y
        self.counts = np.zeros((0, y.n_bins, x.n_bins), np.uint32)
        self.n_beyond = np.zeros(0, np.int64)

    def add(self, slots: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> None:
        """Count pulses; `slots` are the numbers of their channels, all of shape (pulse,)."""
        self._grow(int(slots.max(initial=-1)) + 1)
        column, row = self.x.bins(x), self.y.bins(y)
        inside = (column >= 0) & (row >= 0)
        np.add.at(self.counts, (slots[inside], row[inside], column[inside]), 1)
        known = np.isfinite(x) & np.isfinite(y) & ~inside
        np.add.at(self.n_beyond, slots[known], 1)

    def _grow(self, n_channels: int) -> None:
        n_more = n_channels - len(self.counts)
        if n_more > 0:
            self.counts = np.concatenate([self.counts, np.zeros((n_more, *self.counts.shape[1:]), np.uint32)])
            self.n_beyond = np.concatenate([self.n_beyond, np.zeros(n_more, np.int64)])

    def summed(self, slots: list[int] | None) -> NDArray[np.int64]:
        """Return the counts of some channels together, or of all, shape (y, x)."""
        chosen = self.counts if slots is None else self.counts[[each for each in slots if each < len(self.counts)]]
        total: NDArray[np.int64] = chosen.sum(axis=0, dtype=np.int64)
        return total

    def beyond(self, slots: list[int] | None) -> int:
        """Return how many pulses of some channels, or of all, lie beyond the axes."""
        chosen = self.n_beyond if slots is None else self.n_beyond[[s for s in slots if s < len(self.n_beyond)]]
        return int(chosen.sum())


def logarithmic_bytes(counts: NDArray[Any]) -> tuple[NDArray[np.uint8], int]:
    """Return counts as 8 bits in proportion to log(1 + n), and the largest count, which is 255; none is 0."""
    most = int(counts.max(initial=0))
    if most == 0:
        return np.zeros(counts.shape, np.uint8), 0
    # A single pulse is seen, however high the maximum is: at 2^63 it still has level 4.
    return np.rint(np.log1p(counts) * (255 / np.log1p(most))).astype(np.uint8), most
