"""Pulses of less light from pulses of more: photoelectrons are kept by chance, noise stays what it is.

Of n photoelectrons a share f is kept, each by chance: their number follows the binomial law. On the record this is the
pulse times f, and what f (1 - f) of the photoelectrons at each time fluctuate, each a response of the front end wide.
The noise of the record shrinks with f too, so the missing part of its variance, 1 - f**2, is added with its spectrum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.network.domain.light_noise import LightNoise
from discrimen.simulation.distortion import Digitisation
from discrimen.simulation.noise import coloured

_BLOCK_PULSES = 4096
_TURNS = 5
_LEAST_CHARGE = 1e-3


def thin(
    samples: NDArray[Any],
    kept: NDArray[np.float64],
    noise: LightNoise,
    digitisation: Digitisation,
    *,
    polarity: int,
    rng: np.random.Generator,
) -> NDArray[Any]:
    """Reduce the light of pulses.

    Where the photoelectrons were is taken from the pulse itself, by the iteration of Richardson (J. Opt. Soc. Am. 62
    (1972) 55) and Lucy (Astron. J. 79 (1974) 745) with the response that the measured correlation of neighbouring
    samples belongs to, taken symmetric. The pulse stays at its place: the time walk of a trigger is not copied.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        As digitised; left as they are.
    kept : ndarray of float64, shape (pulse,)
        Share of the photoelectrons that is kept, above 0 and at most 1, which changes nothing.
    noise : LightNoise
        Of the run.
    digitisation : Digitisation
        Baseline window, range of the ADC.
    polarity : {1, -1}
        Of the pulses.
    rng : numpy.random.Generator
        Source of photoelectrons and noise.

    Returns
    -------
    ndarray, shape and dtype of the samples

    Raises
    ------
    SettingsError
        If a share is not above 0 and at most 1.
    """
    if len(kept) and not (kept.min() > 0 and kept.max() <= 1):
        raise SettingsError(f"the share of light kept must lie above 0 and at most at 1, got {kept.min():g}")
    thinned = samples.copy()
    less = np.flatnonzero(kept < 1)
    response = _response(noise, samples.shape[1])
    for first in range(0, len(less), _BLOCK_PULSES):
        rows = less[first : first + _BLOCK_PULSES]
        block, share = samples[rows].astype(np.float64), kept[rows, np.newaxis]
        baseline_adc = digitisation.baseline_adc(block)
        pulse = polarity * (block - baseline_adc)
        changed = share * pulse + _photoelectrons(pulse, share, noise, response, digitisation, rng=rng)
        changed += np.sqrt(1 - share**2) * _missing_noise(block.shape, noise, samples.dtype, rng=rng)
        thinned[rows] = digitisation.digitise(baseline_adc + polarity * changed, samples.dtype)
    return thinned


def _response(noise: LightNoise, n_samples: int) -> NDArray[np.float64]:
    """Return the transform of the symmetric response of unit area whose own correlation is the measured one.

    It is nowhere negative, or the iteration would not converge.
    """
    at = np.arange(len(noise.correlation))
    frequencies = np.fft.rfftfreq(n_samples)
    power = 2 * np.cos(2 * np.pi * np.outer(frequencies, at)) @ noise.correlation - 1
    kernel = np.maximum(np.fft.irfft(np.sqrt(np.maximum(power, 0)), n=n_samples), 0)
    response: NDArray[np.float64] = np.fft.rfft(kernel / kernel.sum()).real
    return response


def _photoelectrons(
    pulse: NDArray[np.float64],
    share: NDArray[np.float64],
    noise: LightNoise,
    response: NDArray[np.float64],
    digitisation: Digitisation,
    *,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw what the photoelectrons that are left fluctuate beyond what the pulse itself did, in ADC counts."""
    seen = np.maximum(pulse, 0)
    seen[:, : digitisation.baseline_stop] = 0
    charge = seen.copy()
    for _ in range(_TURNS):
        charge *= _filtered(seen / np.maximum(_filtered(charge, response), _LEAST_CHARGE), response)
        np.maximum(charge, 0, out=charge)
    expected = share * (1 - share) * charge / noise.photoelectron_adc
    return _filtered(noise.photoelectron_adc * (rng.poisson(expected) - expected), response)


def _missing_noise(
    shape: tuple[int, ...], noise: LightNoise, dtype: np.dtype[Any], *, rng: np.random.Generator
) -> NDArray[np.float64]:
    rounding = 1 / 12 if dtype.kind in "iu" else 0.0
    sigma_adc = math.sqrt(max(noise.noise_adc**2 - rounding, 0.0))
    white = rng.standard_normal(shape, dtype=np.float32)
    missing: NDArray[np.float64] = sigma_adc * coloured(white, tuple(noise.noise_power)).astype(np.float64)
    return missing


def _filtered(values: NDArray[np.float64], response: NDArray[np.float64]) -> NDArray[np.float64]:
    filtered: NDArray[np.float64] = np.fft.irfft(np.fft.rfft(values, axis=1) * response, n=values.shape[1], axis=1)
    return filtered
