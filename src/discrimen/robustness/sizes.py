"""How far to distort if nobody says: what happens to a detector in the field, scaled to its own noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from discrimen.errors import SettingsError
from discrimen.simulation.distortion import DISTORTIONS, require_size

_TIME_NS = (5.0, 10.0, 15.0, 20.0)
_GAIN = (0.05, 0.1, 0.2)
_BASELINE_NOISES = (2.0, 5.0, 10.0)
_SLOPE_NOISES = (1.0, 3.0, 10.0)
_ADDED_NOISES = (0.5, 1.0, 2.0, 3.0)
_JITTER_SAMPLES = (0.01, 0.02, 0.05, 0.1)
_ROUNDING_ADC = 12**-0.5
"""Rms of the rounding to whole ADC counts: a quieter baseline tells nothing of the digitizer."""


def default_sizes(*, noise_adc: float, sample_period_ns: float, n_samples: int) -> dict[str, tuple[float, ...]]:
    """Return the sizes of every distortion, ascending, 0 among them.

    Time -20 to +20 ns (less where half the record is shorter), in whole samples, which need no interpolation, unless a
    sample is longer than that; gain -20 to +20 %; jitter up to
    a tenth of the sampling period; baseline up to 10 times the noise, slope up to 10 times the noise over the record,
    added noise up to 3 times the noise that is there.

    Parameters
    ----------
    noise_adc : float
        Rms of the samples before the pulse, in ADC counts.
    sample_period_ns : float
        Time between samples in ns.
    n_samples : int
        Of a record.
    """
    noise_adc = max(noise_adc, _ROUNDING_ADC)
    record_us = n_samples * sample_period_ns / 1000
    return {
        "gain": _both_signs(_GAIN),
        "time": _both_signs([shift for shift in _shifts_ns(sample_period_ns) if shift < 500 * record_us]),
        "jitter": _from_zero([share * sample_period_ns for share in _JITTER_SAMPLES]),
        "baseline": _both_signs([times * noise_adc for times in _BASELINE_NOISES]),
        "slope": _both_signs([times * noise_adc / record_us for times in _SLOPE_NOISES]),
        "noise": _from_zero([times * noise_adc for times in _ADDED_NOISES]),
    }


def _shifts_ns(sample_period_ns: float) -> list[float]:
    whole = {round(shift / sample_period_ns) * sample_period_ns for shift in _TIME_NS}
    exact = sorted(shift for shift in whole if 0 < shift <= _TIME_NS[-1] * (1 + 1e-9))
    return exact or list(_TIME_NS)


def checked_sizes(sizes: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, ...]]:
    """Return given sizes in the order of :data:`~discrimen.simulation.distortion.DISTORTIONS`, ascending, 0 added.

    Raises
    ------
    SettingsError
        If a name is unknown, a size does not fit, or nothing is to be distorted.
    """
    for name, values in sizes.items():
        for value in values:
            require_size(name, value)
    wanted = {name: tuple(sorted({0.0, *map(float, sizes[name])})) for name in DISTORTIONS if sizes.get(name)}
    if not wanted:
        raise SettingsError(f"no distortion to look at: give sizes of {', '.join(DISTORTIONS)}")
    return wanted


def _both_signs(values: Sequence[float]) -> tuple[float, ...]:
    upwards = _from_zero(values)
    return (*(-value for value in reversed(upwards[1:])), *upwards)


def _from_zero(values: Sequence[float]) -> tuple[float, ...]:
    """Two digits are enough, and can be read on an axis."""
    return (0.0, *(float(np.format_float_positional(value, precision=2, fractional=False)) for value in values))
