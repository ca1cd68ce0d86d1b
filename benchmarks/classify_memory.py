"""Private memory of `discrimen classify` against the size of the run file, and its speed.

Writes CoMPASS files of 1 GB and 4 GB (75 samples of 10 ns), classifies each with the reference network in a process of
its own, and watches the process' RssAnon.

Usage: python benchmarks/classify_memory.py [--folder FOLDER] [--sizes-gb 1 4] [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import discrimen
from discrimen.formats.table import open_writer
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

N_SIMULATED = 100_000


def write_run(path: Path, n_bytes: int) -> int:
    """Write simulated pulses over and over, with running time stamps, until the file is large enough."""
    config = SimulationConfig(n_pulses=N_SIMULATED, seed=5)
    pulses = simulate(config)
    span_ps = int(pulses.column("timestamp_ps")[-1]) + 1_000_000
    n_written = 0
    with open_writer(path, detector_settings(config)) as writer:
        while n_written * 175 < n_bytes:
            turn = n_written // N_SIMULATED
            writer.write(pulses.replace(timestamp_ps=pulses.column("timestamp_ps") + np.int64(turn * span_ps)))
            n_written += N_SIMULATED
    return n_written


def private_memory_mb(pid: int) -> float:
    """Return RssAnon of a process, 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("RssAnon")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def classify(model: Path, run: Path, scores: Path) -> tuple[float, float, dict[str, int]]:
    """Return wall time in s, highest RssAnon in MB, and the counts."""
    command = [sys.executable, "-m", "discrimen", "classify", str(model), str(run), "-o", str(scores), "--json"]
    begin = time.perf_counter()
    highest = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        while process.poll() is None:
            highest = max(highest, private_memory_mb(process.pid))
            time.sleep(0.05)
        assert process.stdout is not None
        result = json.loads(process.stdout.read())
    return time.perf_counter() - begin, highest, result["files"][0]


def main() -> None:
    """Write, classify, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--sizes-gb", type=float, nargs="+", default=[1, 4])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        discrimen.simulate(folder / "train.BIN", 20_000, seed=1)
        discrimen.train(
            discrimen.read(folder / "train.BIN", label_by="truth"), folder / "model", architecture="mlp", epochs=3
        )
        for size_gb in arguments.sizes_gb:
            run = folder / f"run_of_{size_gb:g}_gb.BIN"
            n_pulses = write_run(run, int(size_gb * 1e9))
            file_gb = run.stat().st_size / 1e9
            wall_s, highest_mb, counts = classify(folder / "model", run, folder / f"{size_gb}.h5")
            assert counts["n_pulses"] == n_pulses
            rows.append(
                {
                    "file_gb": file_gb,
                    "n_pulses": n_pulses,
                    "rss_anon_max_mb": highest_mb,
                    "wall_s": wall_s,
                    "pulses_per_s": n_pulses / wall_s,
                }
            )
            run.unlink()
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'file':>8} {'pulses':>12} {'highest RssAnon':>16} {'time':>8} {'pulses/s':>10}")
    for row in rows:
        print(
            f"{row['file_gb']:>5.2f} GB {row['n_pulses']:>12} {row['rss_anon_max_mb']:>13.0f} MB "
            f"{row['wall_s']:>6.1f} s {row['pulses_per_s']:>10.0f}"
        )


if __name__ == "__main__":
    main()
