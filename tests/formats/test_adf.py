"""ADF files: interaction points in and out of events, the payload that is not public, and damage."""

from __future__ import annotations

import re
import struct
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tests.formats.adf_frames import (
    CALIBRATED_CRYSTAL,
    CONFIGURATION,
    CRYSTAL,
    EVENT,
    EVENT_CRYSTAL,
    EVENT_PSA,
    frame,
    psa,
)
from tests.formats.geb_frames import some_points

from discrimen.errors import DataError, FormatError
from discrimen.formats import plugins
from discrimen.formats.adf.frames import adf_frames
from discrimen.formats.adf.points import AdfPointsWriter, adf_points
from discrimen.formats.base import ListModeReader, ReadOptions, ReadReport
from discrimen.formats.table import find_format, open_reader
from discrimen.pulses.hits import join_hits
from discrimen.pulses.interaction_points import InteractionPoints, join_points
from discrimen.pulses.list_mode import concatenate_events
from discrimen.runs.gather_hits import gather_hits


def points_of(path: Path, content: bytes, *, chunk_bytes: int = 2**24) -> tuple[InteractionPoints, ReadReport]:
    path.write_bytes(content)
    assert find_format(path).name == "adf"
    report = ReadReport()
    return join_points(adf_points(path, report=report, chunk_bytes=chunk_bytes)), report


@pytest.mark.parametrize("chunk_bytes", [1, 300, 2**24])
def test_points_are_read_wherever_they_stand(tmp_path: Path, chunk_bytes: int) -> None:
    content = frame(CONFIGURATION, b"what") + psa(0) + frame(EVENT, frame(EVENT_PSA, psa(1) + psa(2)) + psa(3))
    content += frame(EVENT) + frame(EVENT_PSA, frame(CRYSTAL, b"secret") + psa(4, tick=2**48))
    points, report = points_of(tmp_path / "run.adf", content, chunk_bytes=chunk_bytes)
    made = some_points(5)
    for name in ("event", "crystal", "segment", "x_mm", "y_mm", "z_mm", "energy_kev", "core_energy_kev", "status"):
        assert np.array_equal(points.columns()[name], made.columns()[name]), name
    assert set(points.timestamp_ps[points.event < 4].tolist()) == {50_000_000}
    assert set(points.timestamp_ps[points.event == 4].tolist()) == {2**48 * 10_000}
    assert (report.n_read, report.n_damaged) == (5, 0)
    assert report.passed_over == {"ADF frame(s): configuration": 1, "ADF frame(s): data:crystal": 1}


def test_what_the_writer_wrote_is_read(tmp_path: Path) -> None:
    made = some_points(9)
    with AdfPointsWriter(tmp_path / "run.adf") as writer:
        writer.write(made)
    # Each has a time of its own, and so an event.
    assert (tmp_path / "run.adf").stat().st_size == 9 * (20 + 20 + 24) + 42 * len(made)
    with AdfPointsWriter(tmp_path / "one.adf") as writer:
        writer.write(InteractionPoints(**{**made.columns(), "timestamp_ps": np.full(len(made), 7)}))
    assert (tmp_path / "one.adf").stat().st_size == 20 + 9 * (20 + 24) + 42 * len(made)
    back = join_points(adf_points(tmp_path / "run.adf"))
    for name in back.columns():
        assert np.array_equal(back.columns()[name], made.columns()[name]), name
    assert set(made.columns()) - set(back.columns()) == {"chi_square"}
    with (
        pytest.raises(DataError, match="crystals of 0 to 32767, got 40000"),
        AdfPointsWriter(tmp_path / "b.adf") as writer,
    ):
        columns = made.columns()
        writer.write(InteractionPoints(**{**columns, "crystal": np.full(len(made), 40_000, np.int32)}))


def test_hits_are_a_list_of_energies(tmp_path: Path) -> None:
    path = tmp_path / "run.adf"
    path.write_bytes(frame(EVENT_PSA, psa(0) + psa(3)) + psa(1, tick=6000))
    reader = open_reader(path)
    assert isinstance(reader, ListModeReader)
    events = concatenate_events(reader.event_chunks())
    assert reader.info.n_entries == 3
    for name, expected in {
        "entry": [0, 1, 2],
        "long_charge": [500, 503, 501],
        "board": [3, 6, 4],
        "timestamp_ps": [50_000_000, 50_000_000, 60_000_000],
    }.items():
        assert getattr(events, name).tolist() == expected, name
    with pytest.raises(DataError, match="interaction points"):
        next(reader.chunks())


