"""Baseline, noise with its spectrum, and the steps of the ADC, from what lies before the pulses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.traces import Traces
from discrimen.errors import require_module

USUAL_BITS = (8, 10, 12, 14, 16)
_HIDDEN_STEPS = 0.35
"""Noise of less than this share of a step mostly does not move a sample to the next code."""
_COLOURED_SIGMAS = 5.0
_LEAST_POWER = 0.02


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Noise:
    """Noise before the pulses.

    Parameters
    ----------
    sigma_adc, error_adc : float
        Standard deviation without what rounding adds, and its statistical error.
    power : ndarray of float64, shape (frequency,)
        Relative, mean 1 over the band, from 0 to half the sampling rate.
    is_coloured : bool
        Whether the spectrum is other than white, beyond its statistical errors.
    is_hidden : bool
        Whether the ADC's step hides it.
    baseline_adc, baseline_spread_adc : float
        Mean, and its standard deviation from pulse to pulse beyond what the noise explains.
    n_pulses : int
        Looked at.
    """

    sigma_adc: float
    error_adc: float
    power: NDArray[np.float64]
    is_coloured: bool
    is_hidden: bool
    baseline_adc: float
    baseline_spread_adc: float
    n_pulses: int


def adc_step(samples: NDArray[Any]) -> int:
    """Return the greatest common divisor of the differences of all codes."""
    codes = np.unique(samples).astype(np.int64)
    return int(np.gcd.reduce(np.diff(codes))) if len(codes) > 1 else 1


def least_usual_bits(samples: NDArray[Any]) -> int:
    """Return the least usual number of bits that holds the highest code."""
    highest = int(samples.max())
    return next((bits for bits in USUAL_BITS if highest < 2**bits), 32)


def measure_noise(samples: NDArray[Any], traces: Traces, *, step: int) -> Noise:
    """Measure baseline and noise on the clean pulses.

    The spectrum is the mean periodogram (Welch's method with one segment a record, its mean removed), so it knows
    nothing of frequencies below one over the time before the pulse: these are in the spread of the baseline.

    Parameters
    ----------
    samples : ndarray of int, shape (pulse, sample)
        As digitised.
    traces : Traces
        Of the same records.
    step : int
        Of the ADC.
    """
    signal = require_module("scipy.signal", extra="simulation")
    before = samples[traces.clean, : traces.baseline_stop].astype(np.float64)
    variance = float(before.var(axis=1, ddof=1).mean())
    _, powers = signal.periodogram(before, detrend="constant", axis=1)
    mean = powers.mean(axis=0)
    # What the mean took away from the lowest frequency is as at the next; the highest stands once in the spectrum.
    mean[0] = mean[1]
    if before.shape[1] % 2 == 0:
        mean[-1] *= 2
    rounding = step**2 / 12
    hidden = variance < (_HIDDEN_STEPS * step) ** 2
    left = variance if hidden else max(variance - rounding, 0.0)
    level = mean[1:].mean()
    relative = (
        np.maximum(mean / level - (0 if hidden else rounding / variance), _LEAST_POWER) if level > 0 else mean + 1
    )
    relative /= relative[1:].mean()
    baseline = traces.baseline_adc[traces.clean]
    deviation = baseline - np.median(baseline)
    near = np.abs(deviation) <= max(6 * 1.48 * float(np.median(np.abs(deviation))), 3 * float(deviation.std()))
    own = variance * relative[0] / before.shape[1]
    return Noise(
        sigma_adc=float(np.sqrt(left)),
        error_adc=float(np.sqrt(variance / (2 * max(before.size - len(before), 1)) * relative.max())),
        power=relative,
        is_coloured=not hidden and _is_coloured(powers[:, 1:]),
        is_hidden=hidden,
        baseline_adc=float(baseline.mean()),
        baseline_spread_adc=float(np.sqrt(max(deviation[near].var() - own, 0.0))),
        n_pulses=len(before),
    )


def _is_coloured(powers: NDArray[np.float64]) -> bool:
    """Tell whether the mean power of some frequency differs from that of all by many of its errors."""
    means = powers[:, : powers.shape[1] - 1].mean(axis=0) if powers.shape[1] > 2 else powers.mean(axis=0)
    # A periodogram of Gaussian noise scatters as much as its mean.
    errors = means.mean() / np.sqrt(len(powers))
    return bool(np.abs(means - means.mean()).max() > _COLOURED_SIGMAS * errors)
