"""The native file and LH5 files from elsewhere."""

from __future__ import annotations

import importlib
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discrimen.errors import DataError, DiscrimenError, FormatError
from discrimen.formats.base import OrderedReader, ReadOptions, ReadReport
from discrimen.formats.lh5 import reader as lh5
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings

SETTINGS = DetectorSettings(name="cell 3", polarity="negative", pretrigger_ns=80.0, adc_bits=14)


def some_pulses(count: int = 50, length: int = 30, **changes: Any) -> Pulses:
    """Pulses of two channels with every column."""
    rng = np.random.default_rng(11)
    fields: dict[str, Any] = {
        "samples": rng.integers(0, 16384, (count, length), dtype=np.uint16),
        "sample_period_ns": 2.0,
        "entry": np.arange(count) * 2,
        "timestamp_ps": np.arange(count) * 10**15 + 7,
        "board": np.full(count, 3),
        "channel": np.arange(count) % 2,
        "flags": rng.integers(0, 2**32, count, dtype=np.uint32),
        "energy": rng.normal(500, 10, count),
        "energy_short": rng.normal(100, 10, count),
        "energy_kevee": rng.normal(500, 10, count).astype(np.float32),
        "label": rng.integers(-1, 2, count).astype(np.int8),
        "photon_llr": rng.normal(size=count).astype(np.float32),
        "record_llr": rng.normal(size=count).astype(np.float32),
        "tof_ns": rng.normal(50, 3, count),
        "run": np.full(count, 12),
    }
    return Pulses(**(fields | changes))


def write(path: Path, *parts: Pulses, detector: DetectorSettings = SETTINGS) -> Path:
    with lh5.open_writer(path, detector) as writer:
        for part in parts:
            writer.write(part)
    return path


def read_all(path: Path, options: ReadOptions | None = None) -> tuple[list[Pulses], ReadReport]:
    reader = lh5.FORMAT.open_reader(path, options or ReadOptions())
    chunks = list(reader.chunks())
    assert reader.report.n_read == sum(map(len, chunks))
    return chunks, reader.report


def assert_equal(got: Pulses, expected: Pulses) -> None:
    assert got.samples.dtype == expected.samples.dtype
    np.testing.assert_array_equal(got.samples, expected.samples)
    assert got.sample_period_ns == expected.sample_period_ns
    assert set(got.columns()) == set(expected.columns())
    for name, values in expected.columns().items():
        np.testing.assert_array_equal(got.column(name), values, err_msg=name)


def in_file_order(chunks: list[Pulses]) -> Pulses:
    joined = concatenate(chunks)
    return joined[np.argsort(joined.column("entry"))]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("chunk_bytes", [1, 700, 10**7])
def test_written_pulses_come_back(tmp_path: Path, dtype: type, chunk_bytes: int) -> None:
    pulses = some_pulses(samples=np.random.default_rng(1).integers(0, 200, (50, 30)).astype(dtype))
    path = write(tmp_path / "run.lh5", pulses[:20], pulses[20:])
    assert lh5.recognises(path, path.read_bytes()[:4096])
    chunks, report = read_all(path, ReadOptions(chunk_bytes=chunk_bytes))
    assert_equal(in_file_order(chunks), pulses)
    assert report.damaged == {}


def test_settings_come_back(tmp_path: Path) -> None:
    info = lh5.FORMAT.open_reader(write(tmp_path / "run.lh5", some_pulses()), ReadOptions()).info
    assert info.settings == SETTINGS.merged(sample_period_ns=2.0)
    assert set(info.settings_source.values()) == {"file"}
    assert info.n_entries == 50


def test_pulses_without_columns_keep_their_order(tmp_path: Path) -> None:
    bare = Pulses(samples=some_pulses().samples, sample_period_ns=0.4)
    (back,), _ = read_all(write(tmp_path / "run.lh5", bare[:20], bare[20:]))
    assert_equal(back, bare.replace(entry=np.arange(50)))
    channels = bare.replace(channel=np.arange(50) % 3)
    chunks, _ = read_all(write(tmp_path / "run.lh5", channels))
    assert_equal(in_file_order(chunks), channels.replace(entry=np.arange(50)))


def test_channels_have_tables_named_after_them(tmp_path: Path) -> None:
    pulses = some_pulses(board=np.repeat([0, 2], 25))
    with h5py.File(write(tmp_path / "run.lh5", pulses)) as file:
        assert sorted(file) == ["ch0", "ch1", "ch2_0", "ch2_1"]
        assert file.attrs["datatype"] == "struct{ch0,ch1,ch2_0,ch2_1}"
        assert file["ch0/raw/timestamp_ps"].attrs["units"] == "ps"
        assert file["ch0/raw/waveform/values"].attrs["datatype"] == "array_of_equalsized_arrays<1,1>{real}"


