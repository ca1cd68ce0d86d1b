"""Made-up raw pulses for a preparation, where no measured ones are at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.preparation import Channel, Preparation

_HEIGHTS_ADC = (50.0, 4000.0)
_BASELINE_ADC = 8000


def made_up_pulses(preparation: Preparation, n_pulses: int, *, seed: int = 20) -> NDArray[Any]:
    """Make raw pulses of many amplitudes, rise and decay times that fit a preparation.

    Parameters
    ----------
    preparation : Preparation
        Of the model; the pulses start right behind each channel's baseline window. Without an alignment the records are
        as short as it allows; with one, a whole window follows the baseline.
    n_pulses : int
        How many.
    seed : int
        The same seed gives the same pulses.

    Returns
    -------
    ndarray of int32, shape (pulse, channel, sample)
        In ADC counts, with noise of one count. A channel without a baseline window is no raw record (a code, for
        example): with one of those all values are normally distributed and float32.
    """
    rng = np.random.default_rng(seed)
    n_samples = preparation.shortest_record
    if preparation.alignment is not None:
        n_samples = max(channel.baseline_stop for channel in preparation.channels) + preparation.window_length
    shape = (n_pulses, n_samples)
    if any(channel.baseline_start == channel.baseline_stop for channel in preparation.channels):
        values = rng.normal(size=(n_pulses, preparation.n_channels, preparation.shortest_record))
        return values.astype(np.float32)
    records = [_records(channel, shape, rng) for channel in preparation.channels]
    return np.stack(records, axis=1)


def _records(channel: Channel, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.int32]:
    n_pulses, n_samples = shape
    onset = min(channel.baseline_stop, n_samples - 1) - rng.uniform(0, 1, (n_pulses, 1))
    late = np.maximum(np.arange(n_samples) - onset, 0)
    fast, slow = rng.uniform(0.5, 3.0, (2, n_pulses, 1)) * [[[1.0]], [[8.0]]]
    tail = rng.uniform(0.0, 0.3, (n_pulses, 1))
    pulse = ((1 - tail) * np.exp(-late / fast) + tail * np.exp(-late / slow)) * -np.expm1(-late / 0.7)
    height = rng.uniform(*_HEIGHTS_ADC, (n_pulses, 1)) * channel.polarity
    raw = _BASELINE_ADC + height * pulse / pulse.max(axis=1, keepdims=True) + rng.normal(0, 1, pulse.shape)
    rounded: NDArray[np.int32] = np.rint(raw).astype(np.int32)
    return rounded
