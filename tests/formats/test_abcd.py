"""ABCD events: charges come back, overflow and a cut last record are counted, waveforms are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError, FormatError
from discrimen.formats.abcd.events import EVENT, AbcdEventsReader
from discrimen.formats.base import ListModeReader, ReadOptions
from discrimen.formats.table import find_format, open_reader
from discrimen.pulses.list_mode import ListModeEvents, concatenate_events


def events(n: int = 50) -> np.ndarray:
    rng = np.random.default_rng(3)
    made = np.zeros(n, EVENT)
    made["timestamp"] = np.cumsum(rng.integers(1, 10**9, n))
    made["qlong"] = rng.integers(100, 4000, n)
    made["qshort"] = made["qlong"] * 0.8
    made["channel"] = np.arange(n) % 3
    return made


def written(folder: Path, made: np.ndarray, *, extra: bytes = b"") -> Path:
    path = folder / "run.ade"
    path.write_bytes(made.tobytes() + extra)
    return path


@pytest.mark.parametrize("chunk_bytes", [16, 100, 2**20])
def test_charges_come_back_whatever_the_chunks(tmp_path: Path, chunk_bytes: int) -> None:
    made = events()
    reader = AbcdEventsReader(written(tmp_path, made), ReadOptions(chunk_bytes=chunk_bytes))
    read = concatenate_events(reader.event_chunks())
    assert np.array_equal(read.long_charge, made["qlong"])
    assert np.array_equal(read.short_charge, made["qshort"])
    assert np.array_equal(read.channel, made["channel"])
    assert np.array_equal(read.timestamp_ticks, made["timestamp"])
    assert np.array_equal(read.entry, np.arange(50))
    assert reader.report.n_read == reader.info.n_entries == 50


def test_suffix_tells_the_format(tmp_path: Path) -> None:
    path = written(tmp_path, events())
    assert find_format(path).name == "abcd-events"
    assert isinstance(open_reader(path), ListModeReader)


@pytest.mark.parametrize("chunk_bytes", [16, 2**20])
def test_overflow_is_left_out_and_entries_stay(tmp_path: Path, chunk_bytes: int) -> None:
    made = events()
    made["qlong"][[4, 9]] = 65_535
    made["qshort"][9] = 65_535
    reader = AbcdEventsReader(written(tmp_path, made), ReadOptions(chunk_bytes=chunk_bytes))
    read = concatenate_events(reader.event_chunks())
    assert np.array_equal(read.entry, np.delete(np.arange(50), [4, 9]))
    damage = reader.report.damaged["charge overflow"]
    assert (damage.count, damage.first_offset) == (2, 64)


def test_cut_last_record_is_counted(tmp_path: Path) -> None:
    reader = AbcdEventsReader(written(tmp_path, events(), extra=b"\0" * 7), ReadOptions())
    assert len(concatenate_events(reader.event_chunks())) == 50
    assert reader.report.damaged["truncated event"].first_offset == 800


def test_wild_timestamp_is_left_out(tmp_path: Path) -> None:
    made = events()
    made["timestamp"][7] = 2**63
    reader = AbcdEventsReader(written(tmp_path, made), ReadOptions())
    assert 7 not in concatenate_events(reader.event_chunks()).entry
    assert reader.report.n_damaged == 1


def test_waveforms_are_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="label --method band"):
        next(iter(open_reader(written(tmp_path, events())).chunks()))


def test_file_without_an_event_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="less than one"):
        AbcdEventsReader(written(tmp_path, events(0), extra=b"abc"), ReadOptions())


def test_psd_is_the_tail_fraction_and_nan_without_charge() -> None:
    pairs = ListModeEvents(
        entry=np.arange(3),
        long_charge=np.array([100.0, 0.0, 50.0]),
        short_charge=np.array([70.0, 5.0, 60.0]),
        channel=np.zeros(3, np.int32),
        timestamp_ticks=np.arange(3),
    )
    assert np.array_equal(pairs.psd, [0.3, np.nan, -0.2], equal_nan=True)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(DataError, match="one length"):
        ListModeEvents(
            entry=np.arange(3),
            long_charge=np.zeros(2),
            short_charge=np.zeros(3),
            channel=np.zeros(3, np.int32),
            timestamp_ticks=np.arange(3),
        )


@pytest.mark.real_data
def test_real_run_is_read(real_data: Path) -> None:
    reader = open_reader(real_data / "listmode" / "plastic_cf252_dt5725.ade")
    assert isinstance(reader, ListModeReader)
    read = concatenate_events(reader.event_chunks())
    assert reader.info.n_entries == 91_952
    assert len(read) == 91_952 - 857
    assert set(read.channel) == {0}
