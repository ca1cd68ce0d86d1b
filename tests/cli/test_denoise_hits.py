"""The whole way of clean traces on the command line: train, freeze, denoise, evaluate."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.reconstruction.copying_hits_model import write_copying_hits_model
from tests.runs.toy_hits import toy_hits, write_toy

from discrimen.runs.hits_file import read_hits

Run = Callable[..., tuple[int, str, str]]
TASK = ("--task", "reconstruction")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hits")
    for name, n_hits, seed in (("train", 6000, 0), ("test", 300, 1)):
        write_toy(folder / f"{name}.h5", toy_hits(n_hits, seed=seed, noise_adc=20.0))
        write_toy(folder / f"{name}.clean.h5", toy_hits(n_hits, seed=seed, noise_adc=0.0))
    return folder


@pytest.mark.slow
def test_hits_are_learned_clean_frozen_denoised_and_judged(run: Run, files: Path) -> None:
    model, frozen = files / "model", files / "m.discrimen"
    how = ("--epochs", "12", "--batch-size", "100", "--learning-rate", "0.003", "--learning-rate-decay", "cosine")
    clean = ("--clean", files / "train.clean.h5")
    status, out, err = run("train", files / "train.h5", *clean, *TASK, *how, "-o", model, "--json")
    assert status == 0, err
    assert json.loads(out)["architecture"]["name"] == "neighbours_autoencoder"
    assert json.loads(out)["model"]["provenance"]["clean_files"][0]["name"] == "train.clean.h5"
    assert "the network sees samples 0:60" in err
    assert run("freeze", model, "-o", frozen)[0] == 0
    judged = (files / "test.h5", "--clean", files / "test.clean.h5", "-o", files / "report", "--json")
    status, out, err = run("evaluate", frozen, *judged)
    assert status == 0, err
    told = json.loads(out)["kinds"]
    assert told["all"][0]["figures"]["gain_db"]["value"] > 6
    status, out, err = run("denoise", frozen, files / "test.h5", "-o", files / "out.h5", "--json")
    assert status == 0, err
    assert json.loads(out)["files"][0]["n_denoised"] == 300
    noise = read_hits(files / "out.h5").samples - read_hits(files / "test.clean.h5").samples.astype(float)
    expected = told["all"][0]["figures"]["residual_rms_adc"]["value"]
    assert noise.std() == pytest.approx(expected, rel=0.02)  # but for rounding


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--report", "r"), "--report does nothing without files of pulses"),
        (("--to", "lh5"), "--to does nothing without files of pulses"),
    ],
)
def test_options_of_pulses_are_refused(run: Run, files: Path, options: tuple[str, ...], message: str) -> None:
    model = write_copying_hits_model(files / "copy.discrimen")
    status, _, err = run("denoise", model, files / "test.h5", "-o", files / "none.h5", *options)
    assert status == 2
    assert message in " ".join(err.replace("│", " ").split())


def test_judging_wants_clean_hits(run: Run, files: Path) -> None:
    model = write_copying_hits_model(files / "copy.discrimen")
    status, _, err = run("evaluate", model, files / "test.h5", "-o", files / "none")
    assert status == 2
    assert "denoised hits are judged beside clean ones" in " ".join(err.replace("│", " ").split())
    other = ("--clean", files / "train.clean.h5")
    status, _, err = run("evaluate", model, files / "test.h5", *other, "-o", files / "none")
    assert status == 1
    assert "6000 clean hits for the 300 of test.h5" in err


def test_clean_records_of_other_hits_are_refused(run: Run, files: Path) -> None:
    given = (files / "test.h5", "--clean", files / "train.clean.h5", "--task", "position", "-o", files / "none")
    status, _, err = run("train", *given)
    assert status == 1
    assert "clean hits" in err
    assert np.array_equal(read_hits(files / "test.h5").samples, toy_hits(300, seed=1, noise_adc=20.0).samples)
