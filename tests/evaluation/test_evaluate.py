"""Evaluation: all methods side by side, overall and per range of energy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation import METHODS, MethodResult, NotComputed, PsdMap, Report, evaluate, report_text
from discrimen.evaluation.page import report_page
from discrimen.evaluation.report import computed
from discrimen.metrics import FigureOfMerit, Leakage, Share, leakage_at_efficiency
from discrimen.pulse_shape import CLASSIC_METHODS
from discrimen.pulses import Label, Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings, GatesNs, LightCalibration

GATES = GatesNs(gate_start_ns=-12.0, short_gate_end_ns=40.0, long_gate_end_ns=300.0)


def result(report: Report, method: str, at: int | None = None) -> MethodResult:
    found = (report.overall if at is None else report.bins[at]).methods[method]
    assert isinstance(found, MethodResult)
    return found


def leakage(report: Report, method: str, at: int | None = None) -> Leakage:
    found = result(report, method, at).leakage_at(0.95)
    assert found is not None
    return found


def test_every_method_stands_in_every_range(report: Report) -> None:
    assert len(report.bins) == 5
    for part in report.ranges:
        assert list(part.methods) == list(METHODS)
        assert set(part.computed()) == set(METHODS)
    assert report.overall.n_gamma + report.overall.n_neutron == 6000
    assert sum(part.n_gamma + part.n_neutron for part in report.bins) < 6000
    assert any("outside 30-2000 keVee" in note for note in report.notes)


def test_network_is_judged_by_its_neutron_score(
    report: Report, make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses = make_pulses(6000, seed=1)
    scores = make_predictor().predict(pulses.samples)[:, 1]
    inside = (pulses.column("energy_kevee") >= 100) & (pulses.column("energy_kevee") < 200)
    expected = leakage_at_efficiency(scores[inside], pulses.column("label")[inside], efficiency=0.95)
    assert leakage(report, "network", 2) == expected
    (point,) = report.bins[2].operating_points
    assert (point.name, point.threshold) == ("even", 0.5)
    gammas = inside & (pulses.column("label") == Label.GAMMA)
    assert point.leakage.value == pytest.approx(np.mean(scores[gammas] >= 0.5))


def test_leakage_falls_with_energy_and_nothing_beats_the_bound(report: Report) -> None:
    for method in METHODS:
        values = [leakage(report, method, at).leakage for at in range(5)]
        assert values == sorted(values, reverse=True)
    for part in report.ranges:
        areas = {name: found.auc.value for name, found in part.computed().items()}
        assert areas["photon_bound"] == max(areas.values())


def test_best_gates_are_no_worse_than_nominal_ones(report: Report) -> None:
    assert leakage(report, "charge_best", 2).leakage < leakage(report, "charge_nominal", 2).leakage
    assert result(report, "charge_best", 2).gates != result(report, "charge_nominal", 2).gates == GATES
    ratio = report.bins[2].leakage_over_network["charge_nominal"][1]
    expected = leakage(report, "charge_nominal", 2).leakage / leakage(report, "network", 2).leakage
    assert ratio.ratio == pytest.approx(expected)


def test_figure_of_merit_grows_with_energy_and_merged_bands_give_none(report: Report) -> None:
    assert isinstance(result(report, "charge_nominal", 0).figure_of_merit, NotComputed)
    values = [result(report, "charge_nominal", at).figure_of_merit for at in (3, 4)]
    low, high = (value.value for value in values if isinstance(value, FigureOfMerit))
    assert 0.5 < low < high
    assert result(report, "network").figure_of_merit is None


@pytest.mark.slow
def test_same_seed_gives_the_same_report(
    small_report: Report, make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    tuning, edges = make_pulses(1500, seed=4), (200.0, 1000.0)
    again = evaluate(make_predictor(), make_pulses(1200, seed=3), tuning=tuning, energy_edges_kevee=edges).as_dict()
    first = small_report.as_dict()
    for values in (first, again):
        values.pop("created_utc")
    assert again == first


def test_a_bound_that_does_not_count_different_spectra_says_so(
    report: Report, make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses = make_pulses(3000, seed=3)
    soft = (pulses.column("label") == Label.GAMMA) | (pulses.column("energy_kevee") > 100)
    (note,) = [note for note in evaluate(make_predictor(), pulses[soft]).notes if "light spectra" in note]
    assert "photon-level bound" in note
    assert not any("light spectra" in note for note in report.notes)


def test_a_leakage_of_0_says_what_its_limit_is(
    report: Report, make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses = make_pulses(800, seed=3)
    low = pulses[pulses.column("energy_kevee") < 100]
    told = {}
    for name, each in {"all": report, "low": evaluate(make_predictor(), low, energy_edges_kevee=(0.0, 100.0))}.items():
        methods = [method for part in each.ranges for method in part.computed().values()]
        zero = any(found.n_gamma_passing == 0 for method in methods for found in computed(method.leakages))
        told[name] = zero, any("a leakage of 0" in note for note in each.notes)
    assert told == {"all": (True, True), "low": (False, False)}


def test_charge_comparison_ignores_baseline_and_gain(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses = make_pulses(800, seed=3)
    shifted = pulses.replace(samples=(2 * pulses.samples.astype(np.int32) + 1234))
    first, second = (evaluate(make_predictor(), each) for each in (pulses, shifted))
    # Baselines of 16 and 32 bits differ in their last digit, which may turn a pair of nearly equal PSD.
    areas = [result(report, "charge_nominal").auc.value for report in (first, second)]
    assert areas[0] == pytest.approx(areas[1], abs=1e-4)


def test_without_tuning_gates_or_truth_methods_say_why(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    predictor = make_predictor(settings=DetectorSettings())
    report = evaluate(predictor, make_pulses(800, seed=4, with_bound=False))
    assert set(report.overall.computed()) == {"network"}
    reasons = {
        name: found.not_computed for name, found in report.overall.methods.items() if isinstance(found, NotComputed)
    }
    assert reasons == {
        "charge_nominal": "no gates are given, and the model's settings have none",
        "photon_bound": "the pulses have no column photon_llr",
        "record_bound": "the pulses have no column record_llr",
    } | dict.fromkeys(("charge_best", *(method.name for method in CLASSIC_METHODS)), "no tuning pulses are given")
    assert report.psd_map == NotComputed("neither nominal nor best gates")


def test_given_gates_win_over_the_models(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    other = GatesNs(gate_start_ns=-8.0, short_gate_end_ns=20.0, long_gate_end_ns=200.0)
    report = evaluate(make_predictor(), make_pulses(800, seed=4), gates=other)
    assert result(report, "charge_nominal").gates == other


def test_best_gates_alone_are_enough_for_the_psd_map(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    predictor = make_predictor(settings=DetectorSettings())
    report = evaluate(
        predictor, make_pulses(800, seed=4), tuning=make_pulses(2000, seed=5), energy_edges_kevee=(30, 2000)
    )
    assert isinstance(report.psd_map, PsdMap)
    assert report.psd_map.method == "charge_best"


def test_without_energies_only_the_overall_result(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    report = evaluate(make_predictor(), make_pulses(800, seed=4).replace(energy_kevee=None))
    assert report.bins == ()
    assert isinstance(report.energy_source, NotComputed)
    assert any("no energy bins" in note for note in report.notes)
    assert isinstance(report.psd_map, PsdMap)
    assert report.psd_map.light_unit == "ADC ns"


@pytest.mark.parametrize("quantity", ["peak_adc", "long_charge_adc_ns", "energy"])
def test_energies_come_from_the_calibration(
    quantity: str, make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    # A photoelectron is 4 ADC counts over 4 ns, and 1.5 of them are 1 keVee.
    known = make_pulses(3000, seed=6, low_kevee=100)
    truth = known.column("energy_kevee")
    gain = {"peak_adc": 0.45, "long_charge_adc_ns": 1 / (1.5 * 4 * 4), "energy": 2.0}[quantity]
    calibration = LightCalibration(quantity=quantity, gain_kevee_per_unit=gain)
    settings = DetectorSettings(gates=GATES, calibration=calibration)
    pulses = known.replace(energy_kevee=None, energy=truth.astype(np.float64) / 2)
    report = evaluate(make_predictor(settings=settings), pulses, energy_edges_kevee=(300, 10000))
    assert quantity in str(report.energy_source)
    n_true = np.count_nonzero(truth >= 300)
    assert report.bins[0].n_gamma + report.bins[0].n_neutron == pytest.approx(n_true, rel=0.15)


def test_thin_ranges_are_stated_not_computed(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    report = evaluate(
        make_predictor(),
        make_pulses(800, seed=4),
        tuning=make_pulses(1000, seed=5),
        energy_edges_kevee=(30, 35, 200, 1000),
    )
    thin = report.bins[0]
    assert thin.computed() == {}
    assert all("too few pulses" in found.not_computed for found in thin.methods.values())  # type: ignore[union-attr]
    assert thin.n_gamma > 0
    assert set(report.bins[1].computed()) >= {"network", "charge_nominal"}
    few = evaluate(make_predictor(), make_pulses(800, seed=4), tuning=make_pulses(300, seed=5))
    best = few.bins[2].methods["charge_best"]
    assert isinstance(best, NotComputed)
    assert "tuning pulses here, at least 200" in best.not_computed


def test_pulses_that_are_judged_are_left_out_of_the_tuning(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    judged, others = make_pulses(800, seed=4), make_pulses(1000, seed=5)
    mixed = concatenate([others, judged[:300]])
    alone, cleaned = (evaluate(make_predictor(), judged, tuning=tuning) for tuning in (others, mixed))
    assert "300 of 1300 tuning pulses are also among those judged and are left out of the tuning" in cleaned.notes
    for name in ("charge_best", "gatti", "boosted_tree"):
        assert cleaned.overall.methods[name].leakages == alone.overall.methods[name].leakages  # type: ignore[union-attr]
    with pytest.raises(DataError, match="tuned on other pulses"):
        evaluate(make_predictor(), judged, tuning=judged[:300])


def test_tuning_without_energies_tunes_nothing_in_bins(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    tuning = make_pulses(1000, seed=5).replace(energy_kevee=None)
    report = evaluate(make_predictor(), make_pulses(2000, seed=4), tuning=tuning, energy_edges_kevee=(100, 1000))
    assert isinstance(report.overall.methods["charge_best"], MethodResult)
    assert isinstance(report.overall.methods["gatti"], MethodResult)
    for name in ("charge_best", "gatti", "pulse_gradient", "frequency_gradient"):
        assert report.bins[0].methods[name] == NotComputed("not tuned: the tuning pulses have no energies")
    # The tree was trained on all energies, whatever they are.
    assert isinstance(report.bins[0].methods["boosted_tree"], MethodResult)


def test_unprepared_and_unlabelled_pulses_are_counted(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses = make_pulses(2000, seed=7)
    samples, labels = pulses.samples.copy(), pulses.column("label").copy()
    neutrons, gammas = (np.flatnonzero(labels == label) for label in (Label.NEUTRON, Label.GAMMA))
    samples[neutrons[:4]] = 12000
    samples[gammas[:6]] = 12000
    labels[gammas[-9:]] = Label.UNKNOWN
    report = evaluate(make_predictor(), pulses.replace(samples=samples, label=labels))
    for method in ("network", "charge_nominal"):
        found = result(report, method)
        assert (found.n_gamma_unclassified, found.n_neutron_unclassified) == (6, 4)
    assert report.score_histogram.n_gamma_unclassified == 6
    assert report.score_histogram.gamma_counts.sum() == len(gammas) - 15
    assert report.overall.n_gamma == len(gammas) - 9
    assert any("9 of 2000 pulses have no known label" in note for note in report.notes)


def test_many_dead_neutrons_make_an_efficiency_unreachable(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses = make_pulses(1000, seed=8)
    samples = pulses.samples.copy()
    neutrons = np.flatnonzero(pulses.column("label") == Label.NEUTRON)
    samples[neutrons[: len(neutrons) // 14]] = 12000
    report = evaluate(make_predictor(), pulses.replace(samples=samples))
    kept, lost, _ = result(report, "network").leakages
    assert isinstance(kept, Leakage)
    assert isinstance(lost, NotComputed)
    assert "cannot keep 95.0% of the neutrons" in lost.not_computed
    assert result(report, "network").leakage_at(0.95) is None


def test_what_cannot_be_judged_is_an_error(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses, predictor = make_pulses(400, seed=9), make_predictor()
    with pytest.raises(DataError, match="no column 'label'"):
        evaluate(predictor, pulses.replace(label=None))
    with pytest.raises(DataError, match="of 400 pulses none has a label"):
        evaluate(predictor, pulses.replace(label=np.full(400, Label.UNKNOWN, np.int8)))
    with pytest.raises(DataError, match="other pulses"):
        evaluate(predictor, pulses, tuning=pulses)
    with pytest.raises(DataError, match="other pulses"):
        evaluate(predictor, pulses, tuning=pulses.replace(samples=pulses.samples.copy()))
    with pytest.raises(SettingsError, match="trained at 4 ns a sample, these pulses have 2 ns"):
        evaluate(predictor, pulses.replace(sample_period_ns=2.0))
    with pytest.raises(SettingsError, match="sampling period"):
        evaluate(predictor, pulses.replace(sample_period_ns=None))
    with pytest.raises(SettingsError, match="between 0 and 1"):
        evaluate(predictor, pulses, efficiencies=(0.9, 95))
    with pytest.raises(DataError, match="ascending"):
        evaluate(predictor, pulses, energy_edges_kevee=(100, 50))


def test_one_class_alone_is_judged_at_thresholds(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses, predictor = make_pulses(600, seed=9), make_predictor({"strict": 0.9})
    gammas = pulses[pulses.column("label") == Label.GAMMA]
    report = evaluate(predictor, gammas, tuning=make_pulses(800, seed=10))
    assert all(isinstance(found, NotComputed) for part in report.ranges for found in part.methods.values())
    even, strict = report.overall.operating_points
    assert (even.name, strict.name, strict.threshold) == ("even", "strict", 0.9)
    assert isinstance(strict.leakage, Share)
    assert strict.leakage.value == np.mean(predictor.predict(gammas.samples)[:, 1] >= 0.9)
    assert isinstance(strict.efficiency, NotComputed)
    assert isinstance(report.psd_map, PsdMap)
    assert report.psd_map.threshold_name == "strict"
    assert any("only thresholds" in note for note in report.notes)
    text = report_text(report)
    assert "strict" in text
    assert "not computed" not in text
    assert "Not computed: it takes pulses of both classes" in report_page(report, ())


def test_intervals_count_runs_where_there_are_enough(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses = make_pulses(1500, seed=9).replace(run=np.arange(1500) // 250)
    by_pulse = evaluate(make_predictor(), pulses[:1500].replace(run=None), energy_edges_kevee=(20, 1000))
    by_run = evaluate(make_predictor(), pulses, energy_edges_kevee=(20, 1000))
    assert (by_pulse.overall.n_runs_drawn, by_run.overall.n_runs_drawn) == (None, 6)
    assert any(note.startswith("intervals count 6 runs") for note in by_run.notes)
    assert any("there is one run" in note for note in by_pulse.notes)
    wide, narrow = leakage(by_run, "network"), leakage(by_pulse, "network")
    assert wide.leakage == narrow.leakage
    assert wide.low <= narrow.low < narrow.high <= wide.high
    assert [run.n_gamma + run.n_neutron for run in by_run.data.runs] == [250] * 6


def test_worst_pulses_are_the_most_wrong_ones(
    report: Report, make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    pulses = make_pulses(6000, seed=1)
    scores, labels = make_predictor().predict(pulses.samples)[:, 1], pulses.column("label")
    gammas = [pulse for pulse in report.worst_pulses.pulses if not pulse.is_neutron]
    assert len(gammas) == 6
    assert gammas[0].neutron_score == pytest.approx(scores[labels == Label.GAMMA].max())
    assert labels[gammas[0].position] == Label.GAMMA
    assert gammas[0].light_kevee == pytest.approx(pulses.column("energy_kevee")[gammas[0].position])
    # Upright: these pulses are negative.
    assert gammas[0].waveform_adc.argmax() in range(29, 40)
    assert set(report.worst_pulses.mean_shapes) == {"gamma", "neutron"}


def test_the_psd_map_counts_what_the_network_gets_wrong(report: Report) -> None:
    assert isinstance(report.psd_map, PsdMap)
    assert 0 < report.psd_map.gamma_called_neutron.sum() < report.psd_map.gamma_counts.sum()
    assert (report.psd_map.neutron_called_gamma <= report.psd_map.neutron_counts).all()


@pytest.mark.parametrize(
    ("scores", "message"),
    [(np.zeros((3, 2)), "one row for each of 400 pulses"), (np.full((400, 2), 1.5), "between 0 and 1, got 1.5 to 1.5")],
)
def test_predictor_must_give_probabilities(
    scores: np.ndarray, message: str, make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    class Wrong:
        description = make_predictor().description
        backend = "wrong"

        def predict(self, samples: np.ndarray) -> np.ndarray:
            return scores.astype(np.float32)

    with pytest.raises(DataError, match=message):
        evaluate(Wrong(), make_pulses(400, seed=9))


def test_a_charge_calibration_keeps_the_gates_it_was_made_with(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    calibration = LightCalibration(quantity="long_charge_adc_ns", gain_kevee_per_unit=1 / 24)
    predictor = make_predictor(settings=DetectorSettings(gates=GATES, calibration=calibration))
    pulses = make_pulses(1500, seed=6).replace(energy_kevee=None)
    short = GatesNs(gate_start_ns=-12.0, short_gate_end_ns=4.0, long_gate_end_ns=20.0)
    own, other = (evaluate(predictor, pulses, gates=gates).bins[3] for gates in (None, short))
    assert (own.n_gamma, own.n_neutron) == (other.n_gamma, other.n_neutron)
    assert own.computed()["charge_nominal"].gates != other.computed()["charge_nominal"].gates == short
