"""Measure the CoMPASS reader: bytes and pulses per second from warm cache, and its ratio to daq2lh5 in the same run.

Run from the repository: python benchmarks/read_compass.py [--pulses N] [--samples N ...] [--json]

A file is written with random samples, read once to warm the cache, and then read several times; the best time counts.
Three tasks are timed, all on one core:

- chunks: every chunk is delivered, its samples copied out of the file's bytes into an array of their own;
- sum: the samples of every chunk are summed besides;
- float32: the samples of every chunk are converted to float32 besides.

daq2lh5 is installed into an environment of its own (bench-output/daq2lh5-venv) and decodes a shorter file of the same
pulses into its tables in memory, without writing them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from discrimen.formats.base import ReadOptions
from discrimen.formats.compass.binary import CompassBinReader
from discrimen.formats.compass.binary_writer import CompassBinWriter
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

DAQ2LH5 = "legend-daq2lh5==1.7.1"
TASKS: dict[str, Callable[[Pulses], object]] = {
    "chunks": lambda pulses: pulses.samples,
    "sum": lambda pulses: pulses.samples.sum(),
    "float32": lambda pulses: pulses.samples.astype(np.float32),
}


def write_run(path: Path, *, n_pulses: int, n_samples: int, seed: int = 1) -> float:
    """Write random pulses of two channels in a 14-bit range; return the seconds it took without drawing them."""
    rng = np.random.default_rng(seed)
    elapsed_s = 0.0
    with CompassBinWriter(path, DetectorSettings(polarity="negative", adc_bits=14)) as writer:
        for first in range(0, n_pulses, 50_000):
            number = np.arange(first, min(first + 50_000, n_pulses))
            pulses = Pulses(
                samples=rng.integers(0, 2**14, (len(number), n_samples), dtype=np.uint16),
                sample_period_ns=2.0,
                timestamp_ps=1_000_000 * (number + 1),
                board=np.zeros(len(number), np.int32),
                channel=number % 2,
                flags=np.full(len(number), 0x4000, np.uint32),
                energy=rng.integers(0, 4096, len(number)).astype(float),
                energy_short=rng.integers(0, 4096, len(number)).astype(float),
            )
            start = time.perf_counter()
            writer.write(pulses)
            elapsed_s += time.perf_counter() - start
    return elapsed_s


def read_s(path: Path, task: Callable[[Pulses], object]) -> tuple[float, int]:
    """Return seconds and number of pulses of one pass, opening included."""
    start = time.perf_counter()
    reader = CompassBinReader(path, ReadOptions())
    for pulses in reader.chunks():
        task(pulses)
    return time.perf_counter() - start, reader.report.n_read


def measure(folder: Path, *, n_pulses: int, n_samples: int, repeats: int, python: Path | None) -> dict[str, object]:
    path = folder / f"run{n_samples}.BIN"
    result: dict[str, object] = {"n_pulses": n_pulses, "n_samples": n_samples}
    result["write_s"] = write_run(path, n_pulses=n_pulses, n_samples=n_samples)
    size = path.stat().st_size
    result["file_bytes"] = size
    read_s(path, TASKS["chunks"])
    for name, task in TASKS.items():
        best_s = min(read_s(path, task)[0] for _ in range(repeats))
        result[f"{name}_bytes_per_s"] = size / best_s
        result[f"{name}_pulses_per_s"] = n_pulses / best_s
    if python is not None:
        short = folder / f"short{n_samples}.BIN"
        write_run(short, n_pulses=min(n_pulses, 20_000), n_samples=n_samples)
        result |= compare(short, python, repeats)
    path.unlink()
    return result


def compare(path: Path, python: Path, repeats: int) -> dict[str, object]:
    """Read the same file with both, and return both rates and their ratio."""
    settings = path.with_name(f"{path.stem}_settings.xml")
    command = [str(python), str(Path(__file__).with_name("daq2lh5_compass.py")), str(path), str(settings)]
    answers = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in "12"]
    theirs = min(answers, key=lambda answer: answer["elapsed_s"])
    ours_s, n_pulses = min(read_s(path, TASKS["chunks"]) for _ in range(repeats))
    if theirs["n_pulses"] != n_pulses:
        raise SystemExit(f"{path}: daq2lh5 read {theirs['n_pulses']} pulses, discrimen {n_pulses}")
    return {
        "daq2lh5_version": theirs["version"],
        "daq2lh5_pulses_per_s": n_pulses / theirs["elapsed_s"],
        "same_file_pulses_per_s": n_pulses / ours_s,
        "ratio_to_daq2lh5": theirs["elapsed_s"] / ours_s,
    }


def daq2lh5_python(folder: Path) -> Path:
    """Return the Python of an environment with daq2lh5, made on first use."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    log = sys.stderr
    subprocess.run([python, "-m", "pip", "install", "--quiet", DAQ2LH5], check=True, stdout=log, stderr=log)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pulses", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, nargs="+", default=[75, 500])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--without-daq2lh5", action="store_true", help="skip the comparison")
    parser.add_argument("--environment", type=Path, default=Path("bench-output/daq2lh5-venv"))
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    python = None if options.without_daq2lh5 else daq2lh5_python(options.environment)
    with tempfile.TemporaryDirectory() as folder:
        results = [
            measure(Path(folder), n_pulses=options.pulses, n_samples=n, repeats=options.repeats, python=python)
            for n in options.samples
        ]
    print(json.dumps({"results": results}) if options.json else "\n\n".join(map(table, results)))


def table(result: dict[str, object]) -> str:
    width = max(map(len, result))
    texts = {key: f"{value:,.4g}" if isinstance(value, float) else str(value) for key, value in result.items()}
    return "\n".join(f"{key:<{width}}  {text}" for key, text in texts.items())


if __name__ == "__main__":
    main()
