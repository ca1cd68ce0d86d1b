"""Scores of two classes: what counts as classified.

A score that is NaN means that the pulse could not be classified. It never passes as a neutron: a neutron without a
score is lost efficiency, a gamma without a score does not leak. Both are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.pulses import Label


@dataclass(frozen=True, slots=True, eq=False)
class ClassScores:
    """Scores of the gammas and of the neutrons, ascending; minus infinity where there was none.

    Parameters
    ----------
    gamma, neutron : ndarray of float64, shape (pulse of that class,)
        The scores.
    n_gamma_unclassified, n_neutron_unclassified : int
        How many had no score.
    """

    gamma: NDArray[np.float64]
    neutron: NDArray[np.float64]
    n_gamma_unclassified: int
    n_neutron_unclassified: int


def split_scores(scores: NDArray[Any], labels: NDArray[Any]) -> ClassScores:
    """Part scores by true class.

    Parameters
    ----------
    scores : ndarray of float, shape (pulse,)
        The larger, the more like a neutron; NaN where the pulse could not be classified.
    labels : ndarray of int, shape (pulse,)
        :class:`~discrimen.pulses.Label` of each pulse, none unknown.

    Raises
    ------
    DataError
        If shapes differ, a label is neither gamma nor neutron, or a class is empty.
    """
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if values.ndim != 1 or values.shape != truth.shape:
        raise DataError(f"expected one label for each score, got scores {values.shape} and labels {truth.shape}")
    is_gamma, is_neutron = truth == Label.GAMMA, truth == Label.NEUTRON
    n_unknown = int(np.count_nonzero(~(is_gamma | is_neutron)))
    if n_unknown:
        raise DataError(f"{n_unknown} of {len(truth)} pulses are neither gamma nor neutron: leave them out first")
    if not is_gamma.any() or not is_neutron.any():
        counts = f"{np.count_nonzero(is_gamma)} gammas and {np.count_nonzero(is_neutron)} neutrons"
        raise DataError(f"both classes are needed to judge scores, got {counts}")
    missing = np.isnan(values)
    ranked = np.where(missing, -np.inf, values)
    return ClassScores(
        gamma=np.sort(ranked[is_gamma]),
        neutron=np.sort(ranked[is_neutron]),
        n_gamma_unclassified=int(np.count_nonzero(missing & is_gamma)),
        n_neutron_unclassified=int(np.count_nonzero(missing & is_neutron)),
    )
