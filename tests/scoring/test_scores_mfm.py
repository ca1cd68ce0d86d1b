"""Scores as NEDACOMP frames: 65535 times the score, beside what the raw frames of the run say."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from tests.formats.mfm_frames import compressed, merged, neda, other
from tests.formats.test_mfm import FIRST_TICK, frames, samples, written

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.formats.base import ListModeReader
from discrimen.formats.table import find_format, open_reader
from discrimen.pulses.list_mode import concatenate_events
from discrimen.scoring.scores import ScoreRows, open_score_writer, read_attributes, read_scores

CLASSES = ("gamma", "neutron")
ATTRIBUTES = {"input": "run <7> & more.mfm", "settings": '{"a": 1}'}


def rows(entries: list[int], neutron: list[float], **columns: object) -> ScoreRows:
    score = np.array(neutron, np.float32)
    return ScoreRows(entry=np.array(entries), score=np.stack([1 - score, score], axis=1), **columns)  # type: ignore[arg-type]


def write(path: Path, *parts: ScoreRows, source: Path | None = None, classes: tuple[str, ...] = CLASSES) -> bytes:
    with open_score_writer(path, classes=classes, attributes=ATTRIBUTES, n_entries=None, source=source) as writer:
        for part in parts:
            writer.write(part)
    return path.read_bytes()


def frames_in(content: bytes) -> list[bytes]:
    """Take the NEDACOMP frames out, by the size that each frame says."""
    found, at = [], 0
    while at < len(content):
        size = 2 * int.from_bytes(content[at + 1 : at + 4], "little")
        if content[at + 5 : at + 7] == b"\x13\x00":
            found.append(content[at : at + size])
        at += size
    assert at == len(content)
    return found


def fields(frame: bytes) -> tuple[int, ...]:
    """Event number, time, location, TDC, slow, fast, NeuralNetWork, zero crossings, NeutronFlag."""
    event, low, high, location, tdc, slow, fast, network, zeros, flag = struct.unpack("<IIHH4xHII4xHBB", frame[8:])
    return event, low | high << 32, location, tdc, slow, fast, network, zeros, flag


def test_frames_hold_what_the_raw_ones_say_and_the_score(tmp_path: Path) -> None:
    raw = [
        neda(samples(k), location=3 | 1 << 4 | (90 + k) << 5, event=500 + k, ticks=FIRST_TICK + k, order="<>"[k % 2],
             slow=10 + k, fast=100 + k)
        for k in range(6)
    ]  # fmt: skip
    content = [other(0x10, b"x"), raw[0], merged(raw[1:4]), compressed(), raw[4], raw[5]]
    run = written(tmp_path, *content, name="run.dat")
    got = write(tmp_path / "s.mfm", rows([0, 1, 2], [0.0, 1.0, 0.5]), rows([4, 5], [np.nan, 0.75]), source=run)
    told = [fields(frame) for frame in frames_in(got)]
    assert told == [
        (500 + k, FIRST_TICK + k, 3 | 1 << 4 | (90 + k) << 5, 0x209, 10 + k, 100 + k, *scored)
        for k, scored in ((0, (0, 0, 0)), (1, (65535, 0, 1)), (2, (32768, 0, 0)), (4, (0, 255, 0)), (5, (49151, 0, 1)))
    ]
    assert run.read_bytes() == b"".join(content)


def test_any_other_run_gives_entry_place_and_time(tmp_path: Path) -> None:
    part = rows(
        [7, 8],
        [0.25, 0.5],
        board=np.array([2, 3], np.int32),
        channel=np.array([4, 15], np.int32),
        timestamp_ps=np.array([10_004, 2**60], np.int64),
        class_number=np.array([1, 0], np.int8),
    )
    (tmp_path / "run.BIN").write_bytes(b"no frames in here")
    got = write(tmp_path / "s.mfm", part, source=tmp_path / "run.BIN")
    assert [fields(frame) for frame in frames_in(got)] == [
        (7, 1, 4 | 2 << 5, 0, 0, 0, 16384, 0, 1),
        (8, round(2**60 / 10_000), 15 | 3 << 5, 0, 0, 0, 32768, 0, 0),
    ]


@pytest.mark.parametrize("gaps", [[], [3], [0, 1, 9, 10, 11], list(range(1, 40, 2))])
def test_rows_come_back_with_their_entries(tmp_path: Path, gaps: list[int]) -> None:
    run = written(tmp_path, *frames(40))
    entries = [k for k in range(40) if k not in gaps]
    neutron = np.linspace(0, 1, len(entries))
    neutron[4] = np.nan
    split = len(entries) // 3
    parts = [rows(entries[:split], neutron[:split].tolist()), rows(entries[split:], neutron[split:].tolist())]
    write(tmp_path / "s.mfm", parts[1], parts[0], source=run)
    table = read_scores(tmp_path / "s.mfm")
    order = np.argsort(table.rows.entry)
    assert table.rows.entry[order].tolist() == entries
    assert table.classes == CLASSES
    assert table.attributes == read_attributes(tmp_path / "s.mfm") == ATTRIBUTES
    assert table.rows.score[order, 1] == pytest.approx(neutron, abs=0.5 / 65535 + 1e-7, nan_ok=True)
    assert table.rows.score.sum(axis=1) == pytest.approx(
        np.where(np.isnan(table.rows.score[:, 0]), np.nan, 1), nan_ok=True
    )
    expected = np.where(np.isnan(neutron), -1, neutron > 0.5)
    assert table.rows.class_number is not None
    assert table.rows.class_number[order].tolist() == expected.tolist()
    assert table.rows.timestamp_ps is not None
    assert (table.rows.timestamp_ps[order] // 10_000 - FIRST_TICK).tolist() == entries


def test_scores_are_read_as_list_mode(tmp_path: Path) -> None:
    run = written(tmp_path, *frames(6))
    write(tmp_path / "s.mfm", rows([0, 2, 3, 5], [0.2, 1.0, np.nan, 0.4]), source=run)
    assert find_format(tmp_path / "s.mfm").name == "mfm"
    reader = open_reader(tmp_path / "s.mfm")
    assert isinstance(reader, ListModeReader)
    events = concatenate_events(reader.event_chunks())
    assert events.columns()["score"] == pytest.approx([0.2, 1.0, np.nan, 0.4], nan_ok=True, abs=1e-5)
    assert events.columns()["long_charge"].tolist() == [200] * 4
    assert not reader.report.damaged


def test_of_more_than_two_classes_the_others_are_one(tmp_path: Path) -> None:
    score = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]], np.float32)
    write(tmp_path / "s.mfm", ScoreRows(entry=np.arange(2), score=score), classes=("gamma", "neutron", "noise"))
    table = read_scores(tmp_path / "s.mfm")
    assert table.classes == ("other", "neutron")
    assert table.rows.score == pytest.approx(np.array([[0.5, 0.5], [0.7, 0.3]]), abs=1e-5)
    assert table.rows.class_number is not None
    assert table.rows.class_number.tolist() == [1, 0]


@pytest.mark.parametrize("classes", [("gamma", "neutron"), ("neutron", "gamma")])
def test_a_pulse_without_scores_is_never_a_neutron(tmp_path: Path, classes: tuple[str, ...]) -> None:
    score = np.array([[np.nan, np.nan], [0.1, 0.9]], np.float32)
    (without, with_scores) = frames_in(
        write(tmp_path / "s.mfm", ScoreRows(entry=np.arange(2), score=score), classes=classes)
    )
    assert fields(without)[-3:] == (0, 255, 0)
    assert fields(with_scores)[-1] == classes.index("neutron")
    table = read_scores(tmp_path / "s.mfm")
    assert table.classes == classes
    assert table.rows.class_number is not None
    assert table.rows.class_number.tolist() == [-1, 1]


def test_a_run_without_pulses_gives_a_file_without_frames(tmp_path: Path) -> None:
    assert frames_in(write(tmp_path / "s.mfm")) == []
    assert len(read_scores(tmp_path / "s.mfm").rows) == 0


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="class called neutron, this model has alpha, beta"):
        write(tmp_path / "s.mfm", classes=("alpha", "beta"))
    with pytest.raises(DataError, match="channel of 0 to 15, got 16"):
        write(tmp_path / "s.mfm", rows([0], [0.5], channel=np.array([16], np.int32)))
    with pytest.raises(FormatError, match="the file has changed"):
        write(tmp_path / "s.mfm", rows([0, 99], [0.5, 0.5]), source=written(tmp_path, *frames(6)))
    assert [path.name for path in tmp_path.iterdir()] == ["run.mfm"]


def test_another_file_is_no_file_of_scores(tmp_path: Path) -> None:
    path = tmp_path / "s.mfm"
    good = write(path, rows([0, 5], [0.5, 0.5]))
    first = len(good) - 3 * 42
    bad = {
        "expected an XML frame": b"".join(frames(3)),
        "begins with b'<run/>": other(0xFF11, b"<run/>"),
        "frame 1 behind the first": good[: first + 42] + other(0x10, bytes(34)) + good[first + 84 :],
        "cut off": good[:-1],
        "no file of scores: ": good.replace(b"0000000000000000005", b"000000000000000000x"),
    }
    for told, content in bad.items():
        path.write_bytes(content)
        with pytest.raises(FormatError, match=told):
            read_scores(path)
