"""Figures with intervals that count pulses, or runs where there are enough of them: chosen once, asked everywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.calibration import Temperature, fit_temperature
from discrimen.metrics.intervals import Share, wilson_interval
from discrimen.metrics.leakage import Leakage, leakage_at_efficiency
from discrimen.metrics.paired import Difference, PairedLeakage, auc_difference, paired_leakage
from discrimen.metrics.roc import Auc, auc
from discrimen.metrics.run_draws import RunDraws, draw_runs, spread


def intervals_for(run: NDArray[Any], labels: NDArray[Any], *, confidence: float, rng: np.random.Generator) -> Intervals:
    """Return how to count: by runs where there are enough of each kind, else by pulses.

    Parameters
    ----------
    run : ndarray of int, shape (pulse,)
        Number of each pulse's run.
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron.
    confidence : float
        Of every interval.
    rng : Generator
        Draws.
    """
    draws = draw_runs(run, labels, rng=rng)
    if draws is None:
        return Intervals(confidence=confidence, rng=rng)
    return RunIntervals(confidence=confidence, rng=rng, draws=draws)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Intervals:
    """Figures with intervals that count pulses; arguments and errors are those of the functions of the same names.

    Parameters
    ----------
    confidence : float
        Of every interval.
    rng : Generator
        Draws.
    """

    confidence: float
    rng: np.random.Generator

    @property
    def n_runs(self) -> int | None:
        """How many runs the intervals count, or None where they count pulses."""
        return None

    def share(self, passing: NDArray[np.bool_], members: NDArray[np.bool_]) -> Share:
        """Return the share of the members that pass."""
        n_passing, n_members = (int(np.count_nonzero(chosen)) for chosen in (passing & members, members))
        return wilson_interval(n_passing, n_members, confidence=self.confidence)

    def auc(self, scores: NDArray[Any], labels: NDArray[Any]) -> Auc:
        """Return the area under the curve."""
        return auc(scores, labels, confidence=self.confidence)

    def leakage(self, scores: NDArray[Any], labels: NDArray[Any], *, efficiency: float) -> Leakage:
        """Return the gamma leakage at a neutron efficiency."""
        return leakage_at_efficiency(scores, labels, efficiency=efficiency, confidence=self.confidence)

    def auc_difference(self, scores: NDArray[Any], reference: NDArray[Any], labels: NDArray[Any]) -> Difference:
        """Return the area under the curve minus that of a reference on the same pulses."""
        return auc_difference(scores, reference, labels, confidence=self.confidence)

    def paired_leakage(
        self, scores: NDArray[Any], reference: NDArray[Any], labels: NDArray[Any], *, efficiency: float
    ) -> PairedLeakage:
        """Compare the gamma leakage with that of a reference on the same pulses."""
        return paired_leakage(
            scores, reference, labels, efficiency=efficiency, rng=self.rng, confidence=self.confidence
        )

    def temperature(self, logits: NDArray[Any], labels: NDArray[Any]) -> Temperature:
        """Return the likeliest temperature."""
        return fit_temperature(logits, labels, confidence=self.confidence)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RunIntervals(Intervals):
    """Figures with intervals that count runs, at either end never narrower than those that count pulses.

    Parameters
    ----------
    draws : RunDraws
        Runs resampled.
    """

    draws: RunDraws

    @property
    def n_runs(self) -> int:
        """How many runs the intervals count."""
        return self.draws.n_runs

    def share(self, passing: NDArray[np.bool_], members: NDArray[np.bool_]) -> Share:
        """Return the share of the members that pass."""
        found = Intervals.share(self, passing, members)
        low, high = self._widened(found.value, found.low, found.high, self.draws.share_error(passing, members))
        return replace(found, low=low, high=high)

    def auc(self, scores: NDArray[Any], labels: NDArray[Any]) -> Auc:
        """Return the area under the curve."""
        found = Intervals.auc(self, scores, labels)
        error = spread(self.draws.areas(scores, labels))
        return Auc(found.value, *self._widened(found.value, found.low, found.high, error))

    def leakage(self, scores: NDArray[Any], labels: NDArray[Any], *, efficiency: float) -> Leakage:
        """Return the gamma leakage at a neutron efficiency."""
        found = Intervals.leakage(self, scores, labels, efficiency=efficiency)
        if found.leakage == 0:
            factor = self.draws.zero_limit_factor(scores, labels, confidence=self.confidence)
            return replace(found, high=min(1.0, found.high * factor))
        error = spread(self.draws.leakages(scores, labels, efficiency=efficiency))
        low, high = self._widened(found.leakage, found.low, found.high, error)
        return replace(found, low=low, high=high)

    def auc_difference(self, scores: NDArray[Any], reference: NDArray[Any], labels: NDArray[Any]) -> Difference:
        """Return the area under the curve minus that of a reference on the same pulses."""
        found = Intervals.auc_difference(self, scores, reference, labels)
        return self._wider(found, spread(self.draws.areas(scores, labels) - self.draws.areas(reference, labels)))

    def paired_leakage(
        self, scores: NDArray[Any], reference: NDArray[Any], labels: NDArray[Any], *, efficiency: float
    ) -> PairedLeakage:
        """Compare the gamma leakage with that of a reference on the same pulses."""
        found = Intervals.paired_leakage(self, scores, reference, labels, efficiency=efficiency)
        first, second = (self.draws.leakages(each, labels, efficiency=efficiency) for each in (scores, reference))
        ratio = found.ratio
        if 0 < ratio.ratio < inf and min(first.min(), second.min()) > 0:
            reach = self._half_width * spread(np.log(first / second))
            low, high = ratio.ratio * exp(-reach), ratio.ratio * exp(reach)
            ratio = replace(ratio, low=min(ratio.low, low), high=max(ratio.high, high))
        return replace(found, difference=self._wider(found.difference, spread(first - second)), ratio=ratio)

    def temperature(self, logits: NDArray[Any], labels: NDArray[Any]) -> Temperature:
        """Return the likeliest temperature."""
        return fit_temperature(logits, labels, run=self.draws.run, confidence=self.confidence)

    @property
    def _half_width(self) -> float:
        return self.draws.quantile(self.confidence)

    def _wider(self, found: Difference, error: float) -> Difference:
        reach = self._half_width * error
        return replace(found, low=min(found.low, found.value - reach), high=max(found.high, found.value + reach))

    def _widened(self, value: float, low: float, high: float, error: float) -> tuple[float, float]:
        return widened(value, low, high, error=error, half_width=self._half_width)


def widened(value: float, low: float, high: float, *, error: float, half_width: float) -> tuple[float, float]:
    """Return the wider of two intervals of a share at either end: of the counts, and of the runs.

    Parameters
    ----------
    value, low, high : float
        The share, and its interval by counting.
    error : float
        Its standard error from runs resampled.
    half_width : float
        In standard errors, taken on the logit scale, which keeps it between 0 and 1.
    """
    if not 0 < value < 1 or error == 0:
        return low, high
    reach, at = min(half_width * error / (value * (1 - value)), 50.0), log(value / (1 - value))
    return min(low, 1 / (1 + exp(reach - at))), max(high, 1 / (1 + exp(-reach - at)))
