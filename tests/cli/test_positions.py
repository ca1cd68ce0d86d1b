"""The whole way of positions on the command line: train, freeze, evaluate, locate."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.runs.toy_hits import toy_hits, write_toy

from discrimen.pulses.hits import Hits
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
    status, out, err = run("train", files / "train.h5", *MLP, "--quantity", "time_offset_ns=ns", *how)
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
    offset = told["further"]["time_offset_ns"]
    assert offset["rms"]["value"] < 1.02 * offset["spread"]["value"], "the toy hardly tells its time"
    assert 55 < offset["coverage"]["value"] < 80
    status, out, err = run("locate", frozen, files / "test.h5", "-o", files / "p.h5", "--json")
    assert status == 0, err
    assert json.loads(out)["files"][0]["n_located"] == 800
    columns, _ = read_positions(files / "p.h5")
    rms = np.sqrt(np.square(columns["z_mm"] - toy_hits(800, seed=1).column("z_mm")).mean())
    assert rms == pytest.approx(figures["z_rms_mm"]["value"], rel=1e-3)
    late = columns["time_offset_ns"] - toy_hits(800, seed=1).column("time_offset_ns")
    assert np.sqrt(np.square(late).mean()) == pytest.approx(offset["rms"]["value"], rel=1e-3)
    assert np.isfinite(columns["time_offset_error_ns"]).all()
    status, out, err = run("evaluate", frozen, files / "train.h5", "-o", files / "again")
    assert "the model was trained on train.h5: these figures are too good" in err


def with_pairs(n_hits: int, *, seed: int = 0) -> Hits:
    """Half of the hits are the sum of two, with 70 % of the energy in the first."""
    first, second = toy_hits(n_hits, seed=seed), toy_hits(n_hits, seed=seed + 100)
    two = np.arange(n_hits) % 2 == 1
    mixed = (0.7 * first.samples + 0.3 * second.samples).round().astype(np.int16)
    energy = np.where(two, 0.7 * first.column("energy_kev") + 0.3 * second.column("energy_kev"), 300)
    columns = {**first.columns, "n_interactions": 1 + two, "energy_kev": energy}
    columns["energy_2_kev"] = np.where(two, 0.3 * second.column("energy_kev"), np.nan)
    columns |= {f"{axis}_2_mm": np.where(two, second.column(f"{axis}_mm"), np.nan) for axis in "xyz"}
    return replace(first, samples=np.where(two[:, None, None], mixed, first.samples), columns=columns)


@pytest.mark.slow
def test_one_or_two_interactions_go_the_whole_way(run: Run, tmp_path: Path) -> None:
    train, test = (
        write_toy(tmp_path / "train.h5", with_pairs(6000)),
        write_toy(tmp_path / "t.h5", with_pairs(600, seed=1)),
    )
    model, frozen = tmp_path / "model", tmp_path / "m.discrimen"
    how = ("--epochs", "8", "--batch-size", "200", "-o", model)
    status, _, err = run("train", train, *MLP, "--interactions", "2", *how)
    assert status == 0, err
    assert run("freeze", model, "-o", frozen)[0] == 0
    status, out, err = run("evaluate", frozen, test, "-o", tmp_path / "report", "--json")
    assert status == 0, err
    one, two = json.loads(out)["parting"]["groups"]["number"]
    assert one["figures"]["taken_for_two"]["value"] < 12
    assert two["figures"]["taken_for_two"]["value"] > 20
    status, _, err = run("locate", frozen, test, "-o", tmp_path / "p.h5")
    assert (status, "knows one interaction" in err) == (0, False)
    columns, _ = read_positions(tmp_path / "p.h5")
    located = columns["flags"] == 0
    assert located.mean() > 0.9
    probability = columns["two_probability"][located]
    is_two = with_pairs(600, seed=1).column("n_interactions")[located] == 2
    assert probability[is_two].mean() > probability[~is_two].mean() + 0.25
    assert np.isfinite(columns["x_2_mm"][located]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--task", "classification"), "hits are trained on with --task position"),
        ((*MLP, "--reference", "cc"), "there is no channel 'cc' to be the reference"),
        (("--task", "regression", "--quantity", "energy_kevee=keVee"), "the hits have no column 'energy_kevee'"),
        ((*MLP, "--clean", "a.h5", "--clean", "b.h5"), "--clean: 2 files for 1 data sets"),
        ((*MLP, "--interactions", "2"), "the hits have no column 'x_2_mm'; they have: "),
        (
            (*MLP, "--interactions", "2", "--quantity", "time_offset_ns=ns"),
            "--quantity does nothing with --interactions",
        ),
        (("--interactions", "2"), "--interactions does nothing without --task position"),
        ((*MLP, "--each-channel"), "--each-channel does nothing without files of pulses"),
    ],
)
def test_what_does_not_go_with_hits_is_refused(run: Run, files: Path, options: tuple[str, ...], message: str) -> None:
    status, _, err = run("train", files / "test.h5", *options, "-o", files / "none")
    assert status in (1, 2)
    assert message in err
    assert not (files / "none").exists()
