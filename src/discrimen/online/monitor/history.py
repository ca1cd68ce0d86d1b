"""Rates, latencies and waiting messages over the last half hour, in steps of two seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP_S = 2.0
N_STEPS = 900

RATED = ("neutron", "other")
PACED = ("latency_median_ms", "latency_99_ms", "n_waiting")


class History:
    """A ring of steps.

    Times are seconds of one clock; what is older than the ring is forgotten.
    """

    def __init__(self) -> None:
        self._step: int | None = None
        self._n_steps = 0
        self._counts = np.zeros((0, len(RATED), N_STEPS), np.float32)
        self._seconds = np.zeros(N_STEPS, np.float32)
        self._pace = np.full((len(PACED), N_STEPS), np.nan, np.float32)

    def add(
        self, now_s: float, seconds: float, counts: Mapping[int, Sequence[float]], pace: Mapping[str, float]
    ) -> None:
        """Add what came in the seconds up to now.

        Parameters
        ----------
        now_s : float
            The time.
        seconds : float
            How long it was.
        counts : mapping of int to (neutrons, others)
            By the number of the channel.
        pace : mapping of str to float
            Some of :data:`PACED`; of a step the largest is kept.
        """
        place = self._at(now_s)
        self._grow(max(counts, default=-1) + 1)
        self._seconds[place] += seconds
        for slot, pair in counts.items():
            self._counts[slot, :, place] += pair
        for name, value in pace.items():
            row = PACED.index(name)
            self._pace[row, place] = np.fmax(self._pace[row, place], value)

    def _at(self, now_s: float) -> int:
        """Go forward to a time, and return the place of its step."""
        step = int(now_s // STEP_S)
        if self._step is None:
            self._step, self._n_steps = step, 1
        for passed in range(max(self._step + 1, step - N_STEPS + 1), step + 1):
            place = passed % N_STEPS
            self._counts[:, :, place], self._seconds[place], self._pace[:, place] = 0, 0, np.nan
        self._n_steps = min(N_STEPS, self._n_steps + max(0, step - self._step))
        self._step = max(step, self._step)
        return step % N_STEPS

    def _grow(self, n_channels: int) -> None:
        n_more = n_channels - len(self._counts)
        if n_more > 0:
            more = np.zeros((n_more, len(RATED), N_STEPS), np.float32)
            self._counts = np.concatenate([self._counts, more])

    def series(self, now_s: float, slots: list[int] | None) -> dict[str, NDArray[Any]]:
        """Return times in s, rates in Hz of some channels together or of all, and the pace; NaN where nothing was told.

        Each has shape (step,), the oldest step first.
        """
        if self._step is None:
            return {name: np.empty(0, np.float32) for name in ("time_s", *RATED, *PACED)}
        self._at(now_s)
        steps = np.arange(self._step - self._n_steps + 1, self._step + 1)
        places = steps % N_STEPS
        known = self._counts if slots is None else self._counts[[s for s in slots if s < len(self._counts)]]
        seconds = self._seconds[places]
        told = np.where(seconds > 0, seconds, np.nan)
        rates = known.sum(axis=0)[:, places] / told
        return {
            "time_s": steps * STEP_S,
            **{name: rates[row].astype(np.float32) for row, name in enumerate(RATED)},
            **{name: self._pace[row, places] for row, name in enumerate(PACED)},
        }
