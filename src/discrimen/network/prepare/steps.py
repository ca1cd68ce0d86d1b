"""The steps of the preparation, each from arrays to arrays, on one channel at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from discrimen.errors import DataError

Waveforms = NDArray[Any]
"""float32 or float64, shape (pulse, sample), in ADC counts above the baseline, pulses upwards."""

_EXACT_BYTES = 2
"""float32 holds every integer of so many bytes."""


def mean_baseline(samples: NDArray[Any], *, start: int, stop: int) -> NDArray[np.float64]:
    """Return the mean of the samples before the pulse; 0 where the range is empty.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        Raw samples in ADC counts.
    start, stop : int
        Half-open range of samples.

    Raises
    ------
    DataError
        If the record is shorter than `stop`.
    """
    if samples.shape[1] < stop:
        raise DataError(f"the baseline window ends at sample {stop}, but the records have {samples.shape[1]} samples")
    if start == stop:
        return np.zeros(len(samples))
    mean: NDArray[np.float64] = samples[:, start:stop].mean(axis=1, dtype=np.float64)
    return mean


def above_baseline(
    samples: NDArray[Any], baseline_adc: NDArray[np.float64], *, polarity: int, dtype: DTypeLike = np.float32
) -> Waveforms:
    """Subtract a baseline and turn the pulse upwards.

    The whole counts of the baseline are subtracted first, which is exact for integers, and what is left of it then:
    the same counts give the same values whatever the type of the samples and the height of the baseline.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        Raw samples in ADC counts.
    baseline_adc : ndarray of float64, shape (pulse,)
        From :func:`mean_baseline`.
    polarity : int
        +1 for pulses that rise, -1 for pulses that fall.
    dtype : dtype
        float32 or float64, of the result.

    Returns
    -------
    ndarray, shape (pulse, sample)
        In ADC counts above the baseline.
    """
    whole = np.rint(baseline_adc) if samples.dtype.kind in "iub" else baseline_adc.astype(np.float32).astype(np.float64)
    rest = (baseline_adc - whole).astype(dtype)
    if samples.dtype.itemsize <= _EXACT_BYTES or samples.dtype == dtype:
        waveforms: Waveforms = samples.astype(dtype)
        waveforms -= whole.astype(dtype)[:, np.newaxis]
    else:
        waveforms = (samples - whole[:, np.newaxis]).astype(dtype)
    waveforms -= rest[:, np.newaxis]
    if polarity < 0:
        np.negative(waveforms, out=waveforms)
    return waveforms


def subtract_baseline(
    samples: NDArray[Any], *, start: int, stop: int, polarity: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Subtract the mean of the samples before the pulse and turn the pulse upwards.

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
    baseline_adc = mean_baseline(samples, start=start, stop=stop)
    return above_baseline(samples, baseline_adc, polarity=polarity), baseline_adc.astype(np.float32)


def constant_fraction_crossing(waveforms: NDArray[np.float32], *, fraction: float) -> NDArray[np.float32]:
    """Find where the leading edge crosses a fraction of the peak.

    Walks back from the highest sample to the last one below the threshold and interpolates linearly. In float32
    whatever computes the rest: a sample that lies on the threshold decides alike for every engine.

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


def gather_window(waveforms: Waveforms, *, start: NDArray[np.float32], length: int, interpolate: bool) -> Waveforms:
    """Cut a window out of each waveform, starting at a place of its own.

    Parameters
    ----------
    waveforms : ndarray of float, shape (pulse, sample)
        Above the baseline.
    start : ndarray of float32, shape (pulse,)
        Position of the window's first sample, finite.
    length : int
        Samples of the window.
    interpolate : bool
        Shift by the fraction of a sample too, by linear interpolation; otherwise the start is rounded down.

    Returns
    -------
    ndarray, shape (pulse, length)
        In the waveforms' precision; samples beyond the record are 0, the baseline.
    """
    whole = np.floor(start).astype(np.int64)
    window = _integer_window(waveforms, whole, length)
    if interpolate:
        weight = (start - whole).astype(np.float32)[:, np.newaxis]
        window += weight * (_integer_window(waveforms, whole + 1, length) - window)
    return window


def _integer_window(waveforms: Waveforms, first: NDArray[np.int64], length: int) -> Waveforms:
    n_samples = waveforms.shape[1]
    at = first[:, np.newaxis] + np.arange(length)
    inside = (at >= 0) & (at < n_samples)
    taken = np.take_along_axis(waveforms, np.clip(at, 0, n_samples - 1), axis=1)
    window: Waveforms = np.where(inside, taken, waveforms.dtype.type(0))
    return window
