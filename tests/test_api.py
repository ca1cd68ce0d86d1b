"""The typed functions of the package, and the example of the README, which must run as it stands."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reconstruction.coding_model import write_coding_model
from tests.reconstruction.copying_model import falling_pulses
from tests.reconstruction.separator_model import piled_up, write_separator
from tests.reconstruction.test_denoise import written

import discrimen
from discrimen.adaptation.recalibrate import Wishes
from discrimen.api import options
from discrimen.errors import DataError, SettingsError
from discrimen.evaluation import evaluate
from discrimen.evaluation.waveforms import evaluate_waveforms
from discrimen.freezing.calibrate import CalibrationTask
from discrimen.labelling.band import BandOptions
from discrimen.labelling.contamination import labels_path
from discrimen.labelling.source import SourceOptions
from discrimen.labelling.time_of_flight import FlightOptions
from discrimen.reconstruction.denoise import DenoisingOptions
from discrimen.reconstruction.encoding import EncodingOptions
from discrimen.reconstruction.generation_options import GenerationOptions
from discrimen.reconstruction.separate import SeparationOptions
from discrimen.runs.overlay import OverlayOptions
from discrimen.search import SearchConfig
from discrimen.simulation.config import SimulationConfig
from discrimen.training import EpochRecord, Reconstruction, Separation, TrainingConfig

README = Path(__file__).resolve().parents[1] / "README.md"


def python_example() -> str:
    found = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert found is not None
    return found[1]


def test_example_of_the_readme_runs_with_few_pulses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few, n_replaced = re.subn(r"20_000|epochs=20", lambda n: "1_500" if "_" in n[0] else "epochs=2", python_example())
    assert n_replaced == 3
    monkeypatch.chdir(tmp_path)
    exec(few, {})
    assert "neutrons" in capsys.readouterr().out
    assert {"model.discrimen", "report", "scores.h5"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.slow
def test_example_of_the_readme_runs_as_it_stands(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", python_example()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "neutron" in ended.stdout
    assert (tmp_path / "scores.h5").is_file()


def test_example_of_the_readme_is_about_ten_lines() -> None:
    lines = [line for line in python_example().splitlines() if line.strip()]
    assert 8 <= len(lines) <= 12


def test_pure_sources_are_labelled_on_reading(tmp_path: Path) -> None:
    discrimen.simulate(tmp_path / "co60.BIN", 200, spectrum="Co-60")
    gammas = discrimen.read(tmp_path / "co60.BIN", label_by="gamma")
    assert set(gammas.pulses.column("label")) == {discrimen.Label.GAMMA}
    assert gammas.settings.polarity == "negative"


def test_labels_of_a_native_file_come_by_themselves(tmp_path: Path) -> None:
    run = discrimen.simulate(tmp_path / "run.lh5", 300)
    assert discrimen.read(tmp_path / "run.lh5").count(discrimen.Label.NEUTRON) == run.n_neutron


def test_training_without_labels_is_refused(tmp_path: Path) -> None:
    discrimen.simulate(tmp_path / "run.BIN", 200)
    with pytest.raises(DataError, match="label"):
        discrimen.train(discrimen.read(tmp_path / "run.BIN"), tmp_path / "model", epochs=1)


def test_pile_up_truth_lies_beside_the_run(tmp_path: Path) -> None:
    from discrimen.simulation.truth import read_truth

    run = discrimen.simulate(tmp_path / "run.BIN", 500, pileup_fraction=0.2)
    truth = read_truth(run.truth)
    assert 50 < len(truth.pile_up["entry"]) < 200
    assert np.isin(truth.pile_up["entry"], truth.columns["entry"]).all()
    assert (truth.pile_up["delay_ns"] >= 0).all()


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        discrimen.trian  # noqa: B018


@pytest.mark.parametrize(
    ("known", "takes", "given"),
    [
        (options.SimulationOptions, SimulationConfig, {"n_pulses"}),
        (options.TrainingOptions, TrainingConfig, set()),
        (options.EvaluationOptions, evaluate, {"predictor", "pulses", "gates", "tuning", "files", "loss"}),
        (
            options.WaveformEvaluationOptions,
            evaluate_waveforms,
            {"predictor", "pulses", "clean", "gates", "files", "notes"},
        ),
        (options.CalibrationOptions, CalibrationTask, {"pulses", "files"}),
        (options.AdaptationOptions, Wishes, set()),
        (options.DenoisingWishes, DenoisingOptions, set()),
        (options.EncodingWishes, EncodingOptions, set()),
        (options.GenerationWishes, GenerationOptions, set()),
        (options.OverlayWishes, OverlayOptions, set()),
        (options.SeparationWishes, SeparationOptions, set()),
        (options.BandLabelOptions, BandOptions, set()),
        (options.SourceLabelOptions, SourceOptions, set()),
        (options.FlightLabelOptions, FlightOptions, set()),
        (options.NetworkSearchOptions, SearchConfig, set()),
    ],
)
def test_options_are_those_of_what_takes_them(known: type, takes: Callable[..., Any], given: set[str]) -> None:
    found = {name: reference.__forward_arg__ for name, reference in known.__annotations__.items()}
    parameters = inspect.signature(takes).parameters.values()
    assert found == {one.name: one.annotation for one in parameters if one.name not in given}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run.lh5"
    discrimen.simulate(path, 6000, seed=5)
    return path


@pytest.fixture(scope="module")
def model(run: Path) -> discrimen.Model:
    return discrimen.train(discrimen.read(run), run.with_name("model"), architecture="mlp", epochs=8)


def test_an_interrupted_training_goes_on(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object, record: EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    dataset = discrimen.read(run)
    with monkeypatch.context() as patched:
        patched.setattr("discrimen.api.seen_training.ToldOfTraining.on_epoch", interrupt)
        discrimen.train(dataset, tmp_path / "model", architecture="mlp", epochs=3)
    assert f"discrimen.resume(dataset, '{tmp_path / 'model'}') goes on" in capsys.readouterr().err
    provenance = discrimen.resume(dataset, tmp_path / "model").description.provenance
    assert (provenance["n_epochs"], provenance["stopped_by"]) == (3, "epochs")


def test_a_frozen_model_scores_as_the_trained_one(model: discrimen.Model, run: Path, tmp_path: Path) -> None:
    frozen = discrimen.freeze(model, tmp_path / "x.discrimen")
    samples = discrimen.read(run).pulses.samples[:100]
    assert frozen.predictor.backend.startswith("native")
    assert np.allclose(frozen.predictor.predict(samples), model.predictor.predict(samples), atol=1e-5)
    again = discrimen.freeze(model.path, tmp_path / "y.discrimen")
    assert np.array_equal(again.predictor.predict(samples), frozen.predictor.predict(samples))


def test_freezing_calibrates_on_pulses_that_are_given(model: discrimen.Model, run: Path, tmp_path: Path) -> None:
    dataset = discrimen.read(run)
    wishes: Any = {"temperature": False, "neutron_efficiencies": (0.95,)}
    frozen = discrimen.freeze(model, tmp_path / "x.discrimen", calibration=dataset, **wishes)
    counts = discrimen.classify(frozen, run, tmp_path / "scores.h5", threshold="neutron-efficiency-0.95")
    assert counts.n_neutron >= 0.95 * dataset.count(discrimen.Label.NEUTRON)
    with pytest.raises(SettingsError, match="neutron_efficiencies: chosen on labelled pulses"):
        discrimen.freeze(model, tmp_path / "y.discrimen", **wishes)
    assert not (tmp_path / "y.discrimen").exists()


def test_pulses_of_another_sampling_calibrate_nothing(model: discrimen.Model, tmp_path: Path) -> None:
    discrimen.simulate(tmp_path / "other.lh5", 200, digitizer="DT5730")
    other = discrimen.read(tmp_path / "other.lh5")
    with pytest.raises(DataError, match=r"other\.lh5: sampled every 2 ns"):
        discrimen.freeze(model, tmp_path / "x.discrimen", calibration=other)


def test_a_frozen_model_is_adapted_into_another_file(model: discrimen.Model, run: Path, tmp_path: Path) -> None:
    frozen = discrimen.freeze(model, tmp_path / "x.discrimen")
    before = (tmp_path / "x.discrimen").read_bytes()
    done = discrimen.adapt(frozen, run, tmp_path / "y.discrimen", labelled=True, neutron_efficiencies=(0.9,))
    assert set(done.recalibration.thresholds) == {"neutron-efficiency-0.9"}
    assert discrimen.load(done.path).description.thresholds.keys() == {"neutron-efficiency-0.9"}
    assert (tmp_path / "x.discrimen").read_bytes() == before


def test_bands_label_a_run_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "run.lh5"
    discrimen.simulate(path, 6000, energy_min_kevee=300, photoelectrons_per_kev=5, seed=7)
    truth = discrimen.read(path)
    dataset, bands = discrimen.label_by_band(path, purity=0.95, n_draws=20)
    assert len(bands.channels) == 1
    assert 1000 < len(dataset.pulses) <= 6000
    known = dict(zip(truth.pulses.column("timestamp_ps"), truth.pulses.column("label"), strict=True))
    true = np.array([known[time] for time in dataset.pulses.column("timestamp_ps")])
    assert (dataset.pulses.column("label") == true).mean() > 0.95


def test_an_audit_finds_copies_and_leaves_a_page(run: Path, tmp_path: Path) -> None:
    dataset = discrimen.read(run)
    found = discrimen.audit_dataset(dataset, against=dataset, folder=tmp_path / "audit")
    assert found.errors
    assert {"audit.html", "audit.json"} <= {path.name for path in (tmp_path / "audit").iterdir()}
    assert not discrimen.audit_dataset(dataset).errors


def test_an_evaluation_reads_the_record_of_the_labels(model: discrimen.Model, tmp_path: Path) -> None:
    path = tmp_path / "other.lh5"
    discrimen.simulate(path, 1000, seed=8)
    shares = {name: {"contamination": 0.01, "contamination_high": 0.02} for name in ("gamma", "neutron")}
    record = {"method": "tof", "time_of_flight": {**shares, "options": {"accidental_neutron_share": 0.5}}}
    labels_path(path).write_text(json.dumps(record))
    options: Any = {"energy_edges_kevee": (100.0, 400.0)}
    head = discrimen.evaluate(model, discrimen.read(path), **options).head
    assert head[0].startswith("Labels of other.lh5 by time of flight: wrong for 1.00% (up to 2.00%) of the gammas")
    # The truth beside the run is not what the record speaks of.
    assert discrimen.evaluate(model, discrimen.read(path, label_by="truth"), **options).head == ()
    by_source = {"method": "source", "source": {"contamination": {"gamma": 0.0, "neutron": 0.45}}}
    labels_path(path).write_text(json.dumps(by_source))
    with pytest.raises(DataError, match=r"45% of the labels neutron are wrong: no model can be judged"):
        discrimen.evaluate(model, discrimen.read(path), **options)


@pytest.mark.slow
def test_clean_records_teach_a_denoiser(tmp_path: Path) -> None:
    discrimen.simulate(tmp_path / "run.lh5", 300, clean=tmp_path / "clean.lh5", energy_min_kevee=60.0)
    run, clean = (discrimen.read(tmp_path / name) for name in ("run.lh5", "clean.lh5"))
    how = {"task": Reconstruction(), "architecture": "dense_autoencoder", "epochs": 1}
    model = discrimen.train(run, tmp_path / "model", clean=clean, **how)
    (file,) = model.description.provenance["clean_files"]
    assert (file["name"], file["n_pulses"]) == ("clean.lh5", 300)
    with pytest.raises(SettingsError, match=r"are for task=Reconstruction\(\), this one is a classification"):
        discrimen.train(run, tmp_path / "other", clean=clean, epochs=1)
    frozen = discrimen.freeze(model, tmp_path / "m.discrimen")
    report = discrimen.evaluate_waveforms(frozen, run, clean=clean, folder=tmp_path / "report")
    assert report.reference == "clean"
    assert (tmp_path / "report" / "report.html").is_file()
    written = {"report": tmp_path / "page", "clean": tmp_path / "clean.lh5", "most_outside": 1.0}
    discrimen.denoise(frozen, tmp_path / "run.lh5", tmp_path / "out.lh5", **written)
    assert (tmp_path / "page" / "denoise.html").is_file()
    with pytest.raises(SettingsError, match="clean records are for the report"):
        discrimen.denoise(frozen, tmp_path / "run.lh5", tmp_path / "o.lh5", clean=tmp_path / "clean.lh5")


@pytest.mark.slow
def test_a_separator_learns_from_the_components_of_the_records(tmp_path: Path) -> None:
    parts = tmp_path / "parts.lh5"
    discrimen.simulate(tmp_path / "run.lh5", 300, energy_min_kevee=100.0)
    discrimen.overlay(tmp_path / "run.lh5", tmp_path / "set.lh5", parts, n_records=400)
    run = discrimen.read(tmp_path / "set.lh5")
    how: dict[str, Any] = {"task": Separation(), "architecture": "mlp", "options": {"hidden": (16,)}, "epochs": 1}
    model = discrimen.train(run, tmp_path / "model", components=[parts], accept=True, **how)
    assert [output.name for output in model.description.outputs] == ["parts", "pile_up"]
    assert model.description.provenance["component_files"][0]["name"] == "parts.lh5"
    with pytest.raises(SettingsError, match="2 sets of components for 1 files"):
        discrimen.train(run, tmp_path / "other", components=[parts, parts], accept=True, **how)
    with pytest.raises(SettingsError, match="components are for task=Separation"):
        discrimen.train(run, tmp_path / "other", components=[parts], **(how | {"task": Reconstruction()}))


def test_stages_write_their_pages_on_request(tmp_path: Path) -> None:
    coder, parter = write_coding_model(tmp_path / "coder.discrimen"), write_separator(tmp_path / "part.discrimen")
    run = written(tmp_path / "run.lh5", falling_pulses(40))
    discrimen.encode(coder, run, tmp_path / "run.codes", step=2.0, most_outside=1.0, report=tmp_path / "encode")
    records, truth = piled_up(10)
    piled = written(tmp_path / "piled.lh5", records)
    model = discrimen.load(parter)
    discrimen.separate(model, piled, components=[truth], most_outside=1.0, report=tmp_path / "separate")
    for name in ("encode", "separate"):
        assert {f"{name}.json", f"{name}.html"} <= {path.name for path in (tmp_path / name).iterdir()}
    assert json.loads((tmp_path / "separate" / "separate.json").read_text())["by_light"][0]["n_parts"] == 20
