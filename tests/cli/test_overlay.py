"""``discrimen overlay`` from a user's seat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.reconstruction.test_denoise import read

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_file(tmp_path: Path, run: Run) -> Path:
    wishes = ("--energy-min-kevee", "100", "--pileup-fraction", "0.1")
    assert run("simulate", "-o", tmp_path / "run.lh5", "-n", "400", *wishes)[0] == 0
    return tmp_path / "run.lh5"


def test_records_are_put_together_from_a_run(run_file: Path, tmp_path: Path, run: Run) -> None:
    where = ("-o", tmp_path / "set.lh5", "--components", tmp_path / "parts.lh5")
    status, out, err = run("overlay", run_file, *where, "-n", "300", "--share", "0:0.5", "--json")
    assert status == 0, err
    told = json.loads(out)
    assert (told["n_records"], told["n_piled_up"], told["input"]["n_records"]) == (300, 300, 200)
    assert len(read(tmp_path / "set.lh5")) == 300
    status, _, err = run("overlay", run_file, *where)
    assert status == 1
    assert "is there already" in err
    status, out, err = run("overlay", run_file, *where, "-n", "50", "--overwrite")
    assert status == 0, err
    assert "400 records: " in out
    assert "50 records, 50 of two pulses, written to" in out


def test_what_cannot_be_is_refused(run_file: Path, tmp_path: Path, run: Run) -> None:
    where = ("-o", tmp_path / "set.lh5", "--components", tmp_path / "parts.lh5")
    for wishes, code, said in (
        (("--share", "half"), 2, "expected START:STOP"),
        (("--share", "0.5:0.2"), 1, "from a share to a larger one"),
        (("--gain-min", "2"), 1, "least factor"),
        (("--share", "0:0.05"), 1, "20 records are too few"),
    ):
        status, _, err = run("overlay", run_file, *where, *wishes)
        assert (status, said in " ".join(err.split())) == (code, True), err
    assert not (tmp_path / "set.lh5").exists()


def test_a_separation_without_components_names_the_way(run_file: Path, tmp_path: Path, run: Run) -> None:
    task = ("--task", "separation", "--architecture", "mlp", "--accept")
    status, _, err = run("train", run_file, *task, "-o", tmp_path / "model")
    assert status == 1
    assert "discrimen overlay RUN" in err
