"""The filters that a denoising network is compared with, fitted to noisy and clean waveforms above the baseline."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

N_HEIGHTS = 8

Waveforms = NDArray[np.float64]
Filter = Callable[[Waveforms], Waveforms]


def by_height(fit: Callable[[Waveforms, Waveforms], Filter], noisy: Waveforms, clean: Waveforms) -> Filter:
    """Fit a filter anew in each of several ranges of height."""
    height = noisy.max(axis=1)
    edges = np.quantile(height, np.linspace(0, 1, N_HEIGHTS + 1))[1:-1]
    number = np.digitize(height, edges)
    filters = [fit(noisy[number == each], clean[number == each]) for each in range(N_HEIGHTS)]

    def apply(waveforms: Waveforms) -> Waveforms:
        result = np.empty_like(waveforms)
        numbers = np.digitize(waveforms.max(axis=1), edges)
        for each, filtered in enumerate(filters):
            result[numbers == each] = filtered(waveforms[numbers == each])
        return result

    return apply


def fit_savitzky_golay(noisy: Waveforms, clean: Waveforms) -> Filter:
    """Choose window and order."""
    # An even order gives the same as the odd one above it; order window - 1 gives the samples back.
    tried = [(window, order) for window in (3, 5, 7, 9, 11) for order in (0, 2, 4, 6) if order < window - 1]
    window, order = min(
        tried, key=lambda each: float(np.square(savgol_filter(noisy, *each, axis=1, mode="nearest") - clean).mean())
    )
    return lambda waveforms: savgol_filter(waveforms, window, order, axis=1, mode="nearest")


def fit_fourier_wiener(noisy: Waveforms, clean: Waveforms) -> Filter:
    """Learn a gain for each frequency, of pulses divided by their height."""
    height = noisy.max(axis=1, keepdims=True)
    seen, wanted = (np.fft.rfft(each / height, axis=1) for each in (noisy, clean))
    gain = (wanted * seen.conj()).real.mean(axis=0) / np.square(np.abs(seen)).mean(axis=0)
    return lambda waveforms: np.fft.irfft(np.fft.rfft(waveforms, axis=1) * gain, n=waveforms.shape[1], axis=1)


def fit_matrix_wiener(noisy: Waveforms, clean: Waveforms, *, scaled: bool = True) -> Filter:
    """Learn a matrix and an offset by least squares, of pulses in ADC counts or divided by their height."""

    def scale_of(waveforms: Waveforms) -> Waveforms:
        height = waveforms.max(axis=1, keepdims=True)
        return height if scaled else np.ones_like(height)

    height = scale_of(noisy)
    matrix, *_ = np.linalg.lstsq(np.hstack([noisy / height, np.ones_like(height)]), clean / height, rcond=None)

    def apply(waveforms: Waveforms) -> Waveforms:
        scale = scale_of(waveforms)
        return scale * (np.hstack([waveforms / scale, np.ones_like(scale)]) @ matrix)

    return apply
