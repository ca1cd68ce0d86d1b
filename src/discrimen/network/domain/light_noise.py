"""How much a sample fluctuates with the number of photoelectrons, measured on a run of which nothing else is known.

Behind the peak a pulse is a smooth curve, and what its samples fluctuate about it beyond the noise before the pulse is
the statistics of the photoelectrons: their variance is in proportion to the signal itself (Poisson), and neighbouring
samples fluctuate together as far as the response to one photoelectron reaches. So the covariance of two samples at a
distance l is a_l sqrt(x_t x_(t+l)) beside that of the noise, which is linear in the a_l: they follow by least squares
from the covariances of what a few smooth curves (the leading singular vectors of the tails: mean, classes, phase of the
clock) leave of the tails. The factor a_0 is in ADC counts; it goes with the gain and against the yield of light, and
does not depend on the spectrum of the source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.domain.measure import BATCH_PULSES, measure
from discrimen.network.domain.photons import Tails
from discrimen.network.preparation import Preparation

FEWEST_PULSES = 500
MOST_PULSES = 20_000
FEWEST_TAIL_SAMPLES = 10
MOST_TAIL_SAMPLES = 96
N_CURVES = 4
N_PARTS = 8
N_TURNS = 4
SURE_SIGMAS = 5.0
_TAIL_BELOW = 0.1
_BEHIND_PEAK_NS, _FEWEST_BEHIND_PEAK = 30.0, 3
_REACH_NS, _SHORTEST_REACH = 30.0, 3
_FAR_OFF = 3.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LightNoise:
    """Fluctuations of the samples of a run.

    Parameters
    ----------
    variance_adc, error_adc : float
        Variance of a sample by photoelectrons over its signal, in ADC counts, and its standard error.
    correlation : ndarray of float64, shape (lag,)
        Of the fluctuations of two samples by photoelectrons, by their distance in samples; the first is 1.
    noise_adc : float
        Standard deviation of a sample before the pulse, rounding included.
    noise_power : ndarray of float64, shape (frequency,)
        Relative power of that noise at evenly spaced frequencies from 0 to half the sampling rate.
    n_pulses : int
        Looked at.
    tails : Tails
        That the fluctuations are counted from.
    """

    variance_adc: float
    error_adc: float
    correlation: NDArray[np.float64]
    noise_adc: float
    noise_power: NDArray[np.float64]
    n_pulses: int
    tails: Tails

    @property
    def photoelectron_adc(self) -> float:
        """Charge of one photoelectron, its own spread included: mean square over mean, in ADC counts x samples."""
        return self.variance_adc * float(2 * self.correlation.sum() - 1)


def measure_light_noise(samples: NDArray[Any], preparation: Preparation, *, tails: Tails | None = None) -> LightNoise:
    """Measure how much the samples of pulses fluctuate.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample) or (pulse, 1, sample)
        As digitised; of both classes, of any spectrum. At most :data:`MOST_PULSES` of them are looked at.
    preparation : Preparation
        Of one channel, with a baseline window; its window must hold the tail.
    tails : Tails, optional
        Of other pulses of the same detector, so that both are compared; few pulses do not tell their curves well. By
        default those of these pulses.

    Raises
    ------
    DataError
        If there are too few pulses, the tail is too short, or it does not fluctuate more than the noise.
    """
    shape, heights, before = _measured(samples, preparation)
    start = _tail_start(np.median(shape, axis=0), preparation.sample_period_ns) if tails is None else tails.start
    waves = _tail_waves(shape, heights, start)
    noise_adc, power = _noise(before)
    left, signal, curves = _fluctuations(waves, heights, None if tails is None else tails.curves)
    n_tail = waves.shape[1]
    n_lags = min(max(_SHORTEST_REACH, math.ceil(_REACH_NS / preparation.sample_period_ns)), n_tail // 2)
    solve = _Moments.of(n_tail, n_lags, noise=_autocovariance(noise_adc, power, n_tail))
    parts = np.array([solve(left[part::N_PARTS], signal[part::N_PARTS], curves) for part in range(N_PARTS)])
    mean, error = parts.mean(axis=0), parts.std(axis=0, ddof=1) / math.sqrt(N_PARTS)
    if not mean[0] > SURE_SIGMAS * error[0]:
        raise DataError(
            f"the tails of {len(heights)} pulses do not fluctuate more than the noise of {noise_adc:.3g} ADC counts "
            f"({mean[0]:.3g} +- {error[0]:.2g} ADC counts of variance for each of signal): the number of "
            "photoelectrons cannot be distinguished from them; give more pulses, or higher ones"
        )
    return LightNoise(
        variance_adc=float(mean[0]),
        error_adc=float(error[0]),
        correlation=mean / mean[0],
        noise_adc=noise_adc,
        noise_power=power,
        n_pulses=len(left),
        tails=Tails(start=start, curves=curves),
    )


def _measured(
    samples: NDArray[Any], preparation: Preparation
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return shapes and heights of the pulses, and the samples before them in ADC counts."""
    channel, some = preparation.only, samples[:: max(1, -(-len(samples) // MOST_PULSES))]
    n_before = channel.baseline_stop - channel.baseline_start
    measured = [measure(some[at : at + BATCH_PULSES], preparation) for at in range(0, len(some), BATCH_PULSES)]
    found = np.concatenate([one.valid & (one.height_adc > 0) for one in measured]) if measured else np.zeros(0, bool)
    if np.count_nonzero(found) < FEWEST_PULSES or n_before < 4:
        raise DataError(
            f"{np.count_nonzero(found)} pulses with {n_before} samples before each tell too little of photoelectrons "
            f"and noise: {FEWEST_PULSES} pulses with 4 samples are needed"
        )
    shape, heights = (
        np.concatenate([getattr(one, name) for one in measured])[found] for name in ("shape", "height_adc")
    )
    before = some.reshape(len(some), -1)[found, channel.baseline_start : channel.baseline_stop]
    return shape, heights, before.astype(np.float64)


def _tail_waves(shape: NDArray[np.float64], heights: NDArray[np.float64], start: int) -> NDArray[np.float64]:
    waves = shape[:, start : start + MOST_TAIL_SAMPLES] * heights[:, np.newaxis]
    if waves.shape[1] < FEWEST_TAIL_SAMPLES:
        raise DataError(
            f"{waves.shape[1]} samples of the window lie in the tail of the pulse, {FEWEST_TAIL_SAMPLES} are needed "
            "to tell photoelectrons from noise: record more, or widen the window"
        )
    return waves


def _tail_start(shape: NDArray[np.float64], period_ns: float) -> int:
    peak = int(shape.argmax())
    low = np.flatnonzero(shape[peak:] < _TAIL_BELOW)
    return peak + max(
        _FEWEST_BEHIND_PEAK, math.ceil(_BEHIND_PEAK_NS / period_ns), int(low[0]) if len(low) else len(shape)
    )


def _noise(before: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the standard deviation and the relative power of the noise, from its mean periodogram (Welch).

    Where the rest of an earlier pulse lies under the next one there is more than noise.
    """
    away = before - before.mean(axis=1, keepdims=True)
    variance = away.var(axis=1) * away.shape[1] / (away.shape[1] - 1)
    quiet = variance <= _FAR_OFF * np.median(variance)
    away = away[quiet]
    power = (np.abs(np.fft.rfft(away, axis=1)) ** 2).mean(axis=0)
    power[0] = power[1]  # the mean took it away
    level = power[1:].mean()
    return math.sqrt(variance[quiet].mean()), power / level if level > 0 else np.ones_like(power)


def _autocovariance(noise_adc: float, power: NDArray[np.float64], n_samples: int) -> NDArray[np.float64]:
    """Return the covariance matrix of noise of a power."""
    finer = np.interp(np.linspace(0, 1, 4 * n_samples + 1), np.linspace(0, 1, len(power)), power)
    at = np.fft.irfft(finer)[:n_samples]
    distance = np.abs(np.subtract.outer(np.arange(n_samples), np.arange(n_samples)))
    covariance: NDArray[np.float64] = noise_adc**2 * (at / at[0])[distance]
    return covariance


def _curves(tails: NDArray[np.float64], heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return orthonormal smooth curves that tails are made of, shape (curve, sample).

    With such weights photoelectrons fluctuate alike at every height, and no height decides alone.
    """
    shape = tails / np.sqrt(heights)[:, np.newaxis]
    _, vectors = np.linalg.eigh(shape.T @ shape)
    curves: NDArray[np.float64] = vectors[:, -N_CURVES:].T
    return curves


def _fluctuations(
    tails: NDArray[np.float64], heights: NDArray[np.float64], given: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return what the curves leave of the tails, what they make of them, and the curves; without pile-up.

    A second pulse bends the curves too, so they are found again without the pulses that are far off, if not given.
    """
    near = np.ones(len(tails), bool)
    for _ in range(N_TURNS):
        curves = _curves(tails[near], heights[near]) if given is None else given
        smooth = (tails @ curves.T) @ curves
        left = tails - smooth
        size = (left**2).mean(axis=1)
        per_height, floor = np.polynomial.polynomial.polyfit(heights[near], size[near], 1)[::-1]
        near = size < _FAR_OFF * np.maximum(per_height * heights + floor, np.median(size) / 2)
    return left[near], np.maximum(smooth[near], 0), curves


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """Least squares of the covariances of what is left of the tails."""

    noise: NDArray[np.float64]
    at_lag: NDArray[np.bool_]

    @classmethod
    def of(cls, n_samples: int, n_lags: int, *, noise: NDArray[np.float64]) -> _Moments:
        distance = np.abs(np.subtract.outer(np.arange(n_samples), np.arange(n_samples)))
        return cls(noise, distance == np.arange(n_lags + 1)[:, np.newaxis, np.newaxis])

    def __call__(
        self, left: NDArray[np.float64], signal: NDArray[np.float64], curves: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return a_l, shape (lag,)."""
        without = np.eye(left.shape[1]) - curves.T @ curves
        root = np.sqrt(signal)
        together = root.T @ root
        design = np.stack([(without @ (together * there) @ without).ravel() for there in self.at_lag], axis=1)
        wanted = left.T @ left - len(left) * without @ self.noise @ without
        found: NDArray[np.float64] = np.linalg.lstsq(design, wanted.ravel(), rcond=None)[0]
        return found
