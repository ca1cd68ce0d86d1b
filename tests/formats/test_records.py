"""Regular text read as arrays: what is read is what the careful way reads, and the rest is left to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discrimen.errors import DiscrimenError, FormatError
from discrimen.formats.base import ReadOptions
from discrimen.formats.compass import csv_file
from discrimen.formats.records import read_by_threads, regular_records
from discrimen.formats.table import find_format
from discrimen.formats.wavedump import text as wavedump_text
from discrimen.formats.wavedump.text_events import regular_events
from discrimen.pulses.detector import DetectorSettings

PERIOD = DetectorSettings(sample_period_ns=2.0)
HEADER = "BOARD;CHANNEL;TIMETAG;ENERGY;ENERGYSHORT;FLAGS;SAMPLES\n"


def rows_of(rng: np.random.Generator, n_rows: int, n_samples: int) -> np.ndarray:
    return (10 ** rng.uniform(0, 4.81, (n_rows, n_samples))).astype(int)


def csv_text(rng: np.random.Generator, n_rows: int, n_samples: int, end: str) -> str:
    heads = (f"0;{rng.integers(9)};{rng.integers(2**62)};{rng.integers(999)};5.5;0x4000" for _ in range(n_rows))
    samples = (";".join(map(str, row)) for row in rows_of(rng, n_rows, n_samples).tolist())
    return HEADER + "".join(f"{head};{row}{end}" for head, row in zip(heads, samples, strict=True))


def wavedump(rng: np.random.Generator, n_events: int, n_samples: int, end: str) -> str:
    lines = []
    for number, row in enumerate(rows_of(rng, n_events, n_samples).tolist()):
        lines += [
            f"Record Length: {n_samples}",
            "BoardID: 31",
            f"Channel: {rng.integers(9)}",
            f"Event Number: {number}",
        ]
        lines += ["Pattern: 0x0000", f"Trigger Time Stamp: {rng.integers(2**31)}", "DC offset (DAC): 0x1999"]
        lines += map(str, row)
    return "".join(line + end for line in lines)


TEXTS = {"compass-csv": (csv_text, "run.csv"), "wavedump-text": (wavedump, "wave0.txt")}


def read(name: str, path: Path, chunk_bytes: int) -> Any:
    try:
        reader = find_format(path, name).open_reader(path, ReadOptions(settings=PERIOD, chunk_bytes=chunk_bytes))
        chunks = [
            (
                chunk.samples.dtype,
                chunk.samples.tolist(),
                {key: column.tolist() for key, column in chunk.columns().items()},
            )
            for chunk in reader.chunks()
        ]
    except DiscrimenError as error:
        return str(error)
    return chunks, reader.report.as_dict()


def carefully(name: str, path: Path, chunk_bytes: int) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_file, "regular_rows", lambda *_, **__: None)
        patch.setattr(wavedump_text, "regular_events", lambda *_: None)
        return read(name, path, chunk_bytes)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 9999),
    n_records=st.integers(1, 30),
    n_samples=st.integers(1, 60),
    chunk_bytes=st.sampled_from([1, 700, 2**20]),
)
def test_regular_text_is_read_at_once_and_the_same(
    name: str, end: str, seed: int, n_records: int, n_samples: int, chunk_bytes: int, tmp_path_factory: Any
) -> None:
    make, file_name = TEXTS[name]
    path = tmp_path_factory.getbasetemp() / file_name
    path.write_bytes(make(np.random.default_rng(seed), n_records, n_samples, end).encode())
    assert read(name, path, chunk_bytes) == carefully(name, path, chunk_bytes)


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=120, deadline=None)
@given(
    end=st.sampled_from(["\n", "\r\n", ";\n", "\n\n"]),
    at=st.integers(0, 10**9),
    dropped=st.integers(0, 40),
    junk=st.sampled_from(
        [b"", b"\n", b"\r", b"\r\n", b" ", b";", b"9", b"65536", b"-1", b"x", b"0x", b".0", b"\0", b"\xff"]
    )
    | st.binary(max_size=6)
    | st.text("0123456789;\r\n", max_size=20).map(str.encode),
    repeated=st.booleans(),
)
def test_irregular_text_gives_the_same_either_way(
    name: str, end: str, at: int, dropped: int, junk: bytes, repeated: bool, tmp_path_factory: Any
) -> None:
    make, file_name = TEXTS[name]
    whole = make(np.random.default_rng(at), 12, 20, end).encode()
    at %= len(whole)
    piece = whole[at : at + dropped]
    changed = whole.replace(piece, junk) if repeated and piece else whole[:at] + junk + whole[at + dropped :]
    path = tmp_path_factory.getbasetemp() / file_name
    path.write_bytes(changed)
    assert read(name, path, 900) == carefully(name, path, 900)
    assert read(name, path, 2**20) == carefully(name, path, 2**20)


@pytest.mark.parametrize("tail", [b"\r", b";", b" ;"])
def test_a_file_may_end_in_a_line_that_holds_nothing(tail: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_bytes(csv_text(np.random.default_rng(3), 12, 20, "\n").encode())
    for chunk_bytes in (1, 900, 2**20):
        whole = read("compass-csv", path, chunk_bytes)
        with path.open("ab") as stream:
            stream.write(tail)
        chunks, _ = read("compass-csv", path, chunk_bytes)
        assert chunks == whole[0]
        path.write_bytes(path.read_bytes()[: -len(tail)])


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_regular_files_need_no_careful_way(
    name: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, file_name = TEXTS[name]
    path = tmp_path / file_name
    path.write_bytes(make(np.random.default_rng(1), 200, 50, end).encode())
    monkeypatch.setattr(csv_file, "split_rows", None)
    monkeypatch.setattr(wavedump_text.WaveDumpTextReader, "_event", None)
    chunks, report = read(name, path, 2**12)
    assert (report["n_pulses"], len(chunks) > 5) == (200, True)


@given(rows=st.lists(st.lists(st.integers(0, 65535), min_size=7, max_size=7), min_size=1, max_size=12))
def test_numbers_agree_with_python(rows: list[list[int]]) -> None:
    text = "".join("a;" + ";".join(map(str, row)) + "\n" for row in rows).encode()
    records = regular_records(text, prefixes=[b""], field_end=";", separator=";", n_numbers=7, most=len(rows))
    assert records is not None
    assert records.numbers.tolist() == rows
    assert records.values.tolist() == [[-1]] * len(rows)


def test_an_error_of_the_blocks_comes_behind_those_before_it() -> None:
    def blocks() -> Iterator[int]:
        yield from range(20)
        raise FormatError("torn", Path("run.csv"))

    found = []
    with pytest.raises(FormatError, match="torn"):
        for pair in read_by_threads(blocks(), lambda block: block**2):
            found.append(pair)
    assert found == [(block, block**2) for block in range(20)]


def test_fields_beyond_18_digits_have_no_value() -> None:
    text = b"18446744073709551621;999999999999999999;x;;7\n"
    records = regular_records(text, prefixes=[b""] * 4, field_end=";", separator=";", n_numbers=1, most=1)
    assert records is not None
    assert records.values.tolist() == [[-1, 10**18 - 1, -1, -1]]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (b"1;2;3\n", True),
        (b"1;2;3;\r\n", True),
        (b"1;2;00003\n", True),
        (b"1;2;000003\n", False),
        (b"1;2;65536\n", False),
        (b"1;2;;\n", False),
        (b"1;2;3;4\n", False),
        (b"1;2\n", False),
        (b"1;2;3", False),
        (b"1;2;3\n\n", False),
        (b"1;2,3\n", False),
        (b"1;2;+3\n", False),
        (b"1;2;3 \n", False),
        (b" 1;2;3\n", False),
        (b"1;2;3\r\r\n", False),
        (b"", False),
    ],
)
@pytest.mark.parametrize("before", [0, 1, 40])
def test_what_is_regular(text: bytes, good: bool, before: int) -> None:
    """Behind many rows, too, where the bytes are looked at 64 at a time, and before them."""
    for whole in (b"7;8;9\n" * before + text, text + b"7;8;9\n" * before):
        found = regular_records(whole, prefixes=[b""], field_end=";", separator=";", n_numbers=2, most=before + 2)
        assert (found is not None) == (good or (not text and before > 0))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Channel: 3", "Channel: 2147483648"),
        ("Channel: 3", "Channel: 00000000003"),
        ("Stamp: 7", "Stamp: 4294967296"),
        ("Record Length: 12", "Record Length: 2"),
        ("Record Length: 12", "Record Length: 0012x"),
        ("Record Length", "Other"),
        ("Record Length", "My Record Length"),
        ("Pattern: 0", "Record Length: 12"),
        ("Pattern: 0", "My Record Length: 12"),
        ("\n9\n", "\r9\n"),
        ("8\n9", "8\rx9"),
        ("\n9\n", "\n9\r\n"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("everywhere", [False, True])
def test_events_that_are_not_regular_are_left(old: str, new: str, end: str, everywhere: bool) -> None:
    head = ["Record Length: 12", "BoardID: 31", "Channel: 3", "Pattern: 0", "Trigger Time Stamp: 7"]
    event = "\n".join([*head, *map(str, range(12)), ""])
    assert old in event
    changed = event.replace(old, new)
    for events in ([changed] * 3 if everywhere else [event, changed], [changed, event], [event, changed, event]):
        text = "".join(events).replace("\n", end)
        assert regular_events(text.encode()) is None
    whole = regular_events((event * 9).replace("\n", end).encode())
    assert whole is not None
    assert [whole.entry.tolist(), whole.tag.tolist()] == [list(range(9)), [7] * 9]
