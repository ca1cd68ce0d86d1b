"""A threshold on the score for a wished neutron efficiency or gamma leakage."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.metrics.intervals import Share, wilson_interval
from discrimen.metrics.scores import ClassScores, split_scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A threshold and what it does to the pulses it was chosen on.

    Parameters
    ----------
    value : float
        A pulse passes with this score or more.
    efficiency, leakage : Share
        Shares of the neutrons and of the gammas that pass, unclassified ones counted in, with their intervals: what
        other pulses of the same kind are to be expected to do.
    """

    value: float
    efficiency: Share
    leakage: Share


def threshold_for_efficiency(
    scores: NDArray[Any], labels: NDArray[Any], *, efficiency: float, confidence: float = 0.95
) -> Threshold:
    """Choose the highest threshold that keeps a wished share of the neutrons.

    Parameters
    ----------
    scores : ndarray of float, shape (pulse,)
        The larger, the more like a neutron; a pulse with NaN never passes.
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron.
    efficiency : float
        Wished share of the neutrons, between 0 and 1.
    confidence : float
        Of the intervals.

    Raises
    ------
    DataError
        If labels do not fit the scores, a class is empty, or there are too few neutrons, or too many without a score.
    """
    parts = split_scores(scores, labels)
    _check_share("neutron efficiency", efficiency)
    n_neutron = len(parts.neutron)
    n_kept = ceil(round(efficiency * n_neutron, 9))
    if n_kept == n_neutron:
        raise DataError(
            f"{n_neutron} neutrons are too few to lose {1 - efficiency:.3g} of them: "
            f"give more than {ceil(1 / (1 - efficiency))}"
        )
    value = float(parts.neutron[n_neutron - n_kept])
    if not np.isfinite(value):
        raise DataError(f"cannot keep {efficiency:.3g} of the neutrons: {parts.n_neutron_unclassified} have no score")
    return _judged(parts, value, confidence)


def threshold_for_leakage(
    scores: NDArray[Any], labels: NDArray[Any], *, leakage: float, confidence: float = 0.95
) -> Threshold:
    """Choose the lowest threshold that lets no more than a wished share of the gammas pass.

    Parameters
    ----------
    scores, labels, confidence
        As in :func:`threshold_for_efficiency`.
    leakage : float
        Wished share of the gammas, between 0 and 1.

    Raises
    ------
    DataError
        If labels do not fit the scores, a class is empty, there are too few gammas, or the scores of too many are the
        highest there is.
    """
    parts = split_scores(scores, labels)
    _check_share("gamma leakage", leakage)
    n_gamma = len(parts.gamma)
    n_leaked = floor(round(leakage * n_gamma, 9))
    if n_leaked == 0:
        raise DataError(f"{n_gamma} gammas are too few for a leakage of {leakage:g}: give at least {ceil(1 / leakage)}")
    stopped, passing = parts.gamma[n_gamma - n_leaked - 1], parts.gamma[n_gamma - n_leaked]
    if stopped == passing:
        # Of equal scores all pass or none.
        higher = parts.gamma[parts.gamma > stopped]
        passing = higher[0] if len(higher) else np.inf
    neutrons = parts.neutron[parts.neutron > stopped]
    if not len(neutrons):
        raise DataError(f"no threshold leaves a leakage of {leakage:g}: no neutron scores above those gammas")
    # Half way to the next pulse, so that the rounding of another engine does not matter.
    above = min(float(passing), float(neutrons[0]))
    value = above if not np.isfinite(stopped) else float(stopped + (above - stopped) / 2)
    return _judged(parts, value if value > stopped else above, confidence)


def _check_share(name: str, share: float) -> None:
    if not 0 < share < 1:
        raise DataError(f"{name} must lie between 0 and 1, got {share:g}")


def _judged(parts: ClassScores, value: float, confidence: float) -> Threshold:
    def passing(ascending: NDArray[np.float64]) -> Share:
        n_passing = len(ascending) - int(np.searchsorted(ascending, value, side="left"))
        return wilson_interval(n_passing, len(ascending), confidence=confidence)

    return Threshold(value=value, efficiency=passing(parts.neutron), leakage=passing(parts.gamma))
