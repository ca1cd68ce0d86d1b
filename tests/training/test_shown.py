"""What is shown of an auto-encoder: pulses in and out, their codes, and figures of the code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.freezing.freeze import freeze
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.inference.native import NativePredictor
from discrimen.network.frozen_file import read_frozen
from discrimen.pulses.hits import as_hits
from discrimen.training import Reconstruction, TrainingConfig, TrainingResult, resume, train
from discrimen.training.shown import ShownCodes, shown_of

pytestmark = pytest.mark.drawn
CONFIG = TrainingConfig(
    task=Reconstruction(),
    architecture="variational_autoencoder",
    options={"code": 3, "hidden": 16, "warm_up_epochs": 1, "decorrelation": 1e-3},
    epochs=3,
    learning_rate=0.01,
)
PULSES = toy_pulses(400)
FILES = {"reconstruction.png", "latents.png", "correlation.png", "latents.json"}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return train(PULSES, PREPARATION, CONFIG, folder=tmp_path_factory.mktemp("shown") / "model")


def test_pictures_and_figures_of_the_code_stay_in_the_folder(result: TrainingResult) -> None:
    assert {path.name for path in result.folder.iterdir()} >= FILES
    for name in FILES - {"latents.json"}:
        assert (result.folder / name).read_bytes().startswith(b"\x89PNG")
    told = json.loads((result.folder / "latents.json").read_text())
    kept = result.description.provenance["latents"]
    assert kept == {name: told[name] for name in kept}
    assert (kept["n_pulses"], kept["n_latents"]) == (80, 3)
    assert len(told["correlation"]) == 3
    assert max(told["class_auc"]) > 0.6


def test_pictures_and_figures_are_logged(result: TrainingResult) -> None:
    events = EventAccumulator(str(result.folder / "tensorboard"))
    events.Reload()
    pictures = {"reconstruction", "latents", "correlation"}
    assert set(events.Tags()["images"]) == pictures | {f"best/{name}" for name in pictures}
    scalars = set(events.Tags()["scalars"])
    assert scalars >= {"latents/n_active", "latents/largest_correlation", "kl_nats/validation", "mean_square/training"}


def test_the_frozen_model_gives_the_mean_of_the_code(result: TrainingResult, tmp_path: Path) -> None:
    frozen = freeze(result.folder, tmp_path / "vae.discrimen").path
    kinds = [type(node.layer).__name__ for node in read_frozen(frozen).network.nodes]
    assert kinds == ["Flatten", *["Dense"] * 4, "Reshape"]  # nothing that draws
    samples = toy_pulses(50, seed=9).samples
    native, keras = NativePredictor(frozen).run(samples), KerasPredictor(result.folder).run(samples)
    for found, wanted in zip(native, keras, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())


def test_a_training_that_was_broken_off_comes_to_the_same_code(result: TrainingResult, tmp_path: Path) -> None:
    class Breaks:
        def on_epoch(self, record: object) -> None:
            if getattr(record, "epoch", 0) == 2:
                raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        train(PULSES, PREPARATION, CONFIG, folder=tmp_path / "model", progress=Breaks())
    again = resume(PULSES, tmp_path / "model")
    found, wanted = (np.asarray(each.model.get_layer("code").kernel.value) for each in (again, result))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_pulses_are_shown_in_adc_counts_with_their_clean_record() -> None:
    pulses = as_hits(PULSES.replace(energy_kevee=np.linspace(10, 20, len(PULSES))))
    task, clean = CONFIG.task, PULSES.samples.astype(np.float32)
    examples = task.examples(pulses, PREPARATION, {"waveform": clean + 5}, CONFIG)
    shown = shown_of(task, CONFIG.outputs(PREPARATION), pulses, examples, PREPARATION)
    assert isinstance(shown, ShownCodes)
    assert (shown.size_name, shown.code_at) == ("light (keVee)", 1)
    figure = shown._pulses(examples.waveforms)
    above, below = figure.axes[0], figure.axes[2]
    gamma = int(np.argmin(np.abs(shown.size[:400] - np.median(shown.size))))
    record = PULSES.samples[gamma].astype(np.float64)
    upright = record[:12].mean() - record
    np.testing.assert_allclose(above.lines[0].get_ydata(), upright, atol=0.01)
    np.testing.assert_allclose(below.lines[0].get_ydata(), np.full(75, 5.0), atol=0.01)
    assert above.get_title(loc="left").startswith("gamma, 15 keVee") or "keVee" in above.get_title(loc="left")


def test_a_network_without_a_code_shows_its_pulses_alone() -> None:
    config = replace(CONFIG, architecture="mlp", options={})
    examples = config.task.examples(as_hits(PULSES), PREPARATION, {}, config)
    shown = shown_of(config.task, config.outputs(PREPARATION), as_hits(PULSES), examples, PREPARATION)
    assert isinstance(shown, ShownCodes)
    assert shown.code_at is None
    assert shown.latents(None) is None
    assert shown.size_name == "height (ADC counts)"
