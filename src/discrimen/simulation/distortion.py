"""What happens to pulses between one run and the next: time, gain, baseline, noise and clock, on raw samples.

Each function is a :data:`Distort`: it takes raw waveforms in ADC counts, float64 of shape (pulse, sample), and one size
a pulse, float64 of shape (pulse,), and returns waveforms that are no whole numbers any more. The size 0 changes
nothing. :func:`distort` applies several of them in the order of the electronics and digitises the result again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError, require_module

_SPLINE_REACH = 3
"""Samples beyond the farthest place looked at that a cubic spline may touch."""
_BLOCK_SAMPLES = 2**21


@dataclass(frozen=True, slots=True, kw_only=True)
class Digitisation:
    """What must be known of records to distort them.

    Parameters
    ----------
    sample_period_ns : float
        Time between samples in ns.
    baseline_start, baseline_stop : int
        Half-open range of samples that lie before the pulse.
    adc_bits : int or None
        The ADC gives 0 to 2**adc_bits - 1, and samples beyond are clipped; None clips where the sample type ends.
    """

    sample_period_ns: float
    baseline_start: int
    baseline_stop: int
    adc_bits: int | None = None

    def baseline_adc(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean before each pulse, shape (pulse, 1)."""
        mean: NDArray[np.float64] = samples[:, self.baseline_start : self.baseline_stop].mean(
            axis=1, dtype=np.float64, keepdims=True
        )
        return mean

    def noise_adc(self, samples: NDArray[Any]) -> float:
        """Return the rms of the samples before the pulse, the mean of each pulse subtracted; the median of all pulses.

        Raises
        ------
        SettingsError
            If fewer than two samples lie before the pulse.
        """
        before = samples[:, self.baseline_start : self.baseline_stop]
        if before.shape[1] < 2:
            raise SettingsError(
                f"{before.shape[1]} samples before the pulse tell nothing of the noise: give two or more"
            )
        return float(np.median(before.std(axis=1, ddof=1, dtype=np.float64)))

    def digitise(self, waveforms: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Round to whole ADC counts and clip, as the digitizer would; samples of type float32 are only clipped.

        Parameters
        ----------
        waveforms : ndarray of float64, shape (pulse, sample)
            In ADC counts.
        dtype : dtype
            Of the samples that the digitizer gave.
        """
        low, high = self._limits(dtype)
        if dtype.kind == "f":
            return np.clip(waveforms, low, high).astype(dtype)
        return np.clip(np.rint(waveforms), low, high).astype(dtype)

    def _limits(self, dtype: np.dtype[Any]) -> tuple[float, float]:
        if self.adc_bits is not None:
            return 0.0, float(2**self.adc_bits - 1)
        if dtype.kind == "f":
            return -np.inf, np.inf
        return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)


Distort = Callable[[NDArray[np.float64], NDArray[np.float64], Digitisation, np.random.Generator], NDArray[np.float64]]
"""Waveforms (pulse, sample), sizes (pulse,), digitisation, random generator -> waveforms (pulse, sample)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distortion:
    """One thing that changes.

    Parameters
    ----------
    summary : str
        What, for people.
    unit : str
        Of its size; empty for a share.
    signed : bool
        Whether the size may be negative.
    apply : callable
        The function that does it.
    """

    summary: str
    unit: str
    signed: bool
    apply: Distort


def shift_in_time(
    waveforms: NDArray[np.float64],
    shift_ns: NDArray[np.float64],
    digitisation: Digitisation,
    _rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Let each pulse arrive later (positive) or earlier.

    Whole samples are shifted exactly; between samples a cubic spline is taken. Beyond the ends of the record its
    samples are mirrored, so that what enters has the noise of the baseline. Between samples the spline smooths white
    noise, down to 0.87 of its rms at half a sample, and it cannot restore an edge that is faster than the sampling.

    Parameters
    ----------
    shift_ns : ndarray of float64, shape (pulse,)
        In ns.

    Raises
    ------
    SettingsError
        If a shift is as long as the record.
    """
    shift = shift_ns / digitisation.sample_period_ns
    at = np.arange(waveforms.shape[1]) - shift[:, np.newaxis]
    return _between_samples(waveforms, at, what="time shift")


def jitter_clock(
    waveforms: NDArray[np.float64],
    jitter_ns: NDArray[np.float64],
    digitisation: Digitisation,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Take each sample a little early or late, independently of the others (aperture jitter).

    Parameters
    ----------
    jitter_ns : ndarray of float64, shape (pulse,)
        Standard deviation in ns.

    Raises
    ------
    SettingsError
        If the jitter reaches beyond the length of the record.
    """
    late = rng.standard_normal(waveforms.shape) * (jitter_ns / digitisation.sample_period_ns)[:, np.newaxis]
    return _between_samples(waveforms, np.arange(waveforms.shape[1]) + late, what="clock jitter")


def drift_gain(
    waveforms: NDArray[np.float64],
    drift: NDArray[np.float64],
    digitisation: Digitisation,
    _rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Multiply what lies above or below the baseline by 1 + drift; the noise goes along, as behind an amplifier.

    Parameters
    ----------
    drift : ndarray of float64, shape (pulse,)
        Relative change, above -1.

    Raises
    ------
    SettingsError
        If a drift is -1 or less: nothing, or the other polarity, would be left.
    """
    if len(drift) and drift.min() <= -1:
        raise SettingsError(f"a gain drift must lie above -1 (-100 %), got {drift.min():g}")
    baseline_adc = digitisation.baseline_adc(waveforms)
    drifted: NDArray[np.float64] = baseline_adc + (1 + drift[:, np.newaxis]) * (waveforms - baseline_adc)
    return drifted


def shift_baseline(
    waveforms: NDArray[np.float64],
    shift_adc: NDArray[np.float64],
    _digitisation: Digitisation,
    _rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Add a constant.

    Parameters
    ----------
    shift_adc : ndarray of float64, shape (pulse,)
        In ADC counts, whatever the polarity.
    """
    return waveforms + shift_adc[:, np.newaxis]


def tilt_baseline(
    waveforms: NDArray[np.float64],
    slope_adc_per_us: NDArray[np.float64],
    digitisation: Digitisation,
    _rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Add a straight line that crosses zero in the middle of the record.

    Parameters
    ----------
    slope_adc_per_us : ndarray of float64, shape (pulse,)
        In ADC counts per microsecond, whatever the polarity.
    """
    n_samples = waveforms.shape[1]
    time_us = (np.arange(n_samples) - (n_samples - 1) / 2) * digitisation.sample_period_ns / 1000
    tilted: NDArray[np.float64] = waveforms + slope_adc_per_us[:, np.newaxis] * time_us
    return tilted


def add_noise(
    waveforms: NDArray[np.float64],
    rms_adc: NDArray[np.float64],
    _digitisation: Digitisation,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Add white Gaussian noise.

    Parameters
    ----------
    rms_adc : ndarray of float64, shape (pulse,)
        Standard deviation in ADC counts, on top of the noise that is there.
    """
    return waveforms + rng.standard_normal(waveforms.shape) * rms_adc[:, np.newaxis]


DISTORTIONS: Mapping[str, Distortion] = MappingProxyType(
    {
        "gain": Distortion(summary="gain drift", unit="", signed=True, apply=drift_gain),
        "time": Distortion(summary="time misalignment", unit="ns", signed=True, apply=shift_in_time),
        "jitter": Distortion(summary="sampling jitter (rms)", unit="ns", signed=False, apply=jitter_clock),
        "baseline": Distortion(summary="baseline shift", unit="ADC counts", signed=True, apply=shift_baseline),
        "slope": Distortion(summary="baseline slope", unit="ADC counts/us", signed=True, apply=tilt_baseline),
        "noise": Distortion(summary="added noise (rms)", unit="ADC counts", signed=False, apply=add_noise),
    }
)
"""All distortions in the order of the electronics: amplifier, trigger, clock, then what adds to the signal."""


def require_size(name: str, size: float) -> None:
    """Refuse a distortion that does not exist or a size that makes no sense.

    Raises
    ------
    SettingsError
        If the name is unknown, the size is no finite number or has the wrong sign, or a gain would vanish.
    """
    if name not in DISTORTIONS:
        raise SettingsError(f"unknown distortion {name!r}; choose among {', '.join(DISTORTIONS)}")
    known = DISTORTIONS[name]
    if not np.isfinite(size) or (size < 0 and not known.signed) or (name == "gain" and size <= -1):
        lowest = "above -1" if name == "gain" else "finite" if known.signed else "0 or more"
        raise SettingsError(f"{name}: the size of a {known.summary} must be {lowest}, got {size:g}")


def distort(
    samples: NDArray[Any],
    sizes: Mapping[str, float | NDArray[np.float64]],
    digitisation: Digitisation,
    *,
    rng: np.random.Generator,
) -> NDArray[Any]:
    """Distort raw waveforms and digitise them again.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        As digitised, in ADC counts; left as they are.
    sizes : mapping of str to float or ndarray of float64, shape (pulse,)
        Size of each distortion by its name in :data:`DISTORTIONS`, whose order holds whatever the order here.
    digitisation : Digitisation
        Sampling period, baseline window, range of the ADC.
    rng : numpy.random.Generator
        Source of noise and jitter.

    Returns
    -------
    ndarray, shape and dtype of the samples
        Distorted waveforms.

    Raises
    ------
    SettingsError
        If a name is unknown, or a size does not fit.
    """
    by_name = {name: np.broadcast_to(np.asarray(size, np.float64), len(samples)) for name, size in sizes.items()}
    for name, each in by_name.items():
        for extreme in (each.min(), each.max()) if len(each) else ():
            require_size(name, float(extreme))
    distorted = np.empty_like(samples)
    step = max(1, _BLOCK_SAMPLES // samples.shape[1])
    for first in range(0, len(samples), step):
        rows = slice(first, first + step)
        block = samples[rows].astype(np.float64)
        for name, known in DISTORTIONS.items():
            if name in by_name and by_name[name][rows].any():
                block = known.apply(block, by_name[name][rows], digitisation, rng)
        distorted[rows] = digitisation.digitise(block, samples.dtype)
    return distorted


def _between_samples(waveforms: NDArray[np.float64], at: NDArray[np.float64], *, what: str) -> NDArray[np.float64]:
    """Look up a cubic spline through each waveform at places in samples, mirrored at the ends of the record."""
    n_pulses, n_samples = waveforms.shape
    if not n_pulses:
        return waveforms.copy()
    ndimage = require_module("scipy.ndimage", extra="analysis")
    reach = int(np.ceil(np.abs(at - np.arange(n_samples)).max()))
    if reach >= n_samples:
        raise SettingsError(f"a {what} of {reach} samples is as long as the record of {n_samples} samples")
    margin = reach + _SPLINE_REACH
    # The spline of a mirrored record has mirrored coefficients.
    coefficients = ndimage.spline_filter1d(waveforms, order=3, axis=1, mode="reflect")
    splines = np.pad(coefficients, ((0, 0), (margin, margin)), mode="symmetric")
    # All records end to end are one long spline: each place keeps to its own record and margin.
    places = at + margin + splines.shape[1] * np.arange(n_pulses)[:, np.newaxis]
    values: NDArray[np.float64] = ndimage.map_coordinates(
        splines.ravel(), places.ravel()[np.newaxis], order=3, prefilter=False
    ).reshape(n_pulses, n_samples)
    return values
