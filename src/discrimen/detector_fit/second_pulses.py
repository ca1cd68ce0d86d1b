"""Second pulses in the records: where a record rises again as no single pulse does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.traces import Traces

_SIGMAS = 6.0
_LEAST_SHARE = 0.03
_LEAST_NOISE_ADC = 0.3
_ROBUST = 1.48
_FEWEST = 8


def second_pulses(traces: Traces) -> NDArray[np.bool_]:
    """Mark the records in which a second pulse rises after the first.

    The rise is the difference of the means of two neighbouring stretches, as long as a leading edge. A single pulse of
    the run rises by a usual share of its height at each place (it may ring), which is subtracted; what is left must
    exceed six times the noise, a share of the height and six times the scatter of that share over the pulses.

    Returns
    -------
    ndarray of bool, shape (pulse,)
    """
    waves, clean = traces.waves_adc, traces.clean
    edge = max(2, round(float(np.median((waves.argmax(axis=1) - traces.crossing)[clean]))))
    rises = _rises(waves, edge)
    start = np.floor(np.nan_to_num(traces.crossing)).astype(int) + 3 * edge
    # A record whose pulse comes unusually late is looked at as far as the others, and clean ones all alike.
    length = rises.shape[1] - int(start[clean].max())
    if length < 1 or clean.sum() < _FEWEST:
        return np.zeros(len(waves), dtype=bool)
    places = np.minimum(start[:, None] + np.arange(length), rises.shape[1] - 1)
    late, height = np.take_along_axis(rises, places, axis=1), np.maximum(traces.height_adc, 1)[:, None]
    high = clean & (traces.height_adc >= np.median(traces.height_adc[clean]))
    usual = np.median((late / height)[high], axis=0)
    left = late - usual * height
    # Light comes in quanta: the scatter grows with the root of the height.
    photons = _ROBUST * np.median(np.abs(left / np.sqrt(height))[high], axis=0)
    noise = _noise(waves[:, : traces.baseline_stop], edge, clean, traces.noise_adc)
    allowed = _SIGMAS * np.sqrt(noise**2 + photons**2 * height) + _LEAST_SHARE * height
    return np.asarray((left > allowed).any(axis=1))


def _noise(before: NDArray[np.float32], edge: int, clean: NDArray[np.bool_], noise_adc: float) -> float:
    """Return the standard deviation of rises before the pulse, where there is room for one."""
    room = before.shape[1] > 2 * edge
    return max(float(_rises(before, edge)[clean].std()) if room else noise_adc, _LEAST_NOISE_ADC)


def _rises(waves: NDArray[np.float32], edge: int) -> NDArray[np.float64]:
    """Return the mean of `edge` samples less that of as many before them, at every place."""
    sums = np.concatenate([np.zeros((len(waves), 1)), np.cumsum(waves, axis=1, dtype=np.float64)], axis=1)
    means = (sums[:, edge:] - sums[:, :-edge]) / edge
    return np.asarray(means[:, edge:] - means[:, :-edge])
