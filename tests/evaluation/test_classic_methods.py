"""The classic methods beside the network: alignment, scores of raw pulses, what is said where one is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from discrimen.errors import MissingExtraError
from discrimen.evaluation import MethodResult, NotComputed, Report, evaluate
from discrimen.evaluation.classic_methods import ClassicMethods, tuned_methods
from discrimen.evaluation.report import Reliability
from discrimen.evaluation.tuning import merit_on
from discrimen.metrics import Temperature
from discrimen.network.prepare import prepare
from discrimen.pulse_shape import boosted_tree
from discrimen.pulse_shape.upright import aligned_preparation, blocks
from discrimen.pulses import Pulses

CLASSIC = ("gatti", "pulse_gradient", "frequency_gradient", "template_likelihood", "boosted_tree")
KNOW_THE_GAIN = {"template_likelihood"}


@pytest.fixture(scope="module")
def methods(make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]) -> ClassicMethods:
    tuning = make_pulses(2000, seed=8)
    aligned = aligned_preparation(tuning.samples, make_predictor().description.preparation, whole_share=0.9)
    return ClassicMethods(
        methods=tuned_methods(tuning, preparation=aligned, merit=merit_on(tuning), seed=0, by_energy=True),
        preparation=aligned,
    )


def test_every_method_tells_what_was_tuned(report: Report) -> None:
    for part in report.ranges:
        for name in CLASSIC:
            found = part.methods[name]
            assert isinstance(found, MethodResult)
            assert found.parameters
            assert found.auc.value > 0.5


def test_nine_of_ten_records_fill_the_aligned_window(
    methods: ClassicMethods, make_pulses: Callable[..., Pulses]
) -> None:
    pulses = make_pulses(500, seed=9)
    waveforms = prepare(pulses.samples, methods.preparation).waveforms[:, 0]
    assert np.mean(waveforms[:, -1] != 0) >= 0.85
    assert abs(np.median(waveforms.argmax(axis=1)) - 5) <= 2


def test_gain_and_baseline_do_not_change_scores(methods: ClassicMethods, make_pulses: Callable[..., Pulses]) -> None:
    samples = make_pulses(300, seed=9).samples
    first = methods.scores(samples)
    for gain in (1, 2):
        second = methods.scores(gain * samples.astype(np.int32) + 1234)
        for name in first.keys() - (KNOW_THE_GAIN if gain != 1 else set()):
            # Baselines of 16 and 32 bits round differently, and so the alignment.
            tolerance = 0.02 * float(np.nanstd(first[name]))
            assert first[name] == pytest.approx(second[name], rel=0, abs=tolerance, nan_ok=True), name


def test_blocks_score_as_the_whole(
    methods: ClassicMethods, make_pulses: Callable[..., Pulses], monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = make_pulses(300, seed=9).samples
    whole = methods.scores(samples)
    monkeypatch.setattr("discrimen.pulse_shape.upright._BLOCK_SAMPLES", 17 * samples.shape[1])
    assert len(blocks(samples)) > 10
    for name, scores in methods.scores(samples).items():
        assert scores == pytest.approx(whole[name], rel=1e-9, nan_ok=True)


def test_pulses_without_a_pulse_have_no_score(methods: ClassicMethods) -> None:
    for scores in methods.scores(np.full((3, 120), 12000, np.uint16)).values():
        assert np.isnan(scores).all()


def test_without_scikit_learn_the_other_methods_stand(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(module: str, *, extra: str) -> None:
        raise MissingExtraError(module, extra)

    monkeypatch.setattr(boosted_tree, "require_module", missing)
    found = evaluate(make_predictor(), make_pulses(600, seed=4), tuning=make_pulses(800, seed=5)).overall.methods
    tree = found["boosted_tree"]
    assert isinstance(tree, NotComputed)
    assert "discrimen[analysis]" in tree.not_computed
    assert isinstance(found["gatti"], MethodResult)


def test_calibration_stands_in_every_range(report: Report) -> None:
    for part in report.ranges:
        found = part.calibration
        assert isinstance(found, Reliability)
        assert sum(point.neutrons.n_total for point in found.curve) == part.n_gamma + part.n_neutron
        assert sum(point.neutrons.n_counted for point in found.curve) == part.n_neutron
        assert found.error.chance < found.error.chance_high
    assert isinstance(report.overall.calibration, Reliability)
    assert isinstance(report.overall.calibration.temperature, Temperature)
