"""A model judged by its waveforms: figures against known errors, whatever computes the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reconstruction.copying_model import write_copying_model
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation.waveforms import (
    WaveformReport,
    evaluate_waveforms,
    judged_by_waveform,
    waveform_text,
    write_waveform_report,
)
from discrimen.freezing.freeze import freeze
from discrimen.freezing.to_onnx import freeze_to_onnx
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.inference.native import NativePredictor
from discrimen.inference.onnxruntime_predictor import OnnxRuntimePredictor
from discrimen.metrics import Leakage
from discrimen.pulses import Pulses
from discrimen.pulses.detector import GatesNs
from discrimen.training import Reconstruction, TrainingConfig, train

GATES = GatesNs(gate_start_ns=-20, short_gate_end_ns=30, long_gate_end_ns=300)
EDGES = (10.0, 20.0, 30.0)


def pulses(n_each: int = 300, *, seed: int = 4) -> Pulses:
    light = np.random.default_rng(seed).uniform(10, 30, 2 * n_each)
    return toy_pulses(n_each, seed=seed).replace(energy_kevee=light, entry=np.arange(2 * n_each))


@pytest.fixture(scope="module")
def copying(tmp_path_factory: pytest.TempPathFactory) -> NativePredictor:
    return NativePredictor(write_copying_model(tmp_path_factory.mktemp("copying") / "copy.discrimen"), threads=1)


def judged(predictor: Any, judged_pulses: Pulses, **options: Any) -> WaveformReport:
    return evaluate_waveforms(predictor, judged_pulses, gates=GATES, energy_edges_kevee=EDGES, **options)


def test_a_copy_has_no_error(copying: NativePredictor) -> None:
    report = judged(copying, pulses())
    assert [part.name for part in report.ranges] == ["all", "10-20 keVee", "20-30 keVee"]
    assert sum(part.n_pulses for part in report.ranges[1:]) == report.ranges[0].n_pulses == 600
    for name, found in report.ranges[0].figures.items():
        assert abs(found.value) < 0.01, name
    assert report.residual_shape.rms_adc.max() < 0.01
    before, after = report.ranges[0].leakage_before, report.ranges[0].leakage_after
    assert isinstance(before, Leakage)
    assert before.leakage == after.leakage
    assert report.latents is None


def test_the_clean_record_is_what_is_compared_with(copying: NativePredictor) -> None:
    recorded = pulses()
    noise = np.random.default_rng(1).normal(0, 4.0, recorded.samples.shape)
    clean = recorded.samples - noise
    report = judged(copying, recorded, clean=clean)
    assert report.reference == "clean"
    rms = report.ranges[0].figures["residual_rms_adc"]
    assert rms.low < 4.0 < rms.high or abs(rms.value - 4.0) < 0.05
    assert rms.high - rms.low < 0.2
    np.testing.assert_allclose(report.residual_shape.rms_adc, 4.0, rtol=0.15)
    assert np.abs(report.residual_shape.mean_adc).max() < 0.8


def test_a_known_change_of_charge_tail_and_time_is_found(copying: NativePredictor) -> None:
    recorded = pulses()
    upright = recorded.samples[:, :12].mean(axis=1, keepdims=True) - recorded.samples
    # The copy is 5 % larger and one sample later than the reference.
    clean = recorded.samples[:, :12].mean(axis=1, keepdims=True) - np.roll(upright, -1, axis=1) / 1.05
    found = judged(copying, recorded, clean=clean).ranges[0].figures
    assert found["time_bias_ns"].value == pytest.approx(10.0, abs=0.3)
    assert found["charge_bias"].value == pytest.approx(5.0, abs=0.3)
    assert found["tail_bias"].value == pytest.approx(0.0, abs=0.5)


def test_pulses_that_cannot_be_judged_are_counted(copying: NativePredictor) -> None:
    recorded = pulses(40)
    samples = recorded.samples.copy()
    samples[3] = 8000
    samples[5] = np.roll(samples[5], 20)
    report = judged(copying, recorded.replace(samples=samples))
    assert (report.n_pulses, report.n_unprepared, report.n_outside) == (80, 1, 1)
    assert report.ranges[0].n_pulses == 78
    assert {3, 5}.isdisjoint(pulse.position for pulse in (*report.pulses, *report.worst))
    with pytest.raises(DataError, match="of 80 pulses 80 do not rise"):
        judged(copying, recorded.replace(samples=np.full_like(samples, 8000)))


def test_without_labels_light_and_gates_what_is_known_is_told(copying: NativePredictor) -> None:
    bare = pulses().replace(label=None, energy_kevee=None)
    report = evaluate_waveforms(copying, bare)
    assert [part.name for part in report.ranges] == ["all"]
    assert "tail_bias" not in report.ranges[0].figures
    assert any("no gates are known" in note for note in report.notes)
    assert any("no column energy_kevee" in note for note in report.notes)
    assert len(report.pulses) == 4
    assert {pulse.class_name for pulse in report.pulses} == {""}


def test_the_worst_pulse_is_shown(copying: NativePredictor) -> None:
    recorded = pulses()
    clean = recorded.samples.astype(np.float64)
    clean[17, 40] -= 500
    worst = judged(copying, recorded, clean=clean).worst[0]
    assert (worst.position, worst.class_name) == (17, "gamma")
    assert worst.residual_rms_adc == pytest.approx(500 / np.sqrt(75), rel=0.01)


def test_what_cannot_be_compared_is_refused(copying: NativePredictor) -> None:
    with pytest.raises(DataError, match=r"must have the shape of the pulses \(20, 75\), got \(20, 74\)"):
        judged(copying, pulses(10), clean=pulses(10).samples[:, :-1])
    with pytest.raises(SettingsError, match="confidence"):
        judged(copying, pulses(10), confidence=1.5)


def test_only_models_without_classes_are_judged_by_their_waveform(copying: NativePredictor, tmp_path: Path) -> None:
    classifier = NativePredictor(write_small_model(tmp_path / "small.discrimen"), threads=1)
    assert judged_by_waveform(copying.description)
    assert not judged_by_waveform(classifier.description)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = TrainingConfig(
        task=Reconstruction(), architecture="dense_autoencoder", options={"code": 3}, epochs=3, learning_rate=0.01
    )
    folder = tmp_path_factory.mktemp("judged") / "model"
    train(toy_pulses(300), PREPARATION, config, folder=folder)
    return folder


def test_every_backend_gives_the_same_figures(trained: Path, tmp_path: Path) -> None:
    frozen, onnx = freeze(trained, tmp_path / "m.discrimen").path, tmp_path / "m.onnx"
    freeze_to_onnx(frozen, onnx)
    predictors = (NativePredictor(frozen, threads=1), OnnxRuntimePredictor(onnx, threads=1), KerasPredictor(trained))
    reports = [judged(predictor, pulses(60)) for predictor in predictors]
    assert reports[0].latents is not None
    for other in reports[1:]:
        assert other.latents is not None
        np.testing.assert_allclose(other.latents.correlation, reports[0].latents.correlation, atol=1e-3)
        for name, found in reports[0].ranges[0].figures.items():
            assert other.ranges[0].figures[name].value == pytest.approx(found.value, rel=1e-3, abs=1e-3), name


def test_the_report_is_json_page_and_text(trained: Path, tmp_path: Path) -> None:
    report = judged(KerasPredictor(trained), pulses(60))
    written = write_waveform_report(report, tmp_path)
    assert [path.name for path in written] == ["report.json", "report.html"]
    told = json.loads(written[0].read_text())
    assert told["latents"]["n_latents"] == 3
    assert told["ranges"][1]["figures"]["nrmse"]["low"] < told["ranges"][1]["figures"]["nrmse"]["high"]
    page = written[1].read_text()
    for words in ("Figures by light", "Latents", "AUC of the classes", "10-20 keVee"):
        assert words in page
    text = waveform_text(report)
    assert max(map(len, text.splitlines())) <= 80
    assert "of 3 latents are active" in text
