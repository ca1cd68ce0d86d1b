"""``discrimen locate`` of many files into a folder, and as jobs of a batch system."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.runs.toy_hits import toy_hits, write_toy
from tests.scoring.small_hits_model import write_small_hits_model

from discrimen.scoring.positions_file import read_positions

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Path, list[Path]]:
    """A model and two files of hits."""
    files = [write_toy(tmp_path / f"run {number}.h5", toy_hits(30 + number, seed=number)) for number in (1, 2)]
    return write_small_hits_model(tmp_path / "hits.discrimen"), files


def test_each_file_gets_its_positions_once(run: Run, tmp_path: Path, inputs: tuple[Path, list[Path]]) -> None:
    model, files = inputs
    out_folder = tmp_path / "positions"
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"no hits")
    status, out, err = run("locate", model, files[0], broken, files[1], "-o", out_folder, "--json")
    assert status == 1
    told = json.loads(out)
    assert [each["n_hits"] for each in told["outputs"]] == [31, 32]
    assert [Path(each["input"]) for each in told["failed"]] == [broken]
    assert "1 of 3 files failed" in err
    written = out_folder / "run 1.h5.positions.h5"
    assert sorted(each.name for each in out_folder.iterdir()) == [written.name, "run 2.h5.positions.h5"]
    assert len(read_positions(written)[0]["x_mm"]) == 31
    before = written.stat().st_mtime_ns
    status, out, _ = run("locate", model, *files, "-o", out_folder)
    assert status == 0
    assert out.count("skipped") == 2
    assert written.stat().st_mtime_ns == before
    assert run("locate", model, *files, "-o", out_folder, "--overwrite")[0] == 0
    assert written.stat().st_mtime_ns > before


def test_positions_of_something_else_are_not_taken_for_done(
    run: Run, tmp_path: Path, inputs: tuple[Path, list[Path]]
) -> None:
    model, (first, second) = inputs
    written = tmp_path / "run 1.h5.positions.h5"
    assert run("locate", model, first, "-o", written)[0] == 0
    os.utime(first, (written.stat().st_mtime + 10,) * 2)
    assert "already, but of what the hits were before; remove them" in run("locate", model, first, "-o", tmp_path)[2]
    assert run("locate", model, second, "-o", written, "--overwrite")[0] == 0
    os.utime(first, (0, 0))
    assert "already, but of another file; remove them" in run("locate", model, first, "-o", tmp_path)[2]
    written.write_bytes(first.read_bytes())
    assert "a file already that holds no positions" in run("locate", model, first, "-o", tmp_path)[2]


def batch(run: Run, tmp_path: Path, inputs: tuple[Path, list[Path]], *options: str) -> tuple[int, str, str]:
    where = ("-o", tmp_path / "positions", "--jobs", tmp_path / "jobs", "--time", "00:10:00")
    return run("batch", "slurm", inputs[0], *inputs[1], *where, *options)


def test_a_batch_of_a_model_of_hits_locates(run: Run, tmp_path: Path, inputs: tuple[Path, list[Path]]) -> None:
    status, out, err = batch(run, tmp_path, inputs, "--options", "--threads 2")
    assert (status, err) == (0, "")
    assert "2 run files, 0 of them with their positions" in out
    job = (tmp_path / "jobs" / "job.sh").read_text()
    assert "\ntask=locate\n" in job
    assert "\noptions=(--threads 2)\n" in job
    outputs = [line.split("\t")[1] for line in (tmp_path / "jobs" / "files.txt").read_text().splitlines()]
    assert outputs == [f"{tmp_path}/positions/run {number}.h5.positions.h5" for number in (1, 2)]
    submit = subprocess.run(
        ["sh", tmp_path / "jobs" / "submit", "-n"], capture_output=True, text=True, timeout=60, check=True
    )
    assert submit.stdout == "2 run files: 0 have their positions, 2 to do in 2 jobs, 0 gone\n"
    status, _, err = batch(run, tmp_path, inputs, "--options", "--threshold 0.9")
    assert status == 2
    assert "No such option: --threshold" in err


@pytest.mark.slow
def test_its_jobs_write_the_positions(run: Run, tmp_path: Path, inputs: tuple[Path, list[Path]]) -> None:
    assert batch(run, tmp_path, inputs, "--files-per-job", "2")[0] == 0
    (tmp_path / "jobs" / "lists").mkdir()
    (tmp_path / "jobs" / "lists" / "all.txt").write_text("".join(f"{path}\n" for path in inputs[1]))
    subprocess.run(["bash", tmp_path / "jobs" / "job.sh", "all", "0"], timeout=100, check=True)
    assert len(list((tmp_path / "positions").iterdir())) == 2
    assert "2 of them with their positions" in batch(run, tmp_path, inputs)[1]
