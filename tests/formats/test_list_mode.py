"""List mode of every format that has it: the same events come out of each, and each refuses to have waveforms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import ListModeReader, ReadOptions
from discrimen.formats.compass.binary_layout import EventContent, Layout, Tail
from discrimen.formats.table import find_format, open_reader
from discrimen.pulses.list_mode import ListModeEvents, concatenate_events

N_EVENTS = 50
LONG = 100 + 10 * np.arange(N_EVENTS)
SHORT = 80 + 7 * np.arange(N_EVENTS)
CHANNEL = np.arange(N_EVENTS) % 3
TIME_PS = 10**16 + 1_000_001 * np.arange(N_EVENTS)
FAKE = 7


def compass_bin(path: Path) -> ReadOptions:
    layout = Layout(EventContent.ENERGY | EventContent.ENERGY_SHORT, Tail.NOTHING, 2)
    made = np.zeros(N_EVENTS, layout.head)
    made["channel"], made["timestamp"], made["energy"], made["energy_short"] = CHANNEL, TIME_PS, LONG, SHORT
    made["flags"][FAKE] = 0x8
    path.write_bytes(np.uint16(0xCAE0 | layout.content).tobytes() + made.tobytes())
    return ReadOptions()


def compass_csv(path: Path) -> ReadOptions:
    rows = [
        f"0;{CHANNEL[i]};{TIME_PS[i]};{LONG[i]};{SHORT[i]};{'0x8' if i == FAKE else '0x0'}" for i in range(N_EVENTS)
    ]
    path.write_text("\n".join(["BOARD;CHANNEL;TIMETAG;ENERGY;ENERGYSHORT;FLAGS", *rows]) + "\n")
    return ReadOptions()


def columns() -> dict[str, np.ndarray]:
    flags = np.where(np.arange(N_EVENTS) == FAKE, 0x8, 0)
    return {
        "ch": CHANNEL.astype(np.uint16), "t": TIME_PS.astype(np.uint64), "ql": LONG.astype(np.uint16),
        "qs": SHORT.astype(np.uint16), "f": flags.astype(np.uint32),
    }  # fmt: skip


NAMED = {"channel": "ch", "timestamp_ps": "t", "energy": "ql", "energy_short": "qs", "flags": "f"}


def compass_root(path: Path) -> ReadOptions:
    names = {"ch": "Channel", "t": "Timestamp", "ql": "Energy", "qs": "EnergyShort", "f": "Flags"}
    with uproot.recreate(path) as file:
        file["Data_R"] = {names[name]: values for name, values in columns().items()}
    return ReadOptions()


def root_tree(path: Path) -> ReadOptions:
    with uproot.recreate(path) as file:
        file["events"] = columns()
    return ReadOptions(branches=NAMED)


def text(delimiter: str, *, header: str) -> Callable[[Path], ReadOptions]:
    def write(path: Path) -> ReadOptions:
        rows = [delimiter.join(str(cell) for cell in row) for row in zip(*columns().values(), strict=True)]
        path.write_text(header + "\n".join(rows) + "\n")
        return ReadOptions(branches=NAMED)

    return write


MAKERS: dict[str, tuple[str, str, Callable[[Path], ReadOptions]]] = {
    "compass-bin": ("run.BIN", "compass-bin", compass_bin),
    "compass-csv": ("run.csv", "compass-csv", compass_csv),
    "compass-root": ("run.root", "compass-root", compass_root),
    "root": ("tree.root", "root", root_tree),
    "commas": ("table.csv", "text-table", text(",", header="ch,t,ql,qs,f\n")),
    "blanks": ("table.txt", "text-table", text("  ", header="# made by hand\nch t ql qs f\n")),
    "tabs": ("table.dat", "text-table", text("\t", header="ch\tt\tql\tqs\tf\n")),
}


def read(path: Path, options: ReadOptions) -> tuple[ListModeEvents, ListModeReader]:
    reader = open_reader(path, options)
    assert isinstance(reader, ListModeReader)
    return concatenate_events(reader.event_chunks()), reader


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("chunk_bytes", [2**24, 600])
def test_the_same_events_come_out_of_every_format(tmp_path: Path, kind: str, chunk_bytes: int) -> None:
    name, format_name, make = MAKERS[kind]
    options = make(tmp_path / name)
    assert find_format(tmp_path / name).name == format_name
    events, reader = read(tmp_path / name, ReadOptions(branches=options.branches, chunk_bytes=chunk_bytes))
    kept = np.arange(N_EVENTS) != FAKE
    assert np.array_equal(events.entry, np.flatnonzero(kept))
    expected = {"long_charge": LONG, "short_charge": SHORT, "channel": CHANNEL, "timestamp_ps": TIME_PS}
    for column, values in expected.items():
        assert np.array_equal(events.columns()[column], values[kept]), column
    assert (reader.report.n_read, reader.report.n_fake, reader.report.n_damaged) == (N_EVENTS - 1, 1, 0)
    assert events.psd is not None
    assert events.psd == pytest.approx(((LONG - SHORT) / LONG)[kept])
    with pytest.raises(DataError, match="events without waveforms"):
        next(iter(reader.chunks()))


def test_a_given_psd_needs_no_charges_and_saturated_events_have_none(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "tree.root") as file:
        file["events"] = {"shape": np.array([0.1, 0.2, 0.3]), "flag": np.array([0, 0x80, 0x400], np.uint32)}
    named = {"psd": "shape", "flags": "flag"}
    events, _ = read(tmp_path / "tree.root", ReadOptions(branches=named))
    assert events.psd == pytest.approx([0.1, np.nan, np.nan], nan_ok=True)
    assert not events.psd_step.any()


def test_a_tree_with_waveforms_is_a_list_only_if_a_column_of_lists_is_named(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "tree.root") as file:
        file["events"] = {"wave": np.zeros((3, 8), np.int16), "shape": np.ones(3), "tof": np.ones(3)}
    path = tmp_path / "tree.root"
    assert not isinstance(open_reader(path, ReadOptions(branches={"tof_ns": "tof"})), ListModeReader)
    assert isinstance(open_reader(path, ReadOptions(branches={"tof_ns": "tof", "psd": "shape"})), ListModeReader)


def test_a_table_without_header_is_read_by_the_numbers_of_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_text("1.5 0.25 7\n2.5 0.5 8\n")
    options = ReadOptions(branches={"energy": "1", "psd": "2"})
    reader = open_reader(path, options, format_name="text-table")
    assert isinstance(reader, ListModeReader)
    events = concatenate_events(reader.event_chunks())
    assert events.columns()["long_charge"].tolist() == [1.5, 2.5]
    assert events.columns()["given_psd"].tolist() == [0.25, 0.5]


def test_damaged_rows_are_counted_and_keep_their_number(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("energy,psd\n1,0.1\n2\n3,what\n4,0.4\n5,0.5\n# the end\n")
    events, reader = read(path, ReadOptions())
    assert events.entry.tolist() == [0, 3, 4]
    assert {kind: found.count for kind, found in reader.report.damaged.items()} == {
        "row of another length": 1,
        "not a number": 1,
    }


@pytest.mark.parametrize(
    ("branches", "told"),
    [
        ({}, r"3 columns \(a, b, c\): which is what"),
        ({"psd": "d"}, "no such column"),
        ({"psd": "4"}, "no such column"),
        ({"label": "a"}, "holds timestamp_ps"),
    ],
)
def test_columns_that_are_not_there_are_named(tmp_path: Path, branches: dict[str, str], told: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,c\n1,2,3\n")
    with pytest.raises(SettingsError, match=told):
        open_reader(path, ReadOptions(branches=branches))
