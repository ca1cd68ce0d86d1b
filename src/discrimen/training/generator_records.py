"""Pulses as the network of a generator takes them: in units of their spread, with class and light behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.generator import Condition, Stabilisation
from discrimen.network.preparation import Preparation, one_channel
from discrimen.pulses import Pulses
from discrimen.pulses.rails import at_rail
from discrimen.training.channel_pulses import ChannelPulses

FEWEST = 200
"""Pulses of each class."""

_BEHIND_PEAK = 4
"""Samples: so far behind the mean peak a pulse changes slowly enough for its spread to be seen apart from its time."""

_LEFT_OUT = -1
"""Number of no class."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GeneratorRecords:
    """What is trained on, and what it was made of.

    Parameters
    ----------
    pulses : Pulses
        With the columns of the pulses given; a pulse that cannot be used has a label of no class.
    preparation : Preparation
        Of these: none, as they are prepared.
    made_from : Preparation
        Of the pulses given.
    stabilisation, condition
        See :mod:`discrimen.network.generator`.
    sample_type : str
        Of the pulses given.
    baseline_adc : ndarray of float32, shape (pulse,)
        Of each record.
    left_out : mapping of str to int
        How many pulses cannot be used, by reason.
    """

    pulses: Pulses
    preparation: Preparation
    made_from: Preparation
    stabilisation: Stabilisation
    condition: Condition
    sample_type: str
    baseline_adc: NDArray[np.float32]
    left_out: dict[str, int]


def generator_records(
    pulses: Pulses | ChannelPulses, preparation: Preparation, classes: tuple[str, ...], *, adc_bits: int | None
) -> GeneratorRecords:
    """Turn pulses of known class and light into records for a generator.

    Parameters
    ----------
    pulses : Pulses
        With the columns `label` and `energy_kevee`.
    preparation : Preparation
        Baseline, polarity and length of the records; it must be that of the whole record.
    classes : tuple of str
        By number.
    adc_bits : int or None
        Of the digitizer; pulses at an end of its range are left out.

    Raises
    ------
    SettingsError
        If the pulses are of several channels, or the preparation sees a part of the record.
    DataError
        If class or light are not known, or a class has fewer than :data:`FEWEST` usable pulses.
    """
    if isinstance(pulses, ChannelPulses) and pulses.samples.shape[1] != 1:
        raise SettingsError("a generator makes pulses of one channel: train one for each (--each-channel)")
    one = pulses.info if isinstance(pulses, ChannelPulses) else pulses
    _require_whole(one, preparation)
    light, label = one.column("energy_kevee"), _labels(one, classes)
    left_out = _leave_out(one, light, label, adc_bits)
    for number, name in enumerate(classes):
        if (count := int(np.count_nonzero(label == number))) < FEWEST:
            told = ", ".join(f"{n} {reason}" for reason, n in left_out.items() if n)
            raise DataError(
                f"a generator needs at least {FEWEST} pulses of each class, got {count} of {name}"
                + (f" (left out: {told})" if told else "")
            )
    used = label != _LEFT_OUT
    above, baseline = _above_baseline(one.samples, preparation)
    stabilisation = learn_stabilisation(above[used], light[used], label[used], preparation)
    log_light = np.log(light[used], dtype=np.float64)
    condition = Condition(classes, float(log_light.mean()), float(log_light.std()) or 1.0)
    length = preparation.window_length
    records = np.zeros((len(one), length + condition.n_values), np.float32)
    records[used, :length] = stabilisation.to_units(above[used])
    records[used, length:] = condition.rows(label[used], light[used])
    return GeneratorRecords(
        pulses=one.replace(samples=records, label=label),
        preparation=one_channel(
            sample_period_ns=preparation.sample_period_ns,
            polarity=1,
            baseline_start=0,
            baseline_stop=0,
            window_length=records.shape[1],
            scale="none",
        ),
        made_from=preparation,
        stabilisation=stabilisation,
        condition=condition,
        sample_type=str(one.samples.dtype),
        baseline_adc=baseline,
        left_out=left_out,
    )


def learn_stabilisation(
    above_adc: NDArray[np.float32], light: NDArray[Any], label: NDArray[Any], preparation: Preparation
) -> Stabilisation:
    """Learn noise, and growth of the variance with the height, from pulses of one class that are next in light.

    Half the mean square of the difference of two such pulses is the variance of a sample, where the pulse changes
    slowly: behind its peak.

    Raises
    ------
    DataError
        If the records show no noise, or no growth.
    """
    channel = preparation.only
    quiet = above_adc[:, channel.baseline_start : channel.baseline_stop]
    n_quiet = quiet.shape[1]
    noise_variance = float(np.square(quiet, dtype=np.float64).mean()) * n_quiet / max(n_quiet - 1, 1)
    peak = int(above_adc.mean(axis=0).argmax())
    tail = slice(min(peak + _BEHIND_PEAK, above_adc.shape[1] - 1), None)
    grown = height = 0.0
    for number in np.unique(label):
        inside = np.flatnonzero(label == number)
        ordered = above_adc[inside[np.argsort(light[inside], kind="stable")], tail].astype(np.float64)
        # The baseline that was subtracted has noise of its own.
        noise = noise_variance * (1 + 1 / n_quiet)
        grown += float((np.square(ordered[1:] - ordered[:-1]) / 2 - noise).sum())
        height += float(ordered.sum())
    if noise_variance <= 0:
        raise DataError(
            f"the records are the same in samples {channel.baseline_range} before every pulse: a generator needs "
            "the noise as it was recorded"
        )
    photon = grown / height if height > 0 else 0.0
    if photon <= 0:
        raise DataError(
            "the records do not fluctuate more where the pulse is higher: a generator needs pulses with the "
            "fluctuations of their light"
        )
    return Stabilisation(float(np.sqrt(noise_variance)), photon)


def _require_whole(pulses: Pulses, preparation: Preparation) -> None:
    channel = preparation.only
    if preparation.alignment is not None or channel.window_start or preparation.window_length != pulses.n_samples:
        raise SettingsError("a generator makes whole records: train without --align and --window")
    if channel.baseline_stop - channel.baseline_start < 2:
        raise SettingsError(f"a generator needs a baseline window of 2 samples and more, got {channel.baseline_range}")


def _labels(pulses: Pulses, classes: tuple[str, ...]) -> NDArray[np.int8]:
    label = pulses.column("label")
    return np.where((label >= 0) & (label < len(classes)), label, _LEFT_OUT).astype(np.int8)


def _leave_out(pulses: Pulses, light: NDArray[Any], label: NDArray[np.int8], adc_bits: int | None) -> dict[str, int]:
    """Take the class from pulses that cannot be used, and count them."""
    dark = ~(np.isfinite(light) & (light > 0))
    samples = pulses.samples
    saturated = at_rail(samples.max(axis=1), samples.min(axis=1), adc_bits=adc_bits)
    counts = {}
    for reason, bad in (("without light (energy_kevee)", dark), ("saturated", saturated)):
        if bad is not None:
            counts[reason] = int(np.count_nonzero(bad & (label != _LEFT_OUT)))
            label[bad] = _LEFT_OUT
    return counts


def _above_baseline(samples: NDArray[Any], preparation: Preparation) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    channel = preparation.only
    window = slice(channel.baseline_start, channel.baseline_stop)
    baseline = samples[:, window].mean(axis=1, dtype=np.float64).astype(np.float32)
    above = channel.polarity * (samples.astype(np.float32) - baseline[:, np.newaxis])
    return above, baseline
