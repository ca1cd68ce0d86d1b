"""Faults of a channel, planted into raw records: what breaks or drifts between the detector and the file.

Made of the distortions of :mod:`discrimen.simulation.distortion` where these say it, and of what else befalls records.
A record that is already digitised is a poor start for a change of gain below a percent or two of the noise: rounded
again, small values come back to where they were. Give such samples as floating-point numbers, which are not rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.simulation.distortion import Digitisation, distort

_N_MISSING = 3
_WANDER_PULSES = 700
_TONE = 0.13

Plant = Callable[[NDArray[Any], float, Digitisation, np.random.Generator], NDArray[Any]]
"""Raw samples (pulse, sample), size, digitisation, random generator -> samples of the same shape and type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong.

    Parameters
    ----------
    summary : str
        What, for people.
    unit : str
        Of its size; empty for a share.
    plant : callable
        The function that does it.
    """

    summary: str
    unit: str
    plant: Plant


def _distorted(name: str) -> Plant:
    """Return what plants a distortion whose size is that of the fault."""

    def planted(
        samples: NDArray[Any], size: float, digitisation: Digitisation, rng: np.random.Generator
    ) -> NDArray[Any]:
        return distort(samples, {name: size}, digitisation, rng=rng)

    return planted


def change_sensor_gain(
    samples: NDArray[Any], share: float, digitisation: Digitisation, rng: np.random.Generator
) -> NDArray[Any]:
    """Multiply the pulse by 1 + share and leave the noise of the electronics, as a photomultiplier or its voltage does.

    Noise that the smaller gain would take along is added again, white. A larger gain takes more along: for small shares
    that does not matter.
    """
    gain = 1 + share
    lost_adc = digitisation.noise_adc(samples) * np.sqrt(max(0.0, 1 - gain**2))
    return distort(samples, {"gain": share, "noise": lost_adc}, digitisation, rng=rng)


def tilt(samples: NDArray[Any], rise_adc: float, digitisation: Digitisation, rng: np.random.Generator) -> NDArray[Any]:
    """Let the baseline rise by so much over the record."""
    record_us = samples.shape[1] * digitisation.sample_period_ns / 1000
    return distort(samples, {"slope": rise_adc / record_us}, digitisation, rng=rng)


def wander(
    samples: NDArray[Any],
    amplitude_adc: float,
    digitisation: Digitisation,
    rng: np.random.Generator,
    *,
    period_pulses: float = _WANDER_PULSES,
) -> NDArray[Any]:
    """Let the baseline go up and down slowly, a period of so many pulses."""
    phase = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(len(samples)) / period_pulses
    return distort(samples, {"baseline": amplitude_adc * np.sin(phase)}, digitisation, rng=rng)


def add_noise(
    samples: NDArray[Any], share: float, digitisation: Digitisation, rng: np.random.Generator
) -> NDArray[Any]:
    """Add white noise until its rms has grown by a share."""
    more = np.sqrt(max(0.0, (1 + share) ** 2 - 1))
    return distort(samples, {"noise": digitisation.noise_adc(samples) * more}, digitisation, rng=rng)


def oscillate(
    samples: NDArray[Any],
    amplitude_adc: float,
    digitisation: Digitisation,
    rng: np.random.Generator,
    *,
    per_sample: float = _TONE,
) -> NDArray[Any]:
    """Add a sine of `per_sample` periods a sample whose phase is another in each record."""
    phase = rng.uniform(0, 2 * np.pi, (len(samples), 1)) + 2 * np.pi * per_sample * np.arange(samples.shape[1])
    return digitisation.digitise(samples + amplitude_adc * np.sin(phase), samples.dtype)


def pile_up(samples: NDArray[Any], share: float, digitisation: Digitisation, rng: np.random.Generator) -> NDArray[Any]:
    """Add another of the pulses, later in the record, to a share of the records."""
    found = samples.astype(np.float64)
    hit = np.flatnonzero(rng.random(len(samples)) < share)
    above = samples[rng.integers(0, len(samples), len(hit))] - digitisation.baseline_adc(samples).mean()
    late = rng.integers(1, samples.shape[1], len(hit))[:, np.newaxis]
    from_at = np.arange(samples.shape[1]) - late
    found[hit] += np.where(from_at >= 0, np.take_along_axis(above, np.maximum(from_at, 0), axis=1), 0.0)
    return digitisation.digitise(found, samples.dtype)


def lose_samples(
    samples: NDArray[Any], share: float, _digitisation: Digitisation, rng: np.random.Generator
) -> NDArray[Any]:
    """Set three samples in a row to 0 in a share of the records."""
    lost, at = _places(samples, share, rng, length=_N_MISSING)
    found = samples.copy()
    found[lost, at] = 0
    return found


def hold_samples(
    samples: NDArray[Any], share: float, _digitisation: Digitisation, rng: np.random.Generator
) -> NDArray[Any]:
    """Repeat a sample a fifth of the record long in a share of the records, as a stuck converter does."""
    lost, at = _places(samples, share, rng, length=max(_N_MISSING, samples.shape[1] // 5))
    found = samples.copy()
    found[lost, at] = samples[lost, at[:, :1]]
    return found


def turn_over(
    samples: NDArray[Any], share: float, digitisation: Digitisation, rng: np.random.Generator
) -> NDArray[Any]:
    """Mirror a share of the records at their baseline: swapped polarity."""
    turned = rng.random(len(samples)) < share
    found = samples.astype(np.float64)
    found[turned] = 2 * digitisation.baseline_adc(found[turned]) - found[turned]
    return digitisation.digitise(found, samples.dtype)


def _places(
    samples: NDArray[Any], share: float, rng: np.random.Generator, *, length: int
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Draw records, shape (record, 1), and a stretch in each, shape (record, length)."""
    lost = np.flatnonzero(rng.random(len(samples)) < share)
    start = rng.integers(0, samples.shape[1] - length, len(lost))
    return lost[:, np.newaxis], start[:, np.newaxis] + np.arange(length)


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "adc_gain": Fault(summary="amplifier or ADC gain", unit="", plant=_distorted("gain")),
        "sensor_gain": Fault(summary="photosensor gain", unit="", plant=change_sensor_gain),
        "delay": Fault(summary="delay (cable)", unit="ns", plant=_distorted("time")),
        "slope": Fault(summary="baseline slope", unit="ADC counts a record", plant=tilt),
        "baseline": Fault(summary="baseline shift", unit="ADC counts", plant=_distorted("baseline")),
        "wander": Fault(summary="baseline wander", unit="ADC counts", plant=wander),
        "noise": Fault(summary="noise", unit="", plant=add_noise),
        "oscillation": Fault(summary="oscillation", unit="ADC counts", plant=oscillate),
        "pile_up": Fault(summary="pile-up", unit="", plant=pile_up),
        "zeroed_samples": Fault(summary="zeroed samples", unit="", plant=lose_samples),
        "held_samples": Fault(summary="held samples", unit="", plant=hold_samples),
        "polarity": Fault(summary="swapped polarity", unit="", plant=turn_over),
    }
)
"""All faults by name; sizes without a unit are shares."""


def plant(
    samples: NDArray[Any],
    name: str,
    size: float,
    digitisation: Digitisation,
    *,
    rng: np.random.Generator,
    **options: float,
) -> NDArray[Any]:
    """Plant a fault into raw records.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        As digitised; left as they are.
    name : str
        In :data:`FAULTS`.
    size : float
        In the unit of the fault.
    digitisation : Digitisation
        Sampling period, baseline window, range of the ADC.
    rng : numpy.random.Generator
        Of noise, phases and places.
    **options
        Of the fault: `per_sample` of an oscillation, `period_pulses` of a wander.

    Raises
    ------
    SettingsError
        If there is no such fault.
    """
    if name not in FAULTS:
        raise SettingsError(f"unknown fault {name!r}; choose among {', '.join(FAULTS)}")
    return FAULTS[name].plant(samples, size, digitisation, rng, **options)
