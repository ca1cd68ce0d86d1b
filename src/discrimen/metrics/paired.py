"""Two methods on the same pulses: what they differ by, with intervals that know of what they share.

Both see the same pulses and mostly err on the same ones. Intervals of the two by themselves do not tell that, and are
too wide for their difference by far.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, hypot, inf, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.metrics.intervals import normal_quantile
from discrimen.metrics.leakage import leakage_at_efficiency
from discrimen.metrics.roc import auc, placements
from discrimen.metrics.scores import split_scores
from discrimen.pulses import Label

_DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure minus another, with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageRatio:
    """How many times as many gammas leak through one method as through another on the same pulses.

    Parameters
    ----------
    efficiency : float
        Wished share of the neutrons, of both.
    ratio, low, high : float
        Infinite where only the first leaks, NaN where neither does.
    """

    efficiency: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedLeakage:
    """Gamma leakages of two methods at one neutron efficiency.

    Parameters
    ----------
    efficiency : float
        Wished share of the neutrons; each method has the threshold that keeps it.
    difference : Difference
        Leakage of the first minus that of the reference.
    ratio : LeakageRatio
        The first over the reference.
    n_only, n_only_reference : int
        Gammas that pass the first alone, and the reference alone.
    """

    efficiency: float
    difference: Difference
    ratio: LeakageRatio
    n_only: int
    n_only_reference: int


def paired_leakage(
    scores: NDArray[Any],
    reference: NDArray[Any],
    labels: NDArray[Any],
    *,
    efficiency: float,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> PairedLeakage:
    """Compare the gamma leakages of two methods at a neutron efficiency.

    Both sources of uncertainty count, each for both methods at once: the gammas above both, one or none of the
    thresholds give a posterior after Jeffreys; and of n neutrons, those above each of the true thresholds, and above
    both, are multinomial, which moves the thresholds. Ends are quantiles of 1000 draws.

    Parameters
    ----------
    scores, reference : ndarray of float, shape (pulse,)
        Of both methods; a pulse with NaN never passes.
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron.
    efficiency : float
        Wished share of the neutrons, between 0 and 1.
    rng : Generator
        Draws.
    confidence : float
        Of the central intervals.

    Raises
    ------
    DataError
        If labels do not fit the scores, a class is empty, or too many neutrons have no score.
    """
    tail = (1 - confidence) / 2
    pairs = _both(scores, reference, labels)
    found = [leakage_at_efficiency(values, labels, efficiency=efficiency) for values in (scores, reference)]
    thresholds = np.array([each.threshold for each in found])
    both, only, only_reference = _passing(pairs.gamma, thresholds)
    drawn = _drawn_leakages(pairs, thresholds, efficiency, rng)
    first, second = ((both + count) / pairs.gamma.shape[1] for count in (only, only_reference))
    low, high = np.quantile(drawn[0] - drawn[1], [tail, 1 - tail])
    ratio_low, ratio_high = np.quantile(drawn[0] / drawn[1], [tail, 1 - tail])
    return PairedLeakage(
        efficiency=efficiency,
        difference=_difference(first - second, float(low), float(high)),
        ratio=_ratio(efficiency, first, second, float(ratio_low), float(ratio_high)),
        n_only=only,
        n_only_reference=only_reference,
    )


def auc_difference(
    scores: NDArray[Any], reference: NDArray[Any], labels: NDArray[Any], *, confidence: float = 0.95
) -> Difference:
    """Return the area under the curve of one method minus that of another on the same pulses.

    The variance is that of two correlated areas after DeLong et al., Biometrics 44 (1988) 837. Where both methods part
    the classes completely that variance is 0; then the ends are those of an area of 1.

    Parameters
    ----------
    scores, reference, labels
        As in :func:`paired_leakage`.
    confidence : float
        Of the interval.

    Raises
    ------
    DataError
        If labels do not fit the scores, or a class is empty.
    """
    pairs = _both(scores, reference, labels)
    parts = [split_scores(values, labels) for values in (scores, reference)]
    above, below = (
        [placements(part, values, of=label) for part, values in zip(parts, group, strict=True)]
        for group, label in ((pairs.neutron, Label.NEUTRON), (pairs.gamma, Label.GAMMA))
    )
    value = float(above[0].mean() - above[1].mean())
    variance = sum(float((one - other).var(ddof=1)) / len(one) for one, other in (above, below) if len(one) > 1)
    areas = [auc(values, labels, confidence=confidence) for values in (scores, reference)]
    if variance == 0:
        reach = 1 - min(area.low for area in areas) if min(area.value for area in areas) == 1 else 0.0
        return Difference(value=value, low=value - reach, high=value + reach)
    half = normal_quantile(confidence) * sqrt(variance)
    return Difference(value=value, low=max(-1.0, value - half), high=min(1.0, value + half))


def unpaired_difference(first: tuple[float, float, float], reference: tuple[float, float, float]) -> Difference:
    """Return the difference of two independent figures, each given as value, low and high.

    The ends are found from those of both, which need not be symmetric: G. Y. Zou and A. Donner, Stat. Med. 27 (2008)
    1693.
    """
    (value, low, high), (other, other_low, other_high) = first, reference
    difference = value - other
    return Difference(
        value=difference,
        low=difference - hypot(value - low, other_high - other),
        high=difference + hypot(high - value, other - other_low),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Scores of each class, shape (method, pulse), minus infinity where there is none."""

    gamma: NDArray[np.float64]
    neutron: NDArray[np.float64]


