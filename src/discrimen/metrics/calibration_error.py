"""The expected calibration error of a score, its interval, and what chance makes of it.

The error: M. P. Naeini, G. F. Cooper and M. Hauskrecht, AAAI (2015) 2901.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.metrics.calibration import DEFAULT_BINS, score_bins, usable_scores
from discrimen.metrics.intervals import normal_quantile

_DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationError:
    """Mean distance between promised and true share of neutrons, bins weighted by their pulses.

    Even a perfect score has an error above 0, since finitely many pulses scatter in each bin; that is what `chance` and
    `chance_high` tell. Only a value above `chance_high` speaks against the score. The interval is of the error that
    infinitely many pulses would show, so that `value` may lie above it.

    Parameters
    ----------
    value : float
        The error that these pulses show.
    low, high : float
        Interval of the error without that scatter.
    chance : float
        What it is on average where each score is the true probability.
    chance_high : float
        What it then exceeds by chance with one minus the confidence.
    """

    value: float
    low: float
    high: float
    chance: float
    chance_high: float


def calibration_error(
    scores: NDArray[Any],
    labels: NDArray[Any],
    *,
    rng: np.random.Generator,
    n_bins: int = DEFAULT_BINS,
    confidence: float = 0.95,
) -> CalibrationError:
    """Compute the expected calibration error, its interval, and what chance alone would make of it.

    The scatter of finitely many pulses adds to the error. The interval therefore asks how many times the distances
    found in the bins the true ones may be, so that the error that was found is neither too small nor too large for
    them: a test that is inverted, with normal scatter in each bin, once for the distances found and once for more
    even ones, since a part of what was found is scatter.

    Parameters
    ----------
    scores, labels, n_bins
        As in :func:`reliability_curve`.
    rng : Generator
        Draws the scatter.
    confidence : float
        Of the interval and of `chance_high`.

    Raises
    ------
    DataError
        As :func:`reliability_curve`.
    """
    normal_quantile(confidence)
    probability, is_neutron = usable_scores(scores, labels)
    gaps = _gaps(probability, is_neutron, n_bins)
    scatter = _Scatter(
        noise=rng.standard_normal((_DRAWS, len(gaps.count))),
        share=rng.multinomial(len(probability), gaps.count / len(probability), size=_DRAWS) / len(probability),
    )
    value = float(gaps.count @ np.abs(gaps.distance) / len(probability))
    by_chance = scatter.errors(gaps, gaps.distance, 0.0)
    tail = (1 - confidence) / 2
    low, high = (
        [_scale_that_gives(value, gaps, distance, scatter, at) for distance in (gaps.distance, _evened(gaps))]
        for at in (1 - tail, tail)
    )
    return CalibrationError(
        value=value,
        low=value * min(low),
        high=value * max(high),
        chance=float(np.mean(by_chance)),
        chance_high=float(np.quantile(by_chance, confidence)),
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Gaps:
    """Found share of neutrons minus the promised one, shape (bin,), with its variance if the score is perfect or not.

    The second variance holds the scatter of the scores inside the bin, too.
    """

    count: NDArray[np.int64]
    distance: NDArray[np.float64]
    variance_perfect: NDArray[np.float64]
    variance_found: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Scatter:
    """Normal deviates and shares of the pulses, shape (draw, bin)."""

    noise: NDArray[np.float64]
    share: NDArray[np.float64]

    def errors(self, gaps: _Gaps, distance: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
        """Return the errors that would be found if the true distances were `scale` times those given."""
        mixed = min(scale, 1.0)
        variance = (1 - mixed) * gaps.variance_perfect + mixed * gaps.variance_found
        drawn = np.abs(scale * distance + self.noise * np.sqrt(variance))
        return np.asarray((drawn * self.share).sum(axis=1))


def _gaps(probability: NDArray[np.float64], is_neutron: NDArray[np.bool_], n_bins: int) -> _Gaps:
    # Equal scores may leave a bin empty.
    place = np.unique(score_bins(probability, n_bins), return_inverse=True)[1]
    count, gap = np.bincount(place), is_neutron - probability
    distance = np.bincount(place, weights=gap) / count
    return _Gaps(
        count=count,
        distance=distance,
        variance_perfect=np.bincount(place, weights=probability * (1 - probability)) / count**2,
        variance_found=np.maximum(np.bincount(place, weights=gap**2) / count - distance**2, 0.0) / count,
    )


def _evened(gaps: _Gaps) -> NDArray[np.float64]:
    """Return distances of the same mean that lie half way to being equal in all bins, since a part is scatter."""
    share = gaps.count / gaps.count.sum()
    evened = np.sqrt((gaps.distance**2 + share @ gaps.distance**2) / 2)
    total = float(share @ evened)
    return np.asarray(evened * (float(share @ np.abs(gaps.distance)) / total) if total > 0 else evened)


def _scale_that_gives(
    value: float, gaps: _Gaps, distance: NDArray[np.float64], scatter: _Scatter, quantile: float
) -> float:
    """Return how many times the distances found the true ones must be for the error to be that quantile; 0 if none."""
    optimize = require_module("scipy.optimize", extra="analysis")

    def excess(scale: float) -> float:
        return float(np.quantile(scatter.errors(gaps, distance, scale), quantile)) - value

    if value == 0 or excess(0.0) >= 0:
        return 0.0
    most = 2.0
    while excess(most) < 0:
        most *= 2
    return float(optimize.brentq(excess, 0.0, most, xtol=1e-4))
