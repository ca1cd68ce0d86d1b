"""A threshold that keeps the wished share of the neutrons at every height of the pulse."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics import Share, wilson_interval
from discrimen.network.height_curve import MOST_KNOTS, HeightCurve
from discrimen.pulses import Label

WORST_EFFICIENCY = 0.01
"""Two standard deviations of the efficiency between two knots: so many neutrons are enough there."""

FEWEST_NEUTRONS, FEWEST_OF_RARER, FEWEST_INTERVALS = 100, 5, 4
"""Of fewer than four times enough, the intervals get a quarter of the neutrons each, and no fewer than the first
number; of those that pass and of those that do not, the second."""

LEAST_FACTOR = math.sqrt(2)
"""From one knot to the next."""

BEYOND_SHARE = 1e-3
"""Of the neutrons beyond the first and the last knot: a few odd pulses do not say where a curve ends."""

_LEAST_SCORE, _HIGHEST_SCORE = 1e-30, 1 - 2**-25
"""Scores are float32: nearer to 1 only 1 itself is left, which passes every threshold that is not above it."""

_TIE = 1e-12
"""Relative: a score that has the chosen quantile itself passes, however it was rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeightRangeShares:
    """What a threshold does to the pulses between two heights.

    Parameters
    ----------
    low_adc, high_adc : float
        The heights.
    efficiency, leakage : Share or None
        Shares of the neutrons and of the gammas that pass; None where there are none.
    """

    low_adc: float
    high_adc: float
    efficiency: Share | None
    leakage: Share | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveThreshold:
    """A threshold that follows the height, and what it does to the pulses that it was chosen on.

    Parameters
    ----------
    value : HeightCurve
        The thresholds.
    efficiency, leakage : Share
        Shares of all neutrons and of all gammas that pass, unclassified ones counted in, with their intervals.
    ranges : tuple of HeightRangeShares
        The same between each two knots.
    """

    value: HeightCurve
    efficiency: Share
    leakage: Share
    ranges: tuple[HeightRangeShares, ...]


def curve_for_efficiency(
    scores: NDArray[Any],
    height_adc: NDArray[Any],
    labels: NDArray[Any],
    *,
    efficiency: float,
    confidence: float = 0.95,
) -> CurveThreshold | None:
    """Choose thresholds that keep a wished share of the neutrons at every height.

    The logit of the threshold is a quantile of the logits of the neutrons, linear in the logarithm of the height
    between a few knots: quantile regression (Koenker and Bassett, Econometrica 46 (1978) 33), which puts the wished
    share of the neutrons above the curve around each knot. It only rises where pulses do not contradict that: more
    light parts the classes better, until the digitizer clips.

    Parameters
    ----------
    scores : ndarray of float, shape (pulse,)
        Neutron scores as a frozen model gives them; NaN where the pulse could not be prepared.
    height_adc : ndarray of float, shape (pulse,)
        See :func:`~discrimen.network.prepare.heights_of`.
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron.
    efficiency : float
        Wished share of the neutrons, between 0 and 1.
    confidence : float
        Of the intervals.

    Returns
    -------
    CurveThreshold or None
        None if the neutrons are too few for more than one threshold.
    """
    chosen = (labels == Label.NEUTRON) & np.isfinite(scores) & (height_adc > 0) & np.isfinite(height_adc)
    heights = height_adc[chosen].astype(np.float64)
    knots = _knots(np.sort(heights), efficiency)
    if knots is None:
        return None
    weights = _hats(np.log(heights), np.log(knots))
    logits = _logit(np.clip(scores[chosen].astype(np.float64), _LEAST_SCORE, _HIGHEST_SCORE))
    found = _rising(_quantile(logits, weights, share=1 - efficiency), logits, weights, efficiency)
    thresholds = np.clip((1 - _TIE) / (1 + np.exp(-found)), _LEAST_SCORE, _HIGHEST_SCORE)
    curve = HeightCurve(tuple(map(float, knots)), tuple(map(float, thresholds)))
    return _judged(curve, scores, height_adc, labels, confidence)