@pytest.mark.parametrize("kind", [CRYSTAL, CALIBRATED_CRYSTAL])
def test_the_payload_that_is_not_public_is_refused_by_name(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "run.adf"
    path.write_bytes(frame(EVENT_CRYSTAL, frame(kind, b"secret") + frame(kind, b"secret")) + frame(EVENT))
    name = {CRYSTAL: "data:crystal", CALIBRATED_CRYSTAL: "data:ccrystal"}[kind]
    with pytest.raises(FormatError, match=rf"2 of {name}\).*entry point 'discrimen.formats'.*docs/extending.md"):
        open_reader(path)
    # What a plug-in begins with.
    ((first, second),) = adf_frames(path, frozenset([kind]), chunk_bytes=2**20, report=ReadReport())
    assert (first.payload, second.payload, first.event, first.timestamp_ps) == (b"secret", b"secret", 7, 50_000_000)


@pytest.mark.parametrize(("place", "change"), [(2, 0x40), (0, 10)])
@pytest.mark.parametrize("chunk_bytes", [1, 2**24])
def test_damage_is_counted_and_the_rest_is_read(tmp_path: Path, chunk_bytes: int, place: int, change: int) -> None:
    parts = [bytearray(psa(number)) for number in range(5)]
    parts[1][place] ^= change  # its length
    parts[3][20 + 22] += 1  # its number of points
    content = b"".join(map(bytes, parts))
    points, report = points_of(tmp_path / "run.adf", content + content[:50], chunk_bytes=chunk_bytes)
    assert np.unique(points.event).tolist() == [0, 1, 3]
    assert np.array_equal(points.x_mm, some_points(5).x_mm[np.isin(some_points(5).event, (0, 2, 4))])
    assert {kind: found.count for kind, found in report.damaged.items()} == {
        "ADF frame that no other one follows": 1,
        "data:psa frame whose length is not that of its points": 1,
        "truncated last frame": 1,
    }
    assert report.damaged["ADF frame that no other one follows"].first_offset == len(parts[0])


def test_an_event_whose_length_is_wrong_is_told(tmp_path: Path) -> None:
    event = bytearray(frame(EVENT_PSA, psa(0) + psa(1)))
    event[:4] = struct.pack("<I", len(event) - 10)
    points, report = points_of(tmp_path / "run.adf", bytes(event) + psa(2))
    assert np.unique(points.event).tolist() == [0, 1, 2]
    assert {kind: found.count for kind, found in report.damaged.items()} == {
        "ADF event whose length is not that of its frames": 1
    }


def test_the_example_of_a_plug_in_reads_what_is_not_public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "hits.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n([^`]*?class CrystalReader.*?)```", page, re.DOTALL)
    assert example is not None
    module = ModuleType("agatacrystal")
    exec(example[1], module.__dict__)
    monkeypatch.setitem(sys.modules, "agatacrystal", module)
    there = [EntryPoint("agata-crystal", "agatacrystal:FORMAT", plugins.GROUP)]
    monkeypatch.setattr(plugins, "entry_points", lambda **_: there)
    plugins.plugin_formats.cache_clear()
    traces = np.random.default_rng(8).integers(-500, 500, (3, 37, 60)).astype("<i2")
    made = [frame(CRYSTAL, b"\x05\x00" + one.tobytes(), tick=100 * number) for number, one in enumerate(traces)]
    path = tmp_path / "run.adf"
    path.write_bytes(frame(EVENT, frame(EVENT_CRYSTAL, made[0] + made[1]) + frame(CRYSTAL, b"short")) + made[2])
    reader = open_reader(path, format_name="agata-crystal")
    hits = join_hits(gather_hits(reader))
    plugins.plugin_formats.cache_clear()
    assert np.array_equal(hits.samples, traces)
    assert hits.column("board").tolist() == [5, 5, 5]
    assert reader.report.n_damaged == 1


def test_a_file_without_points_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.adf"
    path.write_bytes(frame(CONFIGURATION, b"what") * 3)
    with pytest.raises(FormatError, match="expected frames of data:psa, got frames: 3 configuration"):
        open_reader(path, ReadOptions())
