"""Temperature and thresholds in a frozen file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import SettingsError
from discrimen.freezing.calibrate import CalibrationTask, calibrate, calibrated
from discrimen.freezing.freeze import freeze
from discrimen.inference.load import load_model
from discrimen.metrics import neutron_logits
from discrimen.network.frozen_file import read_frozen
from discrimen.network.height_curve import HeightCurve
from discrimen.pulses import Label, Pulses
from discrimen.training import TrainingConfig, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model") / "mlp"
    train(toy_pulses(400), PREPARATION, TrainingConfig(architecture="mlp", epochs=4), folder=place)
    return place


def task(**changes: object) -> CalibrationTask:
    pulses = toy_pulses(600, seed=5)
    # Some labels are wrong, so that a temperature is the likeliest whatever the network.
    wrong = np.arange(len(pulses)) % 9 == 0
    labels = np.where(wrong, 1 - pulses.column("label"), pulses.column("label")).astype(np.int8)
    given = CalibrationTask(pulses=pulses.replace(label=labels), files=[{"name": "toy", "sha256": "0"}])
    return replace(given, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_frozen_scores_are_the_softmax_of_logits_over_the_temperature(
    folder: Path, tmp_path: Path, backend: str
) -> None:
    plain, scaled = tmp_path / "plain.discrimen", tmp_path / "scaled.discrimen"
    freeze(folder, plain)
    done = freeze(folder, scaled, calibration=task())
    assert done.calibration is not None
    assert done.calibration.temperature is not None
    temperature = done.calibration.temperature.value
    assert abs(temperature - 1) > 0.02
    samples = toy_pulses(100, seed=6).samples
    reference = load_model(plain, backend="reference").predictor.predict(samples)
    expected = 1 / (1 + np.exp(-neutron_logits(reference, neutron_class=1) / temperature))
    found = load_model(scaled, backend=backend).predictor.predict(samples)  # type: ignore[arg-type]
    assert found[:, 1] == pytest.approx(expected, abs=2e-6)


def test_thresholds_are_stored_by_name_with_their_origin(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "x.discrimen"
    wished = task(neutron_efficiencies=(0.95, 0.5), gamma_leakages=(0.2,), by_height=False)
    freeze(folder, output, calibration=wished)
    description = read_frozen(output).description
    assert list(description.thresholds) == ["neutron-efficiency-0.95", "neutron-efficiency-0.5", "gamma-leakage-0.2"]
    scores = load_model(output).predictor.predict(wished.pulses.samples)[:, 1]
    labels = wished.pulses.column("label")
    kept = np.mean(scores[labels == Label.NEUTRON] >= float(description.thresholds["neutron-efficiency-0.5"]) - 1e-6)  # type: ignore[arg-type]
    leaked = np.mean(scores[labels == Label.GAMMA] >= description.thresholds["gamma-leakage-0.2"])
    assert kept == pytest.approx(0.5, abs=0.01)
    assert 0.19 < leaked <= 0.2
    origin = description.provenance["calibration"]
    assert origin["files"] == [{"name": "toy", "sha256": "0"}]
    share = origin["thresholds"]["neutron-efficiency-0.95"]["efficiency"]
    assert share["low"] < 0.95 <= share["value"] < share["high"]
    assert origin["temperature"]["low"] < origin["temperature"]["value"] < origin["temperature"]["high"]


def test_thresholds_for_an_efficiency_follow_the_height_and_those_for_a_leakage_do_not(
    folder: Path, tmp_path: Path
) -> None:
    wished = task(neutron_efficiencies=(0.9,), gamma_leakages=(0.2,))
    done = freeze(folder, tmp_path / "x.discrimen", calibration=wished)
    description = read_frozen(tmp_path / "x.discrimen").description
    curve, number = description.thresholds["neutron-efficiency-0.9"], description.thresholds["gamma-leakage-0.2"]
    assert isinstance(curve, HeightCurve)
    assert isinstance(number, float)
    assert done.calibration is not None
    chosen = done.calibration.thresholds["neutron-efficiency-0.9"]
    scores, _, heights = load_model(tmp_path / "x.discrimen").predictor.judge(wished.pulses.samples)
    assert heights is not None
    is_neutron = wished.pulses.column("label") == Label.NEUTRON
    passes = scores[:, 1] >= curve.at(heights)
    assert passes[is_neutron].mean() == pytest.approx(chosen.efficiency.value, abs=0.003)
    assert chosen.efficiency.value == pytest.approx(0.9, abs=0.01)
    stored = description.provenance["calibration"]["thresholds"]["neutron-efficiency-0.9"]
    assert HeightCurve.from_dict(stored["value"]) == curve
    assert len(stored["ranges"]) == len(curve.height_adc) - 1


def test_thresholds_keep_their_promise_where_scores_pile_up_against_one() -> None:
    labels = (np.arange(4000) % 2).astype(np.int8)
    logits = np.random.default_rng(1).normal(np.where(labels == Label.NEUTRON, 22, 12), 4)
    scores = np.stack([1 / (1 + np.exp(logits)), 1 / (1 + np.exp(-logits))], axis=1).astype(np.float32)
    pulses = Pulses(samples=np.zeros((4000, 4), np.int16), sample_period_ns=2.0, label=labels)
    wished = task(pulses=pulses, temperature=False, neutron_efficiencies=(0.95, 0.8), gamma_leakages=(0.2, 0.1))
    for threshold in calibrate(scores, wished, neutron_class=1).thresholds.values():
        passing = scores[:, 1] >= np.float64(threshold.value)
        assert np.array_equal(passing, scores[:, 1] >= np.float32(threshold.value))
        assert np.mean(passing[labels == Label.NEUTRON]) == threshold.efficiency.value
        assert np.mean(passing[labels == Label.GAMMA]) == threshold.leakage.value


def test_thresholds_alone_leave_the_scores(folder: Path, tmp_path: Path) -> None:
    plain, cut = tmp_path / "plain.discrimen", tmp_path / "cut.discrimen"
    freeze(folder, plain)
    freeze(folder, cut, calibration=task(temperature=False, neutron_efficiencies=(0.9,)))
    assert np.array_equal(read_frozen(plain).golden.values[0], read_frozen(cut).golden.values[0])
    assert read_frozen(cut).description.provenance["calibration"]["temperature"] is None


def test_a_model_is_calibrated_once(folder: Path, tmp_path: Path) -> None:
    done = freeze(folder, tmp_path / "x.discrimen", calibration=task())
    assert done.calibration is not None
    with pytest.raises(SettingsError, match="calibrated already"):
        calibrated(done.model.network, done.model.description, done.calibration, task())
