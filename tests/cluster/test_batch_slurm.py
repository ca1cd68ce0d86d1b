"""Batches on a real Slurm: jobs that end, are cancelled and are submitted again give the scores of a direct call."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.cluster.batches import NAMES, submit, write_inputs
from tests.cluster.same_content import content
from tests.cluster.slurm_node import SlurmNode
from tests.runs.toy_hits import toy_hits, write_toy
from tests.scoring.small_hits_model import write_small_hits_model
from tests.scoring.small_model import long_records, write_run

from discrimen.scoring.positions_file import read_positions

pytestmark = pytest.mark.slurm

Write = Callable[..., Path]


@pytest.fixture
def batch(tmp_path: Path, slurm_node: SlurmNode) -> Write:
    """Write a batch and return its folder."""
    model, runs = write_inputs(tmp_path)

    def write(*options: str, files: list[Path] = runs, model: Path = model) -> Path:
        discrimen(
            "batch", "slurm", model, *files, "-o", tmp_path / "sc ores", "--jobs", tmp_path / "the jobs",
            "--time", "00:05:00", "--memory", "500M", *options,
        )  # fmt: skip
        return tmp_path / "the jobs"

    return write


def discrimen(*arguments: object) -> str:
    command = [sys.executable, "-m", "discrimen", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_until(reached: Callable[[], bool], *, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"not reached within {seconds:g} s"
        time.sleep(0.1)


def require_scores(jobs: Path, scores: Path, n_files: int) -> None:
    """Require so many files of scores and nothing else, or say what stands in the logs."""
    logs = "\n".join(f"{log.name}: {log.read_text()}" for log in sorted(jobs.glob("logs/*/*")))
    assert len(list(scores.iterdir())) == len(list(scores.glob("*.h5"))) == n_files, logs


def wait_until_done(node: SlurmNode) -> None:
    wait_until(lambda: node.ask("squeue", "-h") == "")


def test_every_run_gets_the_scores_of_a_direct_call(batch: Write, slurm_node: SlurmNode, tmp_path: Path) -> None:
    jobs = batch("--files-per-job", "2", "--options", "--threshold 0.7 --no-psd")
    environment = {name: value for name, value in slurm_node.environment.items() if name != "VIRTUAL_ENV"}
    began = subprocess.run(["sh", jobs / "submit"], env=environment, capture_output=True, text=True, check=False)
    assert (began.returncode, began.stderr) == (0, "")
    assert "0 have their scores, 5 to do in 3 jobs, 0 gone" in began.stdout
    wait_until_done(slurm_node)
    runs = tmp_path / "runs of today"
    options = ("--threshold", "0.7", "--no-psd", "--threads", "1")
    discrimen(
        "classify", tmp_path / "the model.discrimen", *runs.glob("*.BIN"), "-o", tmp_path / "direct", *options,
    )  # fmt: skip
    require_scores(jobs, tmp_path / "sc ores", 5)
    for path in (tmp_path / "sc ores").iterdir():
        assert content(path) == content(tmp_path / "direct" / path.name)
    again = submit(jobs)
    assert (again.returncode, again.stdout) == (0, "5 run files: 5 have their scores, 0 to do in 0 jobs, 0 gone\n")


def test_cancelled_jobs_are_submitted_again(batch: Write, slurm_node: SlurmNode, tmp_path: Path) -> None:
    scores = tmp_path / "sc ores"
    jobs = batch("--most-at-once", "1")
    submit(jobs)
    wait_until(lambda: any(scores.glob("*.h5")))
    again = submit(jobs)
    assert again.returncode == 1
    assert re.search(r"jobs of this batch are in the queue \(\d+:(RUNNING|PENDING):", again.stderr)
    slurm_node.ask("scancel", "--name=discrimen")
    wait_until_done(slurm_node)
    n_done = len(list(scores.glob("*.h5")))
    assert 0 < n_done < 5
    ages = {path: path.stat().st_mtime_ns for path in scores.glob("*.h5")}
    resubmitted = submit(jobs)
    assert f"{n_done} have their scores, {5 - n_done} to do in {5 - n_done} jobs" in resubmitted.stdout
    wait_until_done(slurm_node)
    require_scores(jobs, scores, 5)
    assert {path: path.stat().st_mtime_ns for path in ages} == ages


def test_a_job_that_is_cancelled_at_work_leaves_nothing(batch: Write, slurm_node: SlurmNode, tmp_path: Path) -> None:
    long = write_run(tmp_path / "long.BIN", *[long_records()] * 4000)
    jobs = batch("--options", "--to csv", files=[long])
    submit(jobs)
    wait_until(lambda: any((tmp_path / "sc ores").glob(".*.part")))
    slurm_node.ask("scancel", "--name=discrimen")
    wait_until_done(slurm_node)
    wait_until(lambda: not any((tmp_path / "sc ores").iterdir()), seconds=10)


def test_one_bad_run_harms_no_other_and_is_named(batch: Write, slurm_node: SlurmNode, tmp_path: Path) -> None:
    jobs = batch("--files-per-job", "5")
    bad = tmp_path / "runs of today" / NAMES[2]
    bad.write_bytes(b"no run")
    submit(jobs)
    wait_until_done(slurm_node)
    told = submit(jobs, "-n")
    assert "4 have their scores, 1 to do" in told.stdout
    assert f"of the jobs before: discrimen: {bad}" in told.stdout


def test_a_run_that_changed_after_its_scores_is_not_taken_for_done(
    batch: Write, slurm_node: SlurmNode, tmp_path: Path
) -> None:
    run = tmp_path / "runs of today" / NAMES[1]
    jobs = batch(files=[run])
    submit(jobs)
    wait_until_done(slurm_node)
    write_run(run, long_records(), long_records())
    assert "0 have their scores, 1 to do" in submit(jobs).stdout
    wait_until_done(slurm_node)
    assert "there are scores already, but of another input_bytes" in submit(jobs, "-n").stdout


def test_an_unknown_partition_is_one_line(batch: Write, tmp_path: Path) -> None:
    jobs = batch("--partition", "nowhere")
    told = submit(jobs)
    assert (told.returncode, len(told.stderr.splitlines())) == (1, 1)
    assert "submit: refused: sbatch: error: invalid partition specified: nowhere" in told.stderr
    assert list((jobs / "lists").iterdir()) == list((jobs / "logs").iterdir()) == []


def test_a_slurm_that_does_not_answer_is_one_line(
    batch: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = batch()
    conf = Path(os.environ["SLURM_CONF"]).read_text()
    lines = [line for line in conf.splitlines() if not line.startswith("SlurmctldPort")]
    (tmp_path / "slurm.conf").write_text("\n".join([*lines, "SlurmctldPort=1", "MessageTimeout=2"]))
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
    told = submit(jobs)
    assert (told.returncode, len(told.stderr.splitlines())) == (1, 1)
    assert "the batch system does not answer: " in told.stderr
    assert list((jobs / "lists").iterdir()) == []


def test_a_program_of_another_version_does_not_score(batch: Write, slurm_node: SlurmNode, tmp_path: Path) -> None:
    jobs = batch()
    job = (jobs / "job.sh").read_text()
    (jobs / "job.sh").write_text(job.replace("version='discrimen ", "version='discrimen 99."))
    submit(jobs)
    wait_until_done(slurm_node)
    assert not (tmp_path / "sc ores").exists()
    assert "wrote this batch; write it again" in submit(jobs, "-n").stdout


def test_more_jobs_than_an_array_holds_make_several(
    batch: Write, slurm_node: SlurmNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "programs").mkdir()
    small = tmp_path / "programs" / "scontrol"
    small.write_text("#!/bin/sh\necho 'MaxArraySize            = 2'\n")
    small.chmod(0o755)
    monkeypatch.setenv("PATH", f"{small.parent}:{os.environ['PATH']}")
    jobs = batch()
    told = submit(jobs)
    assert [line.split(": ")[1].split(",")[0] for line in told.stdout.splitlines()[1:]] == [
        "2 tasks",
        "2 tasks",
        "1 tasks",
    ]
    wait_until_done(slurm_node)
    require_scores(jobs, tmp_path / "sc ores", 5)


def test_a_job_enters_its_container(
    batch: Write, slurm_node: SlurmNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    # It notes what it was called with and goes on without a container.
    (programs / "apptainer").write_text(
        f'#!/bin/bash\nprintf "%s\\n" "$@" > "{tmp_path}/entered"\n'
        'while [[ $1 != *.sif ]]; do shift; done; shift; exec "$@"\n'
    )
    (programs / "discrimen").write_text(f'#!/bin/sh\nexec {sys.executable} -m discrimen "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    (tmp_path / "my image.sif").touch()
    submit(batch("--container", str(tmp_path / "my image.sif"), files=[tmp_path / "runs of today" / NAMES[1]]))
    wait_until_done(slurm_node)
    assert (tmp_path / "sc ores" / f"{NAMES[1]}.scores.h5").exists()
    words = (tmp_path / "entered").read_text().splitlines()
    assert words[0] == "exec"
    assert words[words.index(str(tmp_path / "my image.sif")) + 1 :][:2] == ["discrimen", "classify"]
    assert words[words.index("--bind") :][:4] == ["--bind", str(tmp_path), "--bind", str(Path.cwd())]


@pytest.mark.slow
def test_jobs_that_take_too_long_are_named(batch: Write, slurm_node: SlurmNode, tmp_path: Path) -> None:
    jobs = batch("--time", "00:01:00", files=[tmp_path / "runs of today" / NAMES[0]])
    job = (jobs / "job.sh").read_text()
    (jobs / "job.sh").write_text(job.replace('exec "${program[@]}"', "exec sleep 600 #"))
    submit(jobs)
    wait_until(lambda: slurm_node.ask("squeue", "-h") == "", seconds=150)
    told = submit(jobs, "-n").stdout
    assert "of the jobs before, 1 did not end within 60 s: write the batch again with a longer --time" in told


def test_hits_are_located_by_jobs(batch: Write, slurm_node: SlurmNode, tmp_path: Path) -> None:
    model = write_small_hits_model(tmp_path / "hits.discrimen")
    files = [write_toy(tmp_path / f"hits {number}.h5", toy_hits(40, seed=number)) for number in range(3)]
    jobs = batch("--files-per-job", "2", files=files, model=model)
    assert "0 have their positions, 3 to do in 2 jobs, 0 gone" in submit(jobs).stdout
    wait_until_done(slurm_node)
    require_scores(jobs, tmp_path / "sc ores", 3)
    assert "3 have their positions, 0 to do" in submit(jobs).stdout
    discrimen("locate", model, *files, "-o", tmp_path / "direct", "--threads", "1")
    for path in (tmp_path / "sc ores").iterdir():
        found, expected = (read_positions(each)[0] for each in (path, tmp_path / "direct" / path.name))
        assert found.keys() == expected.keys()
        for name, values in found.items():
            assert np.array_equal(values, expected[name], equal_nan=values.dtype.kind == "f"), name
