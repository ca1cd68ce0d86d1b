"""The whole way of positions on the command line: train, freeze, evaluate, locate."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.runs.toy_hits import toy_hits, write_toy

from discrimen.scoring.positions_file import read_positions

Run = Callable[..., tuple[int, str, str]]
MLP = ("--task", "position", "--architecture", "mlp", "--option", "hidden=64,32")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hits")
    write_toy(folder / "train.h5", toy_hits(12_000))
    write_toy(folder / "test.h5", toy_hits(800, seed=1))
    return folder


@pytest.mark.slow
def test_hits_are_trained_on_frozen_judged_and_located(run: Run, files: Path) -> None:
    model, frozen = files / "model", files / "m.discrimen"
    how = ("--epochs", "25", "--batch-size", "200", "--learning-rate-decay", "cosine", "-o", model, "--json")
    status, out, err = run("train", files / "train.h5", *MLP, *how)
    assert status == 0, err
    assert "37 channels; time and gain from 'core' (scale area)" in err
    assert json.loads(out)["model"]["outputs"][0]["unit"] == "mm"
    assert run("freeze", model, "-o", frozen)[0] == 0
    status, out, err = run("evaluate", frozen, files / "test.h5", "-o", files / "report", "--json")
    assert status == 0, err
    told = json.loads(out)
    figures = told["groups"]["all"][0]["figures"]
    assert figures["median_3d_mm"]["value"] < 0.6 * told["without_network_mm"]
    assert 55 < figures["x_coverage"]["value"] < 80
    status, out, err = run("locate", frozen, files / "test.h5", "-o", files / "p.h5", "--json")
    assert status == 0, err
    assert json.loads(out)["files"][0]["n_located"] == 800
    columns, _ = read_positions(files / "p.h5")
    rms = np.sqrt(np.square(columns["z_mm"] - toy_hits(800, seed=1).column("z_mm")).mean())
    assert rms == pytest.approx(figures["z_rms_mm"]["value"], rel=1e-3)
    status, out, err = run("evaluate", frozen, files / "train.h5", "-o", files / "again")
    assert "the model was trained on train.h5: these figures are too good" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--task", "classification"), "hits are trained on with --task position"),
        ((*MLP, "--reference", "cc"), "there is no channel 'cc' to be the reference"),
        (("--task", "regression", "--quantity", "energy_kevee=keVee"), "the hits have no column 'energy_kevee'"),
        ((*MLP, "--clean", "a.h5", "--clean", "b.h5"), "--clean: 2 files for 1 data sets"),
        ((*MLP, "--each-channel"), "--each-channel does nothing without files of pulses"),
    ],
)
def test_what_does_not_go_with_hits_is_refused(run: Run, files: Path, options: tuple[str, ...], message: str) -> None:
    status, _, err = run("train", files / "test.h5", *options, "-o", files / "none")
    assert status in (1, 2)
    assert message in err
    assert not (files / "none").exists()