def test_what_does_not_fit_a_table_is_refused(tmp_path: Path) -> None:
    one = Pulses(samples=np.zeros((2, 5), np.int16), sample_period_ns=2.0)
    for other, what in (
        (one.replace(samples=np.zeros((2, 6), np.int16)), "6 samples"),
        (one.replace(samples=np.zeros((2, 5), np.uint16)), "uint16"),
        (one.replace(energy=np.zeros(2)), "energy"),
        (one.replace(sample_period_ns=None), "--sample-period-ns"),
    ):
        with pytest.raises(DataError, match=what):
            write(tmp_path / "run.lh5", one, other)
        assert list(tmp_path.iterdir()) == []


def test_memory_of_a_pass_does_not_grow_with_the_table(tmp_path: Path) -> None:
    path = write(tmp_path / "run.lh5", some_pulses(channel=np.zeros(50, int)))
    chunks, _ = read_all(path, ReadOptions(chunk_bytes=600))
    assert {len(chunk) for chunk in chunks} == {10}


@pytest.fixture
def legend() -> ModuleType:
    """Return LEGEND's own reader, under the name it has in the installed version."""
    for name in ("lh5", "lgdo.lh5"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    pytest.skip("LEGEND'S READER IS NOT INSTALLED: pip install legend-lh5io")


def test_legends_own_reader_reads_the_native_file(tmp_path: Path, legend: ModuleType) -> None:
    pulses = some_pulses()
    path = write(tmp_path / "run.lh5", pulses[:33], pulses[33:])
    assert sorted(legend.ls(str(path))) == ["ch3_0", "ch3_1"]
    for channel in (0, 1):
        expected = pulses[pulses.column("channel") == channel]
        table = legend.read(f"ch3_{channel}/raw", str(path))
        assert type(table).__name__ == "Table"
        assert type(table["waveform"]).__name__ in ("WaveformTable", "Table")
        np.testing.assert_array_equal(table["waveform"]["values"].nda, expected.samples)
        np.testing.assert_array_equal(table["waveform"]["dt"].nda, 2.0)
        assert table["waveform"]["dt"].attrs["units"] == "ns"
        np.testing.assert_array_equal(table["waveform"]["t0"].nda, 0.0)
        for name, values in expected.columns().items():
            np.testing.assert_array_equal(table[name].nda, values, err_msg=name)


@pytest.mark.slow
def test_reads_what_legends_own_writer_encodes(tmp_path: Path, legend: ModuleType) -> None:
    lgdo = importlib.import_module("lgdo")
    steps = np.random.default_rng(2).integers(-3, 4, (20, 100))
    values = (1000 + np.cumsum(steps, axis=1)).astype(np.uint16)
    table = lgdo.Table(size=20)
    for name, samples, dt in (("waveform_windowed", values, 16), ("waveform_presummed", values[:, ::4].copy(), 64)):
        waveform = lgdo.WaveformTable(values=samples, dt=dt, dt_units="ns", t0=0, t0_units="ns")
        waveform.values.attrs["compression"] = legend.compression.ULEB128ZigZagDiff()
        table.add_field(name, waveform)
    path = tmp_path / "legend.lh5"
    legend.write(table, "ch1084803/raw", str(path))
    chunks, _ = read_all(path, ReadOptions(chunk_bytes=1000))
    np.testing.assert_array_equal(concatenate(chunks).samples, values)
    assert chunks[0].sample_period_ns == 16
    assert set(chunks[0].column("channel")) == {1084803}
    chunks, _ = read_all(path, ReadOptions(branches={"samples": "waveform_presummed"}))
    assert concatenate(chunks).samples.shape == (20, 25)
    assert chunks[0].sample_period_ns == 64


def foreign(path: Path, **changes: Any) -> Path:
    """Write a file such as others write them; a change to None leaves a data set out."""
    rows = 6
    data: dict[str, Any] = {
        "values": np.arange(rows * 8, dtype=np.uint16).reshape(rows, 8),
        "dt": np.full(rows, 0.016, np.float32),
        "dt_units": "us",
        "timestamp": 1.58e9 + np.arange(rows) * 0.25,
        "timestamp_units": "s",
        "channel": np.full(rows, 9, np.uint32),
    }
    data |= changes
    with h5py.File(path, "w") as file:
        raw = file.create_group("geds/raw")
        raw.attrs["datatype"] = "table{waveform}"
        for place, name in (("waveform/values",) * 2, ("waveform/dt",) * 2, ("timestamp",) * 2, ("channel",) * 2):
            key = name.split("/")[-1]
            if data[key] is not None:
                raw[place] = data[key]
                if data.get(f"{key}_units"):
                    raw[place].attrs["units"] = data[f"{key}_units"]
    return path


def test_foreign_units_are_converted(tmp_path: Path) -> None:
    (pulses,), _ = read_all(foreign(tmp_path / "f.lh5"))
    assert pulses.sample_period_ns == pytest.approx(16, rel=1e-12)
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), np.arange(6) * 250_000_000_000)
    assert set(pulses.columns()) == {"entry", "timestamp_ps", "channel"}


