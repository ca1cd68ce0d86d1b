"""A night of run files whose workers, client and scheduler are killed: complete, and the same bytes, in the end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from tests.cluster.many_files import PART_MB, Night, command, make_night, result_of
from tests.cluster.slurm_node import SlurmNode

from discrimen.cluster.connection import ClusterWish, connected
from discrimen.cluster.farm import Farm, Job, Work

LOCAL = ("--cluster", "local", "--workers", "2", "--part-mb", PART_MB)
PATIENCE_S = 300


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return make_night(tmp_path_factory.mktemp("night"), n_files=100, n_pulses=30_000)


def ended(
    process: subprocess.Popen[str], disturb: Callable[[], None], *, every_s: float, patience_s: float = PATIENCE_S
) -> tuple[int, str, str]:
    """Wait for a command, and disturb it now and then."""
    rng = random.Random(1)
    deadline_s = time.monotonic() + patience_s
    while time.monotonic() < deadline_s:
        try:
            out, err = process.communicate(timeout=every_s * rng.uniform(0.5, 1.5))
        except subprocess.TimeoutExpired:
            disturb()
        else:
            return process.returncode, out, err
    process.kill()
    raise AssertionError(f"not done in {patience_s} s: {process.communicate()[1][-2000:]}")


def started(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the worker processes of a local cluster."""
    with suppress(psutil.Error):
        return [
            each
            for each in psutil.Process(process.pid).children(recursive=True)
            if any("multiprocessing.spawn" in word for word in each.cmdline())
        ]
    return []


def require_complete(night: Night, output: Path, out: str, err: str) -> None:
    """See that all scores are there and that the bad file is named at the end."""
    night.require_same(output)
    assert [failed["input"] for failed in result_of(out)["failed"]] == [str(night.bad)]
    assert err.strip().splitlines()[-1] == f"discrimen: 1 of 100 files failed, see above: {night.bad}"
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_workers_may_be_killed(night: Night, tmp_path: Path) -> None:
    output = tmp_path / "scores"
    process = started(night.command(output, *LOCAL))
    killed = []

    def kill_one() -> None:
        if workers := workers_of(process):
            victim = random.choice(workers)
            with suppress(psutil.Error):
                victim.kill()
                killed.append(victim.pid)

    status, out, err = ended(process, kill_one, every_s=3)
    assert status == 1
    require_complete(night, output, out, err)
    assert len(killed) >= 3
    assert result_of(out)["cluster"]["n_again"] > 0
    before = {path: path.stat().st_mtime_ns for path in output.iterdir()}
    status, out, err = ended(started(night.command(output, *LOCAL)), lambda: None, every_s=5)
    assert status == 1
    assert result_of(out)["cluster"]["n_jobs"] == 0
    assert all(file["skipped"] for file in result_of(out)["files"])
    assert {path: path.stat().st_mtime_ns for path in output.iterdir()} == before


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_command_may_be_killed(night: Night, tmp_path: Path, number: int) -> None:
    output = tmp_path / "scores"
    process = started(night.command(output, *LOCAL))
    wait_for(lambda: len(list(output.glob("*.h5"))) >= 5)
    process.send_signal(number)
    process.communicate(timeout=60)
    n_done = len(list(output.glob("*.h5")))
    assert 5 <= n_done < 99
    status, out, err = ended(started(night.command(output, *LOCAL)), lambda: None, every_s=5)
    assert status == 1
    require_complete(night, output, out, err)
    assert sum(file["skipped"] for file in result_of(out)["files"]) == n_done


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_scheduler_may_be_killed(night: Night, tmp_path: Path) -> None:
    output = tmp_path / "scores"
    with own_scheduler(tmp_path / "first") as (scheduler, file):
        process = started(night.command(output, "--scheduler", str(file), "--part-mb", PART_MB))
        wait_for(lambda: len(list(output.glob("*.h5"))) >= 5)
        scheduler.kill()
        status, out, err = ended(process, lambda: None, every_s=5)
    assert status == 1
    assert err.strip().splitlines()[-1].startswith("discrimen: the scheduler is gone, with ")
    assert "start the same command again" in err
    n_done = len(list(output.glob("*.h5")))
    with own_scheduler(tmp_path / "second") as (_, file):
        again = night.command(output, "--scheduler", str(file), "--part-mb", PART_MB)
        status, out, err = ended(started(again), lambda: None, every_s=5)
    require_complete(night, output, out, err)
    assert sum(file["skipped"] for file in result_of(out)["files"]) >= n_done


