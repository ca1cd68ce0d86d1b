"""``locate`` and ``evaluate`` with a basis in the place of a model."""

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

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def basis(tmp_path: Path) -> Path:
    path = tmp_path / "basis.h5"
    made = Basis(
        positions_mm=BASIS.positions_mm.astype(np.float32),
        segment=BASIS.segment.astype(np.int16),
        traces=BASIS.traces.astype(np.float32),
        sample_period_ns=BASIS.sample_period_ns,
        onset_ns=BASIS.onset_ns,
        channels=CHANNELS,
        source="toy",
        n_left_out=0,
    )
    write_basis(path, made)
    return path


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "hits.h5"
    made, truth = hits(60)
    columns = {f"{axis}_mm": truth[:, number].astype(np.float32) for number, axis in enumerate("xyz")}
    with HitsWriter(path) as writer:
        writer.write(Hits(samples=made.samples, sample_period_ns=10.0, channels=CHANNELS, columns=columns))
    return path


def test_a_basis_locates_and_is_judged_as_a_model_is(run: Run, basis: Path, run_file: Path, tmp_path: Path) -> None:
    status, out, _ = run("locate", basis, run_file, "-o", tmp_path / "p.h5")
    assert status == 0
    assert "60 of 60 hits located" in out
    found, _ = read_positions(tmp_path / "p.h5")
    _, truth = hits(60)
    assert np.median(np.abs(found["x_mm"] - truth[:, 0])) < 0.5
    assert "x_error_mm" not in found
    status, out, _ = run("evaluate", basis, run_file, "-o", tmp_path / "report", "--json")
    assert status == 0
    report = json.loads(out)
    assert report["model"]["name"] == "grid search"
    assert report["groups"]["all"][0]["figures"]["median_3d_mm"]["value"] < 1.0


def test_options_that_do_nothing_are_refused(run: Run, basis: Path, run_file: Path, tmp_path: Path) -> None:
    status, _, err = run("locate", basis, run_file, "-o", tmp_path / "p.h5", "--threads", "2")
    assert (status, "--threads does nothing without a model" in err) == (2, True)
    status, _, err = run("locate", tmp_path / "m.discrimen", run_file, "-o", tmp_path / "p.h5", "--adaptive")
    assert (status, "--adaptive does nothing without a basis" in err) == (2, True)
    status, _, err = run("evaluate", basis, run_file, "-o", tmp_path / "r", "--efficiencies", "0.9")
    assert (status, "--efficiencies does nothing without a model" in err) == (2, True)
