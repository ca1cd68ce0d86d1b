"""A file that is still written is read as it grows: every event once, none before it is whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

SETTINGS = DetectorSettings(sample_period_ns=2.0, polarity="negative")
N_PULSES = 60


def pulses(n_pulses: int = N_PULSES, *, n_samples: int = 30) -> Pulses:
    rng = np.random.default_rng(3)
    return Pulses(
        samples=rng.integers(100, 900, (n_pulses, n_samples)).astype(np.uint16),
        sample_period_ns=2.0,
        timestamp_ps=np.arange(n_pulses) * 5000,
        board=np.zeros(n_pulses, np.int32),
        channel=np.arange(n_pulses, dtype=np.int32) % 4,
        flags=np.zeros(n_pulses, np.uint32),
    )


class Writing:
    """Lets the file grow by some bytes each time that the reader waits for more."""

    def __init__(self, path: Path, content: bytes, *, begun: int, step: Callable[[], int]) -> None:
        self._path, self._content, self._step = path, content, step
        self._size = begun
        path.write_bytes(content[:begun])

    def wait(self, size: int) -> int | None:
        assert size == self._size
        if self._size == len(self._content):
            return None
        self._size = min(len(self._content), self._size + self._step())
        self._path.write_bytes(self._content[: self._size])
        return self._size


@dataclass(frozen=True)
class Whole:
    """A complete file, where its events begin, and how long each is."""

    path: Path
    content: bytes
    start: int
    waits: int
    """Bytes of the next event that show that one is whole."""

    @property
    def event_bytes(self) -> int:
        return (len(self.content) - self.start) // N_PULSES


@pytest.fixture(params=[("run.BIN", 2, 0), ("wave0.dat", 0, 24)], ids=["compass", "wavedump"])
def whole(tmp_path: Path, request: pytest.FixtureRequest) -> Whole:
    name, start, waits = request.param
    with open_writer(tmp_path / name, SETTINGS) as writer:
        writer.write(pulses())
    return Whole(tmp_path / name, (tmp_path / name).read_bytes(), start, waits)


def followed(path: Path, writing: Writing) -> tuple[list[Pulses], dict[str, object]]:
    reader = open_reader(path, ReadOptions(settings=SETTINGS, growth=writing))
    return list(reader.chunks()), reader.report.as_dict()


def at_once(path: Path) -> tuple[list[Pulses], dict[str, object]]:
    reader = open_reader(path, ReadOptions(settings=SETTINGS))
    return list(reader.chunks()), reader.report.as_dict()


def same(one: list[Pulses], other: list[Pulses]) -> None:
    for name in ("samples", "timestamp_ps", "channel", "entry"):
        first, second = (np.concatenate([getattr(each, name) for each in some]) for some in (one, other))
        np.testing.assert_array_equal(first, second, err_msg=name)


@pytest.mark.parametrize("step", [1, 7, 84, 85, 1000])
def test_a_growing_file_gives_what_the_whole_one_gives(whole: Whole, step: int) -> None:
    chunks, report = followed(whole.path, Writing(whole.path, whole.content, begun=300, step=lambda: step))
    same(chunks, at_once(whole.path)[0])
    assert (report["n_pulses"], report["n_damaged"]) == (N_PULSES, 0)


def test_events_are_handed_out_as_soon_as_they_are_whole(whole: Whole) -> None:
    size = whole.event_bytes
    begun = whole.start + 3 * size + whole.waits
    chunks, _ = followed(whole.path, Writing(whole.path, whole.content, begun=begun, step=lambda: size))
    assert len(chunks[0]) == 3
    assert all(len(each) == 1 for each in chunks[1:])


@pytest.mark.parametrize("step", [1, 50, 10_000])
def test_a_file_that_ends_in_an_event_counts_it_once(whole: Whole, step: int) -> None:
    chunks, report = followed(whole.path, Writing(whole.path, whole.content[:-10], begun=300, step=lambda: step))
    same(chunks, at_once(whole.path)[0])
    assert report == at_once(whole.path)[1]
    assert (report["n_pulses"], report["n_damaged"]) == (N_PULSES - 1, 1)


@pytest.mark.parametrize("step", [13, 500])
def test_damage_in_a_growing_file_is_met_as_in_the_whole_one(whole: Whole, step: int) -> None:
    at = whole.start + 20 * whole.event_bytes
    damaged = whole.content[:at] + bytes(range(1, 30)) + whole.content[at:]
    chunks, report = followed(whole.path, Writing(whole.path, damaged, begun=300, step=lambda: step))
    same(chunks, at_once(whole.path)[0])
    assert report == at_once(whole.path)[1]
    assert report["n_damaged"]
