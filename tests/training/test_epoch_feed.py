from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.training.toy_pulses import PREPARATION, labelled_examples, toy_pulses

from discrimen.keras_jax import load_keras
from discrimen.network.prepare import prepare
from discrimen.pulses.detector import DetectorSettings
from discrimen.training import TrainingConfig, TrainingResult, train
from discrimen.training.epoch_feed import EpochFeed
from discrimen.training.examples import Examples, part_examples
from discrimen.training.fit import compiled_model, fit, seeded
from discrimen.training.model_folder import claim_folder

CONFIG = TrainingConfig(epochs=3, batch_size=50, patience=None)


@dataclass(slots=True, eq=False, kw_only=True)
class Spy(EpochFeed):
    """Hands out what it is told to, and writes down what Keras asks for and when."""

    calls: list[str] = field(default_factory=list)

    @property
    def renewed(self) -> bool:
        return True

    def begin_epoch(self, epoch: int) -> None:
        self.calls.append(f"epoch {epoch}")

    def batch(self, number: int) -> tuple[NDArray[Any], ...]:
        self.calls.append(f"batch {number}")
        return EpochFeed.batch(self, number)


def parts() -> tuple[Examples, Examples]:
    examples = labelled_examples(toy_pulses(100))
    return part_examples(examples, np.arange(200) % 5 == 0, CONFIG.task.classes)


def test_every_epoch_asks_for_each_batch_after_it_was_drawn() -> None:
    training, validation = parts()
    spy = Spy(waveforms=training.waveforms, targets=training.targets, batch_size=50, shuffle=True, seed=0)
    session = load_keras("cpu")
    with session.on_device(), seeded(session.keras, 0):
        model = compiled_model(session, CONFIG, shape=PREPARATION.shape, outputs=CONFIG.outputs(PREPARATION))
        fit(session, model, CONFIG, training=training, validation=validation, listeners=[], feed=spy)
    begun = [at for at, call in enumerate(spy.calls) if call.startswith("epoch")]
    assert [spy.calls[at] for at in begun] == ["epoch 0", "epoch 1", "epoch 2"]
    for first, last in zip(begun, [*begun[1:], len(spy.calls)], strict=True):
        assert set(spy.calls[first + 1 : last]) == {"batch 0", "batch 1", "batch 2", "batch 3"}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    config = TrainingConfig(epochs=2, balance="shape", balance_cap=5.0, augment={"time": 10.0, "noise": 10.0})
    settings = DetectorSettings(adc_bits=14)
    folder = tmp_path_factory.mktemp("fed") / "model"
    return train(toy_pulses(150), PREPARATION, config, folder=folder, settings=settings)


def test_what_was_done_goes_into_the_description(result: TrainingResult) -> None:
    described = json.loads((result.folder / "model.json").read_text())["provenance"]
    assert described["balance"]["over"] == "shape"
    assert described["balance"]["highest_weight"] <= 5.0 + 1e-9
    assert described["training"]["augment"] == {"time": 10.0, "noise": 10.0}


def test_the_validation_part_is_natural(result: TrainingResult) -> None:
    """The loss of the best model on undistorted, unweighed pulses is the validation loss of its epoch."""
    pulses = toy_pulses(150)[result.validation_index]
    with load_keras("cpu").on_device():
        scores = result.model.predict(prepare(pulses.samples, PREPARATION).waveforms, verbose=0)
    loss = -np.log(scores[np.arange(len(scores)), pulses.column("label")]).mean()
    assert loss == pytest.approx(result.best.val_loss, rel=1e-3)


def test_a_balanced_model_has_its_picture(result: TrainingResult) -> None:
    assert (result.folder / "balance.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_an_earlier_training_does_not_stay(tmp_path: Path) -> None:
    (tmp_path / "balance.png").write_bytes(b"old")
    claim_folder(tmp_path, overwrite=True)
    assert not (tmp_path / "balance.png").exists()