def test_a_period_without_unit_is_not_guessed(tmp_path: Path) -> None:
    path = foreign(tmp_path / "f.lh5", dt_units=None, timestamp_units=None)
    (pulses,), _ = read_all(path)
    assert pulses.sample_period_ns is None
    assert pulses.timestamp_ps is None
    (pulses,), _ = read_all(path, ReadOptions(settings=DetectorSettings(sample_period_ns=16.0)))
    assert pulses.sample_period_ns == 16


def test_rows_of_different_periods_come_in_chunks_of_their_own(tmp_path: Path) -> None:
    path = foreign(tmp_path / "f.lh5", dt=np.array([4, 8, 4, 4, 0, 8.0]), dt_units="ns")
    chunks, report = read_all(path)
    assert {chunk.sample_period_ns: chunk.column("entry").tolist() for chunk in chunks} == {4: [0, 2, 3], 8: [1, 5]}
    assert report.damaged["sampling period not positive"].count == 1


def test_wide_and_floating_samples_are_narrowed(tmp_path: Path) -> None:
    wide = np.array([[1, -2]] * 6, np.int64)
    (pulses,), _ = read_all(foreign(tmp_path / "f.lh5", values=wide))
    assert pulses.samples.dtype == np.int32
    with_nan = np.array([[0.5, 1.5]] * 5 + [[np.nan, 1.0]], ">f8")
    (pulses,), report = read_all(foreign(tmp_path / "f.lh5", values=with_nan))
    assert pulses.samples.dtype == np.float32
    assert report.damaged["NaN or infinite samples"].count == 1
    with pytest.raises(DataError, match="do not fit"):
        read_all(foreign(tmp_path / "f.lh5", values=wide * 2**40))


def test_branches_name_waveforms_and_columns(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    with h5py.File(path, "w") as file:
        file["pulses"] = np.ones((4, 5), np.int16)
        file["when"] = np.arange(4)
    with pytest.raises(FormatError, match="--branch samples=NAME"):
        lh5.FORMAT.open_reader(path, ReadOptions())
    options = ReadOptions(branches={"samples": "pulses", "timestamp_ps": "when"})
    (pulses,), _ = read_all(path, options)
    assert pulses.samples.shape == (4, 5)
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), np.arange(4))
    with pytest.raises(FormatError, match="no such column"):
        read_all(path, ReadOptions(branches={"samples": "pulses", "label": "truth"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"values": np.zeros(6)},
        {"values": None},
        {"values": np.zeros((6, 0))},
        {"channel": np.zeros(5, int)},
        {"values": np.zeros((6, 3), complex)},
    ],
)
def test_tables_that_contradict_themselves_are_errors(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        read_all(foreign(tmp_path / "f.lh5", **changes))


def test_a_claim_beyond_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.lh5"
    with h5py.File(path, "w") as file:
        file.create_dataset("ch0/raw/waveform/values", (2**40, 1000), np.uint16, chunks=(1, 1000))
    with pytest.raises(FormatError, match="from 0 stored"):
        lh5.FORMAT.open_reader(path, ReadOptions())


def test_links_to_other_files_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "other.lh5", some_pulses())
    path = tmp_path / "link.lh5"
    with h5py.File(path, "w") as file:
        file["ch0"] = h5py.ExternalLink("other.lh5", "/ch3_0")
    with pytest.raises(FormatError, match="found none"):
        lh5.FORMAT.open_reader(path, ReadOptions())


