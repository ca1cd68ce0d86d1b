"""How fast MFM files of NEDA are read, beside reading their bytes alone: python benchmarks/mfm_reading.py.

Two files are written into a temporary folder: raw frames one behind the other, and the same frames in pairs, merged by
time. Each is read as bytes, walked through (frames found and checked, samples untouched), and read as pulses, best of
three; the second and third are also given as a share of the first, of the same run.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from discrimen.formats.base import DEFAULT_CHUNK_BYTES, ReadReport
from discrimen.formats.mfm.blocks import frame_tables
from discrimen.formats.mfm.frames import MERGED_BY_TIME, NEDA
from discrimen.formats.mfm.writer import head_bytes, raw_frames
from discrimen.formats.table import open_reader
from discrimen.pulses import Pulses

N_PULSES, N_ROUNDS = 2**19, 3
MERGED_HEADER = 26


def main() -> None:
    """Write the files, read them and print a table."""
    print("file      GB  bytes GB/s  walk GB/s  (share)  pulses GB/s  (share)  pulses/s")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("plain", plain()), ("merged", merged())):
            path = Path(folder) / f"{name}.mfm"
            path.write_bytes(content)
            seconds = [best(read, path) for read in (all_bytes, walk, pulses)]
            as_bytes, walked, as_pulses = (len(content) / 1e9 / each for each in seconds)
            print(
                f"{name:7} {len(content) / 1e9:.2f} {as_bytes:11.1f} {walked:10.2f} {walked / as_bytes:8.3f}"
                f" {as_pulses:12.2f} {as_pulses / as_bytes:8.3f} {N_PULSES / seconds[2]:9.3g}"
            )


def plain() -> bytes:
    """Return raw frames of 232 samples."""
    rng = np.random.default_rng(1)
    frames, _ = raw_frames(
        Pulses(
            samples=rng.integers(0, 2**14, (4096, 232)).astype(np.uint16),
            sample_period_ns=10.0,
            timestamp_ps=10**6 * np.arange(4096),
            channel=np.arange(4096) % 16,
        ),
        first_event=0,
    )
    return frames.tobytes() * (N_PULSES // 4096)


def merged() -> bytes:
    """Return the same frames, two and two merged by time."""
    pairs = np.frombuffer(plain(), np.uint8).reshape(-1, 1024)
    head = head_bytes(MERGED_BY_TIME, MERGED_HEADER + 1024) + np.array([MERGED_HEADER // 2, 0, 2, 0], "<u2").tobytes()
    heads = np.zeros((len(pairs), MERGED_HEADER), np.uint8)
    heads[:, : len(head)] = np.frombuffer(head, np.uint8)
    return np.hstack([heads, pairs]).tobytes()


def all_bytes(path: Path) -> None:
    """Read a file without looking at it."""
    with path.open("rb") as stream:
        while stream.read(DEFAULT_CHUNK_BYTES):
            pass


def walk(path: Path) -> None:
    """Find the frames of a file."""
    tables = frame_tables(path, frozenset([NEDA]), chunk_bytes=DEFAULT_CHUNK_BYTES, report=ReadReport())
    assert sum(len(table.frames) for piece in tables for table in piece) == N_PULSES


def pulses(path: Path) -> None:
    """Read the pulses of a file."""
    assert sum(len(chunk) for chunk in open_reader(path).chunks()) == N_PULSES


def best(read: Callable[[Path], None], path: Path) -> float:
    """Return the shortest of some times, in s."""
    times = []
    for _ in range(N_ROUNDS):
        begin = time.perf_counter()
        read(path)
        times.append(time.perf_counter() - begin)
    return min(times)


if __name__ == "__main__":
    main()
