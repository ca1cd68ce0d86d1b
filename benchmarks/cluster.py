"""What a cluster of Dask gains and costs: two local workers against one process, and the scheduler's time for a job.

python benchmarks/cluster.py                    8 files of 1 GB in a temporary folder; about ten minutes
python benchmarks/cluster.py --file-mb 100      smaller files
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from discrimen.cluster.connection import ClusterWish, Connection, connected
from discrimen.cluster.farm import Farm, Job, Work
from discrimen.formats.table import open_writer
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

MODEL = Path(__file__).parents[1] / "cpp" / "examples" / "sample" / "bc501a_10ns.discrimen"
N_JOBS = 2000


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-files", type=int, default=8)
    parser.add_argument("--file-mb", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cluster-") as temporary:
        folder = Path(temporary)
        measure_scheduler(folder)
        files = write_files(folder, n_files=given.n_files, n_bytes=given.file_mb * 10**6)
        compare(files, folder, repeats=given.repeats)


def write_files(folder: Path, *, n_files: int, n_bytes: int) -> list[Path]:
    """Write run files of CoMPASS of about so many bytes, each the same pulses at other times."""
    config = SimulationConfig(n_pulses=100_000, seed=3)
    pulses = simulate(config).replace(label=None, entry=None)
    event_bytes = 2 * pulses.n_samples + 25
    stamps = pulses.column("timestamp_ps")
    files = [folder / f"run{number}.BIN" for number in range(n_files)]
    with open_writer(files[0], detector_settings(config)) as writer:
        for block in range(max(1, n_bytes // (event_bytes * len(pulses)))):
            writer.write(pulses.replace(timestamp_ps=stamps + block * (stamps[-1] + 10**9)))
    for path in files[1:]:
        shutil.copyfile(files[0], path)
        shutil.copyfile(files[0].with_name("run0_settings.xml"), path.with_name(f"{path.stem}_settings.xml"))
    return files


def compare(files: list[Path], folder: Path, *, repeats: int) -> None:
    """Time one process, with one thread and with all, against two local workers, in turns."""
    ways = {
        "one process, 1 thread": ("--threads", "1"),
        "one process, all cores": (),
        "two local workers": ("--cluster", "local", "--workers", "2"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    shares = []
    for _ in range(repeats):
        for name, options in ways.items():
            output = folder / "scores"
            shutil.rmtree(output, ignore_errors=True)
            begin_s = time.perf_counter()
            command = ["classify", str(MODEL), *map(str, files), "-o", str(output), "--accept", "--json", *options]
            done = subprocess.run(
                [sys.executable, "-m", "discrimen", *command], check=True, capture_output=True, text=True
            )
            seconds[name].append(time.perf_counter() - begin_s)
            cluster = json.loads(done.stdout).get("cluster")
            if cluster:
                shares.append(_overhead(cluster))
    gb = sum(path.stat().st_size for path in files) / 1e9
    best = {name: min(times) for name, times in seconds.items()}
    print(f"\n{len(files)} files, {gb:.1f} GB, best of {repeats} in turns; start of the program and workers included")
    for name, value in best.items():
        print(f"  {name:<24} {value:7.1f} s  {gb / value:6.2f} GB/s  {best['one process, 1 thread'] / value:5.2f}")
    print(f"  share of the workers' time between jobs: {min(shares):.2%} to {max(shares):.2%}")


def _overhead(cluster: dict[str, Any]) -> float:
    """Return the share of the time of all workers in which they did no job, until the first of them was idle."""
    busy = [worker["seconds"] for worker in cluster["workers"]]
    return float(1 - max(busy) / cluster["seconds"])


def measure_scheduler(folder: Path) -> None:
    """Measure the processor time of a scheduler in a process of its own, and of the client, for each job."""
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m"]
    place = ["--scheduler-file", str(file)]
    scheduler = subprocess.Popen(
        [*dask, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *place],
        stderr=subprocess.DEVNULL,
    )
    while not file.is_file():
        time.sleep(0.1)
    workers = [
        subprocess.Popen(
            [*dask, "distributed.cli.dask_worker", *place, "--nthreads", "8", "--no-nanny", "--no-dashboard"],
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
    ]
    try:
        with connected(ClusterWish(scheduler=str(file)), log_folder=folder) as connection:
            connection.client.wait_for_workers(1)
            _do_jobs(connection, folder / "warm", 50)
            watched = {"scheduler": psutil.Process(scheduler.pid), "client": psutil.Process()}
            before = {name: _cpu_s(process) for name, process in watched.items()}
            begin_s = time.perf_counter()
            _do_jobs(connection, folder / "jobs", N_JOBS)
            wall_ms = 1000 * (time.perf_counter() - begin_s) / N_JOBS
            spent_ms = {name: 1000 * (_cpu_s(process) - before[name]) / N_JOBS for name, process in watched.items()}
    finally:
        for process in (*workers, scheduler):
            with suppress(OSError):
                process.kill()
            process.wait()
    print(f"{N_JOBS} jobs that do nothing but leave a receipt: {wall_ms:.2f} ms each on one worker process")
    for name, value in spent_ms.items():
        limits = ", ".join(f"{n:,} workers jobs of {n * value / 1000:.2g} s" for n in (200, 2000))
        print(f"  {name}: {value:.2f} ms of processor time a job; busy all the time with {limits}")


def _do_jobs(connection: Connection, folder: Path, n_jobs: int) -> None:
    farm = Farm(connection)
    for number in range(n_jobs):
        receipt = folder / f"{number}.json"
        identity = {"number": str(number), "input": "x" * 200}
        farm.hand_in(Job(name=str(number), call=Work, arguments=(1,), identity=identity, receipt=receipt))
    done = sum(outcome.receipt is not None for outcome in farm.outcomes())
    assert done == n_jobs


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
