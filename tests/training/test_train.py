from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError, FormatError, OutputError, SettingsError
from discrimen.keras_jax import load_keras
from discrimen.output.provenance import sha256_of_file
from discrimen.pulses.detector import DetectorSettings
from discrimen.training import EpochRecord, TrainingConfig, TrainingResult, load_model_folder, train
from discrimen.training.checkpoints import KEEP_BEST

EPOCHS = 12


def weights(model: Any) -> NDArray[np.float32]:
    return np.concatenate([np.asarray(variable.value).ravel() for variable in model.variables])


class Listener:
    def __init__(self) -> None:
        self.records: list[EpochRecord] = []

    def on_epoch(self, record: EpochRecord) -> None:
        self.records.append(record)


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> TrainingResult:
    return train(
        toy_pulses(800),
        PREPARATION,
        TrainingConfig(architecture="mlp", epochs=EPOCHS, learning_rate=0.01),
        folder=tmp_path_factory.mktemp("trained") / "model",
        settings=DetectorSettings(name="toy"),
        provenance={"files": {"run.bin": "abc"}},
        progress=listener,
    )


def test_a_toy_is_learned(result: TrainingResult) -> None:
    assert result.best.val_accuracy > 0.98
    assert result.best.val_loss < 0.1


def test_an_ordered_file_gives_both_classes_to_the_validation(result: TrainingResult) -> None:
    assert np.count_nonzero(result.validation_index < 800) == 80
    assert np.count_nonzero(result.validation_index >= 800) == 80
    assert result.n_training == 1440


def test_the_best_epoch_has_the_lowest_validation_loss(result: TrainingResult) -> None:
    losses = [record.val_loss for record in result.history]
    assert len(losses) == EPOCHS
    assert result.best_epoch == 1 + int(np.argmin(losses))
    assert result.stopped_by == "epochs"


def test_the_model_is_the_best_checkpoint(result: TrainingResult) -> None:
    name = f"epoch-{result.best_epoch:03d}-val_loss-{result.best.val_loss:.5f}.keras"
    best = result.folder / "checkpoints" / name
    assert best.read_bytes() == (result.folder / "model.keras").read_bytes()
    model, _ = load_model_folder(best)
    assert_array_equal(weights(model), weights(result.model))


def test_the_model_has_the_loss_that_its_name_says(result: TrainingResult) -> None:
    from discrimen.network.prepare import prepare

    pulses = toy_pulses(800)[result.validation_index]
    with load_keras("cpu").on_device():
        scores = result.model.predict(prepare(pulses.samples, PREPARATION).waveforms, verbose=0)
    loss = -np.log(scores[np.arange(len(scores)), pulses.column("label")]).mean()
    assert loss == pytest.approx(result.best.val_loss, rel=1e-3)


def test_only_the_best_few_checkpoints_stay(result: TrainingResult) -> None:
    assert 1 <= len(list((result.folder / "checkpoints").glob("*.keras"))) <= KEEP_BEST