def _knots(heights: NDArray[np.float64], efficiency: float) -> NDArray[np.float64] | None:
    """Return the heights of the knots, or None where ascending heights are too few to tell two thresholds apart."""
    n_neutrons = len(heights)
    fewest = max(FEWEST_NEUTRONS, math.ceil(FEWEST_OF_RARER / min(efficiency, 1 - efficiency)))
    if n_neutrons < fewest:
        return None
    wanted = math.ceil(_variance(efficiency) / (WORST_EFFICIENCY / 2) ** 2)
    enough = max(fewest, min(wanted, n_neutrons // FEWEST_INTERVALS))
    beyond = int(BEYOND_SHARE * n_neutrons)
    low, high = heights[beyond], heights[n_neutrons - 1 - beyond]
    factor = max(LEAST_FACTOR, (high / low) ** (1 / (MOST_KNOTS - 1)))
    knots, at = [low], beyond
    while (at := max(at + enough, int(np.searchsorted(heights, knots[-1] * factor)))) + enough <= n_neutrons - beyond:
        knots.append(heights[at])
    ascending = np.unique([*knots, high])
    return ascending if len(ascending) > 1 else None


def _hats(at: NDArray[np.float64], knots: NDArray[np.float64]) -> Any:
    """Return the share that each knot has in each pulse: a sparse array of shape (knot, pulse)."""
    from scipy.sparse import csr_array

    place = np.clip(at, knots[0], knots[-1])
    left = np.clip(np.searchsorted(knots, place, side="right") - 1, 0, len(knots) - 2)
    share = (place - knots[left]) / (knots[left + 1] - knots[left])
    pulse = np.arange(len(at))
    return csr_array(
        (np.concatenate([1 - share, share]), (np.concatenate([left, left + 1]), np.concatenate([pulse, pulse]))),
        shape=(len(knots), len(at)),
    )


def _quantile(values: NDArray[np.float64], weights: Any, *, share: float) -> NDArray[np.float64]:
    """Return at each knot the quantile that a share of the values lies below, by the dual linear programme."""
    from scipy.optimize import linprog

    done = linprog(-values, A_eq=weights, b_eq=(1 - share) * weights.sum(axis=1), bounds=(0, 1), method="highs-ds")
    if not done.success:
        raise ArithmeticError(f"the quantiles by height were not found: {done.message}")
    quantiles: NDArray[np.float64] = -done.eqlin.marginals
    return quantiles


def _rising(
    quantiles: NDArray[np.float64], logits: NDArray[np.float64], weights: Any, efficiency: float
) -> NDArray[np.float64]:
    """Return quantiles that do not fall, unless these would surely miss the efficiency somewhere."""
    from scipy.optimize import isotonic_regression

    of_knot = weights.sum(axis=1)
    rising: NDArray[np.float64] = isotonic_regression(quantiles, weights=of_knot).x
    kept = weights @ (logits >= weights.T @ rising).astype(np.float64) / of_knot
    allowed = np.maximum(WORST_EFFICIENCY, 2 * np.sqrt(_variance(efficiency) / of_knot))
    return rising if (np.abs(kept - efficiency) <= allowed).all() else quantiles


def _variance(efficiency: float) -> float:
    return efficiency * (1 - efficiency)


def _logit(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    logit: NDArray[np.float64] = np.log(scores) - np.log1p(-scores)
    return logit


def _judged(
    curve: HeightCurve, scores: NDArray[Any], height_adc: NDArray[Any], labels: NDArray[Any], confidence: float
) -> CurveThreshold:
    passes = scores >= curve.at(height_adc)

    def share(there: NDArray[np.bool_], label: Label) -> Share | None:
        members = there & (labels == label)
        n_members = int(members.sum())
        return wilson_interval(int((passes & members).sum()), n_members, confidence=confidence) if n_members else None

    everywhere = np.ones(len(scores), dtype=np.bool_)
    efficiency, leakage = share(everywhere, Label.NEUTRON), share(everywhere, Label.GAMMA)
    assert efficiency is not None
    assert leakage is not None
    ranges = []
    for low, high in pairwise(curve.height_adc):
        there = (height_adc >= low) & (height_adc < high)
        ranges.append(
            HeightRangeShares(
                low_adc=low, high_adc=high, efficiency=share(there, Label.NEUTRON), leakage=share(there, Label.GAMMA)
            )
        )
    return CurveThreshold(value=curve, efficiency=efficiency, leakage=leakage, ranges=tuple(ranges))
