"""Figures of a quantity that a model gives, beside the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.intervals import wilson_interval
from discrimen.metrics.position import FEWEST, mean_estimate, rms_estimate
from discrimen.metrics.waveform_residuals import Estimate

QUANTITY_WORDS = {
    "rms": "rms",
    "spread": "rms of the truth about its mean",
    "bias": "mean error",
    "pull_width": "pull, rms",
    "coverage": "within its error (%)",
}
"""Figures by their names, in words; the first three in the unit of the quantity."""


def quantity_figures(
    found: NDArray[np.float64], truth: NDArray[np.float64], *, confidence: float
) -> dict[str, Estimate]:
    """Return figures of what is known of both; none of too few.

    Parameters
    ----------
    found : ndarray of float64, shape (hit, 1 or 2)
        The value, and its predicted error where there is one.
    truth : ndarray of float64, shape (hit,)
        NaN where it is not known.
    confidence : float
        Of every interval.
    """
    known = np.isfinite(found).all(axis=1) & np.isfinite(truth)
    if known.sum() < FEWEST:
        return {}
    residual = found[known, 0] - truth[known]
    about_mean = truth[known] - truth[known].mean()
    figures = {
        "rms": rms_estimate(residual, confidence=confidence),
        "spread": rms_estimate(about_mean, confidence=confidence),
        "bias": mean_estimate(residual, confidence=confidence),
    }
    if found.shape[1] == 1:
        return figures
    pull = residual / found[known, 1]
    inside = wilson_interval(int(np.count_nonzero(np.abs(pull) <= 1)), len(pull), confidence=confidence)
    return figures | {
        "pull_width": rms_estimate(pull, confidence=confidence),
        "coverage": Estimate(100 * inside.value, 100 * inside.low, 100 * inside.high),
    }