def test_a_damaged_chunk_costs_its_rows_only(tmp_path: Path) -> None:
    path = write(tmp_path / "run.lh5", some_pulses(5000, channel=np.zeros(5000, int)))
    with h5py.File(path) as file:
        place = file["ch3_0/raw/waveform/values"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[place.byte_offset + place.size // 2] ^= 0xFF
    path.write_bytes(data)
    chunks, report = read_all(path, ReadOptions(chunk_bytes=4370 * 60))
    assert report.damaged["unreadable rows"].count == 4369
    assert concatenate(chunks).column("entry").tolist() == list(range(4369 * 2, 10000, 2))


def test_a_cut_file_is_one_clear_error(tmp_path: Path) -> None:
    path = write(tmp_path / "run.lh5", some_pulses())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FormatError, match="stopped before the end"):
        lh5.FORMAT.open_reader(path, ReadOptions())
    with pytest.raises(FormatError, match="cannot be read"):
        lh5.FORMAT.open_reader(tmp_path / "absent.lh5", ReadOptions())


def test_mutated_files_give_clear_errors_or_counted_damage(tmp_path: Path) -> None:
    pulses = some_pulses(20, channel=np.zeros(20, int))
    path = write(tmp_path / "run.lh5", pulses)
    good = path.read_bytes()

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(position=st.integers(0, len(good) - 1), junk=st.binary(max_size=5), dropped=st.integers(0, 5))
    def mutate(position: int, junk: bytes, dropped: int) -> None:
        path.write_bytes(good[:position] + junk + good[position + dropped :])
        try:
            chunks, report = read_all(path)
        except DiscrimenError:
            return
        assert sum(map(len, chunks)) + report.n_damaged == 20
        assert all(chunk.n_samples == 30 for chunk in chunks)

    mutate()


@pytest.mark.real_data
def test_real_file_of_one_table(real_data: Path) -> None:
    path = real_data / "lh5" / "LDQTA_r117_20200110T105115Z_cal_geds_raw.lh5"
    chunks, report = read_all(path, ReadOptions(chunk_bytes=400_000))
    pulses = concatenate(chunks)
    assert pulses.samples.shape == (100, 5592)
    assert pulses.samples.dtype == np.uint16
    assert pulses.sample_period_ns == 16
    assert set(pulses.columns()) == {"entry", "timestamp_ps", "channel", "energy"}
    with h5py.File(path) as file:
        np.testing.assert_array_equal(pulses.samples, file["geds/raw/waveform/values"])
    assert report.damaged == {}


@pytest.mark.real_data
def test_real_file_of_three_tables(real_data: Path) -> None:
    reader = lh5.FORMAT.open_reader(
        real_data / "lh5" / "l200-p03-r001-cal-20230318T012144Z-tier_raw.lh5", ReadOptions()
    )
    chunks = list(reader.chunks())
    assert [chunk.samples.shape for chunk in chunks] == [(10, 8192)] * 3
    assert reader.info.n_entries == 30
    assert reader.info.settings.sample_period_ns == 16
    times_ps = concatenate(chunks).column("timestamp_ps")
    assert times_ps.min() == 0
    assert times_ps.max() < 10**12
    np.testing.assert_array_equal(concatenate(chunks).column("entry"), np.arange(30))


def test_a_file_that_is_no_lh5_lists_what_could_be_waveforms(tmp_path: Path) -> None:
    path = tmp_path / "notebook.h5"
    with h5py.File(path, "w") as file:
        file["run/traces"] = np.ones((5, 8), np.uint16)
        file["run/energy"] = np.ones(5)
    with pytest.raises(FormatError, match=r"--branch samples=NAME.*\(one of run/traces\)"):
        lh5.FORMAT.open_reader(path, ReadOptions())
    for name in ("run/traces", "/run/traces", "traces"):
        (pulses,) = lh5.FORMAT.open_reader(path, ReadOptions(branches={"samples": name})).chunks()
        assert pulses.samples.shape == (5, 8)


def test_a_table_under_two_names_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "alias.lh5"
    with h5py.File(path, "w") as file:
        waveform = file.create_group("ch1105600/raw/waveform")
        waveform["values"] = np.arange(30, dtype=np.uint16).reshape(3, 10)
        file.create_group("raw")
        file["raw/V00001A"] = file["ch1105600/raw"]
        file["V00001A"] = file["ch1105600"]
    pulses = concatenate(list(lh5.FORMAT.open_reader(path, ReadOptions()).chunks()))
    assert len(pulses) == 3
    assert set(pulses.column("channel")) == {1105600}


@pytest.mark.parametrize("chunk_bytes", [1, 700, 10**7])
def test_tables_are_read_side_by_side(tmp_path: Path, chunk_bytes: int) -> None:
    made = some_pulses()
    longer = some_pulses(7, 40, channel=np.full(7, 5), entry=3 + 10 * np.arange(7))
    path = write(tmp_path / "run.lh5", made, longer)
    reader = lh5.FORMAT.open_reader(path, ReadOptions(chunk_bytes=chunk_bytes))
    assert isinstance(reader, OrderedReader)
    chunks = list(reader.chunks_in_order())
    for expected in (made, longer):
        assert_equal(concatenate(chunk for chunk in chunks if chunk.n_samples == expected.n_samples), expected)
    assert all(before.column("entry")[0] < after.column("entry")[0] for before, after in pairwise(chunks))
    assert reader.report.n_read == 57


def test_tables_in_no_order_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "run.lh5", some_pulses(entry=np.arange(50)[::-1].copy()))
    reader = lh5.FORMAT.open_reader(path, ReadOptions())
    assert isinstance(reader, OrderedReader)
    with pytest.raises(DataError, match="not in the order of their entries"):
        list(reader.chunks_in_order())
