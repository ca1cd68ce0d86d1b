"""Pulse gradient analysis of B. D'Mellow et al., Nucl. Instrum. Methods A 578 (2007) 191.

The gradient between the peak and a sample a fixed time behind it, both over the peak height. Heavy recoils leave more
slow light, so a neutron falls less steeply behind its peak. The delay is tuned, and so is the moving average that the
authors put before it against noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.pulse_shape.base import Merit, Waveforms, best_of, over, steps_up_to

SMOOTHINGS_SAMPLES = (1, 3, 5, 9, 15)
"""Lengths of the moving average that are tried, odd so that it does not shift the pulse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseGradient:
    """The tuned method.

    Parameters
    ----------
    delay_samples : int
        From the peak to the second point.
    smoothing_samples : int
        Length of the moving average before.
    sample_period_ns : float
        Time between samples in ns.
    """

    delay_samples: int
    smoothing_samples: int
    sample_period_ns: float

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What was tuned."""
        return {
            "delay_ns": self.delay_samples * self.sample_period_ns,
            "smoothing_ns": self.smoothing_samples * self.sample_period_ns,
        }

    def score(self, waveforms: Waveforms) -> NDArray[np.float64]:
        """Score aligned waveforms: the gradient in 1/ns; see :class:`discrimen.pulse_shape.base.Method`."""
        smooth = moving_average(waveforms, self.smoothing_samples)
        delay_ns = self.delay_samples * self.sample_period_ns
        return (height_behind_peak(smooth, self.delay_samples) - 1) / delay_ns


def tune_pulse_gradient(waveforms: Waveforms, *, sample_period_ns: float, merit: Merit) -> PulseGradient:
    """Choose delay and moving average with the highest merit.

    Parameters
    ----------
    waveforms, sample_period_ns, merit
        As in :func:`~discrimen.pulse_shape.gatti.tune_gatti`.

    Raises
    ------
    DataError
        If the records leave no room behind the peak.
    """
    delays = default_delays(waveforms)

    def tried() -> Iterator[tuple[PulseGradient, NDArray[np.float64]]]:
        for smoothing in _smoothings(waveforms):
            smooth = moving_average(waveforms, smoothing)
            for delay in delays:
                method = PulseGradient(
                    delay_samples=delay, smoothing_samples=smoothing, sample_period_ns=sample_period_ns
                )
                yield method, height_behind_peak(smooth, delay)

    return best_of(tried(), merit)


def default_delays(waveforms: Waveforms) -> tuple[int, ...]:
    """Return delays in samples, up to what nine records in ten hold behind their peak."""
    latest = np.quantile(waveforms.argmax(axis=1), 0.9)
    return steps_up_to(int(waveforms.shape[1] - 1 - latest))


def moving_average(waveforms: Waveforms, length: int) -> NDArray[np.float32]:
    """Average each sample with its neighbours, an odd number in all; beyond the window counts as baseline."""
    if length == 1:
        return waveforms
    half = length // 2
    cumulative = np.zeros((len(waveforms), waveforms.shape[1] + 1))
    np.cumsum(waveforms, axis=1, dtype=np.float64, out=cumulative[:, 1:])
    last = np.minimum(np.arange(waveforms.shape[1]) + half + 1, waveforms.shape[1])
    first = np.maximum(np.arange(waveforms.shape[1]) - half, 0)
    return ((cumulative[:, last] - cumulative[:, first]) / length).astype(np.float32)


def height_behind_peak(waveforms: Waveforms, delay_samples: int) -> NDArray[np.float64]:
    """Return the sample that lies `delay_samples` behind the highest one, over that one.

    NaN without a positive peak or where the record ends before.
    """
    rows, peak_at = np.arange(len(waveforms)), waveforms.argmax(axis=1)
    at = peak_at + delay_samples
    inside = at < waveforms.shape[1]
    height = over(waveforms[rows, np.where(inside, at, 0)], waveforms[rows, peak_at])
    return np.where(inside, height, np.nan)


def _smoothings(waveforms: Waveforms) -> list[int]:
    return [length for length in SMOOTHINGS_SAMPLES if length <= waveforms.shape[1] // 4] or [1]
