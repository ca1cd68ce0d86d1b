"""Evaluation: a trained network beside the classic methods and the photon-level bound, on labelled pulses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.evaluation.histograms import Decision, psd_map, score_histogram
from discrimen.evaluation.judged_selection import check_period, judged_data, judged_selection, tuning_selection
from discrimen.evaluation.measured_light import measured_light
from discrimen.evaluation.method_scores import Selection, Task, classic_tuning, method_scores
from discrimen.evaluation.operating_point import OperatingPoint
from discrimen.evaluation.ranges import judge, network_calibration, operating_points, over_network, too_few
from discrimen.evaluation.report import BinReport, MethodResult, NotComputed, Report, computed, if_computed
from discrimen.evaluation.report_parts import LossCurve, PsdMap
from discrimen.evaluation.worst import worst_pulses
from discrimen.inference.base import Predictor
from discrimen.metrics import (
    DEFAULT_ENERGY_EDGES_KEVEE,
    FIGURE_OF_MERIT_DEFINITION,
    EnergyBin,
    Intervals,
    energy_bins,
    intervals_for,
)
from discrimen.network.domain import OutsideTally
from discrimen.network.domain import outside as outside_of
from discrimen.network.height_curve import thresholds_of
from discrimen.output.provenance import software_versions, utc_now
from discrimen.pulse_shape.charge import PSD_DEFINITION
from discrimen.pulse_shape.upright import charges_of, crossing_fraction
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import GatesNs
from discrimen.training.extension import extended_note

EVEN_NAME = "even"
"""Name of the threshold of 0.5."""


def evaluate(
    predictor: Predictor,
    pulses: Pulses,
    *,
    gates: GatesNs | None = None,
    tuning: Pulses | None = None,
    energy_edges_kevee: Sequence[float] = DEFAULT_ENERGY_EDGES_KEVEE,
    efficiencies: Sequence[float] = (0.90, 0.95, 0.99),
    confidence: float = 0.95,
    seed: int = 0,
    files: Sequence[Mapping[str, Any]] = (),
    loss: LossCurve | NotComputed | None = None,
) -> Report:
    """Judge a trained network on labelled pulses that it has not seen, together with charge comparison.

    Charge comparison uses the model's baseline window and polarity on the full record. Its nominal gates are those
    given, or else those of the model's settings. Its best gates are searched again for each range of energy on the
    tuning pulses, so that the network meets the strongest charge comparison everywhere; so are linear filter, pulse
    gradient, frequency gradient and the templates of the likelihood ratio. The boosted tree is trained on the tuning
    pulses, once.

    Parameters
    ----------
    predictor : Predictor
        The trained network.
    pulses : Pulses
        With the column label; pulses of unknown label are left out. Of one class alone, only what thresholds on the
        network's score do to it is computed. Energies come from the column energy_kevee, or
        from the calibration in the model's settings; without either there are no energy bins.
    gates : GatesNs, optional
        Nominal gates in ns relative to the constant-fraction crossing.
    tuning : Pulses, optional
        Other labelled pulses of the same detector, for example those of the training; without them only nominal gates.
    energy_edges_kevee : sequence of float
        Edges of the energy bins.
    efficiencies : sequence of float
        Neutron efficiencies at which the gamma leakage is wanted.
    confidence : float
        Of every interval.
    seed : int
        Chooses among the tuning pulses where there are more than needed, and draws for intervals.
    files : sequence of mapping
        Name, SHA-256 and number of pulses of the files of these pulses, see :class:`~discrimen.runs.dataset.Dataset`;
        each is a run of its own, or several if there is a column run.
    loss : LossCurve or NotComputed, optional
        Of the training, for the report.

    Returns
    -------
    Report
        All results as data.

    Raises
    ------
    DataError
        If labels are missing or unknown all over, records are too short, or the tuning pulses are the evaluation
        pulses.
    SettingsError
        If the sampling period is unknown or not the model's, or an efficiency does not lie between 0 and 1.
    """
    description = predictor.description
    _check_shares(*efficiencies, confidence)
    check_period(pulses, description.preparation)
    notes: list[str] = []
    nominal_gates = gates if gates is not None else description.settings.gates
    selection, energy_source = judged_selection(predictor, pulses, nominal_gates, notes, files)
    rng = np.random.default_rng(seed)
    tuned_on = None if tuning is None else tuning_selection(predictor, tuning, pulses, nominal_gates, notes)
    task = Task(
        preparation=description.preparation,
        thresholds={EVEN_NAME: 0.5, **description.thresholds},
        gates=nominal_gates,
        tuning=tuned_on,
        classic=None if tuned_on is None else classic_tuning(tuned_on, description.preparation, rng=rng, seed=seed),
        efficiencies=tuple(efficiencies),
        confidence=confidence,
        rng=rng,
    )
    overall = _range_report(selection, task, energy=None)
    notes.append(_interval_note(selection, overall))
    bins = _bin_reports(selection, task, energy_bins(energy_edges_kevee), notes)
    notes.extend(_zero_note((overall, *bins), confidence))
    if (thinned := extended_note(description.provenance)) is not None:
        notes.append(thinned)
    outside = _outside(predictor, selection.pulses)
    if isinstance(outside, OutsideTally) and (warning := outside.warning()) is not None:
        notes.append(warning)
    return Report(
        model={"backend": predictor.backend, **description.as_dict()},
        confidence=confidence,
        efficiencies=task.efficiencies,
        seed=seed,
        energy_source=energy_source,
        crossing_fraction=crossing_fraction(description.preparation),
        overall=overall,
        bins=bins,
        score_histogram=score_histogram(selection.network, selection.labels),
        psd_map=_psd_map(selection, task, overall),
        data=judged_data(selection, files, n_unlabelled=len(pulses) - len(selection.labels)),
        loss_curve=NotComputed("no history of the training was given") if loss is None else loss,
        worst_pulses=worst_pulses(
            selection.pulses,
            selection.network,
            light_kevee=selection.energy_kevee,
            runs=[selection.run_names[run] for run in selection.run],
            preparation=description.preparation,
        ),
        notes=tuple(notes),
        psd_definition=PSD_DEFINITION,
        figure_of_merit_definition=FIGURE_OF_MERIT_DEFINITION,
        created_utc=utc_now(),
        software=software_versions("numpy", "scipy"),
        measured=measured_light(
            selection,
            description,
            lambda inside: _points(selection, task, inside),
            gates=nominal_gates,
            energy_edges_kevee=energy_edges_kevee,
        ),
        outside=outside.as_dict() if isinstance(outside, OutsideTally) else outside,
    )


def _outside(predictor: Predictor, pulses: Pulses) -> OutsideTally | NotComputed:
    domain, preparation = predictor.description.domain, predictor.description.preparation
    if domain is None:
        return NotComputed("the model does not know what pulses it has seen")
    tally = OutsideTally(domain, preparation)
    tally.add(pulses.samples, outside_of(pulses.samples, preparation, domain))
    return tally


def _check_shares(*shares: float) -> None:
    for share in shares:
        if not 0 < share < 1:
            raise SettingsError(f"efficiencies and confidence must lie between 0 and 1, got {share:g}")


def _bin_reports(
    selection: Selection, task: Task, bins: tuple[EnergyBin, ...], notes: list[str]
) -> tuple[BinReport, ...]:
    if selection.energy_kevee is None:
        return ()
    outside = len(selection.labels) - sum(int(energy.contains(selection.energy_kevee).sum()) for energy in bins)
    if outside:
        notes.append(
            f"{outside} of {len(selection.labels)} pulses lie outside {bins[0].low_kevee:g}-{bins[-1].high_kevee:g} "
            "keVee and count only for all energies"
        )
    return tuple(_range_report(selection, task, energy=energy) for energy in bins)


def _range_report(selection: Selection, task: Task, *, energy: EnergyBin | None) -> BinReport:
    inside = np.ones(len(selection.labels), dtype=np.bool_)
    if energy is not None and selection.energy_kevee is not None:
        inside = energy.contains(selection.energy_kevee)
    labels, scores = selection.labels[inside], selection.network[inside]
    reason = too_few(labels)
    intervals = intervals_for(selection.run[inside], labels, confidence=task.confidence, rng=task.rng)
    found = method_scores(selection, task, inside, energy, skip=reason)
    methods = {
        name: method
        if isinstance(method, NotComputed)
        else judge(method, labels, efficiencies=task.efficiencies, intervals=intervals)
        for name, method in found.items()
    }
    return BinReport(
        energy=energy,
        n_gamma=int(np.count_nonzero(labels == Label.GAMMA)),
        n_neutron=int(np.count_nonzero(labels == Label.NEUTRON)),
        methods=methods,
        leakage_over_network=over_network(found, labels, efficiencies=task.efficiencies, intervals=intervals),
        calibration=reason
        if reason is not None
        else if_computed(network_calibration, scores, labels, logits=selection.logits[inside], intervals=intervals),
        operating_points=_points(selection, task, inside, intervals),
        n_runs_drawn=intervals.n_runs,
    )


def _points(
    selection: Selection, task: Task, inside: NDArray[np.bool_], intervals: Intervals | None = None
) -> tuple[OperatingPoint, ...]:
    """Say what each threshold does to the pulses of a range."""
    scores, labels = selection.network[inside], selection.labels[inside]
    heights = None if selection.height_adc is None else selection.height_adc[inside]
    if intervals is None:
        intervals = intervals_for(selection.run[inside], labels, confidence=task.confidence, rng=task.rng)
    thresholds = {name: thresholds_of(cut, heights, n_pulses=len(labels)) for name, cut in task.thresholds.items()}
    return operating_points(scores, labels, thresholds=thresholds, intervals=intervals)


def _psd_map(selection: Selection, task: Task, overall: BinReport) -> PsdMap | NotComputed:
    best = overall.methods["charge_best"]
    if selection.nominal is not None and task.gates is not None:
        method, gates, charges = "charge_nominal", task.gates, selection.nominal
    elif isinstance(best, MethodResult) and best.gates is not None:
        method, gates = "charge_best", best.gates
        charges = charges_of(selection.pulses, task.preparation, gates)
    else:
        return NotComputed("neither nominal nor best gates")
    name = next((name for name in task.thresholds if name != EVEN_NAME), EVEN_NAME)
    threshold = task.thresholds[name]
    each = thresholds_of(threshold, selection.height_adc, n_pulses=len(selection.labels))
    return psd_map(
        charges,
        selection.labels,
        energy_kevee=selection.energy_kevee,
        method=method,
        gates=gates,
        decision=Decision(is_neutron=selection.network >= each, threshold=threshold, name=name),
    )


def _interval_note(selection: Selection, overall: BinReport) -> str:
    """Say what the intervals count."""
    if overall.n_runs_drawn is not None:
        return (
            f"intervals count {overall.n_runs_drawn} runs, resampled as a whole, and never narrower than those that "
            "count pulses; those of reliability curve, calibration error and figure of merit count pulses"
        )
    n_runs = len(np.unique(selection.run))
    few = "there is one run" if n_runs == 1 else f"{n_runs} runs are too few to tell how runs differ"
    return f"intervals count pulses ({few}): differences between runs are not in them"


def _zero_note(ranges: Sequence[BinReport], confidence: float) -> Iterator[str]:
    """Say what stands behind a leakage of 0, where there is one."""
    found = [each for part in ranges for result in part.computed().values() for each in computed(result.leakages)]
    if any(each.n_gamma_passing == 0 for each in found):
        yield (
            "a leakage of 0 means that none of the gammas passed: what is known is its limit, the upper end of the "
            f"interval, which the true leakage exceeds with a probability of {(1 - confidence) / 2:.3g} (at 95 % about "
            "2.5 / n for n gammas that count each by itself)"
        )
