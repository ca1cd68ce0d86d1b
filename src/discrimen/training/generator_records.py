"""Pulses as the network of a generator takes them: in units of their spread, with class and size behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.condition import HEIGHT, LIGHT, Condition, Size, size_of
from discrimen.network.generator import Stabilisation
from discrimen.network.preparation import Preparation, one_channel
from discrimen.network.prepare import constant_fraction_crossing
from discrimen.pulse_shape.clean_shapes import side_by_side
from discrimen.pulse_shape.single_records import piled_up
from discrimen.pulse_shape.upright import CROSSING_FRACTION, Upright
from discrimen.pulses import Pulses
from discrimen.pulses.hits import Hits
from discrimen.pulses.rails import at_rail
from discrimen.training.stabilisation import learn_stabilisation
from discrimen.training.tasks.generation import LEAST, Generation

_LEFT_OUT = -1
"""Number of no class."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GeneratorRecords:
    """What is trained on, and what it was made of.

    Parameters
    ----------
    pulses : Pulses
        With the columns of the pulses given; a pulse that cannot be used has the label -1, and without classes all
        others have 0.
    preparation : Preparation
        Of these: none, as they are prepared.
    made_from : Preparation
        Of the pulses given.
    stabilisation, condition
        See :mod:`discrimen.network.generator`.
    sample_type : str
        Of the pulses given.
    baseline_adc, size : ndarray of float32, shape (pulse,)
        Of each record: its baseline, and its light or height as the condition has it.
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
    size: NDArray[np.float32]
    left_out: dict[str, int]


def generator_records(
    pulses: Pulses | Hits, preparation: Preparation, task: Generation, *, adc_bits: int | None
) -> GeneratorRecords:
    """Turn pulses into records for a generator.

    Parameters
    ----------
    pulses : Pulses
        With the column `label` where the task has classes, and `energy_kevee` where it asks for light.
    preparation : Preparation
        Baseline, polarity and length of the records; it must be that of the whole record.
    task : Generation
        Classes, size, and how few pulses of each class will do.
    adc_bits : int or None
        Of the digitizer; pulses at an end of its range are left out.

    Raises
    ------
    SettingsError
        If the pulses are of several channels, or the preparation sees a part of the record.
    DataError
        If class or light are not known, or a class has too few usable pulses.
    """
    if isinstance(pulses, Hits) and pulses.samples.shape[1] != 1:
        raise SettingsError("a generator makes pulses of one channel: train one for each (--each-channel)")
    one = pulses.info if isinstance(pulses, Hits) else pulses
    _require_whole(one, preparation)
    known = size_of(task.size)
    size = one.column("energy_kevee") if known == LIGHT else None
    above, baseline = _above_baseline(one.samples, preparation)
    size = above.max(axis=1) if size is None else size
    label = _labels(one, task.classes)
    turned = Upright(waveforms=above, crossing=constant_fraction_crossing(above, fraction=CROSSING_FRACTION))
    left_out = _leave_out(one, size, label, adc_bits, known)
    if known == HEIGHT:
        left_out |= _leave_piled_up_out(turned, label, preparation)
    _require_enough(label, task, left_out)
    used = label != _LEFT_OUT
    # Pulses of one height that do not come at one time differ by their time most of all, which is none of their spread.
    compared = above if known == LIGHT else side_by_side(above, turned.crossing)[0]
    stabilisation = learn_stabilisation(compared[used], size[used], label[used], preparation, robust=known == HEIGHT)
    log_size = np.log(size[used], dtype=np.float64)
    condition = Condition(task.classes, float(log_size.mean()), float(log_size.std()) or 1.0, known)
    length = preparation.window_length
    records = np.zeros((len(one), length + condition.n_values), np.float32)
    records[used, :length] = stabilisation.to_units(above[used])
    records[used, length:] = condition.rows(label[used], size[used])
    return GeneratorRecords(
        pulses=one.replace(samples=records, label=label),
        preparation=_as_prepared(preparation, records.shape[1]),
        made_from=preparation,
        stabilisation=stabilisation,
        condition=condition,
        sample_type=str(one.samples.dtype),
        baseline_adc=baseline,
        size=size,
        left_out=left_out,
    )


def _as_prepared(preparation: Preparation, length: int) -> Preparation:
    return one_channel(
        sample_period_ns=preparation.sample_period_ns,
        polarity=1,
        baseline_start=0,
        baseline_stop=0,
        window_length=length,
        scale="none",
    )


def _require_enough(label: NDArray[np.int8], task: Generation, left_out: dict[str, int]) -> None:
    told = ", ".join(f"{n} {reason}" for reason, n in left_out.items() if n)
    for number, name in enumerate(task.classes or ("",)):
        if (count := int(np.count_nonzero(label == number))) >= task.fewest:
            continue
        wanted, got = ("pulses of each class", f"{count} of {name}") if task.classes else ("pulses", f"{count}")
        mend = f"; --fewest N takes fewer, {LEAST} at least, and repeats them" if count >= LEAST else ""
        raise DataError(
            f"a generator needs at least {task.fewest} {wanted}, got {got}"
            + (f" (left out: {told})" if told else "")
            + mend
        )


def _require_whole(pulses: Pulses, preparation: Preparation) -> None:
    channel = preparation.only
    if preparation.alignment is not None or channel.window_start or preparation.window_length != pulses.n_samples:
        raise SettingsError("a generator makes whole records: train without --align and --window")
    if channel.baseline_stop - channel.baseline_start < 2:
        raise SettingsError(f"a generator needs a baseline window of 2 samples and more, got {channel.baseline_range}")


def _labels(pulses: Pulses, classes: tuple[str, ...]) -> NDArray[np.int8]:
    if not classes:
        return np.zeros(len(pulses), np.int8)
    label = pulses.column("label")
    return np.where((label >= 0) & (label < len(classes)), label, _LEFT_OUT).astype(np.int8)


def _leave_out(
    pulses: Pulses, size: NDArray[Any], label: NDArray[np.int8], adc_bits: int | None, known: Size
) -> dict[str, int]:
    """Take the class from pulses that cannot be used, and count them."""
    dark = ~(np.isfinite(size) & (size > 0))
    samples = pulses.samples
    saturated = at_rail(samples.max(axis=1), samples.min(axis=1), adc_bits=adc_bits)
    counts = {}
    for reason, bad in ((f"without {known.word} ({known.name})", dark), ("saturated", saturated)):
        if bad is not None:
            counts[reason] = int(np.count_nonzero(bad & (label != _LEFT_OUT)))
            label[bad] = _LEFT_OUT
    return counts


def _leave_piled_up_out(turned: Upright, label: NDArray[np.int8], preparation: Preparation) -> dict[str, int]:
    """Take the class from records with a second pulse: by their height they would be ordinary pulses."""
    found = piled_up(turned, preparation)
    if found is None:
        return {}
    counts = {"piled up": int(np.count_nonzero(found & (label != _LEFT_OUT)))}
    label[found] = _LEFT_OUT
    return counts


def _above_baseline(samples: NDArray[Any], preparation: Preparation) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    channel = preparation.only
    window = slice(channel.baseline_start, channel.baseline_stop)
    baseline = samples[:, window].mean(axis=1, dtype=np.float64).astype(np.float32)
    above = channel.polarity * (samples.astype(np.float32) - baseline[:, np.newaxis])
    return above, baseline
