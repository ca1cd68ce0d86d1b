"""``discrimen train`` from a user's seat: tasks, what is refused at once, and a training that is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.training.toy_pulses import toy_pulses

from discrimen.training import load_model_folder

Run = Callable[..., tuple[int, str, str]]
OPTIONS = ("--sample-period-ns", "10", "--polarity", "negative", "--baseline-ns", "0:120")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toy pulses as NumPy files: with labels and light, and without anything."""
    place = tmp_path_factory.mktemp("trained")
    pulses = toy_pulses(400)
    order = np.random.default_rng(0).permutation(800)
    height = (8000.0 - pulses.samples[order].min(axis=1)).astype(np.float32)
    shared = {"samples": pulses.samples[order]}
    np.savez(place / "labelled.npz", **shared, label=pulses.column("label")[order], energy_kevee=height / 4)
    np.savez(place / "bare.npz", **shared)
    return place


def test_the_time_of_an_epoch_is_told(run: Run, folder: Path) -> None:
    how = ("--epochs", "2", "--architecture", "mlp")
    status, out, err = run("train", folder / "labelled.npz", "-o", folder / "model", *how, *OPTIONS, "--json")
    assert status == 0, err
    assert json.loads(out)["median_epoch_s"] > 0
    status, out, _ = run("train", folder / "labelled.npz", "-o", folder / "again", *how, *OPTIONS)
    assert "s an epoch (median)" in " ".join(out.split())


def test_waveforms_without_labels_are_reconstructed(run: Run, folder: Path) -> None:
    how = ("--task", "reconstruction", "--architecture", "dense_autoencoder", "--option", "code=2", "--epochs", "1")
    status, out, err = run("train", folder / "bare.npz", "-o", folder / "code", *how, *OPTIONS, "--json")
    assert status == 0, err
    described = json.loads(out)["model"]
    assert [(each["kind"], each["shape"]) for each in described["outputs"]] == [("waveform", [1, 75]), ("code", [2])]
    assert "n_gamma" not in json.loads(out)
    assert {"seed", "n_looked_at", "findings"} == set(described["provenance"]["audit"])


def test_a_column_is_learned_with_its_error(run: Run, folder: Path) -> None:
    how = ("--task", "regression", "--quantity", "energy_kevee=keVee", "--with-error", "--scale", "none")
    status, out, err = run(
        "train", folder / "labelled.npz", "-o", folder / "light", *how, *OPTIONS, "--epochs", "2", "--json"
    )
    assert status == 0, err
    (output,) = json.loads(out)["model"]["outputs"]
    assert (output["name"], output["unit"], output["with_error"]) == ("energy_kevee", "keVee", True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--balance-cap", "4"], "--balance-cap does nothing without --balance"),
        (["--balance-by", "resampling"], "--balance-by does nothing without --balance"),
        (["--align-position", "5"], "--align-position does nothing without --align"),
        (["--interpolate"], "--interpolate does nothing without --align"),
        (["--with-error"], "--with-error does nothing without --task regression"),
        (["--quantity", "energy=keVee"], "--quantity does nothing without --task regression"),
        (["--task", "regression"], "needs --quantity"),
        (["--task", "reconstruction", "--hard-labels"], "-labels does nothing without --task classification"),
        (["--task", "reconstruction", "--balance", "class"], "balance weighs classes"),
        (["--architecture", "none.py:build"], "there is no such file"),
    ],
)
def test_options_that_do_nothing_are_refused_before_anything_is_read(
    run: Run, tmp_path: Path, options: list[str], message: str
) -> None:
    status, _, err = run("train", tmp_path / "not-there.npz", "-o", tmp_path / "model", *options)
    assert status == 2
    assert message in " ".join(err.split())
    assert not (tmp_path / "model").exists()


def test_a_folder_in_use_is_refused_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "model.json").touch()
    status, _, err = run("train", tmp_path / "not-there.npz", "-o", tmp_path)
    assert status == 1
    assert "holds a trained model" in err


def test_what_a_file_lacks_is_told_before_all_is_read(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object, **__: object) -> None:
        raise AssertionError("all was read")

    monkeypatch.setattr("discrimen.cli.train_resume.load_dataset", slow)
    both = (folder / "labelled.npz", folder / "bare.npz", "-o", tmp_path / "model", *OPTIONS)
    status, _, err = run("train", *both)
    assert (status, "bare.npz: the pulses have no labels" in err) == (1, True)
    status, _, err = run("train", *both, "--task", "regression", "--quantity", "energy_kevee=keVee")
    assert (status, "bare.npz: the pulses have no column 'energy_kevee'" in err) == (1, True)


def test_a_folder_is_needed(run: Run, folder: Path) -> None:
    status, _, err = run("train", folder / "labelled.npz")
    assert (status, "give a folder for the model with -o" in " ".join(err.split())) == (2, True)


@pytest.mark.slow
def test_a_killed_training_goes_on(run: Run, folder: Path, tmp_path: Path) -> None:
    """SIGKILL wherever it comes, most likely in the middle of an epoch: nothing can be tidied up."""
    data, model = folder / "labelled.npz", tmp_path / "model"
    how = [data, *OPTIONS]
    begin = [*how, "-o", model, "--epochs", "300", "--patience", "0", "--architecture", "mlp", "--batch-size", "10"]
    history = model / "history.csv"
    with subprocess.Popen(
        [sys.executable, "-m", "discrimen", "train", *map(str, begin)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while process.poll() is None and (not history.exists() or len(history.read_text().splitlines()) < 4):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    before = history.read_text().splitlines()
    assert 4 <= len(before) < 301
    status, _, err = run("train", *begin)
    assert (status, "--resume" in err) == (1, True)
    status, _, err = run("train", *how, "--resume", model, "--epochs", "400")
    assert status == 2
    assert "--epochs: --resume goes on with the options that the training began with" in " ".join(err.split())
    status, out, err = run("train", *how, "--resume", model, "--json")
    assert status == 0, err
    assert "going on after epoch" in err
    assert json.loads(out)["epochs"] == 300
    after = history.read_text().splitlines()
    # The last epoch before may be done again, if the end came before its state was written.
    assert after[: len(before) - 1] == before[:-1]
    assert [int(row.split(",")[0]) for row in after[1:]] == list(range(1, 301))
    _, description = load_model_folder(model)
    assert description.provenance["n_epochs"] == 300
    assert description.provenance["files"][0]["name"] == "labelled.npz"
    status, _, err = run("train", *how, "--resume", model)
    assert (status, "this training is finished" in err) == (1, True)
