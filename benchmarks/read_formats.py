"""Measure the readers of CoMPASS ROOT, CoMPASS CSV and WaveDump text beside uproot, pandas and NumPy, in one run.

Run from the repository: python benchmarks/read_formats.py [--pulses N] [--samples N] [--repeats N] [--root-file FILE]

Simulated pulses (14 bits, 3 ADC counts of noise) are written in each format and read from warm cache. All readers take
turns, several times, and the least time of each counts, on the wall and of the processor: on a machine that others use,
too, the processor's time is the one to trust. MB/s are of the file, a core's by the processor's time. "careful" is
discrimen without its quick ways, which are for regular files.

CERN's ROOT, which alone writes TArrayS, is installed into an environment of its own (bench-output/root-venv).
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import uproot

from discrimen.formats.base import ReadOptions
from discrimen.formats.compass import csv_file
from discrimen.formats.records import regular_records
from discrimen.formats.root.read_ahead import ReadAhead
from discrimen.formats.table import open_reader, open_writer
from discrimen.formats.wavedump import text
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

ROOT = "root"
SETTINGS = DetectorSettings(sample_period_ns=2.0)


def waveforms(n_pulses: int, n_samples: int, seed: int = 5) -> np.ndarray:
    """Return negative pulses with two decay times on a baseline of 14000, shape (pulse, sample), uint16."""
    rng = np.random.default_rng(seed)
    made = np.empty((n_pulses, n_samples), np.uint16)
    t_ns = np.clip(2.0 * (np.arange(n_samples) - 0.2 * n_samples), 0, None)
    for start in range(0, n_pulses, 5000):
        rows = made[start : start + 5000]
        height = rng.exponential(1500, (len(rows), 1)) + 100
        slow = np.where(rng.random((len(rows), 1)) < 0.5, 0.05, 0.15)
        pulse = (1 - np.exp(-t_ns / 5)) * ((1 - slow) * np.exp(-t_ns / 20) + slow * np.exp(-t_ns / 250))
        rows[:] = np.rint(14000 - height * pulse + rng.normal(0, 3, rows.shape)).clip(0, 16383)
    return made


def write_root(path: Path, samples: np.ndarray, environment: Path) -> None:
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", ROOT, "numpy"], check=True, stdout=sys.stderr)
    array = path.with_suffix(".npy")
    np.save(array, samples)
    subprocess.run([python, Path(__file__).with_name("write_compass_root.py"), array, path], check=True)
    array.unlink()


def write_csv(path: Path, samples: np.ndarray) -> None:
    number = np.arange(len(samples))
    columns = {"timestamp_ps": 7_919_000 * (number + 1), "board": 0 * number, "channel": number % 2}
    energies = {"energy": number % 4000 + 0.0, "energy_short": number % 3000 + 0.0}
    flags = np.full(len(samples), 0x4000, np.uint32)
    with open_writer(path, SETTINGS) as writer:
        writer.write(Pulses(samples=samples, sample_period_ns=2.0, flags=flags, **columns, **energies))


def write_wavedump(path: Path, samples: np.ndarray) -> None:
    with path.open("w") as stream:
        for number, row in enumerate(samples.tolist()):
            stream.write(
                f"Record Length: {len(row)}\nBoardID: 31\nChannel: 0\nEvent Number: {number}\nPattern: 0x0000\n"
                f"Trigger Time Stamp: {1000 * number % 2**31}\nDC offset (DAC): 0x1999\n"
            )
            stream.write("\n".join(map(str, row)) + "\n")


@contextmanager
def without_quick_ways() -> Iterator[None]:
    with (
        mock.patch.object(ReadAhead, "ask", return_value=None),
        mock.patch.object(csv_file, "regular_rows", return_value=None),
        mock.patch.object(text, "regular_events", return_value=None),
    ):
        yield


def by_discrimen(path: Path) -> int:
    return sum(len(pulses) for pulses in open_reader(path, ReadOptions(settings=SETTINGS)).chunks())


def carefully(path: Path) -> int:
    with without_quick_ways():
        return by_discrimen(path)


def by_uproot(path: Path, interpretation: object = None) -> int:
    """Read the same branches, all of the file in one call a branch."""
    with uproot.open(path) as file:
        tree = file["Data_R"]
        for name in ("Channel", "Board", "Energy", "EnergyShort", "Timestamp", "Flags"):
            tree[name].array(library="np")
        return len(tree["Samples"].array(interpretation))


def readers(folder: Path, root_file: Path | None) -> dict[str, tuple[Path, dict[str, Callable[[Path], int]]]]:
    jagged = uproot.AsJagged(uproot.AsDtype(">i2"), header_bytes=4)
    ours: dict[str, Callable[[Path], int]] = {"discrimen": by_discrimen, "careful": carefully}
    tables: dict[str, Callable[[Path], int]] = {
        "pandas.read_csv": lambda path: len(pd.read_csv(path, sep=";", header=None, skiprows=1)),
        "numpy.loadtxt": lambda path: len(
            np.loadtxt(path, delimiter=";", skiprows=1, converters={5: lambda flags: int(flags, 16)})
        ),
    }
    lines = {"pandas.read_csv": lambda path: len(pd.read_csv(path, header=None, names=["line"]))}
    known = {
        "CoMPASS CSV": (folder / "run.csv", ours | tables),
        "WaveDump text": (folder / "wave0.txt", ours | lines),
    }
    if root_file is None:
        return known
    ways = {"uproot, TArrayS as told to be jagged": lambda path: by_uproot(path, jagged)}
    return {"CoMPASS ROOT": (root_file, ours | ways), **known}


def measure(path: Path, ways: dict[str, Callable[[Path], int]], repeats: int) -> dict[str, tuple[float, float]]:
    """Return the least seconds on the wall and of the processor of each way; they take turns."""
    least = dict.fromkeys(ways, (np.inf, np.inf))
    for _ in range(repeats + 1):
        for name, way in ways.items():
            wall_s, processor_s = time.perf_counter(), time.process_time()
            way(path)
            taken = time.perf_counter() - wall_s, time.process_time() - processor_s
            least[name] = min(least[name][0], taken[0]), min(least[name][1], taken[1])
    return least


def report(title: str, path: Path, n_pulses: int, least: dict[str, tuple[float, float]]) -> None:
    size = path.stat().st_size
    print(f"\n{title}: {size / 1e6:.0f} MB, {n_pulses} pulses")
    print(f"{'':38}{'wall s':>8}{'core s':>8}{'MB/s a core':>13}{'pulses/s':>10}{'wall x':>8}{'core x':>8}")
    wall_s, core_s = least["discrimen"]
    for name, (wall, core) in least.items():
        rates = f"{size / core / 1e6:13.0f}{n_pulses / wall:10.0f}"
        print(f"{name:38}{wall:8.3f}{core:8.3f}{rates}{wall / wall_s:8.2f}{core / core_s:8.2f}")


def least_s(work: Callable[[], object], repeats: int) -> float:
    taken = []
    for _ in range(repeats + 1):
        start_s = time.process_time()
        work()
        taken.append(time.process_time() - start_s)
    return min(taken)


def parser_alone(path: Path, n_samples: int, repeats: int) -> None:
    """Time the compiled parser on one block of rows, from memory."""
    block = path.read_bytes()[: 2**20]
    block = block[block.find(b"\n") + 1 : block.rfind(b"\n") + 1]
    layout = {"prefixes": [b""] * 6, "field_end": ";", "separator": ";", "n_numbers": n_samples, "most": 2**10}
    seconds = least_s(lambda: regular_records(block, **layout), 30 * repeats)
    print(f"the parser alone: {len(block) / seconds / 1e6:.0f} MB/s")


def inflate_alone(path: Path, repeats: int) -> None:
    """Time what unpacks zlib, as far as it is installed, on the blocks of the waveforms' baskets."""
    blocks: list[tuple[bytes, int]] = []
    with path.open("rb") as stream, uproot.open(path) as file:
        branch = file["Data_R"]["Samples"]
        places = zip(branch.member("fBasketSeek").tolist(), branch.member("fBasketBytes").tolist(), strict=False)
        for seek, size in [place for place in places if all(place)][:300]:
            stream.seek(seek)
            basket = stream.read(size)
            at = int.from_bytes(basket[14:16], "big")
            while basket[at : at + 2] == b"ZL":
                end = at + 9 + int.from_bytes(basket[at + 3 : at + 6], "little")
                blocks.append((basket[at + 9 : end], int.from_bytes(basket[at + 6 : at + 9], "little")))
                at = end
    ways: dict[str, tuple[str, str, str]] = {
        "zlib": ("zlib", "decompress", "bufsize"),
        "deflate": ("deflate", "zlib_decompress", "originalsize"),
        "isal": ("isal.isal_zlib", "decompress", "bufsize"),
        "zlib-ng": ("zlib_ng.zlib_ng", "decompress", "bufsize"),
    }
    for name, (module, function, size_of) in ways.items():
        try:
            inflate = getattr(importlib.import_module(module), function)
        except ModuleNotFoundError:
            continue
        seconds = least_s(lambda: [inflate(data, **{size_of: size}) for data, size in blocks], repeats)  # noqa: B023
        print(f"{name} alone: {sum(size for _, size in blocks) / seconds / 1e6:.0f} MB/s unpacked")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pulses", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--root-file", type=Path, help="a CoMPASS ROOT file to read instead of one written by ROOT")
    parser.add_argument("--without-root", action="store_true", help="leave out ROOT, and the download that writes it")
    parser.add_argument("--environment", type=Path, default=Path("bench-output/root-venv"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, root_file = Path(name), options.root_file
        samples = waveforms(options.pulses, options.samples)
        write_csv(folder / "run.csv", samples)
        write_wavedump(folder / "wave0.txt", samples)
        if root_file is None and not options.without_root:
            root_file = folder / "run.root"
            write_root(root_file, samples, options.environment)
        for title, (path, ways) in readers(folder, root_file).items():
            n_pulses = by_discrimen(path)
            report(title, path, n_pulses, measure(path, ways, options.repeats))
        parser_alone(folder / "run.csv", options.samples, options.repeats)
        if root_file is not None:
            inflate_alone(root_file, options.repeats)


if __name__ == "__main__":
    main()
