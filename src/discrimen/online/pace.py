"""How fast a run file is played: at a rate, by its own time stamps, or as fast as it is taken."""

from __future__ import annotations

import math

from discrimen.errors import SettingsError


class Pace:
    """Says when the next block may go.

    Parameters
    ----------
    rate_hz : float, optional
        Pulses a second.
    by_own_time : bool
        Whether blocks go when their own time stamps say so.

    Attributes
    ----------
    n_pulses : int
        That have gone.

    Raises
    ------
    SettingsError
        If both are wanted.
    """

    def __init__(self, rate_hz: float | None = None, *, by_own_time: bool = False) -> None:
        if rate_hz is not None and by_own_time:
            raise SettingsError("a run is played at a rate or by its own time stamps, not both")
        self._rate_hz, self._by_own_time = rate_hz, by_own_time
        self._start_s: float | None = None
        self._first_ps: int | None = None
        self._last_ps = 0
        self.n_pulses = 0

    def start(self, now_s: float) -> None:
        """Begin to count the time; later calls do nothing."""
        if self._start_s is None:
            self._start_s = now_s

    def add(self, n_pulses: int, *, begin_ps: int, end_ps: int) -> None:
        """Take note of a block that goes."""
        self.n_pulses += n_pulses
        if self._first_ps is None:
            self._first_ps = begin_ps
        self._last_ps = end_ps

    def allows(self, now_s: float) -> bool:
        """Whether the next block may go now; not before the start."""
        return self.wait_s(now_s) <= 0

    def wait_s(self, now_s: float) -> float:
        """Time in s until the next block may go; infinite before the start."""
        if self._start_s is None:
            return math.inf
        due_s = 0.0
        if self._rate_hz is not None:
            due_s = self.n_pulses / self._rate_hz
        elif self._by_own_time and self._first_ps is not None:
            due_s = (self._last_ps - self._first_ps) * 1e-12
        return due_s - (now_s - self._start_s)

    def seconds(self, now_s: float) -> float:
        """Time since the start in s."""
        return 0.0 if self._start_s is None else now_s - self._start_s
