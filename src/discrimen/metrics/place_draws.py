"""Intervals that count places: hits of a scan or a grid lie at a few places, and those of one place err together.

As runs are resampled for pulses (:mod:`discrimen.metrics.run_draws`), whole places are drawn here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.run_draws import FEWEST_DEGREES, RunDraws, draw_runs, spread
from discrimen.metrics.waveform_residuals import Estimate
from discrimen.pulses import Label

FEWEST_PLACES = FEWEST_DEGREES + 1
"""With fewer, nothing can be said of how places differ."""
_HITS_A_PLACE = 2
"""So many hits a place and more: they repeat."""
_STEP_MM = 1e-3
_DRAWS = 100
_UNKNOWN = np.iinfo(np.int64).min

Values = NDArray[np.float64]


def repeated_places(truth_mm: Values) -> NDArray[np.int64] | None:
    """Return the number of the place of each hit, None where places hardly repeat.

    Parameters
    ----------
    truth_mm : ndarray of float64, shape (hit, 3)
        NaN where a coordinate is not known; two hits are at one place if they agree in what is known, within 1 um.
    """
    known = np.isfinite(truth_mm)
    steps = np.where(known, np.rint(np.where(known, truth_mm, 0) / _STEP_MM), _UNKNOWN).astype(np.int64)
    places, number = np.unique(steps, axis=0, return_inverse=True)
    return number.ravel().astype(np.int64) if _HITS_A_PLACE * len(places) <= len(steps) else None


@dataclass(frozen=True, slots=True, eq=False)
class PlaceDraws:
    """Places resampled; without any, intervals stay as they are.

    Parameters
    ----------
    draws : RunDraws or None
        None where hits are counted.
    confidence : float
        Of the intervals.
    """

    draws: RunDraws | None
    confidence: float

    @classmethod
    def of(cls, place: NDArray[np.int64] | None, *, confidence: float, rng: np.random.Generator) -> PlaceDraws:
        """Draw the places of some hits; None, or fewer than 5 of them, for counting hits."""
        draws = None if place is None else draw_runs(place, np.full(len(place), Label.GAMMA), rng=rng)
        return cls(draws, confidence)

    def widened(
        self, found: Estimate, compute: Callable[[Values], float], values: Values, *, least: float = -inf
    ) -> Estimate:
        """Return the wider of two intervals at either end: of the hits, and of the places.

        Parameters
        ----------
        found : Estimate
            With the interval that counts hits.
        compute : callable
            The figure of some values.
        values : ndarray of float64, shape (hit,)
            In the order of the places.
        least : float
            Below which the figure cannot be.
        """
        if self.draws is None:
            return found
        n = self.draws.n_runs
        # Weights are those of the draws of one place fewer than there are.
        times = np.rint(self.draws.weight[:_DRAWS] * (n - 1) / n).astype(np.int64)
        error = spread(np.array([compute(np.repeat(values, one[self.draws.run])) for one in times]))
        reach = self.draws.quantile(self.confidence) * error
        return Estimate(
            found.value, max(least, min(found.low, found.value - reach)), max(found.high, found.value + reach)
        )