def test_the_csv_history_holds_every_epoch(result: TrainingResult) -> None:
    with (result.folder / "history.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["epoch"]) for row in rows] == list(range(1, EPOCHS + 1))
    for row, record in zip(rows, result.history, strict=True):
        assert float(row["val_loss"]) == record.val_loss
        assert float(row["accuracy"]) == record.accuracy


def test_progress_hears_of_every_epoch(result: TrainingResult, listener: Listener) -> None:
    assert tuple(listener.records) == result.history


def test_the_description_tells_where_the_model_comes_from(result: TrainingResult) -> None:
    described = json.loads((result.folder / "model.json").read_text())
    assert described["preparation"] == PREPARATION.as_dict()
    assert described["outputs"][0]["names"] == ["gamma", "neutron"]
    assert described["architecture"]["n_parameters"] == 814
    assert described["settings"] == {"name": "toy"}
    origin = described["provenance"]
    assert origin["model_sha256"] == sha256_of_file(result.folder / "model.keras")
    assert origin["files"] == {"run.bin": "abc"}
    assert origin["best"]["epoch"] == result.best_epoch
    assert origin["training"]["seed"] == 0
    assert origin["versions"]["keras"]
    assert origin["pulses"]["n_training"] == 1440


def test_nothing_temporary_is_left(result: TrainingResult) -> None:
    names = [path.name for path in result.folder.rglob("*")]
    assert not [name for name in names if name.startswith(".") or name.endswith(".part")]


def test_a_seed_gives_the_same_model_again(tmp_path: Path) -> None:
    runs = [
        train(
            toy_pulses(100),
            PREPARATION,
            TrainingConfig(architecture="mlp", epochs=2, seed=seed),
            folder=tmp_path / str(number),
        )
        for number, seed in enumerate((3, 3, 4))
    ]
    first, again, other = (weights(run.model) for run in runs)
    assert_array_equal(first, again)
    assert [record.loss for record in runs[0].history] == [record.loss for record in runs[1].history]
    assert not np.array_equal(first, other)


def test_the_seed_leaves_the_global_generators_alone(tmp_path: Path) -> None:
    random.seed(5)
    expected = random.random()
    random.seed(5)
    train(toy_pulses(10), PREPARATION, TrainingConfig(architecture="mlp", epochs=1), folder=tmp_path / "model")
    assert random.random() == expected


def test_training_stops_when_the_validation_loss_no_longer_falls(tmp_path: Path) -> None:
    pulses = toy_pulses(50)
    coin = np.random.default_rng(0).integers(0, 2, len(pulses)).astype(np.int8)
    config = TrainingConfig(architecture="mlp", epochs=100, patience=3, learning_rate=0.05)
    stopped = train(pulses.replace(label=coin), PREPARATION, config, folder=tmp_path / "model")
    assert stopped.stopped_by == "patience"
    assert len(stopped.history) == stopped.best_epoch + 3 < 100


class Interrupting:
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_epoch(self, record: EpochRecord) -> None:
        if record.epoch == self.epoch:
            raise KeyboardInterrupt


def test_an_interrupt_keeps_the_best_model_so_far(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    result = train(
        toy_pulses(100),
        PREPARATION,
        TrainingConfig(architecture="mlp", epochs=50),
        folder=folder,
        progress=Interrupting(epoch=3),
    )
    assert (result.stopped_by, len(result.history)) == ("interrupt", 3)
    _, description = load_model_folder(folder)
    assert description.provenance["stopped_by"] == "interrupt"


def test_checkpoints_can_be_loaded_while_the_training_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    found: list[Any] = []

    class Loading:
        def on_epoch(self, record: EpochRecord) -> None:
            found.append(load_model_folder(next((folder / "checkpoints").glob("*.keras"))))

    train(toy_pulses(20), PREPARATION, TrainingConfig(architecture="mlp", epochs=1), folder=folder, progress=Loading())
    assert found[0][1].preparation == PREPARATION


def test_a_loss_that_is_no_number_in_the_first_epoch_is_an_error(tmp_path: Path) -> None:
    config = TrainingConfig(
        architecture="mlp", epochs=3, options={"hidden": (64, 64)}, optimizer="adam", learning_rate=1e30
    )
    with pytest.raises(SettingsError, match=r"lower the learning rate \(now 1e\+30\).*scale 'peak'"):
        train(toy_pulses(200), PREPARATION, config, folder=tmp_path / "model")


def test_a_training_that_came_to_nothing_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "model"
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("discrimen.training.history.History.on_epoch", Interrupting(epoch=1).on_epoch)
        train(toy_pulses(20), PREPARATION, TrainingConfig(architecture="mlp", epochs=1), folder=folder)
    train(toy_pulses(20), PREPARATION, TrainingConfig(architecture="mlp", epochs=1), folder=folder)
    assert len(list((folder / "tensorboard").iterdir())) == 1


def test_a_finished_model_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    config = TrainingConfig(architecture="mlp", epochs=2)
    train(toy_pulses(20), PREPARATION, config, folder=folder)
    before = (folder / "model.keras").read_bytes()
    with pytest.raises(OutputError, match="holds a trained model"):
        train(toy_pulses(20, seed=1), PREPARATION, config, folder=folder)
    assert (folder / "model.keras").read_bytes() == before
    train(toy_pulses(20, seed=1), PREPARATION, config, folder=folder, overwrite=True)
    assert (folder / "model.keras").read_bytes() != before
    assert len(list((folder / "tensorboard").iterdir())) == 1


def test_an_unfinished_training_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    kept = tmp_path / "checkpoints" / "epoch-004-val_loss-0.10000.keras"
    kept.parent.mkdir()
    kept.touch()
    with pytest.raises(OutputError, match="unfinished training"):
        train(toy_pulses(20), PREPARATION, TrainingConfig(architecture="mlp", epochs=1), folder=tmp_path)
    assert kept.exists()


def test_data_at_fault_leave_no_folder(tmp_path: Path) -> None:
    gammas = toy_pulses(20)[:20]
    with pytest.raises(DataError, match="20 gammas and 0 neutrons"):
        train(gammas, PREPARATION, folder=tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_model_that_was_swapped_is_noticed(result: TrainingResult, tmp_path: Path) -> None:
    for name in ("model.json", "model.keras"):
        (tmp_path / name).write_bytes((result.folder / name).read_bytes())
    load_model_folder(tmp_path)
    worse = min((result.folder / "checkpoints").glob("*.keras"))
    (tmp_path / "model.keras").write_bytes(worse.read_bytes() + b" ")
    with pytest.raises(FormatError, match="SHA-256 differs"):
        load_model_folder(tmp_path)


def test_a_model_without_description_is_refused(result: TrainingResult, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes((result.folder / "model.keras").read_bytes())
    with pytest.raises(FormatError, match=r"expected model.json beside"):
        load_model_folder(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no zip archive", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_model_is_refused(result: TrainingResult, tmp_path: Path, content: bytes) -> None:
    description = json.loads((result.folder / "model.json").read_text())
    del description["provenance"]["model_sha256"]
    (tmp_path / "model.json").write_text(json.dumps(description))
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(FormatError, match=r"model\.keras: .*(no Keras model|cannot load)"):
        load_model_folder(tmp_path)


def test_a_description_of_another_network_is_refused(result: TrainingResult, tmp_path: Path) -> None:
    description = json.loads((result.folder / "model.json").read_text())
    description["preparation"]["window_length"] = 60
    del description["domain"]  # it would be refused before
    (tmp_path / "model.json").write_text(json.dumps(description))
    (tmp_path / "model.keras").write_bytes((result.folder / "model.keras").read_bytes())
    with pytest.raises(SettingsError, match=r"another network: .*\(1, 75\).*1 channel of 60 samples"):
        load_model_folder(tmp_path)


def test_loading_works_by_folder_and_by_file(result: TrainingResult) -> None:
    for path in (result.folder, result.folder / "model.keras", str(result.folder)):
        model, description = load_model_folder(path, session=load_keras("cpu"))
        assert description == result.description
        assert_array_equal(weights(model), weights(result.model))
