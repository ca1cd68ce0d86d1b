"""The reader of CoMPASS ROOT files, on a file that CERN's ROOT wrote and on files that uproot wrote."""

from __future__ import annotations

import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import uproot

from discrimen.errors import DataError, DiscrimenError, FormatError, MissingExtraError, SettingsError
from discrimen.formats.base import ListModeReader, ReadOptions
from discrimen.formats.compass.root_file import FORMAT
from discrimen.formats.root.samples import waveforms_from_items, waveforms_from_raw
from discrimen.formats.table import open_reader
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.list_mode import concatenate_events

GOLDEN = Path(__file__).parent / "golden" / "compass_data_r.root"
N_ENTRIES = 60
LENGTHS = np.array([(40, 40, 24, 40, 0)[entry % 5] for entry in range(N_ENTRIES)])
FAKE = (7, 8)

BOARD = """<board><serialNumber>{serial}</serialNumber><sampleTime>{period_ps}</sampleTime><adcBitCount>14</adcBitCount>
<parameters><entry><key>SRV_PARAM_CH_POLARITY</key><value><value>POLARITY_NEGATIVE</value></value></entry></parameters>
</board>"""


def expected_samples(entry: int, length: int) -> np.ndarray:
    sample = np.arange(length)
    return np.where(sample % 2 == 0, (16 * entry + sample) % 65536, 65535 - entry - sample).astype(np.uint16)


def read(path: Path, **options: object) -> tuple[list[Pulses], object]:
    reader = FORMAT.open_reader(path, ReadOptions(**options))  # type: ignore[arg-type]
    return list(reader.chunks()), reader


def rows_by_entry(chunks: list[Pulses]) -> dict[int, tuple[np.ndarray, dict[str, object]]]:
    rows = {}
    for chunk in chunks:
        for row, entry in enumerate(chunk.column("entry").tolist()):
            rows[entry] = (chunk.samples[row], {name: column[row] for name, column in chunk.columns().items()})
    return rows


def write_scalars(path: Path, trees: tuple[str, ...], **replaced: np.ndarray) -> None:
    columns = {
        "Channel": np.arange(4, dtype=np.uint16),
        "Timestamp": np.arange(4, dtype=np.uint64),
        "Board": np.zeros(4, dtype=np.uint16),
        "Energy": np.arange(4, dtype=np.uint16),
        "Flags": np.array([0, 8, 0, 0], dtype=np.uint32),
    } | replaced
    with uproot.recreate(path) as file:
        for tree in trees:
            file.mktree(tree, {name: (values.dtype, values.shape[1:]) for name, values in columns.items()})
            file[tree].extend(columns)


def test_golden_file_is_recognised_and_described() -> None:
    assert FORMAT.recognises(GOLDEN, GOLDEN.read_bytes()[:4096])
    info = FORMAT.open_reader(GOLDEN, ReadOptions()).info
    assert (info.format, info.n_entries) == ("compass-root", N_ENTRIES)
    assert "Data_R" in info.layout
    assert "TArrayS" in info.layout


def test_every_value_of_the_golden_file() -> None:
    chunks, reader = read(GOLDEN)
    rows = rows_by_entry(chunks)
    expected = [entry for entry in range(N_ENTRIES) if LENGTHS[entry] and entry not in FAKE]
    assert sorted(rows) == expected
    for entry, (samples, columns) in rows.items():
        np.testing.assert_array_equal(samples, expected_samples(entry, LENGTHS[entry]))
        assert samples.dtype == np.uint16
        assert columns["timestamp_ps"] == 10**15 + 1_000_003 * entry
        assert (columns["channel"], columns["board"]) == (entry % 8, entry % 2)
        assert (columns["energy"], columns["energy_short"]) == (100 + entry, 50 + entry)
    assert max(int(chunk.samples.max()) for chunk in chunks) == 65534 - expected[0]
    assert rows[9 + 2][1]["flags"] == PulseFlag.SATURATED_INPUT
    assert reader.report.n_read == len(expected)
    assert reader.report.n_fake == len(FAKE)
    assert reader.report.n_empty == np.count_nonzero(LENGTHS == 0)
    assert reader.report.damaged == {}


def test_mixed_lengths_come_one_length_a_chunk_in_file_order() -> None:
    chunks, _ = read(GOLDEN)
    assert [chunk.n_samples for chunk in chunks] == [24, 40]
    for chunk in chunks:
        assert np.all(np.diff(chunk.column("entry")) > 0)


