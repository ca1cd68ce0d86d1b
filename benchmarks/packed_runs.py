"""Time to read packed run files against plain ones, with the commands as users run them.

Writes a CoMPASS file of simulated pulses, packs it, and reads each with `discrimen inspect`, in turn, in processes of
their own; prints the median of each and its ratio to the plain file.

Usage: python benchmarks/packed_runs.py [--folder FOLDER] [--size-mb 500] [--rounds 5]
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import pyarrow

from classify_memory import write_run


def packed(plain: Path) -> dict[str, Path]:
    """Pack a file as `gzip -6` and `zstd -3` do."""
    content = plain.read_bytes()
    paths = {suffix: plain.with_name(plain.name + suffix) for suffix in (".gz", ".zst")}
    paths[".gz"].write_bytes(gzip.compress(content, 6))
    paths[".zst"].write_bytes(pyarrow.Codec("zstd", compression_level=3).compress(content, asbytes=True))
    return paths


def seconds(path: Path) -> float:
    """Return how long `discrimen inspect` takes."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "discrimen", "inspect", str(path), "--json"], check=True, capture_output=True)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--size-mb", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        plain = Path(folder) / "run.BIN"
        write_run(plain, given.size_mb * 10**6)
        paths = {"plain": plain, **packed(plain)}
        times: dict[str, list[float]] = {name: [] for name in paths}
        for _ in range(given.rounds):
            for name, path in paths.items():
                times[name].append(seconds(path))
        print(f"ISA-L installed: {find_spec('isal') is not None}")
        for name, path in paths.items():
            took = median(times[name])
            ratio = took / median(times["plain"])
            print(f"{name:6} {path.stat().st_size / 1e6:7.0f} MB {took:6.2f} s, {ratio:.2f} of plain")


if __name__ == "__main__":
    main()
