"""The Slurm of the tests does what a computing centre's does: jobs, arrays, ends by scancel and by the time limit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cluster.slurm_node import PARTITION, SlurmError, SlurmNode, running, start

pytestmark = pytest.mark.slurm


def submit(node: SlurmNode, folder: Path, command: str, *options: str) -> str:
    """Submit a shell command and return the number of its job."""
    out = folder / "%A_%a.out" if any("--array" in option for option in options) else folder / "%j.out"
    return node.ask("sbatch", "--parsable", f"--output={out}", *options, "--wrap", command)


def state(node: SlurmNode, job: str) -> str:
    return node.ask("squeue", "--states=all", "-h", "-o", "%T", "-j", job)


def wait_for(node: SlurmNode, job: str, *wished: str, seconds: float = 60) -> str:
    end = time.monotonic() + seconds
    while (found := state(node, job)) not in wished:
        assert time.monotonic() < end, f"job {job} is {found}, not {wished}"
        time.sleep(0.2)
    return found


def test_a_job_runs(slurm_node: SlurmNode, tmp_path: Path) -> None:
    job = submit(slurm_node, tmp_path, "echo $SLURM_JOB_ID of $SLURM_CLUSTER_NAME", "--wait")
    assert (tmp_path / f"{job}.out").read_text() == f"{job} of discrimen\n"


def test_the_status_of_a_job_is_that_of_sbatch(slurm_node: SlurmNode, tmp_path: Path) -> None:
    with pytest.raises(SlurmError):
        submit(slurm_node, tmp_path, "exit 3", "--wait")


def test_each_task_of_an_array_runs(slurm_node: SlurmNode, tmp_path: Path) -> None:
    job = submit(slurm_node, tmp_path, "echo $SLURM_ARRAY_TASK_ID", "--wait", "--array=0-4")
    assert [(tmp_path / f"{job}_{task}.out").read_text() for task in range(5)] == [f"{task}\n" for task in range(5)]


def test_a_job_ends_by_scancel(slurm_node: SlurmNode, tmp_path: Path) -> None:
    job = submit(slurm_node, tmp_path, "sleep 300")
    wait_for(slurm_node, job, "RUNNING")
    slurm_node.ask("scancel", job)
    wait_for(slurm_node, job, "CANCELLED")
    slurm_node.wait_until_idle()


def test_an_unknown_partition_is_refused(slurm_node: SlurmNode, tmp_path: Path) -> None:
    with pytest.raises(SlurmError, match="invalid partition"):
        submit(slurm_node, tmp_path, "true", "--partition=nowhere")


@pytest.mark.slow
def test_a_job_ends_at_its_time_limit(slurm_node: SlurmNode, tmp_path: Path) -> None:
    job = submit(slurm_node, tmp_path, "sleep 600", "--time=00:01:00")
    wait_for(slurm_node, job, "TIMEOUT", seconds=150)
    assert "DUE TO TIME LIMIT" in (tmp_path / f"{job}.out").read_text()


def test_a_second_node_stands_beside_and_leaves_nothing(slurm_node: SlurmNode, tmp_path: Path) -> None:
    with running() as other:
        assert other.folder != slurm_node.folder
        submit(other, tmp_path, "true", "--wait")
        submit(other, tmp_path, f"echo $$ > {tmp_path}/shell; sleep 600")
        while not (tmp_path / "shell").exists():
            time.sleep(0.1)
        shell = int((tmp_path / "shell").read_text())
        pids = [int((other.folder / f"{name}.pid").read_text()) for name in ("munged", "slurmctld", "slurmd")]
    assert not other.folder.exists()
    assert all(not _runs(pid) for pid in (*pids, shell))
    assert slurm_node.ask("sinfo", "-h", "-o", "%T") == "idle"


def _runs(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def test_a_folder_in_use_is_refused(slurm_node: SlurmNode) -> None:
    with pytest.raises(SlurmError, match="started here already"):
        start(slurm_node.folder)


def test_it_is_started_and_stopped_from_the_shell(tmp_path: Path) -> None:
    script = Path(__file__).with_name("slurm_node.py")
    folder = Path("/tmp") / f"discrimen-slurm-shell-{os.getpid()}"
    try:
        begun = subprocess.run([sys.executable, script, "start", folder], capture_output=True, text=True, check=True)
        assert begun.stdout == f"export SLURM_CONF={folder}/slurm.conf\n"
        assert SlurmNode(folder).ask("sinfo", "-h", "-o", "%P %T") == f"{PARTITION}* idle"
    finally:
        subprocess.run([sys.executable, script, "stop", folder], check=True)
        left = [name for name in ("munged.pid", "slurmctld.pid", "slurmd.pid") if (folder / name).exists()]
        subprocess.run(["rm", "-rf", folder], check=True)
    assert left == []


def test_dask_computes_on_a_worker_that_slurm_started(
    slurm_node: SlurmNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # dask_jobqueue writes a configuration file where it is first imported.
    monkeypatch.setenv("DASK_CONFIG", str(tmp_path / "configuration"))
    from dask_jobqueue import SLURMCluster
    from distributed import Client

    with (
        SLURMCluster(
            queue=PARTITION,
            cores=1,
            processes=1,
            memory="500MB",
            walltime="00:05:00",
            interface="lo",
            python=sys.executable,
            local_directory=str(tmp_path),
            log_directory=str(tmp_path / "logs"),
            scheduler_options={"dashboard_address": "127.0.0.1:0"},
        ) as cluster,
        Client(cluster) as client,
    ):
        cluster.scale(1)
        future = client.submit(lambda: (1 + 1, os.environ["SLURM_JOB_ID"]), pure=False)
        assert future.result(timeout=60)[0] == 2
