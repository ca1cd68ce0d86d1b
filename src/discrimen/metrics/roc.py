"""Receiver operating characteristic: gamma leakage against neutron efficiency, and the area under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.intervals import normal_quantile
from discrimen.metrics.scores import ClassScores, split_scores


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
    below_neutron = _share_below(parts.gamma, parts.neutron)
    value = float(below_neutron.mean())
    z = normal_quantile(confidence)
    if value in (0.0, 1.0):
        n_pairs = min(len(parts.gamma), len(parts.neutron))
        reach = ((1 - confidence) / 2) ** (1 / n_pairs)
        return Auc(value, reach, 1.0) if value == 1.0 else Auc(value, 0.0, 1 - reach)
    spread = z * _standard_error(parts, below_neutron) / (value * (1 - value))
    logit = np.log(value / (1 - value))
    return Auc(value, float(1 / (1 + np.exp(spread - logit))), float(1 / (1 + np.exp(-spread - logit))))


def _share_below(reference: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the ascending reference that lies below each value, ties counting half."""
    left = np.searchsorted(reference, values, side="left")
    right = np.searchsorted(reference, values, side="right")
    return (left + right) / (2 * len(reference))


def _standard_error(parts: ClassScores, below_neutron: NDArray[np.float64]) -> float:
    above_gamma = 1 - _share_below(parts.neutron, parts.gamma)
    variance = 0.0
    for placements in (below_neutron, above_gamma):
        if len(placements) > 1:
            variance += float(placements.var(ddof=1)) / len(placements)
    return float(np.sqrt(variance))
