"""Records taken apart by a network: one pulse, two with a waveform each, or what cannot be taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.inference.base import Predictor
from discrimen.network.domain import outside
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output
from discrimen.network.part_template import PartTemplate
from discrimen.network.prepare import constant_fraction_crossing, prepare
from discrimen.pulse_shape.apart import fit_apart, in_time, share_out
from discrimen.pulse_shape.template import Template
from discrimen.pulse_shape.upright import CROSSING_FRACTION
from discrimen.pulses.rails import at_rail
from discrimen.training.tasks.separation import MORE, N_PARTS, PAIR, PARTS, PILE_UP, SINGLE

DEFAULT_THRESHOLD = 0.5
"""Probability of a single pulse from which on a record is one, where the model stores no other."""


class Kind(IntEnum):
    """What a record is; the first that holds, in this order from UNPREPARED on."""

    SINGLE = 0
    PAIR = 1
    UNPREPARED = 2
    SATURATED = 3
    MORE = 4
    UNCLEAR = 5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Parted:
    """Records taken apart.

    Parameters
    ----------
    kind : ndarray of int8, shape (pulse,)
        Values of :class:`Kind`: no pulse above the baseline; cut off by the ADC; more than two pulses; two of which one
        has no leading edge.
    waves_adc : ndarray of float32, shape (pulse, part, sample)
        The two parts by time, above the baseline, upwards; their sum is the record. They mean something in pairs only.
    crossing : ndarray of float32, shape (pulse, part)
        Constant-fraction crossing of each, in samples; of single pulses that of the record, and NaN.
    baseline_adc : ndarray of float64, shape (pulse,)
        Of the record.
    single : ndarray of float32, shape (pulse,)
        Probability that there is one pulse.
    outside : ndarray of uint16, shape (pulse,), or None
        See :class:`~discrimen.inference.base.Judgement`.
    """

    kind: NDArray[np.int8]
    waves_adc: NDArray[np.float32]
    crossing: NDArray[np.float32]
    baseline_adc: NDArray[np.float64]
    single: NDArray[np.float32]
    outside: NDArray[np.uint16] | None

    @property
    def is_pair(self) -> NDArray[np.bool_]:
        """Records of two pulses that were parted, shape (pulse,)."""
        return np.asarray(self.kind == Kind.PAIR)


def require_separator(description: ModelDescription) -> tuple[int, int]:
    """Return the positions of the parts and of pile-up among the outputs of a model.

    Raises
    ------
    SettingsError
        If the model does not separate, or its window is not the record itself.
    """
    places = {output.name: number for number, output in enumerate(description.outputs)}
    given = ", ".join(f"{output.name} ({output.kind})" for output in description.outputs)
    if not {PARTS, PILE_UP} <= set(places) or description.outputs[places[PILE_UP]].names != (SINGLE, PAIR, MORE):
        raise SettingsError(f"this model does not separate pulses (it gives {given}): train with --task separation")
    preparation = description.preparation
    wanted = (N_PARTS, preparation.window_length)
    if description.outputs[places[PARTS]].shape != wanted or preparation.n_channels != 1:
        raise SettingsError(f"the parts must have the shape {wanted}, got {description.outputs[places[PARTS]].shape}")
    if preparation.alignment is not None or preparation.only.window_start:
        raise SettingsError("the window of this model is a part of the record: train without --align and --window")
    return places[PARTS], places[PILE_UP]


def single_threshold(output: Output) -> float:
    """Return the probability of a single pulse from which on a record counts as one."""
    known = output.thresholds.get(SINGLE)
    return DEFAULT_THRESHOLD if known is None or not isinstance(known.value, float) else known.value


def part_records(
    predictor: Predictor, samples: NDArray[Any], *, threshold: float | None = None, adc_bits: int | None = None
) -> Parted:
    """Take records apart.

    Parameters
    ----------
    predictor : Predictor
        Of a model of the task separation.
    samples : ndarray, shape (pulse, sample)
        As digitised.
    threshold : float, optional
        Probability of a single pulse from which on a record is one; by default that of the model; 1: no record is.
    adc_bits : int, optional
        Of the digitizer, to know cut-off pulses by.

    Raises
    ------
    SettingsError
        If the model does not separate.
    """
    description = predictor.description
    at_parts, at_scores = require_separator(description)
    preparation = description.preparation
    outputs = predictor.run(samples)
    prepared = prepare(samples, preparation)
    divisor = prepared.restoration.divisor.astype(np.float32)[:, np.newaxis, np.newaxis]
    record_adc = prepared.waveforms * divisor
    given = outputs[at_parts].reshape(len(samples), N_PARTS, -1) * divisor
    valid = prepared.valid & np.isfinite(given).all(axis=(1, 2))
    given = np.where(valid[:, np.newaxis, np.newaxis], given, np.float32(0))
    waves_adc, crossing = _parted(given, record_adc[:, 0], description.part_template)
    scores = outputs[at_scores]
    threshold = single_threshold(description.outputs[at_scores]) if threshold is None else threshold
    saturated = at_rail(samples.max(axis=1), samples.min(axis=1), adc_bits=adc_bits)
    single = (scores[:, 0] >= threshold) & (threshold < 1)
    kind = np.full(len(samples), Kind.PAIR, dtype=np.int8)
    kind[~np.isfinite(crossing).all(axis=1)] = Kind.UNCLEAR
    kind[scores[:, 2] > scores[:, 1]] = Kind.MORE
    kind[single] = Kind.SINGLE
    crossing[single, 1] = np.nan
    crossing[single, 0] = constant_fraction_crossing(record_adc[single, 0], fraction=CROSSING_FRACTION)
    if saturated is not None:
        kind[saturated] = Kind.SATURATED
    kind[~valid] = Kind.UNPREPARED
    domain = description.domain
    return Parted(
        kind=kind,
        waves_adc=waves_adc,
        crossing=crossing,
        baseline_adc=prepared.restoration.baseline_adc[:, 0],
        single=scores[:, 0],
        outside=None if domain is None else outside(samples, preparation, domain),
    )


def _parted(
    given: NDArray[np.float32], records: NDArray[np.float32], template: PartTemplate | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the parts by time, whose sum is the record, with their crossings; those that lie apart are fitted."""
    crossing, parts, given = in_time(share_out(given, records), given)
    if template is None:
        return parts, crossing
    apart = np.flatnonzero(crossing[:, 1] - crossing[:, 0] >= template.least_distance)
    fitted = fit_apart(Template(np.array(template.values)), records[apart], given[apart], crossing[apart])
    taken = fitted.distance >= template.least_distance
    parts[apart[taken]] = fitted.parts[taken]
    crossing, parts = in_time(parts)
    return parts, crossing
