"""Scores of a channel over time: a row for each tenth of a window at most, kept for the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from discrimen.pulses import Pulses
from discrimen.reconstruction.quality.reference import ChannelReference
from discrimen.reconstruction.quality.watch import NAMED_BY_MARK, Verdict
from discrimen.reconstruction.quality.windows import BLOCKS_A_WINDOW, MARKS


@dataclass(slots=True, eq=False)
class History:
    """What the verdicts said, the worst of each window.

    Attributes
    ----------
    names : tuple of str
        What was tested, then the marks.
    n_pulses : list of int
        Of the channel at the end of each window.
    time_s : list of float
        At the same places, from the first pulse on; NaN where the run has no time stamps.
    scores : list of ndarray of float32, shape (name,)
        Of all lengths of windows the one that has gone furthest, with its sign, in units of its limit.
    """

    names: tuple[str, ...]
    n_pulses: list[int] = field(default_factory=list)
    time_s: list[float] = field(default_factory=list)
    scores: list[NDArray[np.float32]] = field(default_factory=list)
    largest: float = 0.0
    _open: list[Verdict] = field(default_factory=list)
    _first_ps: int | None = None

    @classmethod
    def of(cls, reference: ChannelReference) -> History:
        """Begin with nothing."""
        return cls(names=(*reference.tested, *(NAMED_BY_MARK[mark] for mark in MARKS)))

    def add(self, verdicts: Sequence[Verdict], pulses: Pulses) -> None:
        """Take the verdicts that some pulses led to."""
        time_s = float("nan")
        if pulses.timestamp_ps is not None and len(pulses):
            self._first_ps = int(pulses.timestamp_ps[0]) if self._first_ps is None else self._first_ps
            time_s = (int(pulses.timestamp_ps[-1]) - self._first_ps) * 1e-12
        for verdict in verdicts:
            self.largest = max(self.largest, verdict.score)
            self._open.append(verdict)
            if len(self._open) == BLOCKS_A_WINDOW or len(self.n_pulses) < BLOCKS_A_WINDOW:
                self._close(time_s)

    def _close(self, time_s: float) -> None:
        scores = np.nan_to_num(np.concatenate([verdict.scores for verdict in self._open]), nan=0.0)
        furthest = np.abs(scores).argmax(axis=0)
        self.scores.append(scores[furthest, np.arange(scores.shape[1])])
        self.n_pulses.append(self._open[-1].n_pulses)
        self.time_s.append(time_s)
        self._open.clear()

    def table(self) -> NDArray[np.float32]:
        """Return the scores, shape (window, name)."""
        return np.array(self.scores, np.float32).reshape(len(self.scores), len(self.names))
