"""Gamma leakage at a fixed neutron efficiency."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, require_module
from discrimen.metrics.intervals import normal_quantile
from discrimen.metrics.scores import ClassScores, split_scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """Share of the gammas that pass the threshold which keeps a wished share of the neutrons.

    Parameters
    ----------
    efficiency : float
        Wished share of the neutrons.
    threshold : float
        A pulse passes with this score or more.
    leakage, low, high : float
        Share of the gammas that pass, and its interval.
    n_gamma, n_neutron : int
        Pulses of each class, unclassified ones among them.
    n_gamma_passing, n_neutron_passing : int
        How many of them pass.
    """

    efficiency: float
    threshold: float
    leakage: float
    low: float
    high: float
    n_gamma: int
    n_neutron: int
    n_gamma_passing: int
    n_neutron_passing: int


def leakage_at_efficiency(
    scores: NDArray[Any], labels: NDArray[Any], *, efficiency: float, confidence: float = 0.95
) -> Leakage:
    """Compute the gamma leakage at a neutron efficiency, with its interval.

    The interval holds both the counting noise of the gammas and the uncertainty of the threshold, which is known
    only from a finite number of neutrons. Of n neutrons, K lie above the true threshold, and K is binomial with the
    wished efficiency; each possible K places the threshold between two of the neutrons, the gammas above it give a
    Jeffreys posterior of the leakage, and the interval's ends are quantiles of their mixture. Too few neutrons for
    the efficiency make the upper end 1: nothing is known below the lowest of them.

    Parameters
    ----------
    scores : ndarray of float, shape (pulse,)
        The larger, the more like a neutron; a pulse with NaN never passes.
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron.
    efficiency : float
        Wished share of the neutrons, between 0 and 1.
    confidence : float
        Of the central interval.

    Raises
    ------
    DataError
        If labels do not fit the scores, a class is empty, or too many neutrons have no score.
    """
    parts = split_scores(scores, labels)
    normal_quantile(confidence)
    threshold = _threshold(parts, efficiency)
    n_leaked = _count_passing(parts.gamma, threshold)
    n_gamma = len(parts.gamma)
    low, high = _interval(parts, efficiency, confidence)
    return Leakage(
        efficiency=efficiency,
        threshold=threshold,
        leakage=n_leaked / n_gamma,
        low=0.0 if n_leaked == 0 else min(low, n_leaked / n_gamma),
        high=1.0 if n_leaked == n_gamma else max(high, n_leaked / n_gamma),
        n_gamma=n_gamma,
        n_neutron=len(parts.neutron),
        n_gamma_passing=n_leaked,
        n_neutron_passing=_count_passing(parts.neutron, threshold),
    )


def leaked_share(gamma: NDArray[Any], neutron: NDArray[Any], *, efficiency: float) -> float:
    """Compute the gamma leakage alone, without sorting, for searches that need it many times.

    Parameters
    ----------
    gamma, neutron : ndarray of float, shape (pulse of that class,)
        Scores; NaN never passes.
    efficiency : float
        Wished share of the neutrons, between 0 and 1.

    Returns
    -------
    float
        As :attr:`Leakage.leakage`; 1 where too many neutrons have no score.
    """
    kept = ceil(round(efficiency * len(neutron), 9))
    threshold = -np.partition(-np.nan_to_num(neutron, nan=-np.inf, neginf=-np.inf, posinf=np.inf), kept - 1)[kept - 1]
    return float(np.count_nonzero(gamma >= threshold) / len(gamma)) if isfinite(threshold) else 1.0


def _threshold(parts: ClassScores, efficiency: float) -> float:
    if not 0 < efficiency < 1:
        raise DataError(f"neutron efficiency must lie between 0 and 1, got {efficiency}")
    n_neutron = len(parts.neutron)
    # The rounding keeps 0.95 * 100 at 95 and not at the next whole number.
    threshold = float(parts.neutron[n_neutron - ceil(round(efficiency * n_neutron, 9))])
    if not isfinite(threshold) and parts.n_neutron_unclassified:
        share = parts.n_neutron_unclassified / n_neutron
        raise DataError(
            f"cannot keep {efficiency:.1%} of the neutrons: {share:.1%} of {n_neutron} have no score "
            "(no crossing, or no positive charge)"
        )
    return threshold


def _count_passing(ascending: NDArray[np.float64], threshold: float) -> int:
    return len(ascending) - int(np.searchsorted(ascending, threshold, side="left"))


def _interval(parts: ClassScores, efficiency: float, confidence: float) -> tuple[float, float]:
    special = require_module("scipy.special", extra="analysis")
    optimize = require_module("scipy.optimize", extra="analysis")
    n_leaked, weight = _possible_counts(parts, efficiency)
    n_gamma = len(parts.gamma)

    def excess(leakage: float, probability: float) -> float:
        posterior = special.betainc(n_leaked + 0.5, n_gamma - n_leaked + 0.5, leakage)
        return float(weight @ posterior) - probability

    tail = (1 - confidence) / 2
    low, high = (optimize.brentq(excess, 0.0, 1.0, args=(at,), xtol=1e-15, rtol=1e-10) for at in (tail, 1 - tail))
    return float(low), float(high)


def _possible_counts(parts: ClassScores, efficiency: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Numbers of gammas that may lie above the true threshold, with the probability of each."""
    stats = require_module("scipy.stats", extra="analysis")
    n_neutron, n_gamma = len(parts.neutron), len(parts.gamma)
    reach = 8 * sqrt(n_neutron * efficiency * (1 - efficiency)) + 8
    first = max(0, int(n_neutron * efficiency - reach))
    last = min(n_neutron, ceil(n_neutron * efficiency + reach))
    n_above = np.arange(first, last + 2)
    # The k-th highest neutron for each k; above the highest no gamma leaks, below the lowest all may.
    edges = np.concatenate([[np.inf], parts.neutron[::-1], [-np.inf]])[n_above]
    leaked = n_gamma - np.searchsorted(parts.gamma, edges, side="left")
    chance = stats.binom.pmf(n_above[:-1], n_neutron, efficiency)
    # The true threshold lies between neutrons K and K + 1: half of the chance goes to each side.
    counts, place = np.unique(np.concatenate([leaked[:-1], leaked[1:]]), return_inverse=True)
    weight = np.bincount(place, weights=np.concatenate([chance, chance]) / 2)
    return counts.astype(np.int64), weight / weight.sum()
