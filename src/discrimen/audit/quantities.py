"""What a pulse carries beside its shape: baseline, noise, ADC step, charge, position in the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.network.prepare import choose_preparation, constant_fraction_crossing, subtract_baseline
from discrimen.network.prepare.choose import PRETRIGGER_SHARE
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.dataset import Dataset

MOST_PULSES = 100_000
"""Of a larger data set so many are looked at, drawn at random."""

_MOST_SAMPLES = 2**26
_BLOCK_SAMPLES = 2**21
_CROSSING_FRACTION = 0.3
_ONSET_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pretrigger:
    """Which samples lie before the pulse.

    Parameters
    ----------
    start, stop : int
        Half-open range of samples.
    polarity : int
        +1 for pulses that rise, -1 for pulses that fall.
    source : {"settings", "pulses"}
        Whether the detector settings say so or the pulses themselves.
    """

    start: int
    stop: int
    polarity: int
    source: Literal["settings", "pulses"]

    @property
    def usable(self) -> bool:
        """Whether there are enough samples to see noise."""
        return self.stop - self.start >= 3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Quantities:
    """What was measured on the pulses looked at, all arrays of shape (pulse,) if not said otherwise.

    Parameters
    ----------
    pulse : ndarray of int64
        Position in the data set, ascending.
    is_neutron : ndarray of bool
        The class.
    pretrigger : Pretrigger
        Which samples `before_adc` are.
    before_adc : ndarray of float32, shape (pulse, pre-trigger sample)
        The pre-trigger samples as digitised.
    baseline_adc, noise_adc, slope_adc : ndarray of float64
        Mean, standard deviation, and slope (in ADC counts a sample) of the pre-trigger.
    step_adc, step_before_adc : ndarray of int64 or None
        Greatest common step between the samples of the record, of the pre-trigger; 0 where all are equal. None for
        float samples.
    charge_adc : ndarray of float64
        Sum of the record above the baseline, in ADC counts times samples: the measure of the energy.
    peak_adc : ndarray of float64
        Highest sample above the baseline.
    crossing : ndarray of float64
        Where the leading edge crosses 30 % of the peak, in samples; NaN where there is none.
    constant : ndarray of bool
        Whether all samples of the record are equal.
    """

    pulse: NDArray[np.int64]
    is_neutron: NDArray[np.bool_]
    pretrigger: Pretrigger
    before_adc: NDArray[np.float32]
    baseline_adc: NDArray[np.float64]
    noise_adc: NDArray[np.float64]
    slope_adc: NDArray[np.float64]
    step_adc: NDArray[np.int64] | None
    step_before_adc: NDArray[np.int64] | None
    charge_adc: NDArray[np.float64]
    peak_adc: NDArray[np.float64]
    crossing: NDArray[np.float64]
    constant: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.pulse)


def measure(dataset: Dataset, *, rng: np.random.Generator) -> Quantities:
    """Measure the pulses of a data set, of a large one a part drawn at random."""
    pulses = dataset.pulses
    most = min(MOST_PULSES, max(2000, _MOST_SAMPLES // pulses.n_samples))
    pulse = np.arange(len(pulses))
    if len(pulses) > most:
        pulse = np.sort(rng.choice(len(pulses), most, replace=False))
    pretrigger = find_pretrigger(pulses[pulse[:: max(1, len(pulse) // 2000)]], dataset.settings)
    measured = [_measure_block(samples, pretrigger) for samples in _blocks(pulses.samples, pulse)]
    columns: dict[str, Any] = {
        name: None if measured[0][name] is None else np.concatenate([part[name] for part in measured])
        for name in measured[0]
    }
    is_neutron = pulses.column("label")[pulse] == Label.NEUTRON
    return Quantities(pulse=pulse, is_neutron=is_neutron, pretrigger=pretrigger, **columns)


def find_pretrigger(pulses: Pulses, settings: DetectorSettings) -> Pretrigger:
    """Say which samples lie before the pulse: as the settings have it, or else as the pulses themselves show it."""
    period_ns = settings.sample_period_ns if settings.sample_period_ns is not None else pulses.sample_period_ns
    has_window = settings.baseline is not None or settings.pretrigger_ns is not None
    if has_window and period_ns is not None and settings.polarity is not None:
        known = choose_preparation(settings.merged(sample_period_ns=period_ns), n_samples=pulses.n_samples)
        return Pretrigger(
            start=known.only.baseline_start,
            stop=known.only.baseline_stop,
            polarity=known.only.polarity,
            source="settings",
        )
    return _observed_pretrigger(pulses.samples, settings)


def _observed_pretrigger(samples: NDArray[Any], settings: DetectorSettings) -> Pretrigger:
    level = np.median(samples[:, : max(1, samples.shape[1] // 20)], axis=1, keepdims=True)
    excursion = samples - level
    polarity = 1 if excursion.max(axis=1).sum() >= -excursion.min(axis=1).sum() else -1
    if settings.polarity is not None:
        polarity = 1 if settings.polarity == "positive" else -1
    upward = polarity * excursion
    highest = upward.max(axis=1, keepdims=True)
    rising = (highest > 0)[:, 0]
    onset = (upward > _ONSET_SHARE * highest).argmax(axis=1)[rising]
    # The earliest twentieth may be noise or pile-up; the margin keeps off the leading edge of the others.
    stop = int(PRETRIGGER_SHARE * np.quantile(onset, 0.05)) if len(onset) else 0
    return Pretrigger(start=0, stop=max(1, stop), polarity=polarity, source="pulses")


def _measure_block(samples: NDArray[Any], pretrigger: Pretrigger) -> dict[str, Any]:
    above, baseline = subtract_baseline(
        samples, start=pretrigger.start, stop=pretrigger.stop, polarity=pretrigger.polarity
    )
    before = samples[:, pretrigger.start : pretrigger.stop]
    time = np.arange(before.shape[1]) - (before.shape[1] - 1) / 2
    deviation = before - before.mean(axis=1, dtype=np.float64)[:, np.newaxis]
    whole = samples.dtype.kind in "iu"
    return {
        "before_adc": before.astype(np.float32),
        "baseline_adc": baseline.astype(np.float64),
        "noise_adc": deviation.std(axis=1),
        "slope_adc": deviation @ time / max(float((time**2).sum()), 1.0),
        "step_adc": common_step(samples) if whole else None,
        "step_before_adc": common_step(before) if whole else None,
        "charge_adc": above.sum(axis=1, dtype=np.float64),
        "peak_adc": above.max(axis=1).astype(np.float64),
        "crossing": constant_fraction_crossing(above, fraction=_CROSSING_FRACTION).astype(np.float64),
        "constant": (samples == samples[:, :1]).all(axis=1),
    }


def common_step(samples: NDArray[Any]) -> NDArray[np.int64]:
    """Return the greatest common divisor of the differences of each waveform's samples, 0 if all are equal.

    Parameters
    ----------
    samples : ndarray of int, shape (pulse, sample)
        As digitised.

    Returns
    -------
    ndarray of int64, shape (pulse,)
        In ADC counts: 4 where the two lowest bits never change.
    """
    differences = samples.astype(np.int64) - samples[:, :1].astype(np.int64)
    return np.asarray(np.gcd.reduce(differences, axis=1))


def _blocks(samples: NDArray[Any], pulse: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
    length = max(1, _BLOCK_SAMPLES // samples.shape[1])
    for first in range(0, len(pulse), length):
        yield samples[pulse[first : first + length]]