def test_small_chunks_give_the_same_pulses() -> None:
    whole, _ = read(GOLDEN)
    parts, reader = read(GOLDEN, chunk_bytes=1)
    assert len(parts) > len(whole)
    expected, got = rows_by_entry(whole), rows_by_entry(parts)
    assert expected.keys() == got.keys()
    for entry, (samples, columns) in expected.items():
        np.testing.assert_array_equal(samples, got[entry][0])
        assert columns == got[entry][1]
    assert sum(len(chunk) for chunk in reader.chunks()) == reader.report.n_read == len(expected)


def test_settings_xml_beside_the_file_gives_each_board_its_period(tmp_path: Path) -> None:
    shutil.copy(GOLDEN, tmp_path / "run.root")
    boards = BOARD.format(serial="1", period_ps=2000) + BOARD.format(serial="2", period_ps=4000)
    (tmp_path / "settings.xml").write_text(f"<configuration>{boards}</configuration>")
    chunks, reader = read(tmp_path / "run.root")
    assert reader.info.settings.polarity == "negative"
    assert reader.info.settings.sample_period_ns is None
    for chunk in chunks:
        assert np.all(chunk.column("board") == {2.0: 0, 4.0: 1}[chunk.sample_period_ns])


def test_the_users_period_wins(tmp_path: Path) -> None:
    chunks, reader = read(GOLDEN, settings=DetectorSettings(sample_period_ns=1.0))
    assert {chunk.sample_period_ns for chunk in chunks} == {1.0}
    assert reader.info.settings_source["sample_period_ns"] == "command line"


def test_period_is_not_guessed() -> None:
    chunks, _ = read(GOLDEN)
    assert {chunk.sample_period_ns for chunk in chunks} == {None}


def test_several_trees_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "two.root"
    write_scalars(path, ("Data_R", "Data_F"))
    assert FORMAT.recognises(path, path.read_bytes()[:4096])
    with pytest.raises(SettingsError, match=r"Data_R, Data_F.*--tree"):
        FORMAT.open_reader(path, ReadOptions())
    assert FORMAT.open_reader(path, ReadOptions(tree="Data_F")).info.layout.startswith("tree Data_F")
    with pytest.raises(SettingsError, match="no tree 'Data'"):
        FORMAT.open_reader(path, ReadOptions(tree="Data"))


def test_list_mode_gives_events_without_the_fake_ones(tmp_path: Path) -> None:
    path = tmp_path / "list.root"
    write_scalars(path, ("Data",))
    reader = open_reader(path)
    assert isinstance(reader, ListModeReader)
    events = concatenate_events(reader.event_chunks())
    assert (reader.report.n_read, reader.report.n_fake, len(events)) == (3, 1, 3)
    assert events.long_charge is not None
    assert events.timestamp_ps is not None
    assert "no waveforms" in reader.info.layout
    with pytest.raises(DataError, match="4 events without waveforms"):
        next(reader.chunks())


def test_an_empty_tree_has_no_pulses(tmp_path: Path) -> None:
    path = tmp_path / "empty.root"
    with uproot.recreate(path) as file:
        file.mktree("Data_R", {"Channel": np.uint16, "Timestamp": np.uint64, "Energy": np.uint16})
    reader = open_reader(path)
    assert isinstance(reader, ListModeReader)
    assert (list(reader.event_chunks()), reader.info.n_entries, reader.report.n_damaged) == ([], 0, 0)


def test_timestamp_beyond_the_range_is_counted_as_damage(tmp_path: Path) -> None:
    path = tmp_path / "late.root"
    samples = np.arange(24, dtype=np.int16).reshape(4, 6) - 3
    late = np.array([1, 2**63, 3, 2**63 - 1], dtype=np.uint64)
    write_scalars(path, ("Data_R",), Timestamp=late, Samples=samples)
    chunks, reader = read(path)
    assert chunks[0].column("entry").tolist() == [0, 2, 3]
    assert chunks[0].column("timestamp_ps").tolist() == [1, 3, 2**63 - 1]
    np.testing.assert_array_equal(chunks[0].samples, samples.view(np.uint16)[[0, 2, 3]])
    assert reader.report.damaged["value out of range or missing"].count == 1


def test_a_damaged_basket_loses_its_own_events_only(tmp_path: Path) -> None:
    with uproot.open(GOLDEN) as file:
        branch = file["Data_R"]["Samples"]
        first, stop = branch.basket_entry_start_stop(2)
        seek = int(branch.member("fBasketSeek")[2])
        size = int(branch.member("fBasketBytes")[2])
    data = bytearray(GOLDEN.read_bytes())
    data[seek + size - 40 : seek + size - 20] = bytes(20)
    path = tmp_path / "damaged.root"
    path.write_bytes(data)
    chunks, reader = read(path)
    damage = reader.report.damaged["unreadable basket"]
    assert (damage.count, damage.first_offset) == (stop - first, seek)
    whole = rows_by_entry(read(GOLDEN)[0])
    assert sorted(rows_by_entry(chunks)) == [entry for entry in sorted(whole) if not first <= entry < stop]


