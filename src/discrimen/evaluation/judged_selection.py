"""The pulses under evaluation and those to tune on, each with what is known of it before ranges are cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isclose
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation.discriminants import light_kevee, neutron_scores, spectra_distance
from discrimen.evaluation.method_scores import Selection
from discrimen.evaluation.ranges import too_few
from discrimen.evaluation.report import NotComputed
from discrimen.evaluation.report_parts import JudgedData, JudgedRun
from discrimen.evaluation.tuning import TUNED_EFFICIENCY, TuningSelection
from discrimen.inference.base import Predictor
from discrimen.metrics import neutron_logits
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import heights_of
from discrimen.output.provenance import waveform_digests
from discrimen.pulse_shape.upright import charges_of
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import GatesNs
from discrimen.runs.dataset import runs_of


def check_period(pulses: Pulses, preparation: Preparation) -> None:
    """Refuse pulses of another sampling period than the model's.

    Raises
    ------
    SettingsError
        If so, or if it is unknown.
    """
    period_ns = pulses.require_sample_period_ns()
    if not isclose(period_ns, preparation.sample_period_ns, rel_tol=1e-6):
        raise SettingsError(
            f"the model was trained at {preparation.sample_period_ns:g} ns a sample, these pulses have {period_ns:g} ns"
        )


def judged_selection(
    predictor: Predictor,
    pulses: Pulses,
    gates: GatesNs | None,
    notes: list[str],
    files: Sequence[Mapping[str, Any]],
) -> tuple[Selection, str | NotComputed]:
    """Score the labelled pulses, and find their light, charges and runs; return also where the light comes from.

    Parameters
    ----------
    predictor, pulses, gates, files
        As in :func:`discrimen.evaluation.evaluate`.
    notes : list of str
        Grows by what a reader must know.

    Raises
    ------
    DataError
        If no pulse has a label, or records are too short.
    """
    known = pulses.labelled()
    if not len(known):
        raise DataError(f"cannot evaluate: of {len(pulses)} pulses none has a label; score them with 'classify'")
    if len(known) < len(pulses):
        notes.append(f"{len(pulses) - len(known)} of {len(pulses)} pulses have no known label and are left out")
    labels: NDArray[np.int8] = known.column("label")
    reason = too_few(labels)
    if reason is not None:
        notes.append(f"{reason.not_computed}; only thresholds on the network's score are judged")
    description = predictor.description
    preparation = description.preparation
    energy_kevee, source = _light_kevee(known, description, gates)
    if isinstance(source, NotComputed):
        notes.append(source.not_computed)
    distance = None
    if energy_kevee is not None and known.photon_llr is not None and reason is None:
        distance = spectra_distance(energy_kevee, labels)
    if distance is not None:
        notes.append(
            f"the light spectra of the classes differ (by up to {distance:.2g} in cumulative share), which the "
            "photon-level bound, taken at the true light of each pulse, does not count: trust it in narrow bins only"
        )
    scores = predictor.predict(known.samples)
    run, run_names = _runs(pulses, files)
    selection = Selection(
        pulses=known,
        labels=labels,
        energy_kevee=energy_kevee,
        height_adc=heights_of(known.samples, preparation) if preparation.n_channels == 1 else None,
        network=neutron_scores(scores, n_pulses=len(known), neutron_class=description.neutron_class),
        logits=neutron_logits(scores, neutron_class=description.neutron_class),
        nominal=None if gates is None else charges_of(known, preparation, gates),
        run=run[pulses.column("label") != Label.UNKNOWN],
        run_names=run_names,
    )
    return selection, source


def _runs(pulses: Pulses, files: Sequence[Mapping[str, Any]]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the position of the run of each pulse, and the names of the runs."""
    runs = runs_of(pulses, files)
    position = np.zeros(len(pulses), dtype=np.int64)
    for number, run in enumerate(runs):
        position[run.pulse] = number
    return position, tuple(run.name for run in runs)


def judged_data(selection: Selection, files: Sequence[Mapping[str, Any]], *, n_unlabelled: int) -> JudgedData:
    """Say what was judged: runs with their counts, files, and how many pulses were left out."""
    counts = {
        label: np.bincount(selection.run[selection.labels == label], minlength=len(selection.run_names))
        for label in (Label.GAMMA, Label.NEUTRON)
    }
    runs = tuple(
        JudgedRun(name=name, n_gamma=int(counts[Label.GAMMA][run]), n_neutron=int(counts[Label.NEUTRON][run]))
        for run, name in enumerate(selection.run_names)
    )
    return JudgedData(runs=runs, files=tuple(dict(file) for file in files), n_unlabelled=n_unlabelled)


def tuning_selection(
    predictor: Predictor, tuning: Pulses, evaluated: Pulses, gates: GatesNs | None, notes: list[str]
) -> TuningSelection:
    """Find the light of the tuning pulses, those that are judged left out.

    Parameters
    ----------
    predictor, tuning, gates
        As in :func:`discrimen.evaluation.evaluate`.
    evaluated : Pulses
        Those that must not be among them.
    notes : list of str
        Grows by what a reader must know.

    Raises
    ------
    DataError
        If all pulses are among those of the evaluation.
    """
    judged_too = np.isin(waveform_digests(tuning.samples), waveform_digests(evaluated.samples))
    if judged_too.all():
        raise DataError("gates and classic methods must be tuned on other pulses than those of the evaluation")
    check_period(tuning, predictor.description.preparation)
    if judged_too.any():
        notes.append(
            f"{np.count_nonzero(judged_too)} of {len(judged_too)} tuning pulses are also among those judged and are "
            "left out of the tuning"
        )
        tuning = tuning[~judged_too]
    known = tuning.labelled()
    energy_kevee, _ = _light_kevee(known, predictor.description, gates)
    notes.append(
        f"best gates, linear filter, gradients and templates: least leakage at {TUNED_EFFICIENCY:.0%} neutron "
        f"efficiency, tuned for each range of energy among {len(known)} tuning pulses; the boosted tree is trained on "
        "them; tree and templates see the height of the pulse, so that a difference of the classes' spectra helps them"
    )
    return TuningSelection(pulses=known, energy_kevee=energy_kevee)


def _light_kevee(
    pulses: Pulses, description: ModelDescription, gates: GatesNs | None
) -> tuple[NDArray[np.float64] | None, str | NotComputed]:
    # A calibration in charge belongs to the gates that stand beside it, not to those that are being judged.
    own_gates = description.settings.gates if description.settings.gates is not None else gates
    return light_kevee(
        pulses, calibration=description.settings.calibration, preparation=description.preparation, gates=own_gates
    )
