"""The reader of any ROOT tree or RNTuple, on files that CERN's ROOT and uproot wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot
from hypothesis import given
from hypothesis import strategies as st

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.columns import convert_column
from discrimen.formats.root.reader import OUT_OF_RANGE, RootReader
from discrimen.formats.root.tree import FORMAT
from discrimen.formats.root.writer import RootWriter
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings

GOLDEN = Path(__file__).parent / "golden" / "waveform_branches.root"
RNTUPLE = GOLDEN.with_name("rntuple.root")
N_ENTRIES = 60


def read(path: Path, **branches: str) -> tuple[list[Pulses], RootReader]:
    reader = FORMAT.open_reader(path, ReadOptions(branches=branches))
    assert isinstance(reader, RootReader)
    return list(reader.chunks()), reader


def write_tree(path: Path, columns: dict[str, np.ndarray], tree: str = "events") -> Path:
    with uproot.recreate(path) as file:
        file.mktree(tree, {name: (values.dtype, values.shape[1:]) for name, values in columns.items()})
        file[tree].extend(columns)
    return path


def entry_minus_sample(chunk: Pulses) -> np.ndarray:
    return chunk.column("entry")[:, None] - np.arange(chunk.n_samples)


@pytest.mark.parametrize(
    ("branch", "dtype"),
    [
        ("counted", np.int16),
        ("vector_short", np.int16),
        ("vector_int", np.int32),
        ("vector_float", np.float32),
        ("vector_double", np.float32),
        ("vector_long", np.int32),
    ],
)
def test_arrays_of_any_length(branch: str, dtype: type) -> None:
    chunks, reader = read(GOLDEN, samples=branch)
    assert [chunk.n_samples for chunk in chunks] == [20, 32]
    for chunk in chunks:
        assert chunk.samples.dtype == dtype
        assert np.all((chunk.column("entry") % 3 == 0) == (chunk.n_samples == 20))
        np.testing.assert_array_equal(chunk.samples, entry_minus_sample(chunk))
    assert reader.report.n_read == N_ENTRIES


def test_unsigned_vectors_and_fixed_arrays_keep_their_type() -> None:
    chunks, _ = read(GOLDEN, samples="vector_ushort")
    assert {chunk.samples.dtype.name for chunk in chunks} == {"uint16"}
    (fixed,), _ = read(GOLDEN, samples="fixed")
    assert fixed.samples.dtype == np.uint16
    np.testing.assert_array_equal(fixed.samples, 60000 + np.arange(60)[:, None] + np.arange(75))


def test_the_tree_in_a_folder_and_the_mapping_are_described() -> None:
    _, reader = read(GOLDEN, samples="fixed", timestamp_ps="time_ns:ns")
    assert "tree run1/events" in reader.info.layout
    assert "timestamp_ps from time_ns (1000 ps a count)" in reader.info.layout
    assert "not used: n" in reader.info.layout
    assert reader.info.n_entries == N_ENTRIES


def test_a_float_time_in_ns_becomes_whole_ps() -> None:
    (chunk,), _ = read(GOLDEN, samples="fixed", timestamp_ps="time_ns:ns")
    np.testing.assert_array_equal(chunk.column("timestamp_ps"), 8500 * np.arange(N_ENTRIES))


def test_an_rntuple_reads_like_a_tree() -> None:
    (chunk,), reader = read(RNTUPLE, timestamp_ps="ticks:8ns", channel="channel")
    np.testing.assert_array_equal(chunk.samples, 40000 + np.arange(60)[:, None] + np.arange(24))
    np.testing.assert_array_equal(chunk.column("timestamp_ps"), 40_000 * np.arange(60))
    np.testing.assert_array_equal(chunk.column("channel"), np.arange(60) % 3)
    assert "the only branch of arrays" in reader.info.layout


def test_a_damaged_page_of_an_rntuple_is_refused(tmp_path: Path) -> None:
    with uproot.open(RNTUPLE) as file:
        page = file["events"].ntuple.page_link_list[0][3].pages[0].locator
    data = bytearray(RNTUPLE.read_bytes())
    data[page.offset + page.num_bytes // 2] ^= 1
    path = tmp_path / "damaged.root"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=f"byte {page.offset}: a page does not match its checksum"):
        read(path)


def test_candidates_are_listed_where_the_choice_is_open() -> None:
    with pytest.raises(SettingsError, match=r"--branch samples=NAME.*counted .*fixed .*vector_short") as caught:
        read(GOLDEN)
    assert "plane (int16_t[3][4])" in str(caught.value)
    assert "time_ns" not in str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"samples": "n"}, r"'n' \(int32_t\) cannot be waveforms; candidates: counted"),
        ({"samples": "absent"}, "no such branch"),
        ({"samples": "fixed", "colour": "n"}, "no field 'colour'; fields: samples, timestamp_ps"),
        ({"samples": "fixed", "entry": "n"}, "no field 'entry'"),
        ({"samples": "fixed", "channel": "counted"}, r"one of: time_ns, n; got 'counted' \(int16_t\[\]\)"),
        ({"samples": "fixed", "timestamp_ps": "time_ns:min"}, "no unit of time 'min'; use ps, ns, us, ms, s"),
        ({"samples": "fixed", "timestamp_ps": "time_ns:0.3ps"}, "whole number of ps"),
        ({"samples": "fixed", "timestamp_ps": "time_ns:0ns"}, "whole number of ps"),
        ({"samples": "fixed", "channel": "n:ns"}, "only timestamp_ps takes a unit"),
    ],
)
def test_a_wrong_mapping_says_how_to_mend_it(mapping: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        FORMAT.open_reader(GOLDEN, ReadOptions(branches=mapping))


def test_several_trees_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "two.root"
    with uproot.recreate(path) as file:
        for tree in ("a", "b"):
            file.mktree(tree, {"wave": (np.int16, (8,))})
            file[tree].extend({"wave": np.full((3, 8), ord(tree), dtype=np.int16)})
    with pytest.raises(SettingsError, match=r"trees a, b; choose one with --tree"):
        read(path)
    reader = FORMAT.open_reader(path, ReadOptions(tree="b"))
    assert next(reader.chunks()).samples[0, 0] == ord("b")


def test_files_without_waveforms_are_refused(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "scalars.root", {"x": np.arange(3.0)})
    with pytest.raises(FormatError, match=r"no branch with one array of numbers an entry; it has: x \(double\)"):
        read(path)
    with uproot.recreate(tmp_path / "none.root") as file:
        file["text"] = "nothing"
    with pytest.raises(FormatError, match="no tree and no RNTuple"):
        read(tmp_path / "none.root")


def test_waveforms_that_pulses_cannot_hold_are_counted(tmp_path: Path) -> None:
    wave = np.ones((5, 4))
    wave[1, 2], wave[3, 0] = np.nan, 1e300
    (chunk,), reader = read(write_tree(tmp_path / "nan.root", {"wave": wave}))
    assert chunk.column("entry").tolist() == [0, 2, 4]
    assert reader.report.damaged["NaN, infinite or too large samples"].count == 2
    long = np.ones((3, 4), dtype=np.int64)
    long[2, 1] = 2**31
    (chunk,), reader = read(write_tree(tmp_path / "long.root", {"wave": long}))
    assert chunk.column("entry").tolist() == [0, 1]


def test_mapped_flags_drop_fake_events(tmp_path: Path) -> None:
    flags = np.array([0, 0x8, 0x400, 0x200000])
    path = write_tree(tmp_path / "flags.root", {"wave": np.ones((4, 4), dtype=np.int32), "f": flags})
    (chunk,), reader = read(path, flags="f")
    assert chunk.column("flags").tolist() == [0, 0x400]
    assert reader.report.n_fake == 2


def test_settings_come_from_the_user_alone() -> None:
    settings = DetectorSettings(sample_period_ns=10.0)
    reader = FORMAT.open_reader(GOLDEN, ReadOptions(branches={"samples": "fixed"}, settings=settings))
    assert next(reader.chunks()).sample_period_ns == 10.0
    assert reader.info.settings_source == {"sample_period_ns": "command line"}


def test_a_file_not_found_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"absent\.root"):
        read(tmp_path / "absent.root")


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1), st.sampled_from([1, 1000, 8000, 10**12]))
def test_integer_times_scale_exactly_or_do_not_fit(values: list[int], factor: int) -> None:
    converted, fits = convert_column(np.array(values, dtype=np.int64), "timestamp_ps", factor)
    for value, got, fit in zip(values, converted.tolist(), fits.tolist(), strict=True):
        assert fit == (-(2**63) <= value * factor < 2**63)
        assert got == (value * factor if fit else 0)


def test_a_float_channel_must_be_whole() -> None:
    converted, fits = convert_column(np.array([1.0, 2.5, np.nan, -3.0, 3e10]), "channel", 1)
    assert fits.tolist() == [True, False, False, True, False]
    assert converted.tolist() == [1, 0, 0, -3, 0]


def own_pulses(n: int = 30, **changes: object) -> Pulses:
    columns = {
        "samples": np.arange(n * 12, dtype=np.int16).reshape(n, 12) - 100,
        "sample_period_ns": 4.0,
        "timestamp_ps": 10**15 + 7 * np.arange(n),
        "flags": np.full(n, 0x80, np.uint32),
        "label": np.arange(n) % 3 - 1,
        "energy_kevee": np.linspace(1, 7, n),
    }
    return Pulses(**(columns | changes))  # type: ignore[arg-type]


def test_what_is_written_is_read_back_with_its_settings(tmp_path: Path) -> None:
    known = DetectorSettings(polarity="negative", pretrigger_ns=96.0, adc_bits=14)
    with RootWriter(tmp_path / "run.root", known) as writer:
        writer.write(own_pulses()[:11])
        writer.write(own_pulses()[11:])
    chunks, reader = read(tmp_path / "run.root")
    pulses = concatenate(chunks)
    assert pulses.samples.dtype == np.int16
    np.testing.assert_array_equal(pulses.samples, own_pulses().samples)
    for name, values in own_pulses().columns().items():
        np.testing.assert_array_equal(pulses.column(name), values)
    assert reader.info.settings == known.merged(sample_period_ns=4.0)
    assert "label" in reader.info.layout


@pytest.mark.parametrize(
    "change",
    [{"samples": np.zeros((30, 13), np.int16)}, {"samples": np.zeros((30, 12), np.int32)}, {"sample_period_ns": 2.0}],
)
def test_a_tree_holds_pulses_of_one_kind(tmp_path: Path, change: dict[str, object]) -> None:
    with (
        pytest.raises(DataError, match=r"expected 12 samples of int16 every 4\.0 ns"),
        RootWriter(tmp_path / "run.root", DetectorSettings()) as writer,
    ):
        writer.write(own_pulses())
        writer.write(own_pulses(**change))
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_pulses_makes_no_tree(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pulses"), RootWriter(tmp_path / "run.root", DetectorSettings()):
        pass
    assert list(tmp_path.iterdir()) == []


def test_branches_of_others_are_not_taken_by_their_name(tmp_path: Path) -> None:
    columns = {"samples": np.zeros((5, 12), np.int16), "label": np.ones(5, np.int8)}
    (chunk,), reader = read(write_tree(tmp_path / "run.root", columns))
    assert chunk.label is None
    assert "not used: label" in reader.info.layout


NESTED = GOLDEN.with_name("nested.root")


def nested_pulses(entries: np.ndarray, places: np.ndarray) -> np.ndarray:
    return (entries - 100 * places)[:, None] - np.arange(24)


def test_nested_vectors_give_a_pulse_for_each_channel() -> None:
    chunks, reader = read(NESTED, samples="waves", channel="channels", timestamp_ps="ticks:ns")
    pulses = concatenate(chunks)
    entries = np.repeat(np.arange(N_ENTRIES), np.arange(N_ENTRIES) % 4)
    places = np.concatenate([np.arange(entry % 4) for entry in range(N_ENTRIES)])
    np.testing.assert_array_equal(pulses.column("entry"), entries)
    np.testing.assert_array_equal(pulses.column("channel"), 5 + 2 * places)
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), 7000 * entries)
    np.testing.assert_array_equal(pulses.samples, nested_pulses(entries, places))
    assert pulses.samples.dtype == np.int16
    assert (reader.report.n_read, reader.report.n_damaged) == (90, 0)


@pytest.mark.parametrize("chunk_bytes", [1, 2000, 2**20])
def test_a_grid_of_channels_gives_a_pulse_for_each(chunk_bytes: int) -> None:
    reader = FORMAT.open_reader(NESTED, ReadOptions(branches={"samples": "grid"}, chunk_bytes=chunk_bytes))
    pulses = concatenate(reader.chunks())
    entries, places = np.repeat(np.arange(N_ENTRIES), 3), np.tile(np.arange(3), N_ENTRIES)
    np.testing.assert_array_equal(pulses.column("channel"), places)
    np.testing.assert_array_equal(pulses.column("entry"), entries)
    np.testing.assert_array_equal(pulses.samples, (1000 * places + entries)[:, None] + np.arange(20))
    assert "whose place is its channel" in reader.info.layout


def test_entries_with_a_list_of_another_length_are_damaged() -> None:
    chunks, reader = read(NESTED, samples="grid", channel="channels")
    pulses = concatenate(chunks)
    np.testing.assert_array_equal(pulses.column("entry"), np.repeat(np.arange(3, N_ENTRIES, 4), 3))
    np.testing.assert_array_equal(pulses.column("channel"), np.tile([5, 7, 9], N_ENTRIES // 4))
    assert reader.report.damaged[OUT_OF_RANGE].count == 3 * (N_ENTRIES - N_ENTRIES // 4)


def test_the_branch_among_several_must_be_named() -> None:
    with pytest.raises(SettingsError, match=r"waves \(std::vector<std::vector<int16_t>>\), channels .*grid"):
        read(NESTED)
