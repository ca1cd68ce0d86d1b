"""CoMPASS .BIN: every layout, damage of every kind, and the way back from the writer."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discrimen.errors import DataError, DiscrimenError, FormatError, OutputError
from discrimen.formats.base import ReadOptions
from discrimen.formats.compass.binary import FORMAT, CompassBinReader
from discrimen.formats.compass.binary_layout import EventContent, Layout, Tail
from discrimen.formats.compass.binary_writer import CompassBinWriter
from discrimen.pulses import PulseFlag, Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings

WAVES = EventContent.ENERGY | EventContent.ENERGY_SHORT | EventContent.WAVEFORM
STANDARD = Layout(WAVES, Tail.PROBE_AND_COUNT, 2)
PERIOD = ReadOptions(settings=DetectorSettings(sample_period_ns=2.0))


def some_pulses(n_pulses: int = 20, n_samples: int = 30, *, seed: int = 1, start_ps: int = 5000) -> Pulses:
    rng = np.random.default_rng(seed)
    return Pulses(
        samples=rng.integers(700, 900, (n_pulses, n_samples)).astype(np.uint16),
        sample_period_ns=2.0,
        timestamp_ps=start_ps + np.arange(n_pulses) * 1_000_000,
        board=np.zeros(n_pulses, np.int32),
        channel=(np.arange(n_pulses) % 4).astype(np.int32),
        flags=np.full(n_pulses, PulseFlag.FINE_TIMESTAMP, np.uint32),
        energy=rng.integers(0, 4000, n_pulses).astype(float),
        energy_short=rng.integers(0, 4000, n_pulses).astype(float),
    )


def events(layout: Layout, pulses: Pulses, *, probe: int = 1) -> list[bytes]:
    """Build each event field by field, apart from the writer."""
    packed = []
    for index in range(len(pulses)):
        head = np.zeros(1, layout.head)
        values = {
            "board": pulses.column("board"),
            "channel": pulses.column("channel"),
            "timestamp": pulses.column("timestamp_ps"),
            "energy": pulses.column("energy"),
            "calibrated_energy": pulses.column("energy"),
            "energy_short": pulses.column("energy_short"),
            "flags": pulses.column("flags"),
            "probe": np.full(len(pulses), probe),
            "count": np.full(len(pulses), pulses.n_samples if EventContent.WAVEFORM in layout.content else 0),
        }
        for name in layout.head.names or ():
            head[name] = values[name][index]
        wave = pulses.samples[index].tobytes() if EventContent.WAVEFORM in layout.content else b""
        packed.append(head.tobytes() + wave)
    return packed


def write(path: Path, layout: Layout, *parts: bytes) -> Path:
    magic = (0xCAE0 | layout.content).to_bytes(2, "little") if layout.start else b""
    path.write_bytes(magic + b"".join(parts))
    return path


def read(path: Path, options: ReadOptions = PERIOD) -> tuple[CompassBinReader, list[Pulses]]:
    reader = CompassBinReader(path, options)
    return reader, list(reader.chunks())


def assert_same(got: Pulses, expected: Pulses, content: EventContent = WAVES) -> None:
    np.testing.assert_array_equal(got.samples, expected.samples)
    names = ["timestamp_ps", "board", "channel", "flags"]
    names += ["energy"] if content & (EventContent.ENERGY | EventContent.CALIBRATED_ENERGY) else []
    names += ["energy_short"] if EventContent.ENERGY_SHORT in content else []
    for name in names:
        np.testing.assert_array_equal(got.column(name), expected.column(name), err_msg=name)
    assert set(got.columns()) == {"entry", *names}


@pytest.mark.parametrize("bits", range(8, 16))
@pytest.mark.parametrize("chunk_bytes", [1, 1000, 2**24])
def test_every_combination_of_header_bits_is_read(tmp_path: Path, bits: int, chunk_bytes: int) -> None:
    layout = Layout(EventContent(bits), Tail.PROBE_AND_COUNT, 2)
    path = write(tmp_path / "run.BIN", layout, *events(layout, some_pulses()))
    options = ReadOptions(settings=DetectorSettings(sample_period_ns=2.0), chunk_bytes=chunk_bytes)
    reader, chunks = read(path, options)
    got = concatenate(chunks)
    assert_same(got, some_pulses(), EventContent(bits))
    np.testing.assert_array_equal(got.column("entry"), np.arange(20))
    assert (reader.report.n_read, reader.report.damaged) == (20, {})


@pytest.mark.parametrize("bits", range(8))
@pytest.mark.parametrize("tail", [Tail.NOTHING, Tail.PROBE_AND_COUNT])
def test_charges_without_waveforms_are_described_but_hold_no_pulses(tmp_path: Path, bits: int, tail: Tail) -> None:
    layout = Layout(EventContent(bits), tail, 2)
    path = write(tmp_path / "run.BIN", layout, *events(layout, some_pulses()))
    reader = CompassBinReader(path, PERIOD)
    assert reader.info.n_entries == 20
    assert "charges only" in reader.info.layout
    with pytest.raises(DataError, match="20 events without waveforms"):
        next(reader.chunks())


@pytest.mark.parametrize("content", [WAVES, EventContent.ENERGY | EventContent.WAVEFORM])
def test_files_from_before_2022_are_known_by_their_events(tmp_path: Path, content: EventContent) -> None:
    layout = Layout(content, Tail.COUNT, 0)
    reader, chunks = read(write(tmp_path / "run.dat", layout, *events(layout, some_pulses())))
    assert_same(concatenate(chunks), some_pulses(), content)
    assert "no probe code" in reader.info.layout


@pytest.mark.parametrize("bits", [9, 10, 11, 13, 14, 15])
@pytest.mark.parametrize("with_first", [True, False])
def test_continuation_files_are_read_with_and_without_the_first(tmp_path: Path, bits: int, with_first: bool) -> None:
    layout = Layout(EventContent(bits), Tail.PROBE_AND_COUNT, 0)
    later = some_pulses(seed=2, start_ps=10**9)
    path = write(tmp_path / "run_1.BIN", layout, *events(layout, later))
    if with_first:
        first = Layout(layout.content, layout.tail, 2)
        write(tmp_path / "run.BIN", first, *events(first, some_pulses()))
    _, chunks = read(path)
    assert_same(concatenate(chunks), later, EventContent(bits))


@pytest.mark.parametrize("bits", [1, 2, 5, 6, 7])
def test_charges_of_a_continuation_file_are_told_by_size_and_time(tmp_path: Path, bits: int) -> None:
    layout = Layout(EventContent(bits), Tail.NOTHING, 0)
    path = write(tmp_path / "run_1.BIN", layout, *events(layout, some_pulses()))
    reader = CompassBinReader(path, PERIOD)
    assert (reader.info.n_entries, "charges only" in reader.info.layout) == (20, True)


def test_charges_out_of_order_need_a_header(tmp_path: Path) -> None:
    falling = some_pulses().replace(timestamp_ps=10**9 - np.arange(20))
    for start in (2, 0):
        layout = Layout(EventContent.ENERGY, Tail.NOTHING, start)
        path = write(tmp_path / f"run{start}.BIN", layout, *events(layout, falling))
        if start:
            assert CompassBinReader(path, PERIOD).info.n_entries == 20
        else:
            with pytest.raises(FormatError, match="no CoMPASS binary file"):
                CompassBinReader(path, PERIOD)


def test_a_first_file_of_another_kind_does_not_mislead(tmp_path: Path) -> None:
    layout = Layout(WAVES, Tail.COUNT, 0)
    path = write(tmp_path / "run_1.BIN", layout, *events(layout, some_pulses()))
    other = Layout(EventContent(9), Tail.PROBE_AND_COUNT, 2)
    write(tmp_path / "run.BIN", other, *events(other, some_pulses()))
    assert_same(concatenate(read(path)[1]), some_pulses())


def test_an_ambiguous_continuation_file_is_refused(tmp_path: Path) -> None:
    # Calibrated energy 0 and energies 0: the ten bytes may be either pair of fields.
    layout = Layout(EventContent(11), Tail.PROBE_AND_COUNT, 0)
    flat = some_pulses().replace(energy=np.zeros(20), energy_short=np.zeros(20))
    path = write(tmp_path / "run_1.BIN", layout, *events(layout, flat))
    with pytest.raises(FormatError, match=r"several layouts.*first file of the run"):
        CompassBinReader(path, PERIOD)


def test_flags_are_kept_and_fakes_dropped_and_counted(tmp_path: Path) -> None:
    flags = np.full(20, PulseFlag.SATURATED_INPUT | PulseFlag.PILE_UP, np.uint32)
    flags[[3, 4, 19]] = PulseFlag.FAKE, PulseFlag.FAKE_PLL_LOCK_LOSS, PulseFlag.FAKE_ADC_SHUTDOWN
    source = some_pulses().replace(flags=flags)
    reader, chunks = read(write(tmp_path / "run.BIN", STANDARD, *events(STANDARD, source)))
    good = np.setdiff1d(np.arange(20), [3, 4, 19])
    got = concatenate(chunks)
    assert_same(got, source[good])
    np.testing.assert_array_equal(got.column("entry"), good)
    assert (reader.report.n_read, reader.report.n_fake) == (17, 3)


def test_lengths_may_differ_from_event_to_event(tmp_path: Path) -> None:
    lengths = np.random.default_rng(3).integers(0, 40, 300)
    singles = [
        some_pulses(1, int(n), seed=i, start_ps=5000 + i).replace(channel=np.array([i % 8])) if n else None
        for i, n in enumerate(lengths)
    ]
    empty = events(Layout(WAVES & ~EventContent.WAVEFORM, Tail.PROBE_AND_COUNT, 2), some_pulses(1))[0]
    parts = [empty if pulses is None else events(STANDARD, pulses)[0] for pulses in singles]
    for chunk_bytes in (64, 1500, 2**20):
        options = ReadOptions(settings=DetectorSettings(sample_period_ns=2.0), chunk_bytes=chunk_bytes)
        reader, chunks = read(write(tmp_path / "run.BIN", STANDARD, *parts), options)
        assert reader.report.n_empty == np.count_nonzero(lengths == 0)
        assert reader.report.damaged == {}
        met = {}
        for chunk in chunks:
            met |= {int(entry): chunk.samples[i] for i, entry in enumerate(chunk.column("entry"))}
        assert sorted(met) == np.flatnonzero(lengths).tolist()
        for entry, samples in met.items():
            source = singles[entry]
            assert source is not None
            np.testing.assert_array_equal(samples, source.samples[0])


def test_the_samples_of_equal_events_are_a_view_of_the_file(tmp_path: Path) -> None:
    parts = events(STANDARD, some_pulses())
    path = write(tmp_path / "run.BIN", STANDARD, *parts, parts[0][:40])
    (chunk,) = read(path)[1]
    block = chunk.samples
    while block.base is not None and isinstance(block.base, np.ndarray):
        block = block.base
    # What was read from the file, the cut event at its end included: no sample was copied from there.
    assert block.tobytes() == path.read_bytes()[2:]
    assert chunk.samples.strides == (STANDARD.event_bytes(30), 2)


@pytest.mark.parametrize("chunk_bytes", [200, 500])
def test_chunks_stay_as_they_are_when_reading_goes_on(tmp_path: Path, chunk_bytes: int) -> None:
    path = write(tmp_path / "run.BIN", STANDARD, *events(STANDARD, some_pulses()))
    options = ReadOptions(settings=DetectorSettings(sample_period_ns=2.0), chunk_bytes=chunk_bytes)
    kept = []
    for chunk in CompassBinReader(path, options).chunks():
        kept.append((chunk, chunk.samples.copy()))
    assert len(kept) > 3
    for chunk, samples in kept:
        np.testing.assert_array_equal(chunk.samples, samples)


def test_boards_of_different_periods_come_apart(tmp_path: Path) -> None:
    board = (np.arange(20) % 2).astype(np.int32)
    with CompassBinWriter(tmp_path / "run.BIN", DetectorSettings(polarity="negative")) as writer:
        for index in range(20):
            part = some_pulses()[index : index + 1]
            writer.write(part.replace(board=board[index : index + 1], sample_period_ns=[2.0, 4.0][board[index]]))
    reader, chunks = read(tmp_path / "run.BIN", ReadOptions())
    assert [(chunk.sample_period_ns, len(chunk)) for chunk in chunks] == [(2.0, 10), (4.0, 10)]
    np.testing.assert_array_equal(chunks[1].column("entry"), np.arange(1, 20, 2))
    assert reader.info.settings.sample_period_ns is None
    assert reader.info.settings.polarity == "negative"
    _, chunks = read(tmp_path / "run.BIN", ReadOptions(settings=DetectorSettings(sample_period_ns=8.0)))
    assert [chunk.sample_period_ns for chunk in chunks] == [8.0]


def test_the_sampling_period_is_unknown_without_settings(tmp_path: Path) -> None:
    path = write(tmp_path / "run.BIN", STANDARD, *events(STANDARD, some_pulses()))
    assert read(path, ReadOptions())[1][0].sample_period_ns is None


@pytest.mark.parametrize("layout", [STANDARD, Layout(WAVES, Tail.COUNT, 0)])
@pytest.mark.parametrize("count", [2**32 - 1, 10**6, 400, 31, 29, 0])
@pytest.mark.parametrize("at", [0, 7, 18, 19])
def test_an_event_with_a_damaged_length_is_counted_and_the_rest_read(
    tmp_path: Path, layout: Layout, count: int, at: int
) -> None:
    parts = events(layout, some_pulses())
    broken = bytearray(parts[at])
    broken[layout.count_at : layout.count_at + 4] = count.to_bytes(4, "little")
    path = write(tmp_path / "run.BIN", layout, *parts[:at], bytes(broken), *parts[at + 1 :])
    reader, chunks = read(path)
    good = np.setdiff1d(np.arange(20), [at])
    got = concatenate(chunks)
    assert got.n_samples == 30
    assert_same(got, some_pulses()[good])
    np.testing.assert_array_equal(got.column("entry"), good)
    assert reader.report.n_damaged == 1
    (damage,) = reader.report.damaged.values()
    assert damage.first_offset == layout.start + sum(map(len, parts[:at]))


@pytest.mark.parametrize("cut", [1, 24, 26, 60, 84])
def test_a_truncated_last_event_is_counted(tmp_path: Path, cut: int) -> None:
    parts = events(STANDARD, some_pulses())
    reader, chunks = read(write(tmp_path / "run.BIN", STANDARD, *parts[:-1], parts[-1][:cut]))
    assert_same(concatenate(chunks), some_pulses()[:19])
    assert reader.report.damaged.keys() == {"truncated last event"}
    assert reader.report.damaged["truncated last event"].first_offset == 2 + sum(map(len, parts[:-1]))


def test_bytes_in_between_are_skipped(tmp_path: Path) -> None:
    parts = events(STANDARD, some_pulses())
    reader, chunks = read(write(tmp_path / "run.BIN", STANDARD, *parts[:8], b"\xff" * 1000, *parts[8:]))
    assert_same(concatenate(chunks), some_pulses())
    assert reader.report.n_damaged == 1


def test_a_timestamp_beyond_the_range_is_damage(tmp_path: Path) -> None:
    parts = events(STANDARD, some_pulses())
    parts[5] = parts[5][:4] + b"\xff" * 8 + parts[5][12:]
    reader, chunks = read(write(tmp_path / "run.BIN", STANDARD, *parts))
    assert sum(map(len, chunks)) == 19
    assert reader.report.damaged["timestamp out of range"].first_offset == 2 + 5 * len(parts[0])


def test_a_header_that_contradicts_the_events_is_refused(tmp_path: Path) -> None:
    parts = events(STANDARD, some_pulses())
    wrong = Layout(EventContent.ENERGY, Tail.NOTHING, 2)
    with pytest.raises(FormatError, match=r"0xCAE1 promises.*0xCAED") as caught:
        CompassBinReader(write(tmp_path / "run.BIN", wrong, *parts), PERIOD)
    assert caught.value.offset == 2


@pytest.mark.parametrize("content", [b"", b"hello, this is no digitizer's file" * 20, bytes(3000), b"\xff" * 3000])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.BIN"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"run\.BIN"):
        CompassBinReader(path, PERIOD)


def test_a_folder_or_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="folder"):
        CompassBinReader(tmp_path, PERIOD)
    with pytest.raises(FormatError, match="cannot open"):
        CompassBinReader(tmp_path / "none.BIN", PERIOD)


def test_a_run_without_events_is_valid(tmp_path: Path) -> None:
    with CompassBinWriter(tmp_path / "run.BIN", DetectorSettings()):
        pass
    reader, chunks = read(tmp_path / "run.BIN")
    assert chunks == []
    assert reader.report.n_damaged == 0


def test_only_empty_waveforms_is_an_error(tmp_path: Path) -> None:
    charges = Layout(WAVES & ~EventContent.WAVEFORM, Tail.PROBE_AND_COUNT, 2)
    path = write(tmp_path / "run.BIN", STANDARD, *events(charges, some_pulses()))
    with pytest.raises(DataError, match="none of its 20 events has a waveform"):
        list(CompassBinReader(path, PERIOD).chunks())


@pytest.mark.parametrize("bits", range(16))
def test_what_is_written_is_read_back(tmp_path: Path, bits: int) -> None:
    source = some_pulses(500, 77)
    content = EventContent(bits)
    with CompassBinWriter(tmp_path / "run.BIN", DetectorSettings(), content=content) as writer:
        for start, stop in pairwise((0, 1, 400, 500)):
            writer.write(source[start:stop])
    layout = Layout(content, Tail.PROBE_AND_COUNT, 2)
    by_hand = write(tmp_path / "by_hand", layout, *events(layout, source))
    assert (tmp_path / "run.BIN").read_bytes() == by_hand.read_bytes()
    if EventContent.WAVEFORM in content:
        reader, chunks = read(tmp_path / "run.BIN", ReadOptions())
        assert_same(concatenate(chunks), source, content)
        assert reader.info.settings.sample_period_ns == 2.0


def test_the_writer_stores_what_the_columns_hold(tmp_path: Path) -> None:
    settings = DetectorSettings(polarity="negative", pretrigger_ns=96.0, adc_bits=14)
    source = some_pulses().replace(energy=np.linspace(0.5, 800.25, 20), energy_short=None)
    with CompassBinWriter(tmp_path / "run.BIN", settings) as writer:
        writer.write(source)
    assert (tmp_path / "run.BIN").read_bytes()[:2] == b"\xea\xca"
    reader, chunks = read(tmp_path / "run.BIN", ReadOptions())
    assert_same(concatenate(chunks), source, EventContent.CALIBRATED_ENERGY | EventContent.WAVEFORM)
    assert reader.info.settings == settings.merged(sample_period_ns=2.0)
    assert set(reader.info.settings_source.values()) == {"run_settings.xml"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"samples": np.full((20, 5), -1, np.int16)}, r"samples 0..65535, got -1..-1"),
        ({"samples": np.full((20, 5), 70000, np.int32)}, "got 70000..70000"),
        ({"samples": np.zeros((20, 5), np.float32)}, "whole numbers"),
        ({"timestamp_ps": np.arange(20) - 1}, "timestamp"),
        ({"board": np.full(20, 256)}, "board"),
        ({"flags": np.full(20, 2**31, np.uint32)}, "flags"),
        ({"energy_short": np.full(20, 0.5)}, "energy_short"),
    ],
)
def test_the_writer_refuses_what_the_format_cannot_hold(
    tmp_path: Path, change: dict[str, np.ndarray], problem: str
) -> None:
    with pytest.raises(DataError, match=problem), CompassBinWriter(tmp_path / "run.BIN", DetectorSettings()) as writer:
        writer.write(some_pulses().replace(**change))
    assert list(tmp_path.iterdir()) == []


def test_the_writer_refuses_a_board_that_changes_its_period(tmp_path: Path) -> None:
    with CompassBinWriter(tmp_path / "run.BIN", DetectorSettings()) as writer:
        writer.write(some_pulses())
        with pytest.raises(DataError, match="board 0"):
            writer.write(some_pulses().replace(sample_period_ns=4.0))


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with CompassBinWriter(tmp_path / "run.BIN", DetectorSettings()) as writer:
            writer.write(some_pulses())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_writer_outside_its_with_block_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="with-block"):
        CompassBinWriter(tmp_path / "run.BIN", DetectorSettings()).write(some_pulses())


@given(head=st.binary(max_size=200) | st.binary(max_size=100).map(lambda rest: b"\xed\xca" + rest))
@pytest.mark.parametrize("name", ["run.BIN", "run.dat", "run"])
def test_recognition_survives_any_bytes(name: str, head: bytes) -> None:
    assert FORMAT.recognises(Path(name), head) in (True, False)


def test_files_are_recognised_by_their_events() -> None:
    for layout in (STANDARD, Layout(WAVES, Tail.COUNT, 0)):
        magic = b"\xed\xca" if layout.start else b""
        head = (magic + b"".join(events(layout, some_pulses(20, 300))))[:4096]
        assert FORMAT.recognises(Path("run.BIN"), head)
    wavedump = np.array([24 + 600, 31, 0, 0, 0, 1], "<u4").tobytes() + some_pulses(1, 300).samples.tobytes()
    assert not FORMAT.recognises(Path("wave0.bin"), 3 * wavedump)
    assert not FORMAT.recognises(Path("run.BIN"), b"BOARD;CHANNEL;TIMETAG;ENERGY" * 20)
    assert not FORMAT.recognises(Path("run.BIN"), b"")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("layout", [STANDARD, Layout(WAVES, Tail.COUNT, 0)])
def test_mutated_files_never_give_a_wrong_length(
    tmp_path_factory: pytest.TempPathFactory, layout: Layout, data: st.DataObject
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "mutated.BIN", layout, *events(layout, some_pulses()))
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    cut = data.draw(st.integers(0, 60))
    content[at : at + cut] = data.draw(st.binary(max_size=60))
    path.write_bytes(content)
    try:
        reader = CompassBinReader(path, PERIOD)
        chunks = list(reader.chunks())
    except DiscrimenError:
        return
    assert {chunk.n_samples for chunk in chunks} <= {30}
    assert reader.report.n_read == sum(map(len, chunks))
    assert reader.report.n_read >= 10 or reader.report.n_damaged > 0


@pytest.mark.real_data
def test_nothing_of_a_real_run_is_lost(real_data: Path) -> None:
    path = real_data / "compass/compass_test_data.BIN"
    reader, chunks = read(path, ReadOptions())
    (pulses,) = chunks
    assert pulses.samples.shape == (102, 1000)
    assert pulses.sample_period_ns == 2.0
    assert (reader.report.n_read, reader.report.n_damaged, reader.report.n_fake) == (102, 0, 0)
    assert reader.info.settings.polarity == "positive"
    raw = np.fromfile(path, np.uint8)[2:].reshape(102, 2025)
    np.testing.assert_array_equal(pulses.samples.view(np.uint8), raw[:, 25:])
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), raw[:, 4:12].copy().view("<i8")[:, 0])
    assert b"".join(events(STANDARD, pulses)) == path.read_bytes()[2:]


@pytest.mark.real_data
def test_a_real_run_written_again_is_the_same(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "compass/compass_test_data.BIN"
    reader, chunks = read(path, ReadOptions())
    with CompassBinWriter(tmp_path / "again.BIN", reader.info.settings) as writer:
        for chunk in chunks:
            writer.write(chunk)
    assert (tmp_path / "again.BIN").read_bytes() == path.read_bytes()
    assert CompassBinReader(tmp_path / "again.BIN", ReadOptions()).info.settings == reader.info.settings
