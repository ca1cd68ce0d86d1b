"""Whether a channel still is what it was: its pulses in windows, each against the first ones or a stored reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.drift import Drift, DriftCounts, DriftReference

LEARNED_FROM = 5000
"""Pulses that tell what a channel is like, where no reference is given."""

WINDOW = 2000
"""Pulses to a verdict."""

FALSE_ALARM_RATE = 1e-6
"""Of a verdict: 64 channels at full speed give 200,000 verdicts a day."""

WATCHED = ("logit", "peak_adc", "baseline_adc", "noise_adc")
_SPLIT = {"logit": "peak_adc"}


class DriftWatch:
    """Judges one channel window by window.

    Parameters
    ----------
    reference : DriftReference, optional
        What to compare with; by default the first pulses.
    learned_from, window : int
        See :data:`LEARNED_FROM` and :data:`WINDOW`.

    Attributes
    ----------
    verdict : Drift or None
        The last one.
    """

    def __init__(
        self, reference: DriftReference | None = None, *, learned_from: int = LEARNED_FROM, window: int = WINDOW
    ) -> None:
        self.reference, self._learned_from, self._window = reference, learned_from, window
        self.verdict: Drift | None = None
        self._held: list[Mapping[str, NDArray[Any]]] = []
        self._n_held = 0

    @property
    def n_wanted(self) -> int:
        """Pulses that are wanted for the reference, or for the next verdict."""
        return self._learned_from if self.reference is None else self._window

    @property
    def learned_share(self) -> float:
        """How much of the reference is there; 1 if it is complete."""
        return 1.0 if self.reference is not None else self._n_held / self._learned_from

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the figures that have drifted, by the last verdict."""
        return () if self.verdict is None else self.verdict.drifted

    def add(self, values: Mapping[str, NDArray[Any]]) -> None:
        """Take the figures of some pulses, by the names of :data:`WATCHED`."""
        first, n_pulses = 0, len(values[WATCHED[0]])
        while first < n_pulses:
            last = min(n_pulses, first + self.n_wanted - self._n_held)
            self._held.append({name: values[name][first:last] for name in WATCHED})
            self._n_held += last - first
            first = last
            if self._n_held >= self.n_wanted:
                self._judge()

    def _judge(self) -> None:
        held = {name: np.concatenate([each[name] for each in self._held]) for name in WATCHED}
        self._held, self._n_held = [], 0
        if self.reference is None:
            self.reference = DriftReference.of(held, split=_SPLIT)
            return
        counts = DriftCounts.none(self.reference).with_pulses(held)
        self.verdict = counts.drift(false_alarm_rate=FALSE_ALARM_RATE)