def _both(scores: NDArray[Any], reference: NDArray[Any], labels: NDArray[Any]) -> _Pairs:
    if np.shape(scores) != np.shape(reference):
        raise DataError(f"expected scores of the same pulses, got shapes {np.shape(scores)} and {np.shape(reference)}")
    for values in (scores, reference):
        split_scores(values, labels)
    stacked = np.stack([np.asarray(scores, np.float64), np.asarray(reference, np.float64)])
    ranked, truth = np.where(np.isnan(stacked), -inf, stacked), np.asarray(labels)
    return _Pairs(ranked[:, truth == Label.GAMMA], ranked[:, truth == Label.NEUTRON])


def _drawn_leakages(
    pairs: _Pairs, thresholds: NDArray[np.float64], efficiency: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Leakages of both methods that may be the true ones, each of shape (draw,)."""
    n_neutron, n_gamma = pairs.neutron.shape[1], pairs.gamma.shape[1]
    both, only, only_reference = _passing(pairs.gamma, thresholds)
    none = n_gamma - both - only - only_reference
    # Jeffreys' half a pulse for each of the cells that decide about the difference.
    weights = rng.standard_gamma([both, only + 0.5, only_reference + 0.5, none + 0.5], size=(_DRAWS, 4)).T
    at_threshold = (weights[:2].sum(axis=0), weights[[0, 2]].sum(axis=0))
    n_above = _drawn_counts(pairs, thresholds, efficiency, rng)
    drawn = []
    for method, leaked in enumerate(at_threshold):
        growth = _growth(pairs.neutron[method], pairs.gamma[method], efficiency)
        leakage = leaked / weights.sum(axis=0) * np.exp(growth * (n_above[method] - efficiency * n_neutron))
        # Nothing is known below the lowest neutron.
        drawn.append(np.where(n_above[method] >= n_neutron, 1.0, np.minimum(leakage, 1.0)))
    return drawn[0], drawn[1]


def _drawn_counts(
    pairs: _Pairs, thresholds: NDArray[np.float64], efficiency: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """How many neutrons may lie above the true threshold of each method, shape (method, draw)."""
    both = min(efficiency, float(np.mean((pairs.neutron >= thresholds[:, np.newaxis]).all(axis=0))))
    both = max(both, 2 * efficiency - 1)
    cells = np.array([both, efficiency - both, efficiency - both, max(0.0, 1 - 2 * efficiency + both)])
    above = rng.multinomial(pairs.neutron.shape[1], cells / cells.sum(), size=_DRAWS)
    return np.stack([above[:, 0] + above[:, 1], above[:, 0] + above[:, 2]]).astype(np.float64)


def _growth(neutron: NDArray[np.float64], gamma: NDArray[np.float64], efficiency: float) -> float:
    """Return how much the logarithm of the leakage grows with each neutron more that passes.

    A straight line over twice the scatter of that number: the steps of the curve itself are scatter of their own.
    """
    n = len(neutron)
    reach = max(2.0, 2 * sqrt(n * efficiency * (1 - efficiency)))
    first, last = max(1, int(n * efficiency - reach)), min(n, ceil(n * efficiency + reach))
    n_above = np.arange(first, last + 1)
    if len(n_above) < 2:
        return 0.0
    edges = np.sort(neutron)[::-1][n_above - 1]
    leaked = len(gamma) - np.searchsorted(np.sort(gamma), edges, side="left")
    slope = np.polynomial.polynomial.polyfit(n_above - n * efficiency, np.log(leaked + 0.5), 1)[1]
    return max(0.0, float(slope))


def _passing(gamma: NDArray[np.float64], thresholds: NDArray[np.float64]) -> tuple[int, int, int]:
    """Count the gammas that pass both, the first alone and the second alone."""
    one, other = gamma >= thresholds[:, np.newaxis]
    both = int(np.count_nonzero(one & other))
    return both, int(np.count_nonzero(one)) - both, int(np.count_nonzero(other)) - both


def _difference(value: float, low: float, high: float) -> Difference:
    return Difference(value=value, low=min(low, value), high=max(high, value))


def _ratio(efficiency: float, first: float, second: float, low: float, high: float) -> LeakageRatio:
    if second == 0:
        # Nothing bounds it from above, and from below only if the first leaks.
        return LeakageRatio(
            efficiency=efficiency, ratio=nan if first == 0 else inf, low=0.0 if first == 0 else low, high=inf
        )
    value = first / second
    return LeakageRatio(
        efficiency=efficiency, ratio=value, low=0.0 if first == 0 else min(low, value), high=max(high, value)
    )