def end_the_process() -> Work:
    os._exit(1)


def do_nothing() -> Work:
    return Work(1)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_job_that_kills_its_workers_costs_no_other_job(tmp_path: Path) -> None:
    with connected(ClusterWish(kind="local", n_workers=1), log_folder=tmp_path) as connection:
        farm = Farm(connection, most_deaths=2)
        for name, call in (("good", do_nothing), ("bad", end_the_process), ("better", do_nothing)):
            job = Job(name=name, call=call, arguments=(), identity={}, receipt=tmp_path / f"{name}.json")
            farm.hand_in(job)
        outcomes = {outcome.job.name: outcome for outcome in farm.outcomes()}
    assert outcomes["bad"].fault.startswith("bad: given up, its workers ended 2 times")
    assert outcomes["good"].receipt is not None
    assert outcomes["better"].receipt is not None


@pytest.mark.slurm
@pytest.mark.timeout(1200)
def test_slurm_may_cancel_kill_and_end_jobs(night: Night, tmp_path: Path, slurm_node: SlurmNode) -> None:
    output = tmp_path / "scores"
    process = started(night.command(output, *on_slurm(walltime="00:01:00"), "--part-mb", PART_MB))
    ended_jobs: list[str] = []

    def cancel_or_kill() -> None:
        if len(ended_jobs) >= 6:
            return
        jobs = subprocess.run(["squeue", "-h", "-t", "R", "-o", "%A"], capture_output=True, text=True, check=True)
        names = jobs.stdout.split()
        if names and len(ended_jobs) % 2:
            how = ["scancel"] if len(ended_jobs) % 4 == 1 else ["scancel", "--signal=KILL"]
            subprocess.run([*how, names[0]], check=False)
            ended_jobs.append(names[0])
        elif names:
            for each in psutil.process_iter():
                with suppress(psutil.Error):
                    if "dask_worker" in " ".join(each.cmdline()) and "nanny" not in each.name():
                        each.kill()
                        ended_jobs.append(str(each.pid))
                        break

    status, out, err = ended(process, cancel_or_kill, every_s=1, patience_s=900)
    assert status == 1
    require_complete(night, output, out, err)
    assert len(ended_jobs) >= 2
    status, out, _ = ended(started(night.command(output, *on_slurm())), lambda: None, every_s=5)
    assert (status, result_of(out)["cluster"]["n_jobs"]) == (1, 0)


@pytest.mark.slurm
@pytest.mark.timeout(300)
def test_a_partition_that_does_not_exist_is_one_line(night: Night, tmp_path: Path, slurm_node: SlurmNode) -> None:
    arguments = command(night.files[:2], tmp_path / "scores", *on_slurm(queue="nowhere"))
    status, _, err = ended(started(arguments), lambda: None, every_s=5)
    assert status == 1
    assert "invalid partition" in err.strip().splitlines()[-1].lower()
    assert "Traceback" not in err


def on_slurm(*, queue: str = "debug", walltime: str = "00:05:00") -> list[str]:
    options = {"queue": queue, "walltime": walltime, "memory": "500MB", "interface": "lo"}
    pairs = [word for name, value in options.items() for word in ("--cluster-option", f"{name}={value}")]
    return ["--cluster", "slurm", "--workers", "2", *pairs]


def wait_for(what: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@contextmanager
def own_scheduler(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start a scheduler and two workers as a user would, and end them."""
    folder.mkdir()
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m"]
    place = ["--scheduler-file", str(file)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [*dask, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *place],
        **quiet,  # type: ignore[call-overload]
    )
    wait_for(file.is_file)
    workers = [
        subprocess.Popen(
            [*dask, "distributed.cli.dask_worker", *place, "--nthreads", "1", "--local-directory", str(folder)],
            **quiet,  # type: ignore[call-overload]
            start_new_session=True,
        )
        for _ in range(2)
    ]
    try:
        yield scheduler, file
    finally:
        scheduler.kill()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
        for process in (scheduler, *workers):
            process.wait()
