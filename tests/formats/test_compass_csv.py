"""CoMPASS CSV: columns by header or by rows, damage counted row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discrimen.errors import DataError, DiscrimenError, FormatError
from discrimen.formats.base import ReadOptions
from discrimen.formats.compass.csv_file import FORMAT, CompassCsvReader
from discrimen.formats.compass.csv_rows import split_rows, whole_numbers
from discrimen.formats.compass.csv_writer import CompassCsvWriter
from discrimen.formats.compass.settings_xml import WrittenBoard, settings_xml
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings

HEADER = "BOARD;CHANNEL;TIMETAG;ENERGY;ENERGYSHORT;FLAGS;SAMPLES"
PERIOD = ReadOptions(settings=DetectorSettings(sample_period_ns=1.0))


def row(index: int, n_samples: int = 12, *, head: str = "0;{channel};{time};{energy};{short};0x4000") -> str:
    known = {"channel": index % 3, "time": 10**15 + 7 * index, "energy": 100 + index, "short": 90 + index}
    samples = (str(880 + (index * 7 + i) % 13) for i in range(n_samples))
    return ";".join([head.format(**known), *samples])


def write(path: Path, *lines: str, header: str | None = HEADER, end: str = "\n") -> Path:
    path.write_bytes("".join(line + end for line in ([header] if header else []) + list(lines)).encode())
    return path


def read(path: Path, options: ReadOptions = PERIOD) -> tuple[CompassCsvReader, list[Pulses]]:
    reader = CompassCsvReader(path, options)
    return reader, list(reader.chunks())


def expected_samples(indices: list[int], n_samples: int = 12) -> np.ndarray:
    return np.array([[880 + (index * 7 + i) % 13 for i in range(n_samples)] for index in indices])


@pytest.mark.parametrize("end", ["\n", "\r\n", ";\n", "\n\n"])
@pytest.mark.parametrize("chunk_bytes", [1, 300, 2**20])
def test_rows_are_read_by_the_header(tmp_path: Path, end: str, chunk_bytes: int) -> None:
    path = write(tmp_path / "run.CSV", *(row(i) for i in range(50)), end=end)
    options = ReadOptions(settings=DetectorSettings(sample_period_ns=1.0), chunk_bytes=chunk_bytes)
    reader, chunks = read(path, options)
    pulses = concatenate(chunks)
    np.testing.assert_array_equal(pulses.samples, expected_samples(list(range(50))))
    np.testing.assert_array_equal(pulses.column("entry"), np.arange(50))
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), 10**15 + 7 * np.arange(50))
    np.testing.assert_array_equal(pulses.column("channel"), np.arange(50) % 3)
    np.testing.assert_array_equal(pulses.column("energy"), 100.0 + np.arange(50))
    np.testing.assert_array_equal(pulses.column("energy_short"), 90.0 + np.arange(50))
    np.testing.assert_array_equal(pulses.column("flags"), np.full(50, 0x4000))
    assert pulses.samples.dtype == np.uint16
    assert (reader.report.n_read, reader.report.damaged) == (50, {})


def test_a_large_timetag_keeps_every_picosecond(tmp_path: Path) -> None:
    times = [2**63 - 1, 2**53 + 1, 10**18 + 1]
    lines = [row(i, head=f"0;1;{time};5;4;0x0") for i, time in enumerate(times)]
    pulses = concatenate(read(write(tmp_path / "run.csv", *lines))[1])
    assert pulses.column("timestamp_ps").tolist() == times


@pytest.mark.parametrize(
    ("header", "head", "energy"),
    [
        ("TIMETAG;ENERGY;FLAGS;SAMPLES", "{time};{energy};0x4000", "energy"),
        ("TIMETAG;ENERGY;ENERGYSHORT;FLAGS;SAMPLES", "{time};{energy};{short};0x4000", "energy"),
        ("BOARD;CHANNEL;TIMETAG;ENERGY;FLAGS;SAMPLES", "0;{channel};{time};{energy};0x4000", "energy"),
        (
            "BOARD;CHANNEL;TIMETAG;ENERGY;CALIB_ENERGY;FLAGS;PROBE_CODE;SAMPLES",
            "0;{channel};{time};{energy};{energy}.25;0x4000;1",
            "energy",
        ),
        (
            "BOARD;CHANNEL;TIMETAG;ENERGY;CALIB_ENERGY;ENERGYSHORT;FLAGS;PROBE_CODE;SAMPLES",
            "0;{channel};{time};{energy};{energy}.25;{short};0x4000;1",
            "energy",
        ),
    ],
)
@pytest.mark.parametrize("known_from", ["header", "first file", "rows"])
def test_layouts_are_told_from_header_first_file_or_rows(
    tmp_path: Path, header: str, head: str, energy: str, known_from: str
) -> None:
    lines = [row(i, head=head) for i in range(20)]
    path = write(tmp_path / "run_1.csv", *lines, header=header if known_from == "header" else None)
    if known_from == "first file":
        write(tmp_path / "run.csv", *lines, header=header)
    pulses = concatenate(read(path)[1])
    np.testing.assert_array_equal(pulses.samples, expected_samples(list(range(20))))
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), 10**15 + 7 * np.arange(20))
    np.testing.assert_array_equal(pulses.column(energy), 100.0 + np.arange(20))
    assert (pulses.energy_short is not None) == ("ENERGYSHORT" in header)
    assert (pulses.board is not None) == header.startswith("BOARD")


def test_calibrated_energy_alone_is_the_energy(tmp_path: Path) -> None:
    lines = [row(i, head="0;0;{time};1{energy}.5;0x0") for i in range(5)]
    path = write(tmp_path / "run.csv", *lines, header="BOARD;CHANNEL;TIMETAG;CALIB_ENERGY;FLAGS;SAMPLES")
    np.testing.assert_array_equal(concatenate(read(path)[1]).column("energy"), 1100.5 + np.arange(5))


def test_rows_that_contradict_the_first_file_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "run.csv", row(0), header=HEADER)
    path = write(tmp_path / "run_1.csv", *(row(i, head="{time};{energy};0x4000") for i in range(5)), header=None)
    with pytest.raises(FormatError, match="contradict"):
        CompassCsvReader(path, PERIOD)


def test_decimal_flags_of_a_spreadsheet_are_read(tmp_path: Path) -> None:
    # 0x4000 (fine time stamp) and 0x400 (a pulse in a veto's shadow), which CoMPASS writes in hexadecimal.
    values = [16384, 0, 1024, 16384]
    lines = [row(i, head=f"0;0;{10**12 + i};5;4;{value};1") for i, value in enumerate(values)]
    path = write(
        tmp_path / "run.csv", *lines, header="BOARD;CHANNEL;TIMETAG;ENERGY;ENERGYSHORT;FLAGS;PROBE_CODE;SAMPLES"
    )
    assert concatenate(read(path)[1]).column("flags").tolist() == values


def test_times_that_a_spreadsheet_has_rounded_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "run.csv", *(row(i, head="0;0;9.78762E+10;5;4;0x0") for i in range(5)), header=HEADER)
    with pytest.raises(FormatError, match=r"line 2 .* TIMETAG is '9\.78762E\+10'.* rounded the times"):
        CompassCsvReader(path, PERIOD)


def test_an_ambiguous_file_without_header_is_refused(tmp_path: Path) -> None:
    # The number behind FLAGS may be a probe code or a sample near zero.
    path = write(tmp_path / "run_1.csv", *(f"0;0;{10**12 + i};5;4;0x0;1;2;1;3" for i in range(5)), header=None)
    with pytest.raises(FormatError, match=r"several layouts.*first file of the run"):
        CompassCsvReader(path, PERIOD)


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        ("0;0;12;5", "missing columns"),
        (row(0).replace("0x4000", "1234"), "FLAGS no number of 32 bits"),
        (row(0).replace("881", "nan"), "not a number"),
        (row(0).replace("881", "8x1"), "not a number"),
        (row(0).replace("881", ""), "not a number"),
        (row(0).replace("881", "65536"), "sample out of range"),
        (row(0).replace("881", "-1"), "sample out of range"),
        (row(0, head="0;0;7.6E10;5;4;0x0"), "not a number"),
        (row(0, head="0;0;9223372036854775808;5;4;0x0"), "not a number"),
        (row(0, head="0;70000;12;5;4;0x0"), "board or channel out of range"),
        (row(0, head="0;0;12;nan;4;0x0"), "not a number"),
        (row(0, 11), "unusual number of samples"),
        ("\x00\xff garbage", "missing columns"),
    ],
)
@pytest.mark.parametrize("at", [0, 9, 19])
def test_a_damaged_row_is_counted_and_the_rest_read(tmp_path: Path, broken: str, kind: str, at: int) -> None:
    lines = [row(i) for i in range(20)]
    path = write(tmp_path / "run.csv", *lines[:at], broken, *lines[at:])
    reader, chunks = read(path)
    pulses = concatenate(chunks)
    np.testing.assert_array_equal(pulses.samples, expected_samples(list(range(20))))
    np.testing.assert_array_equal(pulses.column("entry"), np.delete(np.arange(21), at))
    (damage,) = reader.report.damaged.items()
    assert damage[0] == kind
    assert (damage[1].count, damage[1].first_offset) == (1, len(HEADER) + 1 + sum(len(line) + 1 for line in lines[:at]))


def test_a_row_torn_in_two_is_not_read_as_a_short_one(tmp_path: Path) -> None:
    lines = [row(i) for i in range(4)]
    torn = lines[1][:60] + "\n" + lines[1][60:]
    reader, chunks = read(write(tmp_path / "run.csv", lines[0], torn, *lines[2:]))
    np.testing.assert_array_equal(concatenate(chunks).samples, expected_samples([0, 2, 3]))
    assert reader.report.n_damaged == 2


def test_a_truncated_last_row_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "run.csv", *(row(i) for i in range(5)))
    path.write_bytes(path.read_bytes()[:-10])
    reader, chunks = read(path)
    np.testing.assert_array_equal(concatenate(chunks).samples, expected_samples(list(range(4))))
    assert reader.report.damaged.keys() == {"truncated last event"}


def test_a_whole_last_row_needs_no_newline(tmp_path: Path) -> None:
    path = write(tmp_path / "run.csv", *(row(i) for i in range(5)))
    path.write_bytes(path.read_bytes()[:-1])
    assert len(concatenate(read(path)[1])) == 5


def test_numbers_written_by_a_spreadsheet_are_understood(tmp_path: Path) -> None:
    path = write(tmp_path / "run.csv", row(0).replace("881", "881.0").replace("882", " 882 "))
    np.testing.assert_array_equal(read(path)[1][0].samples, expected_samples([0]))


def test_lengths_may_differ_from_row_to_row(tmp_path: Path) -> None:
    lengths = [12, 7, 12, 0, 7, 12]
    reader, chunks = read(write(tmp_path / "run.csv", *(row(i, n) for i, n in enumerate(lengths))))
    assert {chunk.n_samples: chunk.column("entry").tolist() for chunk in chunks} == {12: [0, 2, 5], 7: [1, 4]}
    assert (reader.report.n_read, reader.report.n_empty) == (5, 1)


def test_fakes_are_dropped_and_counted(tmp_path: Path) -> None:
    lines = [row(i).replace("0x4000", "0x80008") if i == 2 else row(i) for i in range(5)]
    reader, chunks = read(write(tmp_path / "run.csv", *lines))
    assert concatenate(chunks).column("entry").tolist() == [0, 1, 3, 4]
    assert reader.report.n_fake == 1


def test_each_board_has_its_period(tmp_path: Path) -> None:
    boards = {0: WrittenBoard(2.0, 12), 1: WrittenBoard(4.0, 12)}
    (tmp_path / "settings.xml").write_text(settings_xml(boards, DetectorSettings(polarity="negative")))
    (tmp_path / "RAW").mkdir()
    path = write(tmp_path / "RAW/run.csv", *(row(i, head=f"{i % 2};0;{{time}};1;1;0x0") for i in range(6)))
    reader, chunks = read(path, ReadOptions())
    assert [(chunk.sample_period_ns, len(chunk)) for chunk in chunks] == [(2.0, 3), (4.0, 3)]
    assert reader.info.settings.polarity == "negative"


def test_charges_alone_are_described_but_hold_no_pulses(tmp_path: Path) -> None:
    path = write(tmp_path / "run.csv", "0;0;12;5;4;0x4000", header=HEADER.removesuffix(";SAMPLES"))
    reader = CompassCsvReader(path, PERIOD)
    assert "charges only" in reader.info.layout
    with pytest.raises(DataError, match="charges only"):
        next(reader.chunks())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"time,voltage\n1,2\n", "expected a header line"),
        (b"BOARD;CHANNEL;ENERGY;FLAGS;SAMPLES\n0;0;1;0x0;1\n", "lacks the column TIMETAG"),
        (b"TIMETAG;ENERGY;SAMPLES\n1;2;3\n", "lacks the column FLAGS"),
        (b"TIMETAG;ENERGY;FLAGS;NEWS;SAMPLES\n1;2;0x0;3\n", "unknown column 'NEWS'"),
        (b"TIMETAG;ENERGY;FLAGS;SAMPLES\n0;1;2;0x0;3\n", "contradicts the columns"),
        (b"TIMETAG;SAMPLES;FLAGS\n1;2;0x0\n", "must be the last"),
        (b"TIMETAG;FLAGS;FLAGS;SAMPLES\n1;2;0x0\n", "twice"),
        (b"1;2;3;4\n", "FLAGS"),
        (b"\xff" * 5000, "expected a header line"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "run.csv"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=problem):
        CompassCsvReader(path, PERIOD)


@given(values=st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=20))
def test_whole_numbers_agree_with_python(values: list[int]) -> None:
    text = (";".join(map(str, values)) + "\n").encode()
    rows = split_rows(np.frombuffer(text, np.uint8))
    got, bad = whole_numbers(rows, np.arange(len(values)))
    assert got.tolist() == values
    assert not bad.any()


@given(head=st.binary(max_size=300) | st.text("0x;BOARDTIMETG123\n", max_size=80).map(str.encode))
@pytest.mark.parametrize("name", ["run.csv", "run.txt"])
def test_recognition_survives_any_bytes(name: str, head: bytes) -> None:
    assert FORMAT.recognises(Path(name), head) in (True, False)


def test_files_are_recognised_by_header_or_rows() -> None:
    assert FORMAT.recognises(Path("run.txt"), HEADER.encode() + b"\n")
    assert FORMAT.recognises(Path("run_1.CSV"), row(0).encode())
    assert not FORMAT.recognises(Path("run.csv"), b"1,2,3\n")
    assert not FORMAT.recognises(Path("run.csv"), b"")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_mutated_files_never_give_a_wrong_length(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = write(tmp_path_factory.getbasetemp() / "mutated.csv", *(row(i) for i in range(20)))
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    cut = data.draw(st.integers(0, 60))
    content[at : at + cut] = data.draw(st.binary(max_size=60) | st.text("0123456789;\n", max_size=40).map(str.encode))
    path.write_bytes(content)
    try:
        reader = CompassCsvReader(path, PERIOD)
        chunks = list(reader.chunks())
    except DiscrimenError:
        return
    assert {chunk.n_samples for chunk in chunks} <= {12}
    assert reader.report.n_read == sum(map(len, chunks))
    assert reader.report.n_read >= 17 or reader.report.n_damaged > 0


@pytest.mark.real_data
@pytest.mark.parametrize(("kind", "baseline_adc"), [("gamma", 892), ("neutron", 877)])
def test_the_real_bc501a_pulses_are_read(real_data: Path, kind: str, baseline_adc: int) -> None:
    path = real_data / f"bc501a/bc501a_{kind}_first5.csv"
    reader, (pulses,) = read(path, ReadOptions())
    lines = path.read_text().splitlines()[1:]
    assert pulses.samples.shape == (5, 192)
    assert pulses.samples.tolist() == [list(map(int, line.split(";")[6:])) for line in lines]
    assert pulses.column("timestamp_ps").tolist() == [int(line.split(";")[2]) for line in lines]
    assert pulses.samples[0, 0] == baseline_adc
    assert pulses.sample_period_ns is None
    assert reader.report.n_damaged == 0


def test_rows_between_commas_are_told_so(tmp_path: Path) -> None:
    path = tmp_path / "waves.csv"
    path.write_text("100,101,102\n" * 5)
    with pytest.raises(FormatError, match="without any ';'"):
        FORMAT.open_reader(path, ReadOptions())


def test_what_is_written_is_read_back_with_its_settings(tmp_path: Path) -> None:
    known = DetectorSettings(polarity="negative", pretrigger_ns=96.0, adc_bits=14)
    source = Pulses(
        samples=(np.arange(20 * 12).reshape(20, 12) % 65536).astype(np.uint16),
        sample_period_ns=4.0,
        timestamp_ps=10**15 + 7 * np.arange(20),
        board=np.full(20, 2),
        channel=np.arange(20) % 3,
        flags=np.full(20, 0x4080, np.uint32),
        energy=np.linspace(0.5, 800.25, 20),
        energy_short=np.arange(20.0),
    )
    with CompassCsvWriter(tmp_path / "run.csv", known) as writer:
        writer.write(source[:7])
        writer.write(source[7:])
    reader, chunks = read(tmp_path / "run.csv", ReadOptions())
    pulses = concatenate(chunks)
    np.testing.assert_array_equal(pulses.samples, source.samples)
    for name, values in source.columns().items():
        np.testing.assert_array_equal(pulses.column(name), values)
    assert reader.info.settings == known.merged(sample_period_ns=4.0)
