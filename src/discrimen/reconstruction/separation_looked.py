"""What a report shows of separated records: parts beside the truth by their light, and some of them to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import Reader
from discrimen.inference.base import Predictor
from discrimen.metrics import DEFAULT_ENERGY_EDGES_KEVEE, energy_bins
from discrimen.metrics.waveform_residuals import WaveformErrors, waveform_figures
from discrimen.output.ranges import FigureRange
from discrimen.output.waveform_pairs import PartedRecord
from discrimen.pulse_shape.measures import Measures, measures_of
from discrimen.pulse_shape.upright import CROSSING_FRACTION
from discrimen.pulses import Label
from discrimen.pulses.detector import GatesNs
from discrimen.pulses.side_by_side import side_by_side
from discrimen.reconstruction.parts import part_records
from discrimen.reconstruction.template_fit import better_order
from discrimen.reconstruction.whole_records import adc_bits_of
from discrimen.runs.beginning import beginning
from discrimen.runs.components import Components
from discrimen.training.tasks.separation import above_baseline

MOST_RECORDS = 20_000
"""Of each file, from its beginning."""

_CONFIDENCE = 0.95
_QUANTILES = (0.25, 0.75)
_NAMES = {int(label): label.name.lower() for label in (Label.GAMMA, Label.NEUTRON)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PartedPairs:
    """Records of two pulses that were parted; where the truth is known, those with one true pulse in each part.

    Parameters
    ----------
    position : ndarray of int64, shape (pulse,)
        Of the record in its run.
    parts_adc : ndarray of float32, shape (pulse, part, sample)
        Above the baseline, upwards, by time.
    distance_ns : ndarray of float64, shape (pulse,)
        Between the two, as found.
    true_adc : ndarray of float32, shape (pulse, part, sample), or None
        What should have come out, in the order of the parts.
    label : ndarray of int8, shape (pulse, part), or None
        True classes.
    light_kevee : ndarray of float64, shape (pulse, part), or None
        True light.
    """

    position: NDArray[np.int64]
    parts_adc: NDArray[np.float32]
    distance_ns: NDArray[np.float64]
    true_adc: NDArray[np.float32] | None = None
    label: NDArray[np.int8] | None = None
    light_kevee: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls, reader: Reader, predictor: Predictor, truth: Components | None, *, threshold: float | None
    ) -> PartedPairs:
        """Part the first records of a run; see :func:`~discrimen.reconstruction.parts.part_records`."""
        pulses = beginning(reader, MOST_RECORDS)
        parted = part_records(predictor, pulses.samples, threshold=threshold, adc_bits=adc_bits_of(reader, predictor))
        preparation = predictor.description.preparation
        at = np.flatnonzero(parted.is_pair if truth is None else parted.is_pair & truth.singles[: len(pulses)])
        own: dict[str, Any] = {
            "position": at,
            "parts_adc": parted.waves_adc[at],
            "distance_ns": np.diff(parted.crossing[at], axis=1)[:, 0].astype(np.float64) * preparation.sample_period_ns,
        }
        if truth is None:
            return cls(**own)
        wanted = above_baseline(truth.records[at], preparation)
        _, crossed = better_order(own["parts_adc"], wanted.astype(np.float64))
        order = np.where(crossed[:, np.newaxis], [1, 0], [0, 1])
        sorted_by: dict[str, Any] = {
            name: None if values is None else np.take_along_axis(values[at], order, axis=1)
            for name, values in (("label", truth.label), ("light_kevee", truth.energy_kevee))
        }
        return cls(**own, true_adc=np.take_along_axis(wanted, order[:, :, np.newaxis], axis=1), **sorted_by)

    @classmethod
    def joined(cls, several: Sequence[PartedPairs]) -> PartedPairs:
        """Return all of them; what one does not know none does."""
        columns: dict[str, Any] = {each.name: [getattr(pairs, each.name) for pairs in several] for each in fields(cls)}
        for name, found in columns.items():
            columns[name] = None if any(values is None for values in found) else np.concatenate(found)
        return cls(**columns)

    def __len__(self) -> int:
        return len(self.position)

    def shown(self) -> tuple[PartedRecord, ...]:
        """Return records to look at: a gamma before a neutron and the other order, near and far apart."""
        order = None
        if self.label is not None:
            order = np.where(self.label[:, 0] == self.label[:, 1], Label.UNKNOWN, self.label[:, 0])
        chosen: dict[int, None] = {}
        for quantile in _QUANTILES:
            found = side_by_side(self.distance_ns, order, quantile=quantile, n_unlabelled=4)
            chosen |= dict.fromkeys(each.index for each in found)
        return tuple(self._record(at) for at in chosen)

    def _record(self, at: int) -> PartedRecord:
        names = ["", ""] if self.label is None else [_NAMES.get(int(label), "") for label in self.label[at]]
        light = [""] * 2 if self.light_kevee is None else [f" {light:.3g} keVee" for light in self.light_kevee[at]]
        told = [f"{name or 'pulse'}{much}" for name, much in zip(names, light, strict=True)]
        return PartedRecord(
            title=f"{self.distance_ns[at]:.0f} ns apart (record {self.position[at]})",
            parts=(self.parts_adc[at, 0], self.parts_adc[at, 1]),
            true_parts=None if self.true_adc is None else (self.true_adc[at, 0], self.true_adc[at, 1]),
            names=(told[0], told[1]),
            class_names=(names[0], names[1]),
        )

    def by_light(self, *, sample_period_ns: float, gates: GatesNs | None) -> tuple[FigureRange, ...]:
        """Return figures of all parts, and of those in each range of true light; nothing without a truth."""
        if self.true_adc is None or not len(self):
            return ()
        errors = _errors(self.parts_adc, self.true_adc, sample_period_ns=sample_period_ns, gates=gates)
        rng = np.random.default_rng(0)

        def figures_of(name: str, at: NDArray[np.bool_]) -> FigureRange:
            found = waveform_figures(errors[at], confidence=_CONFIDENCE, rng=rng)
            return FigureRange(name=name, n_pulses=int(at.sum()), figures=found or {})

        def ranges() -> Iterator[FigureRange]:
            yield figures_of("all", np.ones(len(errors), np.bool_))
            if self.light_kevee is not None:
                for each in energy_bins(DEFAULT_ENERGY_EDGES_KEVEE):
                    if (inside := each.contains(self.light_kevee.ravel())).any():
                        yield figures_of(str(each), inside)

        return tuple(ranges())


def _errors(
    parts_adc: NDArray[np.float32], true_adc: NDArray[np.float32], *, sample_period_ns: float, gates: GatesNs | None
) -> WaveformErrors:
    """Measure each part against its true pulse."""
    given, true = (each.reshape(-1, each.shape[2]).astype(np.float64) for each in (parts_adc, true_adc))

    def measured(waves: NDArray[np.float64]) -> Measures:
        return measures_of(
            waves, sample_period_ns=sample_period_ns, fraction=CROSSING_FRACTION, gates=gates, before=slice(0, 0)
        )

    nothing = np.full(len(given), np.nan)
    with np.errstate(all="ignore"):
        found, wanted = measured(given), measured(true)
        tail = (
            nothing
            if found.tail_fraction is None or wanted.tail_fraction is None
            else (found.tail_fraction - wanted.tail_fraction)
        )
        return WaveformErrors(
            residual_square_adc2=np.square(given - true).mean(axis=1),
            reference_square_adc2=np.square(true).mean(axis=1),
            noise_square_adc2=nothing,
            input_square_adc2=np.zeros(len(given)),
            charge=found.charge_adc_ns / wanted.charge_adc_ns - 1,
            tail_fraction=tail,
            time_ns=found.time_ns - wanted.time_ns,
            input_time_ns=nothing,
        )
