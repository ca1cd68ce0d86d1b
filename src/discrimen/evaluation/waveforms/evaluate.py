"""From a model that gives a waveform, and pulses, to a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation.discriminants import light_kevee
from discrimen.evaluation.judged_selection import check_period
from discrimen.evaluation.report import NotComputed
from discrimen.evaluation.waveforms.measured import Measured, measured_by
from discrimen.evaluation.waveforms.report import ResidualShape, WaveformRange, WaveformReport
from discrimen.evaluation.waveforms.shown import View
from discrimen.inference.base import Predictor
from discrimen.metrics import DEFAULT_ENERGY_EDGES_KEVEE, EnergyBin, Leakage, energy_bins, leakage_at_efficiency
from discrimen.metrics.latents import latents_of
from discrimen.metrics.waveform_residuals import waveform_figures
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import software_versions, utc_now
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import GatesNs

EFFICIENCY = 0.95
"""Of neutrons, for the leakage of charge comparison before and after."""
_FEWEST_OF_A_CLASS = 20


def judged_by_waveform(description: ModelDescription) -> bool:
    """Whether a model is judged by its waveform: it gives one, and no classes."""
    kinds = {output.kind for output in description.outputs}
    return "waveform" in kinds and "classes" not in kinds


def evaluate_waveforms(
    predictor: Predictor,
    pulses: Pulses,
    *,
    clean: NDArray[Any] | None = None,
    gates: GatesNs | None = None,
    energy_edges_kevee: Sequence[float] = DEFAULT_ENERGY_EDGES_KEVEE,
    confidence: float = 0.95,
    seed: int = 0,
    files: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
) -> WaveformReport:
    """Judge the waveforms of a model on pulses that it has not seen.

    Pulses that do not rise above their baseline, and pulses unlike those of the training, are left out and counted.

    Parameters
    ----------
    predictor : Predictor
        Of a model of one channel that gives a waveform.
    pulses : Pulses
        Labels are not needed; where they are known, classes are distinguished.
    clean : ndarray, shape (pulse, sample), optional
        Clean records of the same pulses, in ADC counts: what should come out. By default what was recorded.
    gates : GatesNs, optional
        Of charge comparison; by default those of the model's settings, if it has some.
    energy_edges_kevee : sequence of float
        Edges of the ranges of light.
    confidence : float
        Of every interval.
    seed : int
        Of the draws behind intervals.
    files : sequence of mapping
        Name, SHA-256 and number of pulses of the files.
    notes : sequence of str
        What a reader must know besides.

    Raises
    ------
    DataError
        If no pulse can be judged, or the clean records are not of these pulses.
    SettingsError
        If the model has several channels, or the sampling period is not its own.
    """
    description = predictor.description
    _check(description, pulses, clean, confidence)
    own_gates = gates if gates is not None else description.settings.gates
    measured = measured_by(predictor, pulses.samples, clean, own_gates)
    every = np.flatnonzero(measured.kept)
    if len(every) < 2:
        raise DataError(
            f"cannot evaluate: of {len(pulses)} pulses {measured.n_unprepared} do not rise above their baseline and "
            f"{measured.n_outside} are unlike those of the training"
        )
    light, source = light_kevee(
        pulses, calibration=description.settings.calibration, preparation=description.preparation, gates=own_gates
    )
    bins: tuple[EnergyBin | None, ...] = (None,) if light is None else (None, *energy_bins(energy_edges_kevee))
    members = [every if each is None or light is None else every[each.contains(light[every])] for each in bins]
    ranges = _Ranges(measured, pulses.label, confidence, np.random.default_rng(seed))
    latents = None
    if measured.code is not None:
        latents = latents_of(measured.code[every], None if pulses.label is None else pulses.label[every])
    view = View(predictor=predictor, pulses=pulses, clean=clean, light_kevee=light, measured=measured)
    return WaveformReport(
        model={"backend": predictor.backend, **description.as_dict()},
        files=tuple(dict(file) for file in files),
        reference="recorded" if clean is None else "clean",
        confidence=confidence,
        energy_source=source,
        n_pulses=len(pulses),
        n_unprepared=measured.n_unprepared,
        n_outside=measured.n_outside,
        ranges=tuple(ranges.one(energy, places) for energy, places in zip(bins, members, strict=True)),
        residual_shape=_residual_shape(measured, len(every)),
        sample_period_ns=description.preparation.sample_period_ns,
        latents=latents,
        plane=None if latents is None else view.plane(latents, every),
        pulses=view.pulses_of_both_classes(every),
        worst=view.worst(members[1:] or members),
        notes=(*notes, *_notes(source, own_gates, measured)),
        created_utc=utc_now(),
        software=software_versions("numpy", "scipy"),
    )


def _check(description: ModelDescription, pulses: Pulses, clean: NDArray[Any] | None, confidence: float) -> None:
    if not 0 < confidence < 1:
        raise SettingsError(f"confidence must lie between 0 and 1, got {confidence:g}")
    n_channels = description.preparation.n_channels
    if n_channels != 1:
        raise SettingsError(f"waveforms of models of one channel are judged, this one has {n_channels}")
    check_period(pulses, description.preparation)
    if clean is not None and clean.shape != pulses.samples.shape:
        raise DataError(
            f"the clean records must have the shape of the pulses {pulses.samples.shape}, got {clean.shape}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Ranges:
    measured: Measured
    label: NDArray[np.int8] | None
    confidence: float
    rng: np.random.Generator

    def one(self, energy: EnergyBin | None, places: NDArray[np.intp]) -> WaveformRange:
        """Judge the pulses at some places."""
        figures = waveform_figures(self.measured.errors[places], confidence=self.confidence, rng=self.rng)
        return WaveformRange(
            energy=energy,
            n_pulses=len(places),
            figures=NotComputed(f"{len(places)} pulses are too few") if figures is None else figures,
            leakage_before=self._leakage(self.measured.tail_before, places),
            leakage_after=self._leakage(self.measured.tail_after, places),
        )

    def _leakage(self, tail: NDArray[np.float64], places: NDArray[np.intp]) -> Leakage | NotComputed:
        if self.label is None:
            return NotComputed("the pulses have no labels")
        if not np.isfinite(tail[places]).any():
            return NotComputed("no tail fraction is known")
        chosen = places[np.isin(self.label[places], (Label.GAMMA, Label.NEUTRON))]
        labels = self.label[chosen]
        if min(np.count_nonzero(labels == kind) for kind in (Label.GAMMA, Label.NEUTRON)) < _FEWEST_OF_A_CLASS:
            return NotComputed(f"fewer than {_FEWEST_OF_A_CLASS} pulses of a class")
        return leakage_at_efficiency(tail[chosen], labels, efficiency=EFFICIENCY, confidence=self.confidence)


def _residual_shape(measured: Measured, n_pulses: int) -> ResidualShape:
    return ResidualShape(
        mean_adc=measured.residual_sum / n_pulses, rms_adc=np.sqrt(measured.residual_square_sum / n_pulses)
    )


def _notes(source: str | NotComputed, gates: GatesNs | None, measured: Measured) -> list[str]:
    told = []
    if measured.n_outside:
        told.append(f"{measured.n_outside} pulses are unlike those of the training and are left out")
    if measured.n_unprepared:
        told.append(f"{measured.n_unprepared} pulses have no rise above the baseline, or no waveform, and are left out")
    if isinstance(source, NotComputed):
        told.append(source.not_computed)
    if gates is None:
        told.append("no gates are known: charges are those of the whole window, and there is no tail fraction")
    told.append("intervals count pulses, as if each had come by itself; runs that differ are not seen in them")
    return told
