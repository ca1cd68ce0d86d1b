"""Parts of a file, read one by one, give the very chunks that the whole file gives."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import FormatError
from discrimen.formats.base import PartedReader, ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

N_PULSES, N_SAMPLES = 1000, 40
SMALL_CHUNKS = ReadOptions(chunk_bytes=4096)
SETTINGS = DetectorSettings(sample_period_ns=2.0, polarity="negative", pretrigger_ns=10.0, adc_bits=14)
KINDS = ["run.BIN", "run.lh5", "run.root", "run.npy"]


def pulses(n_samples: int = N_SAMPLES) -> Pulses:
    rng = np.random.default_rng(1)
    return Pulses(
        samples=rng.integers(2000, 12000, (N_PULSES, n_samples)).astype(np.uint16),
        sample_period_ns=2.0,
        entry=np.arange(N_PULSES),
        timestamp_ps=np.cumsum(rng.integers(1, 10**9, N_PULSES)) * 1000,
        board=np.zeros(N_PULSES, np.int32),
        channel=rng.integers(0, 3, N_PULSES).astype(np.int32),
        flags=np.zeros(N_PULSES, np.uint32),
        energy=rng.integers(0, 4000, N_PULSES).astype(float),
    )


def written(path: Path, *parts: Pulses) -> Path:
    if path.suffix == ".npy":
        np.save(path, np.concatenate([part.samples for part in parts]))
        return path
    with open_writer(path, SETTINGS) as writer:
        for part in parts:
            writer.write(part)
    return path


def parted(path: Path) -> PartedReader:
    reader = open_reader(path, SMALL_CHUNKS)
    assert isinstance(reader, PartedReader)
    return reader


def assert_same(left: Pulses, right: Pulses) -> None:
    np.testing.assert_array_equal(left.samples, right.samples)
    assert set(left.columns()) == set(right.columns())
    for name in left.columns():
        np.testing.assert_array_equal(left.column(name), right.column(name))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("every", [1, 3])
def test_parts_give_the_chunks_of_the_whole(name: str, every: int, tmp_path: Path) -> None:
    many = [pulses()[start : start + 100] for start in range(0, N_PULSES, 100)]
    reader = parted(written(tmp_path / name, *many))
    seams = list(reader.seams())
    cuts = sorted({*seams[::every], seams[-1]})
    whole = list(reader.chunks())
    n_read = 0
    found = []
    for start, stop in pairwise(cuts):
        found += list(reader.chunks_between(start, stop))
        n_read += reader.report.n_read
    assert len(cuts) > 3
    assert n_read == N_PULSES
    assert len(found) == len(whole)
    for left, right in zip(found, whole, strict=True):
        assert_same(left, right)


def test_a_run_of_uneven_events_is_not_read_in_parts(tmp_path: Path) -> None:
    reader = parted(written(tmp_path / "run.BIN", pulses()[:500], pulses(N_SAMPLES + 1)[500:]))
    seams = list(reader.seams())
    with pytest.raises(FormatError, match="expected events of"):
        for start, stop in pairwise(seams):
            list(reader.chunks_between(start, stop))
            assert not reader.report.n_damaged


def test_a_damaged_event_shows_in_its_part(tmp_path: Path) -> None:
    path = written(tmp_path / "run.BIN", pulses())
    seams = list(parted(path).seams())
    content = bytearray(path.read_bytes())
    content[seams[2] + 100 : seams[2] + 300] = b"\xff" * 200
    path.write_bytes(content)
    reader = parted(path)
    damaged = []
    for start, stop in pairwise(seams):
        try:
            list(reader.chunks_between(start, stop))
        except FormatError:
            damaged.append(start)
        else:
            if reader.report.n_damaged:
                damaged.append(start)
    assert damaged == [seams[2]]


def test_a_truncated_last_event_is_counted_in_the_last_part(tmp_path: Path) -> None:
    path = written(tmp_path / "run.BIN", pulses())
    path.write_bytes(path.read_bytes()[:-30])
    reader = parted(path)
    seams = list(reader.seams())
    for start, stop in pairwise(seams[:-1]):
        list(reader.chunks_between(start, stop))
        assert not reader.report.n_damaged
    list(reader.chunks_between(seams[-2], seams[-1]))
    in_part = reader.report.damaged
    list(reader.chunks())
    assert in_part == reader.report.damaged
    assert reader.report.n_damaged == 1
