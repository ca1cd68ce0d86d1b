"""Evaluation: a trained network beside the classic methods and the photon-level bound, on labelled pulses."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

import numpy as np
from numpy.typing import NDArray

from discrimen.charge import PSD_DEFINITION
from discrimen.detector import GatesNs
from discrimen.errors import DataError, SettingsError
from discrimen.evaluation.candidates import Sample, Task, candidates, classic_tuning
from discrimen.evaluation.discriminants import (
    charges_of,
    crossing_fraction,
    light_kevee,
    neutron_scores,
    spectra_distance,
)
from discrimen.evaluation.histograms import psd_map, score_histogram
from discrimen.evaluation.ranges import judge, network_calibration, over_network, too_few
from discrimen.evaluation.report import BinReport, Calibration, MethodResult, NotComputed, PsdMap, Report
from discrimen.evaluation.tuning import TUNED_EFFICIENCY, TuningSample
from discrimen.inference.base import Predictor
from discrimen.metrics import (
    DEFAULT_ENERGY_EDGES_KEVEE,
    FIGURE_OF_MERIT_DEFINITION,
    EnergyBin,
    energy_bins,
    neutron_logits,
)
from discrimen.provenance import software_versions, utc_now
from discrimen.pulses import Label, Pulses
from discrimen.spec.model_spec import ModelSpec
from discrimen.spec.preparation import Preparation


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
) -> Report:
    """Judge a trained network on labelled pulses that it has not seen, charge comparison beside it.

    Charge comparison uses the model's baseline window and polarity on the full record. Its nominal gates are those
    given, or else those of the model's settings. Its best gates are searched anew for each range of energy on the
    tuning pulses, so that the network meets the strongest charge comparison everywhere; so are linear filter, pulse
    gradient and frequency gradient. The boosted tree is trained on the tuning pulses, once.

    Parameters
    ----------
    predictor : Predictor
        The trained network.
    pulses : Pulses
        With the column label; pulses of unknown label are left out. Energies come from the column energy_kevee, or
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
        Chooses among the tuning pulses where there are more than needed.

    Returns
    -------
    Report
        All results as data.

    Raises
    ------
    DataError
        If labels are missing, a class is nearly absent, records are too short, or the tuning pulses are the
        evaluation pulses.
    SettingsError
        If the sampling period is unknown or not the model's, or an efficiency does not lie between 0 and 1.
    """
    spec = predictor.spec
    _check_shares(*efficiencies, confidence)
    _check_period(pulses, spec.preparation)
    notes: list[str] = []
    nominal_gates = gates if gates is not None else spec.settings.gates
    sample, energy_source = _sample(predictor, pulses, nominal_gates, notes)
    rng = np.random.default_rng(seed)
    tuning_sample = None if tuning is None else _tuning_sample(predictor, tuning, pulses, nominal_gates, notes)
    task = Task(
        preparation=spec.preparation,
        thresholds=spec.thresholds,
        gates=nominal_gates,
        tuning=tuning_sample,
        classic=None if tuning_sample is None else classic_tuning(tuning_sample, spec.preparation, rng=rng, seed=seed),
        efficiencies=tuple(efficiencies),
        confidence=confidence,
        rng=rng,
    )
    overall = _range_report(sample, task, energy=None)
    return Report(
        model={"backend": predictor.backend, **spec.as_dict()},
        confidence=confidence,
        efficiencies=task.efficiencies,
        seed=seed,
        energy_source=energy_source,
        crossing_fraction=crossing_fraction(spec.preparation),
        overall=overall,
        bins=_bin_reports(sample, task, energy_bins(energy_edges_kevee), notes),
        score_histogram=score_histogram(sample.network, sample.labels),
        psd_map=_psd_map(sample, task, overall),
        notes=tuple(notes),
        psd_definition=PSD_DEFINITION,
        figure_of_merit_definition=FIGURE_OF_MERIT_DEFINITION,
        created_utc=utc_now(),
        software=software_versions("numpy", "scipy"),
    )


def _check_shares(*shares: float) -> None:
    for share in shares:
        if not 0 < share < 1:
            raise SettingsError(f"efficiencies and confidence must lie between 0 and 1, got {share:g}")


def _check_period(pulses: Pulses, preparation: Preparation) -> None:
    period_ns = pulses.require_sample_period_ns()
    if not isclose(period_ns, preparation.sample_period_ns, rel_tol=1e-6):
        raise SettingsError(
            f"the model was trained at {preparation.sample_period_ns:g} ns a sample, these pulses have {period_ns:g} ns"
        )


def _sample(
    predictor: Predictor, pulses: Pulses, gates: GatesNs | None, notes: list[str]
) -> tuple[Sample, str | NotComputed]:
    known = pulses.labelled()
    if len(known) < len(pulses):
        notes.append(f"{len(pulses) - len(known)} of {len(pulses)} pulses have no known label and are left out")
    labels: NDArray[np.int8] = known.column("label")
    reason = too_few(labels)
    if reason is not None:
        raise DataError(f"cannot evaluate: {reason.not_computed}")
    spec = predictor.spec
    energy_kevee, source = _light_kevee(known, spec, gates)
    if isinstance(source, NotComputed):
        notes.append(source.not_computed)
    distance = None if energy_kevee is None or known.photon_llr is None else spectra_distance(energy_kevee, labels)
    if distance is not None:
        notes.append(
            f"the light spectra of the classes differ (by up to {distance:.2g} in cumulative share), which the "
            "photon-level bound, taken at the true light of each pulse, does not count: trust it in narrow bins only"
        )
    scores = predictor.predict(known.samples)
    sample = Sample(
        pulses=known,
        labels=labels,
        energy_kevee=energy_kevee,
        network=neutron_scores(scores, n_pulses=len(known), neutron_class=spec.neutron_class),
        logits=neutron_logits(scores, neutron_class=spec.neutron_class),
        nominal=None if gates is None else charges_of(known, spec.preparation, gates),
    )
    return sample, source


def _tuning_sample(
    predictor: Predictor, tuning: Pulses, evaluated: Pulses, gates: GatesNs | None, notes: list[str]
) -> TuningSample:
    if tuning is evaluated or np.array_equal(tuning.samples, evaluated.samples):
        raise DataError("gates and classic methods must be tuned on other pulses than those of the evaluation")
    _check_period(tuning, predictor.spec.preparation)
    known = tuning.labelled()
    energy_kevee, _ = _light_kevee(known, predictor.spec, gates)
    notes.append(
        f"best gates, linear filter and gradients: least leakage at {TUNED_EFFICIENCY:.0%} neutron efficiency, tuned "
        f"for each range of energy among {len(known)} tuning pulses; the boosted tree is trained on them and sees the "
        "height of the pulse, so that a difference of the classes' spectra helps it"
    )
    return TuningSample(pulses=known, energy_kevee=energy_kevee)


def _light_kevee(
    pulses: Pulses, spec: ModelSpec, gates: GatesNs | None
) -> tuple[NDArray[np.float64] | None, str | NotComputed]:
    # A calibration in charge belongs to the gates that stand beside it, not to those that are being judged.
    own_gates = spec.settings.gates if spec.settings.gates is not None else gates
    return light_kevee(pulses, calibration=spec.settings.calibration, preparation=spec.preparation, gates=own_gates)


def _bin_reports(sample: Sample, task: Task, bins: tuple[EnergyBin, ...], notes: list[str]) -> tuple[BinReport, ...]:
    if sample.energy_kevee is None:
        return ()
    outside = len(sample.labels) - sum(int(energy.contains(sample.energy_kevee).sum()) for energy in bins)
    if outside:
        notes.append(
            f"{outside} of {len(sample.labels)} pulses lie outside {bins[0].low_kevee:g}-{bins[-1].high_kevee:g} keVee "
            "and count only for all energies"
        )
    return tuple(_range_report(sample, task, energy=energy) for energy in bins)


def _range_report(sample: Sample, task: Task, *, energy: EnergyBin | None) -> BinReport:
    inside = np.ones(len(sample.labels), dtype=np.bool_)
    if energy is not None and sample.energy_kevee is not None:
        inside = energy.contains(sample.energy_kevee)
    labels = sample.labels[inside]
    reason = too_few(labels)
    methods: dict[str, MethodResult | NotComputed] = {}
    for name, candidate in candidates(sample, task, inside, energy, skip=reason).items():
        if isinstance(candidate, NotComputed):
            methods[name] = candidate
        else:
            methods[name] = judge(candidate, labels, efficiencies=task.efficiencies, confidence=task.confidence)
    return BinReport(
        energy=energy,
        n_gamma=int(np.count_nonzero(labels == Label.GAMMA)),
        n_neutron=int(np.count_nonzero(labels == Label.NEUTRON)),
        methods=methods,
        leakage_over_network=over_network(methods),
        calibration=_calibration(sample, task, inside) if reason is None else reason,
    )


def _calibration(sample: Sample, task: Task, inside: NDArray[np.bool_]) -> Calibration | NotComputed:
    return network_calibration(
        sample.network[inside],
        sample.labels[inside],
        logits=sample.logits[inside],
        confidence=task.confidence,
        rng=task.rng,
    )


def _psd_map(sample: Sample, task: Task, overall: BinReport) -> PsdMap | NotComputed:
    best = overall.methods["charge_best"]
    if sample.nominal is not None and task.gates is not None:
        method, gates, charges = "charge_nominal", task.gates, sample.nominal
    elif isinstance(best, MethodResult) and best.gates is not None:
        method, gates = "charge_best", best.gates
        charges = charges_of(sample.pulses, task.preparation, gates)
    else:
        return NotComputed("neither nominal nor best gates")
    return psd_map(charges, sample.labels, energy_kevee=sample.energy_kevee, method=method, gates=gates)
