"""Raw pulses for a benchmark: made up for a model's own preparation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.network.preparation import Preparation

_BASELINE_ADC = 8000
_HEIGHTS_ADC = (100, 4000)
_NOISE_ADC = 3.0


def made_up_pulses(preparation: Preparation, n_pulses: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """Make noisy pulses of many amplitudes and decay times that start right behind the baseline window.

    Parameters
    ----------
    preparation : Preparation
        Of the model. Without an alignment the records are as short as it allows; with one, a whole window follows
        the baseline.
    n_pulses : int
        How many.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of int16, shape (n_pulses, sample)
        In ADC counts.
    """
    n_samples = preparation.shortest_record
    if preparation.alignment is not None:
        n_samples = max(n_samples, preparation.baseline_stop + preparation.window_length)
    start = min(preparation.baseline_stop, n_samples - 1) - rng.uniform(0, 1, (n_pulses, 1))
    time = np.maximum(np.arange(n_samples) - start, 0)
    fast, slow = rng.uniform(0.5, 3.0, (2, n_pulses, 1)) * [[[1.0]], [[8.0]]]
    tail = rng.uniform(0.0, 0.3, (n_pulses, 1))
    shape = ((1 - tail) * np.exp(-time / fast) + tail * np.exp(-time / slow)) * -np.expm1(-time / 0.7)
    height = rng.uniform(*_HEIGHTS_ADC, (n_pulses, 1)) * preparation.polarity
    raw = _BASELINE_ADC + height * shape / shape.max(axis=1, keepdims=True)
    rounded: NDArray[np.int16] = np.rint(raw + rng.normal(0, _NOISE_ADC, raw.shape)).astype(np.int16)
    return rounded
