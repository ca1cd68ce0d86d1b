"""A training that was broken off goes on as if nothing had happened."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError, FormatError, OutputError
from discrimen.training import EpochRecord, TrainingConfig, TrainingResult, resume, train
from discrimen.training.model_folder import load_model_folder

CONFIG = TrainingConfig(
    architecture="mlp",
    epochs=6,
    learning_rate=0.01,
    learning_rate_decay="cosine",
    batch_size=32,
    patience=None,
)


class Killed(BaseException):
    """Stands for the end of the process: nothing is caught, nothing is tidied up."""


class KillAfter:
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_epoch(self, record: EpochRecord) -> None:
        if record.epoch == self.epoch:
            raise Killed


def weights(model: Any) -> np.ndarray:
    return np.concatenate([np.asarray(variable.value).ravel() for variable in model.variables])


def broken_off(folder: Path, config: TrainingConfig = CONFIG, *, after: int = 3) -> Path:
    with pytest.raises(Killed):
        train(toy_pulses(100), PREPARATION, config, folder=folder, progress=KillAfter(after))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return train(toy_pulses(100), PREPARATION, CONFIG, folder=tmp_path_factory.mktemp("whole") / "model")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return broken_off(tmp_path_factory.mktemp("kept") / "model")


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """A fresh copy of a training that was broken off after three epochs."""
    return Path(shutil.copytree(kept, tmp_path / "model"))


def test_a_resumed_training_gives_the_weights_of_an_uninterrupted_one(whole: TrainingResult, folder: Path) -> None:
    resumed = resume(toy_pulses(100), folder)
    assert len(resumed.history) == CONFIG.epochs
    assert_allclose(weights(resumed.model), weights(whole.model), rtol=1e-5, atol=1e-6)
    for again, once in zip(resumed.history, whole.history, strict=True):
        assert again.loss == pytest.approx(once.loss, rel=1e-4)
        assert again.val_loss == pytest.approx(once.val_loss, rel=1e-4)


@pytest.mark.slow
def test_distorted_and_drawn_examples_come_again_too(tmp_path: Path) -> None:
    config = replace(CONFIG, epochs=3, augment={"noise": 5.0}, balance="class", balance_by="resampling")
    whole = train(toy_pulses(100), PREPARATION, config, folder=tmp_path / "whole")
    resumed = resume(toy_pulses(100), broken_off(tmp_path / "parts", config, after=2))
    assert_allclose(weights(resumed.model), weights(whole.model), rtol=1e-5, atol=1e-6)


def test_without_its_optimizer_a_training_would_go_another_way(whole: TrainingResult, folder: Path) -> None:
    state = folder / "checkpoints" / "state.npz"
    with np.load(state) as arrays:
        forgetful = {n: np.zeros_like(a) if n.startswith("optimizer") else a for n, a in arrays.items()}
    np.savez(state, **forgetful)  # type: ignore[arg-type]
    resumed = resume(toy_pulses(100), folder)
    assert not np.allclose(weights(resumed.model), weights(whole.model), rtol=1e-5, atol=1e-6)


def test_one_history_tells_of_all_epochs(folder: Path) -> None:
    before = (folder / "history.csv").read_text().splitlines()
    result = resume(toy_pulses(100), folder)
    after = (folder / "history.csv").read_text().splitlines()
    assert after[: len(before)] == before
    assert [int(row.split(",")[0]) for row in after[1:]] == [1, 2, 3, 4, 5, 6]
    _, description = load_model_folder(folder)
    assert description.provenance["n_epochs"] == 6
    assert result.description.provenance["training"] == description.provenance["training"]


def test_what_was_written_after_the_last_state_is_done_again(folder: Path, whole: TrainingResult) -> None:
    """Killed between history and state: the epoch counts as not done."""
    rows = (folder / "history.csv").read_text().splitlines()
    (folder / "history.csv").write_text("\n".join([*rows, rows[-1].replace("3,", "4,", 1)]) + "\n")
    (folder / "checkpoints" / "epoch-004-val_loss-0.00000.keras").write_bytes(b"half")
    (folder / "checkpoints" / ".saving-x").mkdir()
    resumed = resume(toy_pulses(100), folder)
    assert [record.epoch for record in resumed.history] == [1, 2, 3, 4, 5, 6]
    assert_allclose(weights(resumed.model), weights(whole.model), rtol=1e-5, atol=1e-6)
    assert not [path for path in (folder / "checkpoints").iterdir() if path.name.startswith(".")]


def test_other_pulses_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="not the pulses that the training began with"):
        resume(toy_pulses(100, seed=5), folder)
    with pytest.raises(DataError, match="parted otherwise"):
        other = replace(CONFIG, validation_share=0.3).split_of(toy_pulses(100))
        resume(toy_pulses(100), folder, split=other)
    assert (folder / "checkpoints" / "state.npz").exists()


def test_patience_counts_the_epochs_before(tmp_path: Path) -> None:
    pulses = toy_pulses(50)
    coin = pulses.replace(label=np.random.default_rng(0).integers(0, 2, 100).astype(np.int8))
    config = TrainingConfig(architecture="mlp", epochs=100, patience=3, learning_rate=0.05)
    stopped = train(coin, PREPARATION, config, folder=tmp_path / "whole")
    with pytest.raises(Killed):
        train(coin, PREPARATION, config, folder=tmp_path / "parts", progress=KillAfter(len(stopped.history) - 1))
    resumed = resume(coin, tmp_path / "parts")
    assert (resumed.stopped_by, len(resumed.history)) == ("patience", len(stopped.history))


def test_a_finished_training_cannot_go_on(whole: TrainingResult) -> None:
    assert not (whole.folder / "checkpoints" / "state.npz").exists()
    with pytest.raises(FormatError, match="this training is finished"):
        resume(toy_pulses(100), whole.folder)


def test_an_interrupted_training_leaves_its_best_model_and_can_go_on(tmp_path: Path, whole: TrainingResult) -> None:
    class Interrupt:
        def on_epoch(self, record: EpochRecord) -> None:
            if record.epoch == 3:
                raise KeyboardInterrupt

    result = train(toy_pulses(100), PREPARATION, CONFIG, folder=tmp_path / "model", progress=Interrupt())
    assert (result.stopped_by, len(result.history)) == ("interrupt", 3)
    with pytest.raises(
        OutputError, match=r"holds a model and a training that was broken off; go on with it \(--resume"
    ):
        train(toy_pulses(100), PREPARATION, CONFIG, folder=tmp_path / "model")
    resumed = resume(toy_pulses(100), tmp_path / "model")
    assert resumed.description.provenance["stopped_by"] == "epochs"
    assert_allclose(weights(resumed.model), weights(whole.model), rtol=1e-5, atol=1e-6)
    assert not (tmp_path / "model" / "checkpoints" / "state.npz").exists()


def test_a_folder_without_a_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="broken off after its first epoch, found none"):
        resume(toy_pulses(100), tmp_path)


def test_a_broken_off_training_is_not_overwritten_but_pointed_out(folder: Path) -> None:
    with pytest.raises(OutputError, match=r"unfinished training .*go on with it \(--resume\)"):
        train(toy_pulses(100), PREPARATION, CONFIG, folder=folder)


def test_a_damaged_state_is_refused(folder: Path) -> None:
    (folder / "checkpoints" / "state.npz").write_bytes(b"PK no")
    with pytest.raises(FormatError, match="no state of a training"):
        resume(toy_pulses(100), folder)
