"""WaveDump binary files: layout, trigger tags, configuration, damage."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from discrimen.errors import DataError, DiscrimenError, FormatError, OutputError, SettingsError
from discrimen.formats.base import ReadOptions, ReadReport
from discrimen.formats.wavedump import binary as wavedump
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings

TWO_NS = DetectorSettings(sample_period_ns=2.0)


def waveforms(count: int = 20, length: int = 40) -> NDArray[np.uint16]:
    """Noise on a baseline; the first sample is the number of the pulse."""
    samples = np.random.default_rng(7).normal(800, 3, (count, length)).astype(np.uint16)
    samples[:, 0] = np.arange(count)
    return samples


def event(samples: NDArray[np.generic], *, board: int = 31, channel: int = 2, number: int = 0, tag: int = 0) -> bytes:
    body = samples.tobytes()
    return struct.pack("<6I", 24 + len(body), board, 0, channel, number, tag) + body


def write_events(path: Path, events: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(events))
    return path


def read_all(path: Path, options: ReadOptions | None = None) -> tuple[list[Pulses], ReadReport]:
    reader = wavedump.FORMAT.open_reader(path, options or ReadOptions())
    chunks = list(reader.chunks())
    assert reader.report.n_read == sum(map(len, chunks))
    return chunks, reader.report


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    samples = waveforms()
    return write_events(tmp_path / "wave2.dat", (event(row, number=k, tag=k * 125) for k, row in enumerate(samples)))


def test_reads_samples_and_header(plain: Path) -> None:
    chunks, report = read_all(plain, ReadOptions(settings=TWO_NS))
    pulses = concatenate(chunks)
    np.testing.assert_array_equal(pulses.samples, waveforms())
    assert pulses.samples.dtype == np.uint16
    np.testing.assert_array_equal(pulses.column("entry"), np.arange(20))
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), np.arange(20) * 1_000_000)
    assert set(pulses.column("board")) == {31}
    assert set(pulses.column("channel")) == {2}
    assert report.damaged == {}


@pytest.mark.parametrize("chunk_bytes", [1, 300, 5000, 10**7])
def test_chunks_join_to_the_whole(plain: Path, chunk_bytes: int) -> None:
    chunks, _ = read_all(plain, ReadOptions(chunk_bytes=chunk_bytes))
    np.testing.assert_array_equal(concatenate(chunks).samples, waveforms())


def test_time_stamps_are_left_out_while_the_step_of_the_tag_is_unknown(plain: Path) -> None:
    (pulses,), _ = read_all(plain)
    assert pulses.timestamp_ps is None
    assert pulses.sample_period_ns is None
    odd = ReadOptions(settings=DetectorSettings(sample_period_ns=3.0))
    assert read_all(plain, odd)[0][0].timestamp_ps is None


def test_a_board_of_10_ns_counts_100_mhz(plain: Path) -> None:
    (pulses,), _ = read_all(plain, ReadOptions(settings=DetectorSettings(sample_period_ns=10)))
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), np.arange(20) * 125 * 10_000)


def test_trigger_tags_run_on_where_the_counter_starts_again(tmp_path: Path) -> None:
    ticks = np.arange(8, dtype=np.int64) * 900_000_000
    # The roll-over flag, bit 31, is no part of the count.
    tags = [int(tick % 2**31) | (0x80000000 if k > 3 else 0) for k, tick in enumerate(ticks)]
    path = write_events(tmp_path / "w.dat", (event(row, tag=t) for row, t in zip(waveforms(8), tags, strict=True)))
    for chunk_bytes in (1, 10**6):
        chunks, _ = read_all(path, ReadOptions(settings=TWO_NS, chunk_bytes=chunk_bytes))
        np.testing.assert_array_equal(concatenate(chunks).column("timestamp_ps"), ticks * 8000)


def test_tags_of_each_channel_run_by_themselves(tmp_path: Path) -> None:
    rows = waveforms(6)
    one = [event(row, channel=0, tag=k * 10) for k, row in enumerate(rows)]
    two = [event(row, channel=1, tag=k * 10) for k, row in enumerate(rows)]
    (pulses,), _ = read_all(write_events(tmp_path / "w.dat", one + two), ReadOptions(settings=TWO_NS))
    assert pulses.column("timestamp_ps").max() == 50 * 8000


def test_8_bit_samples_are_told_by_their_values(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).normal(120, 2, (20, 50)).astype(np.uint8)
    (pulses,), _ = read_all(write_events(tmp_path / "w.dat", map(event, samples)))
    assert pulses.samples.dtype == np.uint8
    np.testing.assert_array_equal(pulses.samples, samples)


def test_8_bit_samples_of_odd_length(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).normal(120, 2, (20, 51)).astype(np.uint8)
    (pulses,), _ = read_all(write_events(tmp_path / "w.dat", map(event, samples)))
    np.testing.assert_array_equal(pulses.samples, samples)


@pytest.mark.parametrize("level", [3, 16 * 257 % 4096, 800, 8191, 16383])
def test_quiet_16_bit_samples_need_no_option(tmp_path: Path, level: int) -> None:
    noise = np.random.default_rng(2).integers(-1, 1, (20, 60), endpoint=True)
    samples = np.clip(level + noise, 0, 16383).astype(np.uint16)
    (pulses,), _ = read_all(write_events(tmp_path / "w.dat", map(event, samples)))
    np.testing.assert_array_equal(pulses.samples, samples)


@pytest.mark.parametrize("header_words", [6, 8])
@pytest.mark.parametrize("corrected", [True, False])
def test_x742_floating_point_samples(tmp_path: Path, header_words: int, corrected: bool) -> None:
    samples = (waveforms(length=136) + (0.37 if corrected else 0)).astype(np.float32)
    extra = struct.pack("<2I", 0x8000, 517) if header_words == 8 else b""
    events = [
        struct.pack("<6I", 24 + len(extra) + row.nbytes, 0, 0, 3, k, (k * 2**28) % 2**30) + extra + row.tobytes()
        for k, row in enumerate(samples)
    ]
    (pulses,), _ = read_all(write_events(tmp_path / "wave_3.dat", events))
    np.testing.assert_array_equal(pulses.samples, samples)
    # 117.1875 MHz and 30 bits, whatever the sampling period.
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), np.arange(20) * 2**28 * 25600 // 3)


def test_x742_waveforms_with_nan_are_damaged(tmp_path: Path) -> None:
    samples = waveforms(length=136).astype(np.float32)
    samples[4, 7] = np.nan
    (pulses,), report = read_all(write_events(tmp_path / "w.dat", map(event, samples)))
    assert 4 not in pulses.column("entry")
    assert report.damaged["NaN or infinite samples"].count == 1


def test_a_dead_channel_leaves_the_width_open(tmp_path: Path) -> None:
    path = write_events(tmp_path / "w.dat", [event(np.zeros(40, np.uint16))] * 5)
    with pytest.raises(SettingsError, match="--sample-bytes"):
        wavedump.FORMAT.open_reader(path, ReadOptions())
    (pulses,), _ = read_all(path, ReadOptions(sample_bytes=2))
    assert pulses.samples.shape == (5, 40)
    (tmp_path / "WaveDumpConfig.txt").write_text("RECORD_LENGTH 40\n")
    assert read_all(path)[0][0].samples.shape == (5, 40)


def test_width_that_contradicts_the_record_length_is_an_error(plain: Path) -> None:
    plain.with_name("WaveDumpConfig.txt").write_text("RECORD_LENGTH 80\n")
    with pytest.raises(SettingsError, match="RECORD_LENGTH 80"):
        wavedump.FORMAT.open_reader(plain, ReadOptions())
    with pytest.raises(SettingsError, match="must be 1, 2 or 4"):
        wavedump.FORMAT.open_reader(plain, ReadOptions(sample_bytes=3))


def test_damage_in_the_second_event_does_not_change_the_width(tmp_path: Path) -> None:
    samples = (waveforms(length=30) + 0.5).astype(np.float32)
    data = b"".join(map(event, samples))
    junk = np.random.default_rng(4).bytes(90)
    path = tmp_path / "w.dat"
    path.write_bytes(data[: 144 + 24] + junk + data[144 + 24 :])
    chunks, report = read_all(path)
    np.testing.assert_array_equal(concatenate(chunks).samples, np.delete(samples, 1, axis=0))
    assert report.n_damaged >= 1


def test_mixed_lengths_give_one_chunk_each(tmp_path: Path) -> None:
    rows = [waveforms(1, length)[0] for length in (40, 40, 60, 40, 60, 60)]
    chunks, report = read_all(write_events(tmp_path / "w.dat", map(event, rows)))
    assert {chunk.n_samples: chunk.column("entry").tolist() for chunk in chunks} == {40: [0, 1, 3], 60: [2, 4, 5]}
    assert report.damaged == {}


def test_events_without_samples_are_counted(tmp_path: Path) -> None:
    rows = list(waveforms(4))
    events = [event(rows[0]), event(rows[1]), event(rows[0][:0]), event(rows[2])]
    chunks, report = read_all(write_events(tmp_path / "w.dat", events))
    assert report.n_empty == 1
    assert concatenate(chunks).column("entry").tolist() == [0, 1, 3]


@pytest.mark.parametrize("cut", [1, 23, 24, 60])
def test_truncated_last_event_is_counted_with_its_offset(plain: Path, cut: int) -> None:
    plain.write_bytes(plain.read_bytes()[:-cut])
    (pulses,), report = read_all(plain)
    assert len(pulses) == 19
    assert report.damaged["truncated last event"].first_offset == 19 * 104


@pytest.mark.parametrize("word", [0, 7, 105, 0xFFFFFFFF, 4000, 2**24])
@pytest.mark.parametrize("chunk_bytes", [1, 500, 10**6])
def test_absurd_size_costs_that_event_only(plain: Path, word: int, chunk_bytes: int) -> None:
    data = bytearray(plain.read_bytes())
    struct.pack_into("<I", data, 8 * 104, word)
    plain.write_bytes(data)
    chunks, report = read_all(plain, ReadOptions(chunk_bytes=chunk_bytes))
    pulses = concatenate(chunks)
    assert pulses.column("entry").tolist() == [k for k in range(20) if k != 8]
    np.testing.assert_array_equal(pulses.samples[:, 0], pulses.column("entry"))
    assert report.damaged["damaged event"].first_offset == 8 * 104
    assert report.n_damaged == 1


@pytest.mark.parametrize("lost", [1, 2, 30])
def test_lost_bytes_never_shift_samples(plain: Path, lost: int) -> None:
    data = plain.read_bytes()
    start = 8 * 104 + 50
    plain.write_bytes(data[:start] + data[start + lost :])
    chunks, report = read_all(plain)
    pulses = concatenate(chunks)
    assert pulses.samples[:, 0].tolist() == [k for k in range(20) if k != 8]
    assert report.n_damaged == 1


def test_bytes_too_many_never_shift_samples(plain: Path) -> None:
    data = plain.read_bytes()
    for extra in (b"\1", b"\1\2", bytes(9)):
        plain.write_bytes(data[: 8 * 104 + 50] + extra + data[8 * 104 + 50 :])
        chunks, report = read_all(plain)
        assert concatenate(chunks).samples[:, 0].tolist() == [k for k in range(20) if k != 8]
        assert report.n_damaged == 1


def test_a_shifted_header_of_zeros_is_no_header(tmp_path: Path) -> None:
    # Board 0, channel 0, event 0: one byte too many still leaves words that look like a header of another size.
    data = b"".join(event(row, board=0, channel=0) for row in waveforms(600))
    path = tmp_path / "w.dat"
    path.write_bytes(data[: 8 * 104 + 50] + b"\1" + data[8 * 104 + 50 :])
    for chunk_bytes in (500, 10**6):
        chunks, report = read_all(path, ReadOptions(chunk_bytes=chunk_bytes))
        assert concatenate(chunks).samples[:, 0].tolist() == [k for k in range(600) if k != 8]
        assert report.n_damaged == 1


def test_bytes_too_many_in_the_last_event(plain: Path) -> None:
    data = plain.read_bytes()
    plain.write_bytes(data[:-30] + b"\1\2\3" + data[-30:])
    (pulses,), report = read_all(plain)
    assert pulses.samples[:, 0].tolist() == list(range(19))
    assert report.n_damaged == 1


def test_garbage_without_end_is_given_up_and_said(plain: Path) -> None:
    plain.write_bytes(plain.read_bytes() + bytes(range(1, 200)) * 20)
    (pulses,), report = read_all(plain)
    assert len(pulses) == 19
    assert any("no further event" in kind for kind in report.damaged)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 20 * 104 - 1), junk=st.binary(max_size=12), dropped=st.integers(0, 12))
def test_mutations_never_give_a_wrong_length(plain: Path, position: int, junk: bytes, dropped: int) -> None:
    good = b"".join(event(row, number=k, tag=k * 125) for k, row in enumerate(waveforms()))
    plain.write_bytes(good[:position] + junk + good[position + dropped :])
    try:
        chunks, report = read_all(plain, ReadOptions(sample_bytes=2, chunk_bytes=500))
    except DiscrimenError:
        return
    assert all(chunk.n_samples == 40 for chunk in chunks)
    if len(junk) == dropped:
        # Damage up to the end of the file counts once, however many events it hit: at most the last two here.
        is_open = any("no further event" in kind for kind in report.damaged)
        assert 20 - is_open <= report.n_read + report.n_damaged <= 20


def test_configuration_gives_polarity_and_no_pretrigger(plain: Path) -> None:
    plain.with_name("WaveDumpConfig.txt").write_text(
        "@OFF\nDigitizer 730\nPULSE_POLARITY POSITIVE\n@ON\n[COMMON]\nPULSE_POLARITY POSITIVE # comment\n"
        "POST_TRIGGER\t80\nRECORD_LENGTH 40\n[2]\nPULSE_POLARITY NEGATIVE\n"
    )
    info = wavedump.FORMAT.open_reader(plain, ReadOptions(settings=TWO_NS)).info
    assert info.settings.polarity == "negative"
    assert info.settings.pretrigger_ns is None
    assert info.settings_source["polarity"] == "WaveDumpConfig.txt"
    assert info.settings_source["sample_period_ns"] == "command line"
    assert "Digitizer 730" in info.layout
    own = ReadOptions(settings=DetectorSettings(polarity="positive"))
    assert wavedump.FORMAT.open_reader(plain, own).info.settings.polarity == "positive"


@pytest.mark.parametrize("line", ["RECORD_LENGTH 0", "RECORD_LENGTH ten"])
def test_configuration_out_of_range_is_an_error(plain: Path, line: str) -> None:
    plain.with_name("WaveDumpConfig.txt").write_text(line)
    with pytest.raises(SettingsError, match=line.split()[0]):
        wavedump.FORMAT.open_reader(plain, ReadOptions())


def test_files_without_headers_are_cut_by_the_record_length(tmp_path: Path) -> None:
    path = tmp_path / "wave0.dat"
    path.write_bytes(waveforms().tobytes())
    assert not wavedump.recognises(path, path.read_bytes())
    with pytest.raises(FormatError, match="OUTPUT_FILE_HEADER NO"):
        wavedump.FORMAT.open_reader(path, ReadOptions())
    config = tmp_path / "run.txt"
    config.write_text("OUTPUT_FILE_HEADER NO\nRECORD_LENGTH 40\n")
    reader = wavedump.FORMAT.open_reader(path, ReadOptions(companion=config, chunk_bytes=200))
    pulses = concatenate(reader.chunks())
    np.testing.assert_array_equal(pulses.samples, waveforms())
    assert reader.info.n_entries == 20
    assert pulses.timestamp_ps is None
    config.write_text("OUTPUT_FILE_HEADER NO\nRECORD_LENGTH 39\n")
    with pytest.raises(FormatError, match="rounded the length"):
        wavedump.FORMAT.open_reader(path, ReadOptions(companion=config))
    config.write_text("<xml/>")
    with pytest.raises(SettingsError, match="expected a WaveDumpConfig"):
        wavedump.FORMAT.open_reader(path, ReadOptions(companion=config))


def test_recognises_only_its_own(plain: Path, tmp_path: Path) -> None:
    assert wavedump.recognises(plain, plain.read_bytes()[:4096])
    other = tmp_path / "other.dat"
    for data in (b"", b"\0" * 5000, b"\x93NUMPY" * 50, b"\xe1\xca" + bytes(60), b"BOARD;CHANNEL;TIMETAG\n" * 9):
        other.write_bytes(data)
        assert not wavedump.recognises(other, data[:4096])
    assert not wavedump.recognises(tmp_path / "absent.dat", b"\x10" * 100)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_recognising_never_raises(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.dat"
    path.write_bytes(data)
    assert wavedump.recognises(path, data) in (True, False)


def test_absent_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        wavedump.FORMAT.open_reader(tmp_path / "absent.dat", ReadOptions())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_written_pulses_come_back(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "wave.dat"
    samples = (waveforms(length=64) % 251 + 4).astype(dtype)
    pulses = Pulses(
        samples=samples,
        sample_period_ns=2.0,
        timestamp_ps=np.arange(20) * 8_000 * 1000,
        channel=np.arange(20) % 3,
        board=np.full(20, 4),
    )
    with wavedump.open_writer(path, DetectorSettings()) as writer:
        writer.write(pulses[:12])
        writer.write(pulses[12:])
    back = concatenate(read_all(path, ReadOptions(settings=TWO_NS, sample_bytes=np.dtype(dtype).itemsize))[0])
    np.testing.assert_array_equal(back.samples, samples)
    np.testing.assert_array_equal(back.column("channel"), pulses.column("channel"))
    np.testing.assert_array_equal(back.column("board"), pulses.column("board"))
    step_ps = 25600 / 3 if dtype is np.float32 else 8000
    assert np.abs(back.column("timestamp_ps") - pulses.column("timestamp_ps")).max() <= step_ps / 2 + 1


def test_the_writer_refuses_what_the_format_cannot_hold(tmp_path: Path) -> None:
    def write(**changes: object) -> None:
        fields: dict[str, object] = {"samples": waveforms(2), "sample_period_ns": 2.0}
        with wavedump.open_writer(tmp_path / "w.dat", DetectorSettings()) as writer:
            writer.write(Pulses(**(fields | changes)))  # type: ignore[arg-type]

    with pytest.raises(DataError, match="16 bits"):
        write(samples=np.array([[-1, 2], [3, 4]], dtype=np.int32))
    with pytest.raises(DataError, match="channel"):
        write(channel=np.array([0, 5000]))
    with pytest.raises(DataError, match="board"):
        write(board=np.array([0, 32]))
    with pytest.raises(DataError, match="run forward"):
        write(timestamp_ps=np.array([9_000_000, 0]))
    with pytest.raises(DataError, match="run forward"):
        write(timestamp_ps=np.array([0, 18 * 10**12]))
    with pytest.raises(DataError, match="no WaveDump board"):
        write(timestamp_ps=np.array([0, 1]), sample_period_ns=None)
    assert list(tmp_path.iterdir()) == []


def test_the_writer_leaves_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "w.dat"
    writer = wavedump.open_writer(path, DetectorSettings())

    def interrupted() -> None:
        with writer:
            writer.write(Pulses(samples=waveforms(), sample_period_ns=2.0))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder.dat").mkdir()
    with pytest.raises(OutputError, match="folder"), wavedump.open_writer(tmp_path / "folder.dat", DetectorSettings()):
        pass


@pytest.mark.real_data
@pytest.mark.parametrize("channel", [0, 1])
def test_real_coincidence_run(real_data: Path, channel: int) -> None:
    path = real_data / "wavedump" / "SiPM" / "coincidence" / f"wave{channel}.dat"
    options = ReadOptions(settings=DetectorSettings(sample_period_ns=1.0))
    assert wavedump.recognises(path, path.read_bytes()[:4096])
    (pulses,), report = read_all(path, options)
    assert pulses.samples.shape == (41, 6006)
    assert pulses.samples.max() < 1024
    assert set(pulses.column("channel")) == {channel}
    assert report.damaged == {}
    settings_read = wavedump.FORMAT.open_reader(path, options).info.settings
    assert settings_read.polarity == "positive"
    assert settings_read.pretrigger_ns is None


@pytest.mark.real_data
def test_real_coincidences_have_equal_times(real_data: Path) -> None:
    folder = real_data / "wavedump" / "SiPM" / "coincidence"
    options = ReadOptions(settings=DetectorSettings(sample_period_ns=1.0))
    first, second = (concatenate(read_all(folder / name, options)[0]) for name in ("wave0.dat", "wave1.dat"))
    np.testing.assert_array_equal(first.column("timestamp_ps"), second.column("timestamp_ps"))
    assert (np.diff(first.column("timestamp_ps")) > 0).all()


@pytest.mark.real_data
def test_real_truncated_run(real_data: Path) -> None:
    path = real_data / "wavedump" / "SiPM" / "2006272158" / "wave0.dat"
    (pulses,), report = read_all(path)
    assert pulses.samples.shape == (293, 406)
    assert report.damaged["truncated last event"].count == 1
    assert report.damaged["truncated last event"].first_offset == 293 * 836


@pytest.mark.real_data
def test_real_germanium_run(real_data: Path) -> None:
    (pulses,), report = read_all(real_data / "wavedump" / "HPGe" / "WaveDump" / "wave0.dat")
    assert pulses.samples.shape == (8, 10000)
    assert set(pulses.column("channel")) == {3}
    assert report.damaged == {}


def test_a_linked_run_file_finds_its_configuration(plain: Path, tmp_path: Path) -> None:
    plain.with_name("WaveDumpConfig.txt").write_text("[COMMON]\nPULSE_POLARITY NEGATIVE\n")
    link = tmp_path / "elsewhere" / "wave.dat"
    link.parent.mkdir()
    link.symlink_to(plain)
    assert wavedump.FORMAT.open_reader(link, ReadOptions()).info.settings.polarity == "negative"
