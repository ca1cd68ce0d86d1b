"""Numbers that describe the shape of a pulse, one row a pulse: what a boosted tree learns from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.pulse_shape.base import Waveforms, over, steps_up_to
from discrimen.pulse_shape.frequency_gradient import spectrum_fall
from discrimen.pulse_shape.pulse_gradient import height_behind_peak

FEATURES_ABOUT = (
    "peak and area in ADC counts; charges up to geometric ends over the area; width and fall time at 90, 50, 20 and "
    "10 % of the peak, rise time; pulse gradient at geometric delays; frequency gradient at geometric lengths"
)
"""What :func:`pulse_features` gives, in words."""

_LEVELS = (0.1, 0.2, 0.5, 0.9)
_RATIO = 1.5


def pulse_features(waveforms: Waveforms) -> NDArray[np.float32]:
    """Describe aligned waveforms.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, sample)
        See :mod:`discrimen.pulse_shape.base`.

    Returns
    -------
    ndarray of float32, shape (pulse, feature)
        As in :data:`FEATURES_ABOUT`; times in samples; NaN where a pulse lacks a feature. How many there are depends on
        the number of samples alone.
    """
    n_samples = waveforms.shape[1]
    peak = waveforms.max(axis=1)
    cumulative = np.cumsum(waveforms, axis=1, dtype=np.float64)
    area = cumulative[:, -1]
    ends = steps_up_to(n_samples - 1, ratio=_RATIO)
    columns = [peak, area, over(area, peak)]
    columns += [over(cumulative[:, end - 1], area) for end in ends]
    columns += _crossing_times(waveforms, peak)
    columns += [height_behind_peak(waveforms, delay) for delay in steps_up_to(n_samples // 2, ratio=_RATIO)]
    for length in steps_up_to(n_samples, first=4, ratio=_RATIO):
        columns += spectrum_fall(waveforms, length=length).values()
    return np.stack(columns, axis=1).astype(np.float32)


def _crossing_times(waveforms: Waveforms, peak: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Rise time from the lowest to the highest level, then the fall time from the peak to each level, in samples."""
    peak_at = waveforms.argmax(axis=1)
    rises, falls = [], []
    for level in _LEVELS:
        height = (level * peak)[:, np.newaxis]
        rises.append(_rise_at(waveforms, peak_at, height[:, 0]))
        falls.append(_fall_at(waveforms, peak_at, height[:, 0]) - peak_at)
    return [rises[-1] - rises[0], *falls]


def _rise_at(waveforms: Waveforms, peak_at: NDArray[np.intp], height: NDArray[np.float32]) -> NDArray[np.float64]:
    """Last crossing upwards before the peak, interpolated."""
    last = waveforms.shape[1] - 1
    crossing: NDArray[np.float64] = last - _fall_at(waveforms[:, ::-1], last - peak_at, height)
    return crossing


def _fall_at(waveforms: Waveforms, peak_at: NDArray[np.intp], height: NDArray[np.float32]) -> NDArray[np.float64]:
    """First crossing downwards behind the peak, interpolated; NaN where there is none."""
    below = waveforms < height[:, np.newaxis]
    below &= np.arange(waveforms.shape[1]) > peak_at[:, np.newaxis]
    at = below.argmax(axis=1)
    found = below.any(axis=1)
    rows = np.arange(len(waveforms))
    high, low = waveforms[rows, at - 1], waveforms[rows, at]
    step = np.where(found, high - low, 1.0)
    return np.where(found, at - (height - low) / step, np.nan)