@pytest.mark.parametrize("what", ["tree", "basket key"])
def test_a_giant_claim_is_an_error_and_not_an_allocation(tmp_path: Path, what: str) -> None:
    with uproot.open(GOLDEN) as file:
        key = file.key("Data_R").fSeekKey
        basket = int(file["Data_R"]["Channel"].member("fBasketSeek")[0])
    data = bytearray(GOLDEN.read_bytes())
    head = bytes(data[key : key + 18]) if what == "tree" else bytes(data[basket : basket + 18])
    at = data.find(head)
    while at >= 0:  # the directory holds a copy of the tree's key
        struct.pack_into(">i", data, at + 6, 2**31 - 1)
        at = data.find(head, at + 1)
    path = tmp_path / "giant.root"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        read(path)


def test_a_truncated_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.root"
    path.write_bytes(GOLDEN.read_bytes()[:-2000])
    with pytest.raises(FormatError, match=r"cut.root.*Recover"):
        FORMAT.open_reader(path, ReadOptions())
    assert not FORMAT.recognises(path, path.read_bytes()[:4096])


@pytest.mark.parametrize("n_mutations", [50, pytest.param(150, marks=pytest.mark.slow)])
def test_mutated_files_give_pulses_or_one_error(tmp_path: Path, n_mutations: int) -> None:
    data, path = GOLDEN.read_bytes(), tmp_path / "mutated.root"
    rng = np.random.default_rng(11)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(n_mutations):
        mutated = bytearray(data)
        for place in rng.integers(len(data), size=rng.integers(1, 6)):
            mutated[place] = rng.integers(256)
        path.write_bytes(mutated)
        FORMAT.recognises(path, bytes(mutated[:4096]))
        try:
            chunks, reader = read(path)
        except DiscrimenError:
            outcomes["refused"] += 1
            continue
        outcomes["read"] += 1
        assert all(chunk.n_samples in (24, 40) for chunk in chunks)
        assert sum(len(chunk) for chunk in chunks) == reader.report.n_read
    assert min(outcomes.values()) > 0


def test_other_files_are_not_recognised(tmp_path: Path) -> None:
    path = tmp_path / "other.root"
    with uproot.recreate(path) as file:
        file.mktree("events", {"wave": (np.int16, (8,))})
        file.mktree("Data", {"x": np.float64})
    assert not FORMAT.recognises(path, path.read_bytes()[:4096])
    assert not FORMAT.recognises(path, b"PK\x03\x04")
    assert not FORMAT.recognises(tmp_path / "absent.root", b"root")
    with pytest.raises(FormatError, match=r"no branch Channel, Timestamp.*--format root"):
        FORMAT.open_reader(path, ReadOptions())


def test_without_uproot_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uproot", None)
    assert not FORMAT.recognises(GOLDEN, b"root")
    with pytest.raises(MissingExtraError, match=r"discrimen\[root\]"):
        FORMAT.open_reader(GOLDEN, ReadOptions())


def packed(*entries: tuple[int, list[int]]) -> tuple[np.ndarray, np.ndarray]:
    parts = [struct.pack(f">i{len(samples)}h", count, *samples) for count, samples in entries]
    offsets = np.cumsum([0, *(len(part) for part in parts)])
    return np.frombuffer(b"".join(parts), dtype=np.uint8), offsets


def test_a_count_that_contradicts_the_room_is_not_intact() -> None:
    content, offsets = packed((2, [1, 2]), (3, [3, 4]), (0, []), (2, [5, -1]))
    waveforms = waveforms_from_raw(content, offsets, header_bytes=4, dtype=np.dtype(np.uint16))
    assert waveforms.intact.tolist() == [True, False, True, True]
    assert waveforms.lengths.tolist() == [2, 2, 0, 2]
    chosen = waveforms.intact & (waveforms.lengths == 2)
    assert waveforms.select(chosen).tolist() == [[1, 2], [5, 65535]]


@pytest.mark.parametrize("offsets", [[0, 8, 4, 12], [0, 4, 8], [4, 8, 12], [0, 4, 16]])
def test_offsets_that_contradict_the_content_are_refused(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="entry offsets"):
        waveforms_from_items(np.zeros(12), np.array(offsets), dtype=np.dtype(np.float64))
