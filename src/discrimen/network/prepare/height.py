"""How high pulses rise above their baseline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.preparation import Preparation
from discrimen.network.prepare.chain import prepare

_BATCH_PULSES = 4096


def heights_of(samples: NDArray[Any], preparation: Preparation) -> NDArray[np.float32]:
    """Measure the heights of raw pulses of one channel.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample) or (pulse, 1, sample)
        As digitised.
    preparation : Preparation
        Of the model.

    Returns
    -------
    ndarray of float32, shape (pulse,)
        The highest sample of the window above the baseline, in ADC counts; NaN for a pulse that cannot be prepared.

    Raises
    ------
    DataError, SettingsError
        If the records are too short, or the model has several channels.
    """
    _ = preparation.only
    heights = np.empty(len(samples), dtype=np.float32)
    for start in range(0, len(samples), _BATCH_PULSES):
        batch = slice(start, start + _BATCH_PULSES)
        prepared = prepare(samples[batch], preparation, dtype=np.float64)
        height = prepared.waveforms.max(axis=(1, 2)) * prepared.restoration.divisor
        heights[batch] = np.where(prepared.valid, height, np.nan)
    return heights
