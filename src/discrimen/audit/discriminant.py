"""A small classifier that any give-away must show to: half of the pulses teach it, the others judge it, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.metrics import Auc, auc

_N_BINS = 16
_RIDGE = 1e-3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Features:
    """What a give-away test may see of each pulse.

    Parameters
    ----------
    names : tuple of str
        Of the quantities.
    quantities : ndarray of float64, shape (pulse, quantity)
        Each enters cut into bins, so that any dependence on it shows, not only a rising or falling one.
    samples : ndarray of float64, shape (pulse, sample)
        Enter linearly; may be empty along the second axis.
    """

    names: tuple[str, ...]
    quantities: NDArray[np.float64]
    samples: NDArray[np.float64]

    def __getitem__(self, index: NDArray[np.int64]) -> Features:
        """Select pulses by an array of positions."""
        return Features(names=self.names, quantities=self.quantities[index], samples=self.samples[index])


@dataclass(frozen=True, slots=True)
class Judgement:
    """How well a classifier told the classes apart.

    Parameters
    ----------
    auc : Auc
        Of all pulses, each scored by the half that did not teach on it, as ranks within its half.
    p_value : float
        Chance of an AUC as high as the better half's if nothing gave the class away, times two for the choice.
    """

    auc: Auc
    p_value: float


def cross_judge(
    features: Features, is_neutron: NDArray[np.bool_], *, confidence: float, rng: np.random.Generator
) -> Judgement:
    """Teach on one half and judge on the other, both ways round.

    Within one half the scores do not depend on its labels, so that the rank test of Mann and Whitney holds there
    exactly; the two halves share their pulses, so the smaller p-value of the two is doubled instead of combined.

    Parameters
    ----------
    features : Features
        Of the pulses.
    is_neutron : ndarray of bool, shape (pulse,)
        The class, at least four pulses of each.
    confidence : float
        Of the interval of the AUC.
    rng : numpy.random.Generator
        Draws the halves.
    """
    stats = require_module("scipy.stats", extra="analysis")
    half = _random_halves(is_neutron, rng=rng)
    rank = np.empty(len(is_neutron))
    p_values = []
    for judging in (half, ~half):
        taught, judged = np.flatnonzero(~judging), np.flatnonzero(judging)
        scores = _Discriminant.taught(features[taught], is_neutron[taught]).scores(features[judged])
        neutron = is_neutron[judged]
        test = stats.mannwhitneyu(scores[neutron], scores[~neutron], alternative="greater", method="asymptotic")
        p_values.append(1.0 if np.isnan(test.pvalue) else float(test.pvalue))
        rank[judged] = np.searchsorted(np.sort(scores), scores) / len(scores)
    return Judgement(auc(rank, is_neutron.astype(np.int8), confidence=confidence), min(1.0, 2 * min(p_values)))


def _random_halves(is_neutron: NDArray[np.bool_], *, rng: np.random.Generator) -> NDArray[np.bool_]:
    half = np.zeros(len(is_neutron), dtype=np.bool_)
    for label in (False, True):
        members = rng.permutation(np.flatnonzero(is_neutron == label))
        half[members[: len(members) // 2]] = True
    return half


@dataclass(frozen=True, slots=True, eq=False)
class _Discriminant:
    """Fisher's linear discriminant with a small ridge, on bins of the quantities and on standardised samples."""

    edges: list[NDArray[np.float64]]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    mean: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def taught(cls, features: Features, is_neutron: NDArray[np.bool_]) -> _Discriminant:
        levels = np.arange(1, _N_BINS) / _N_BINS
        edges = [np.unique(np.quantile(column, levels)) for column in features.quantities.T]
        centre = features.samples.mean(axis=0)
        deviation = features.samples.std(axis=0)
        scale = np.where(deviation > 0, deviation, 1.0)
        inputs = _inputs(features, edges, centre, scale)
        mean = inputs.mean(axis=0)
        inputs -= mean
        target = np.where(is_neutron, 1 / is_neutron.sum(), -1 / (~is_neutron).sum())
        spread = inputs.T @ inputs / len(inputs)
        spread[np.diag_indices_from(spread)] += _RIDGE
        return cls(edges, centre, scale, mean, np.linalg.solve(spread, inputs.T @ target))

    def scores(self, features: Features) -> NDArray[np.float64]:
        inputs = _inputs(features, self.edges, self.centre, self.scale) - self.mean
        # Pulses that are alike must tie, whatever the order of summation: a rank test would take the last bit for real.
        return np.asarray(np.round(inputs @ self.weights, 12))


def _inputs(
    features: Features, edges: list[NDArray[np.float64]], centre: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    binned = [
        np.searchsorted(edge, column, side="right")[:, np.newaxis] == np.arange(len(edge) + 1)
        for edge, column in zip(edges, features.quantities.T, strict=True)
    ]
    return np.concatenate([*binned, (features.samples - centre) / scale], axis=1, dtype=np.float64)
