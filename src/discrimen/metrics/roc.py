"""Receiver operating characteristic: gamma leakage against neutron efficiency, and the area under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.intervals import normal_quantile
from discrimen.metrics.scores import ClassScores, split_scores
from discrimen.pulses import Label


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RocCurve:
    """Shares of each class that pass a threshold, for falling thresholds.

    Parameters
    ----------
    threshold : ndarray of float64, shape (point,)
        A pulse passes with this score or more; the first is infinite.
    efficiency : ndarray of float64, shape (point,)
        Share of the neutrons that pass, rising.
    leakage : ndarray of float64, shape (point,)
        Share of the gammas that pass, rising.
    """

    threshold: NDArray[np.float64]
    efficiency: NDArray[np.float64]
    leakage: NDArray[np.float64]

    def thinned(self, n_points: int = 200) -> RocCurve:
        """Return points spread over the efficiency and over the logarithm of the leakage, the ends among them."""
        last = len(self.efficiency) - 1
        wanted = np.linspace(self.efficiency[0], self.efficiency[-1], n_points // 2)
        at = np.append(np.searchsorted(self.efficiency, wanted), [0, last])
        leaking = self.leakage[self.leakage > 0]
        if len(leaking):
            wanted = np.geomspace(leaking[0], leaking[-1], n_points // 2)
            at = np.append(at, np.searchsorted(self.leakage, wanted))
        kept = np.unique(np.minimum(at, last))
        return RocCurve(threshold=self.threshold[kept], efficiency=self.efficiency[kept], leakage=self.leakage[kept])


@dataclass(frozen=True, slots=True)
class Auc:
    """Area under the curve: the chance that a neutron scores above a gamma, ties counting half."""

    value: float
    low: float
    high: float


def roc_curve(scores: NDArray[Any], labels: NDArray[Any]) -> RocCurve:
    """Compute the curve, one point for each distinct score.

    Parameters
    ----------
    scores : ndarray of float, shape (pulse,)
        The larger, the more like a neutron; pulses with NaN never pass, so that the curve may end below (1, 1).
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron.

    Raises
    ------
    DataError
        If labels do not fit the scores, or a class is empty.
    """
    parts = split_scores(scores, labels)
    gamma = parts.gamma[parts.n_gamma_unclassified :]
    neutron = parts.neutron[parts.n_neutron_unclassified :]
    threshold = np.unique(np.concatenate([gamma, neutron]))[::-1]
    n_gamma = len(gamma) - np.searchsorted(gamma, threshold, side="left")
    n_neutron = len(neutron) - np.searchsorted(neutron, threshold, side="left")
    return RocCurve(
        threshold=np.concatenate([[np.inf], threshold]),
        efficiency=np.concatenate([[0.0], n_neutron / len(parts.neutron)]),
        leakage=np.concatenate([[0.0], n_gamma / len(parts.gamma)]),
    )


def auc(scores: NDArray[Any], labels: NDArray[Any], *, confidence: float = 0.95) -> Auc:
    """Compute the area under the curve as a rank statistic, with its interval.

    The variance is that of DeLong et al. (Biometrics 44 (1988) 837), taken on the logit scale so that the interval
    stays between 0 and 1. Where the classes part completely that variance is 0; then the open end comes from as many
    independent pairs as the smaller class has, every one of them in the right order.

    Parameters
    ----------
    scores, labels
        As in :func:`roc_curve`; a NaN score ranks below all others.
    confidence : float
        Of the interval.

    Raises
    ------
    DataError
        If labels do not fit the scores, or a class is empty.
    """
    parts = split_scores(scores, labels)
    above_gamma = placements(parts, parts.neutron, of=Label.NEUTRON)
    value = float(above_gamma.mean())
    z = normal_quantile(confidence)
    if value in (0.0, 1.0):
        n_pairs = min(len(parts.gamma), len(parts.neutron))
        reach = ((1 - confidence) / 2) ** (1 / n_pairs)
        return Auc(value, reach, 1.0) if value == 1.0 else Auc(value, 0.0, 1 - reach)
    below_neutron = placements(parts, parts.gamma, of=Label.GAMMA)
    spread = z * _standard_error(above_gamma, below_neutron) / (value * (1 - value))
    logit = np.log(value / (1 - value))
    return Auc(value, float(1 / (1 + np.exp(spread - logit))), float(1 / (1 + np.exp(-spread - logit))))


def placements(parts: ClassScores, values: NDArray[np.float64], *, of: Label) -> NDArray[np.float64]:
    """Return the share of the other class that each pulse is in the right order with, ties counting half.

    Parameters
    ----------
    parts : ClassScores
        Scores of both classes.
    values : ndarray of float64, shape (pulse of the class,)
        Scores of one class in any order, minus infinity where there is none.
    of : Label
        Which class that is: a neutron belongs above the gammas, a gamma below the neutrons.
    """
    if of == Label.NEUTRON:
        return _share_below(parts.gamma, values)
    return 1 - _share_below(parts.neutron, values)


def _share_below(reference: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    left = np.searchsorted(reference, values, side="left")
    right = np.searchsorted(reference, values, side="right")
    return (left + right) / (2 * len(reference))


def _standard_error(*groups: NDArray[np.float64]) -> float:
    variance = sum(float(group.var(ddof=1)) / len(group) for group in groups if len(group) > 1)
    return float(np.sqrt(variance))
