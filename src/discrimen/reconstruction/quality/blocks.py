"""Sums over blocks of pulses, and how far the means of windows of blocks have gone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from discrimen.reconstruction.quality.reference import ChannelReference
from discrimen.reconstruction.quality.windows import MARKS, SCALES, Limits

_FEWEST_USABLE = 0.5


class Blocks:
    """Sums of the statistics of blocks of pulses, as many as the longest window holds.

    Parameters
    ----------
    reference : ChannelReference
        Of the channel.
    block : int
        Pulses of each.
    """

    def __init__(self, reference: ChannelReference, *, block: int) -> None:
        self.block, self.n_blocks, self.n_pending = block, 0, 0
        self._reference, self._begin = reference, 0
        self._mean = np.array([each.mean for each in reference.values])
        self._spread = np.array([each.spread for each in reference.values])
        # A ring of the sums of the blocks: statistics, usable pulses, marks.
        self._ring = np.zeros((max(SCALES), len(reference.mean) + 1 + len(MARKS)))
        self._open = np.zeros(self._ring.shape[1])

    @property
    def n_pulses(self) -> int:
        """Pulses so far."""
        return self.n_pulses_judged + self.n_pending

    @property
    def n_pulses_judged(self) -> int:
        """Pulses in full blocks."""
        return self.n_blocks * self.block

    def add(
        self, statistics: NDArray[np.float64], good: NDArray[np.bool_], marks: NDArray[np.uint16]
    ) -> Iterator[None]:
        """Take pulses; yields whenever a block is full."""
        rows = np.zeros((len(good), self._ring.shape[1]))
        rows[good, : statistics.shape[1]] = statistics
        rows[:, statistics.shape[1]] = good
        rows[:, statistics.shape[1] + 1 :] = (marks[:, np.newaxis] & np.array(MARKS, np.uint16)) != 0
        start = 0
        while start < len(rows):
            part = rows[start : start + self.block - self.n_pending]
            self._open += part.sum(axis=0)
            self.n_pending += len(part)
            start += len(part)
            if self.n_pending == self.block:
                self._ring[self.n_blocks % len(self._ring)] = self._open
                self._open = np.zeros_like(self._open)
                self.n_blocks += 1
                self.n_pending = 0
                yield

    def holds(self, scale: int) -> bool:
        """Say whether there are so many blocks to judge."""
        return self.n_blocks - self._begin >= scale

    def keep_latest(self, scale: int) -> None:
        """Leave out all blocks but the latest."""
        self._begin = self.n_blocks - scale

    def _sums(self, scale: int) -> NDArray[np.float64]:
        latest = (self.n_blocks - 1 - np.arange(scale)) % len(self._ring)
        sums: NDArray[np.float64] = self._ring[latest].sum(axis=0)
        return sums

    def mean(self, scale: int) -> NDArray[np.float64]:
        """Return the means of the statistics over the latest blocks, shape (statistic,)."""
        sums, n_statistics = self._sums(scale), len(self._reference.mean)
        mean: NDArray[np.float64] = sums[:n_statistics] / max(1.0, sums[n_statistics])
        return mean

    def scores(self, scale: int, limits: Limits) -> NDArray[np.float32]:
        """Return how far the latest blocks have gone in units of the limits, shape (tested + mark,).

        Where half of the pulses are not usable, their means are not judged (0): the marks tell.
        """
        sums, n_statistics = self._sums(scale), len(self._reference.mean)
        n_usable = sums[n_statistics]
        scores = np.zeros(len(self._mean) + len(MARKS), np.float32)
        if n_usable >= _FEWEST_USABLE * scale * self.block:
            away = sums[:n_statistics] / n_usable @ self._reference.weights - self._mean
            with np.errstate(invalid="ignore", divide="ignore"):
                sigmas = np.nan_to_num(away / self._spread * np.sqrt(n_usable), nan=0.0, posinf=0.0, neginf=0.0)
            scores[: len(self._mean)] = sigmas / np.where(sigmas < 0, limits.lower, limits.upper)
        # One more than the most is beyond the limit, however small that is.
        scores[len(self._mean) :] = sums[n_statistics + 1 :] / (limits.marked + 0.5)
        return scores
