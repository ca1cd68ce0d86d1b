"""``discrimen robustness`` and what ``train`` does to the training part, from a user's seat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.simulate import simulate

Run = Callable[..., tuple[int, str, str]]
OPTIONS = ("--sample-period-ns", "10", "--polarity", "negative", "--baseline-ns", "0:120")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training and test pulses as NumPy files, which know nothing of the detector."""
    place = tmp_path_factory.mktemp("curves")
    for name, seed in (("train", 1), ("test", 2)):
        pulses = simulate(SimulationConfig(n_pulses=1500, seed=seed))
        np.savez(place / f"{name}.npz", samples=pulses.samples, label=pulses.column("label"))
    return place


def test_train_balances_and_augments(run: Run, folder: Path) -> None:
    how = ("--balance", "shape", "--balance-cap", "4", "--augment", "time=10,noise=2", "--epochs", "2")
    status, out, err = run("train", folder / "train.npz", "-o", folder / "model", *how, *OPTIONS, "--json")
    assert status == 0, err
    provenance = json.loads(out)["model"]["provenance"]
    assert provenance["training"]["augment"] == {"time": 10.0, "noise": 2.0}
    assert provenance["balance"]["energy_unit"] == "ADC ns"
    assert provenance["balance"]["gates_from"] == "search"
    assert (folder / "model" / "balance.png").exists()


def test_curves_are_printed_and_written(run: Run, folder: Path) -> None:
    what = ("--sizes", "time=-10:10:10", "--sizes", "noise=3,6", "--max-pulses", "1000")
    arguments = (folder / "model", folder / "test.npz", "-o", folder / "out", *what, *OPTIONS)
    status, out, err = run("robustness", *arguments)
    assert status == 0, err
    assert "time +10 ns" in out
    assert max(map(len, out.splitlines()[:-1])) <= 100
    written = json.loads((folder / "out" / "robustness.json").read_text())
    assert written["n_gamma"] + written["n_neutron"] == 1000
    assert [point["size"] for point in written["curves"][0]["points"]] == [-10, 0, 10]
    status, out, err = run("robustness", *arguments, "--json")
    assert status == 0, err
    shown = json.loads(out)
    assert shown["curves"] == written["curves"]
    assert shown["seen_in_training"] == {"model": []}


def test_models_of_the_same_name_are_told_apart(run: Run, folder: Path) -> None:
    checkpoint = next((folder / "model" / "checkpoints").glob("*.keras"))
    models = (folder / "model", checkpoint, folder / "train.npz")
    status, out, err = run("robustness", *models, "-o", folder / "two", "--sizes", "gain=0.1", *OPTIONS, "--json")
    assert status == 0, err
    assert list(json.loads(out)["models"]) == ["model", checkpoint.name]
    assert "WARNING: model was trained on train.npz" in err


def test_pulses_of_the_training_under_another_name_are_told(run: Run, folder: Path) -> None:
    with np.load(folder / "train.npz") as trained:
        np.savez(
            folder / "part.npz",
            **{name: rows[: len(rows) // 2] if rows.ndim else rows for name, rows in trained.items()},
        )
    arguments = (folder / "model", folder / "part.npz", "-o", folder / "part", "--sizes", "gain=0.1", *OPTIONS)
    status, _, err = run("robustness", *arguments, "--json")
    assert status == 0, err
    assert "of the pulses that model was trained on are among these" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("model",), "got 1 and 0"),
        (("test.npz",), "got 0 and 1"),
        (("model", "test.npz", "--sizes", "time=a"), "expected NAME=SIZES"),
        (("model", "test.npz", "--sizes", "time=5:-5:1"), "expected NAME=SIZES"),
        (("model", "test.npz", "--energy-kevee", "100"), "expected LOW:HIGH"),
    ],
)
def test_wrong_usage_is_status_2(run: Run, folder: Path, arguments: tuple[str, ...], message: str) -> None:
    given = [folder / part if part in ("model", "test.npz") else part for part in arguments]
    status, _, err = run("robustness", *given, "-o", folder / "none", *OPTIONS)
    assert status == 2
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sizes", "tilt=1"), "unknown distortion 'tilt'"),
        (("--energy-kevee", "50:100"), "no column energy_kevee"),
    ],
)
def test_data_at_fault_is_status_1_and_one_line(
    run: Run, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    status, _, err = run(
        "robustness", folder / "model", folder / "test.npz", "-o", folder / "none", *arguments, *OPTIONS
    )
    assert status == 1
    assert message in err.splitlines()[-1]
    assert not (folder / "none").exists()


def test_training_extends_labels_down_and_says_so_wherever_the_model_is_used(run: Run, folder: Path) -> None:
    with np.load(folder / "train.npz") as stored:
        high = stored["samples"].min(axis=1) < 14_600
        np.savez(folder / "high.npz", samples=stored["samples"][high], label=stored["label"][high])
    how = ("--extend-down", "110adc", "--architecture", "mlp", "--epochs", "1")
    status, out, err = run("train", folder / "high.npz", "-o", folder / "extended", *how, *OPTIONS, "--json")
    assert status == 0, err
    provenance = json.loads(out)["model"]["provenance"]
    assert provenance["training"]["extend_down_adc"] == 110.0
    assert provenance["extend_down"]["labelled_from"] > 390
    told = "down to 110) the model learnt from pulses of more light that were thinned"
    scores = folder / "scores.h5"
    status, out, err = run("classify", folder / "extended", folder / "test.npz", "-o", scores, "--accept", *OPTIONS)
    assert status == 0, err
    assert told in err
    status, out, err = run("evaluate", folder / "extended", folder / "test.npz", "-o", folder / "judged", *OPTIONS)
    assert status == 0, err
    assert told in " ".join(out.split())


@pytest.mark.parametrize("light", ["30", "adc", "30keV"])
def test_a_light_without_its_unit_is_refused(run: Run, folder: Path, light: str) -> None:
    status, _, err = run("train", folder / "train.npz", "-o", folder / "none", "--extend-down", light, *OPTIONS)
    assert status == 2
    assert "for example 30keVee or 100adc" in " ".join(err.split())
