"""The steps of the preparation, each from arrays to arrays, float32 throughout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError


def subtract_baseline(
    samples: NDArray[Any], *, start: int, stop: int, polarity: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Subtract the mean of the pre-trigger samples and turn the pulse upwards.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        Raw samples in ADC counts.
    start, stop : int
        Half-open range of samples that lie before the pulse.
    polarity : int
        +1 for pulses that rise, -1 for pulses that fall.

    Returns
    -------
    waveforms : ndarray of float32, shape (pulse, sample)
        In ADC counts above the baseline.
    baseline_adc : ndarray of float32, shape (pulse,)
        The mean.

    Raises
    ------
    DataError
        If the record is shorter than `stop`.
    """
    if samples.shape[1] < stop:
        raise DataError(f"the baseline window ends at sample {stop}, but the records have {samples.shape[1]} samples")
    # The sum of integers is exact; float64 keeps it so for x742 data.
    exact_adc = samples[:, start:stop].mean(axis=1, dtype=np.float64)
    baseline_adc = exact_adc.astype(np.float32)
    if samples.dtype.kind in "iu" and samples.dtype.itemsize > 2:
        # float32 holds integers only up to 2**24: subtract before rounding.
        waveforms = (samples - exact_adc[:, np.newaxis]).astype(np.float32)
    else:
        waveforms = samples.astype(np.float32)
        waveforms -= baseline_adc[:, np.newaxis]
    if polarity < 0:
        np.negative(waveforms, out=waveforms)
    return waveforms, baseline_adc


def constant_fraction_crossing(waveforms: NDArray[np.float32], *, fraction: float) -> NDArray[np.float32]:
    """Find where the leading edge crosses a fraction of the peak.

    Walks back from the highest sample to the last one below the threshold and interpolates linearly.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, sample)
        Above the baseline, pulses upwards.
    fraction : float
        Of the peak, between 0 and 1.

    Returns
    -------
    ndarray of float32, shape (pulse,)
        Position in samples; NaN where the pulse has no positive peak or no sample below the threshold before it.
    """
    peak_at = waveforms.argmax(axis=1)
    rows = np.arange(len(waveforms))
    peak = waveforms[rows, peak_at]
    threshold = np.float32(fraction) * peak
    below = waveforms < threshold[:, np.newaxis]
    below &= np.arange(waveforms.shape[1]) < peak_at[:, np.newaxis]
    last_below = waveforms.shape[1] - 1 - below[:, ::-1].argmax(axis=1)
    found = below.any(axis=1) & (peak > 0)
    last_below = np.where(found, last_below, 0)
    low = waveforms[rows, last_below]
    high = waveforms[rows, np.minimum(last_below + 1, waveforms.shape[1] - 1)]
    step = np.where(found, high - low, np.float32(1))
    crossing = last_below + (threshold - low) / step
    return np.where(found, crossing, np.float32(np.nan)).astype(np.float32)


def gather_window(
    waveforms: NDArray[np.float32], *, start: NDArray[np.float32], length: int, interpolate: bool
) -> NDArray[np.float32]:
    """Cut a window out of each waveform, starting at a place of its own.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, sample)
        Above the baseline.
    start : ndarray of float32, shape (pulse,)
        Position of the window's first sample, finite.
    length : int
        Samples of the window.
    interpolate : bool
        Shift by the fraction of a sample too, by linear interpolation; otherwise the start is rounded down.

    Returns
    -------
    ndarray of float32, shape (pulse, length)
        Samples beyond the record are 0, the baseline.
    """
    whole = np.floor(start).astype(np.int64)
    window = _integer_window(waveforms, whole, length)
    if interpolate:
        weight = (start - whole).astype(np.float32)[:, np.newaxis]
        window += weight * (_integer_window(waveforms, whole + 1, length) - window)
    return window


def _integer_window(waveforms: NDArray[np.float32], first: NDArray[np.int64], length: int) -> NDArray[np.float32]:
    n_samples = waveforms.shape[1]
    at = first[:, np.newaxis] + np.arange(length)
    inside = (at >= 0) & (at < n_samples)
    taken = np.take_along_axis(waveforms, np.clip(at, 0, n_samples - 1), axis=1)
    return np.where(inside, taken, np.float32(0))
