"""``locate`` and ``evaluate`` with a basis instead of a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.grid_search.test_locate import BASIS, CHANNELS, hits

from discrimen.pulses.hits import Hits
from discrimen.runs.hits_file import HitsWriter
from discrimen.scoring.positions_file import read_positions
from discrimen.simulation.germanium.basis import Basis, write_basis
from discrimen.simulation.germanium.crystal import Crystal, read_crystal

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def basis(tmp_path: Path) -> Path:
    return written_basis(tmp_path / "basis.h5")


def written_basis(path: Path, crystal: Crystal | None = None) -> Path:
    made = Basis(
        positions_mm=BASIS.positions_mm.astype(np.float32),
        segment=BASIS.segment.astype(np.int16),
        traces=BASIS.traces.astype(np.float32),
        sample_period_ns=BASIS.sample_period_ns,
        onset_ns=BASIS.onset_ns,
        channels=CHANNELS,
        source="toy",
        n_left_out=0,
        crystal=crystal,
    )
    write_basis(path, made)
    return path


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    return written_hits(tmp_path / "hits.h5")


def written_hits(path: Path, crystal: Crystal | None = None) -> Path:
    made, truth = hits(60)
    columns = {f"{axis}_mm": truth[:, number].astype(np.float32) for number, axis in enumerate("xyz")}
    provenance = {} if crystal is None else {"simulation": {"crystal": crystal.model_dump()}}
    with HitsWriter(path, provenance) as writer:
        writer.write(Hits(samples=made.samples, sample_period_ns=10.0, channels=CHANNELS, columns=columns))
    return path


@pytest.mark.slow
def test_a_basis_locates_and_is_judged_as_a_model_is(run: Run, basis: Path, run_file: Path, tmp_path: Path) -> None:
    status, out, _ = run("locate", basis, run_file, "-o", tmp_path / "p.h5")
    assert status == 0
    assert "60 of 60 hits located" in out
    found, _ = read_positions(tmp_path / "p.h5")
    _, truth = hits(60)
    assert np.median(np.abs(found["x_mm"] - truth[:, 0])) < 0.5
    assert "x_error_mm" not in found
    assert run("locate", basis, run_file, "-o", tmp_path / "mean.h5", "--posterior")[0] == 0
    mean, _ = read_positions(tmp_path / "mean.h5")
    assert np.median(np.abs(mean["x_mm"] - truth[:, 0])) < 0.8
    # A point of the grid of 2 mm stands for what lies around it.
    assert mean["x_error_mm"].min() > 0.5
    status, out, _ = run("evaluate", basis, run_file, "-o", tmp_path / "report", "--json")
    assert status == 0
    report = json.loads(out)
    assert report["model"]["name"] == "grid search"
    assert report["groups"]["all"][0]["figures"]["median_3d_mm"]["value"] < 1.0


@pytest.mark.slow
def test_walls_are_told_apart_where_the_crystal_is_known(run: Run, tmp_path: Path) -> None:
    greta = read_crystal("greta-a")
    basis, unknown = written_basis(tmp_path / "b.h5", greta), written_hits(tmp_path / "unknown.h5")
    judge = ("-o", tmp_path / "report", "--json")
    assert "distance to a wall" not in json.loads(run("evaluate", basis, unknown, *judge)[1])["groups"]
    for options in ((unknown, "--detector", "greta-a"), (written_hits(tmp_path / "known.h5", greta),)):
        status, out, err = run("evaluate", basis, *options, *judge)
        assert status == 0, err
        assert sum(each["n_hits"] for each in json.loads(out)["groups"]["distance to a wall"]) > 10


def test_other_crystals_are_refused_and_other_fields_told(run: Run, tmp_path: Path) -> None:
    greta = read_crystal("greta-a")
    basis, same = written_basis(tmp_path / "b.h5", greta), written_hits(tmp_path / "known.h5", greta)
    judge = ("-o", tmp_path / "report", "--json")
    status, _, err = run("evaluate", basis, same, "--detector", "agata", *judge)
    assert (status, "which is not the one of --detector agata" in err) == (1, True)
    other = written_hits(tmp_path / "agata.h5", read_crystal("agata"))
    for command in (("locate", basis, other, "-o", tmp_path / "p.h5"), ("evaluate", basis, other, *judge)):
        status, _, err = run(*command)
        assert (status, "these hits are of the crystal agata" in err) == (1, True)
    assert not (tmp_path / "p.h5").exists()
    low = written_hits(tmp_path / "low.h5", greta.model_copy(update={"bias_v": 4000.0}))
    status, out, err = run("locate", basis, low, "-o", tmp_path / "p.h5", "--json")
    assert (status, "WARNING" in err, len(json.loads(out)["warnings"])) == (0, True, 1)


def test_options_that_do_nothing_are_refused(run: Run, basis: Path, run_file: Path, tmp_path: Path) -> None:
    status, _, err = run("locate", basis, run_file, "-o", tmp_path / "p.h5", "--threads", "2")
    assert (status, "--threads does nothing without a model" in err) == (2, True)
    status, _, err = run("locate", tmp_path / "m.discrimen", run_file, "-o", tmp_path / "p.h5", "--adaptive")
    assert (status, "--adaptive does nothing without a basis" in err) == (2, True)
    status, _, err = run("locate", basis, run_file, "-o", tmp_path / "p.h5", "--posterior", "--adaptive")
    assert (status, "leave out --adaptive" in err) == (2, True)
    status, _, err = run("evaluate", basis, run_file, "-o", tmp_path / "r", "--efficiencies", "0.9")
    assert (status, "--efficiencies does nothing without a model" in err) == (2, True)
