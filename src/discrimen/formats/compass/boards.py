"""Sampling periods of the boards of a CoMPASS run, which may differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.compass.settings import CompassSettings


class BoardPeriods:
    """The sampling period of each board.

    Parameters
    ----------
    given_ns : float or None
        What the user gave, for all boards.
    companion : CompassSettings or None
        The settings.xml of the run.
    """

    def __init__(self, given_ns: float | None, companion: CompassSettings | None) -> None:
        periods = companion.sample_periods_ns() if companion is not None else ()
        # Where all boards agree, it does not matter how the boards are numbered.
        self._same = given_ns is not None or len(set(periods)) <= 1
        self._period_ns = given_ns if given_ns is not None else (periods[0] if periods and self._same else None)
        self._periods_ns = periods

    def split(self, board: NDArray[np.int32]) -> Iterator[tuple[float | None, NDArray[np.bool_] | None]]:
        """Yield each sampling period met and which events have it; None instead of a mask stands for all of them.

        Parameters
        ----------
        board : ndarray of int32, shape (event,)
            Board numbers; -1 where the file does not tell.
        """
        if self._same:
            yield self._period_ns, None
            return
        known = len(self._periods_ns)
        table = np.array([*(period or 0.0 for period in self._periods_ns), 0.0])
        periods = table[np.minimum(board, known)]
        for period in np.unique(periods):
            yield (float(period) or None), periods == period
