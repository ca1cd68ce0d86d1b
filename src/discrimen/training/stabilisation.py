"""How much the samples of pulses fluctuate, learned from pulses that are alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.generator import Stabilisation
from discrimen.network.preparation import Preparation

_BEHIND_PEAK = 4
"""Samples: so far behind the mean peak a pulse changes slowly enough for its spread to be seen apart from its time."""


def learn_stabilisation(
    above_adc: NDArray[np.float32],
    size: NDArray[Any],
    label: NDArray[Any],
    preparation: Preparation,
    *,
    robust: bool = False,
) -> Stabilisation:
    """Learn noise, and growth of the variance with the height, from pulses of one class that are next in size.

    Half the mean square of the difference of two such pulses is the variance of a sample, where the pulse changes
    slowly: behind its peak.

    Parameters
    ----------
    above_adc : ndarray of float32, shape (pulse, sample)
        Upwards, above the baseline.
    size, label : ndarray, shape (pulse,)
        Light or height, and class.
    preparation : Preparation
        Of the records.
    robust : bool
        Take the median of all such pairs and not their mean: where pulses of one size differ in more than their light,
        few pairs would settle it.

    Raises
    ------
    DataError
        If the records show no noise, or no growth.
    """
    channel = preparation.only
    quiet = above_adc[:, channel.baseline_start : channel.baseline_stop]
    n_quiet = quiet.shape[1]
    noise_variance = float(np.square(quiet, dtype=np.float64).mean()) * n_quiet / max(n_quiet - 1, 1)
    peak = int(above_adc.mean(axis=0).argmax())
    tail = slice(min(peak + _BEHIND_PEAK, above_adc.shape[1] - 1), None)
    grown, height = [], []
    for number in np.unique(label):
        inside = np.flatnonzero(label == number)
        ordered = above_adc[inside[np.argsort(size[inside], kind="stable")], tail].astype(np.float64)
        # The baseline that was subtracted has noise of its own.
        noise = noise_variance * (1 + 1 / n_quiet)
        grown.append((np.square(ordered[1:] - ordered[:-1]) / 2 - noise).sum(axis=1))
        height.append(ordered.sum(axis=1))
    if noise_variance <= 0:
        raise DataError(
            f"the records are the same in samples {channel.baseline_range} before every pulse: a generator needs "
            "the noise as it was recorded"
        )
    photon = _growth(grown, height, robust=robust)
    if photon <= 0:
        raise DataError(
            "the records do not fluctuate more where the pulse is higher: a generator needs pulses with the "
            "fluctuations of their light"
        )
    return Stabilisation(float(np.sqrt(noise_variance)), photon)


def _growth(grown: list[NDArray[np.float64]], height: list[NDArray[np.float64]], *, robust: bool) -> float:
    """Return the growth of the variance with the height: of all pairs of neighbours of each class, or their median."""
    if not robust:
        total = sum(float(each.sum()) for each in height)
        return sum(float(each.sum()) for each in grown) / total if total > 0 else 0.0
    of_pair = np.concatenate(grown)
    lower = np.concatenate([np.minimum(each[1:], each[:-1]) for each in height])
    return float(np.median(of_pair[lower > 0] / lower[lower > 0])) if (lower > 0).any() else 0.0
