"""GEB streams: traces of whole crystals, channels of mode 3, interaction points; damage that stays where it is."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.formats.geb_frames import channels, crystals, frame, packet, points, some_points

from discrimen.errors import DataError, FormatError
from discrimen.formats.base import ListModeReader, Reader, ReadOptions, ReadReport
from discrimen.formats.geb.points import GebPointsWriter, geb_points
from discrimen.formats.geb.traces import traces_as_bytes
from discrimen.formats.table import find_format, open_reader, open_writer
from discrimen.pulses import PulseFlag, Pulses, concatenate
from discrimen.pulses.interaction_points import join_points
from discrimen.pulses.list_mode import concatenate_events


def waves(n_pulses: int, n_samples: int, *, seed: int = 1) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-2000, 2000, (n_pulses, n_samples)).astype(np.int16)


def opened(path: Path, content: bytes, **options: object) -> Reader:
    path.write_bytes(content)
    assert find_format(path).name == "geb"
    return open_reader(path, ReadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("chunk_bytes", [1, 30_000, 2**24])
def test_each_trace_of_a_crystal_is_a_pulse(tmp_path: Path, chunk_bytes: int) -> None:
    traces, content = crystals(4)
    reader = opened(tmp_path / "run.dat", frame(9, b"xyz") + content, chunk_bytes=chunk_bytes)
    pulses = concatenate(reader.chunks())
    assert np.array_equal(pulses.samples, traces.reshape(-1, 300))
    assert pulses.column("channel").tolist() == list(range(37)) * 4
    assert pulses.column("entry").tolist() == list(range(4 * 37))
    assert pulses.column("timestamp_ps")[::37].tolist() == [10_000 * (1000 + 100 * number) for number in range(4)]
    assert pulses.column("energy")[36::37].tolist() == [300, 301, 302, 303]
    assert pulses.column("energy")[37 + 1] == 290
    assert (pulses.sample_period_ns, reader.info.n_entries, set(pulses.column("board").tolist())) == (10.0, 148, {0})
    assert reader.report.passed_over == {"GEB frame(s): type 9": 1}


def test_an_energy_that_is_no_number_is_told(tmp_path: Path) -> None:
    _, content = crystals(2)
    broken = bytearray(content)
    broken[16 : 16 + 8] = b"\x01\x00\x80\x7f\x00\x00\x80\x7f"  # a signalling NaN for the core, infinity for segment 0
    reader = opened(tmp_path / "run.dat", bytes(broken))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pulses = concatenate(reader.chunks())
    assert np.flatnonzero(np.isnan(pulses.column("energy"))).tolist() == [0, 36]
    assert reader.report.remarks == {"trace(s) with an energy that is no number": 2}


@pytest.mark.parametrize("chunk_bytes", [1, 500, 2**24])
def test_each_packet_of_mode_3_is_a_pulse(tmp_path: Path, chunk_bytes: int) -> None:
    raw = waves(6, 20)
    made = [
        packet(raw[0], channel=4, quarter=2, crystal=1, hole=7, tick=2**40 + 5, energy=70_000),
        packet(raw[1], channel=9, quarter=1, crystal=1, hole=7, tick=2**40 + 5, energy=-3, pile_up=True),
        *(packet(row, channel=number, energy=-(2**24)) for number, row in enumerate(raw[2:5])),
        packet(raw[5], channel=9),
    ]
    content = channels(*made[:2]) + channels(*made[2:5]) + frame(2, b"") + channels(made[5]) + points(1)
    reader = opened(tmp_path / "run.geb", content, chunk_bytes=chunk_bytes)
    pulses = concatenate(reader.chunks())
    assert np.array_equal(pulses.samples, raw)
    assert pulses.column("board").tolist() == [29, 29, 0, 0, 0, 0]
    assert pulses.column("channel").tolist() == [22, 37, 0, 1, 2, 36]
    assert pulses.column("timestamp_ps")[:3].tolist() == [10_000 * (2**40 + 5)] * 2 + [10_000_000]
    assert pulses.column("energy").tolist() == [70_000, -3, -(2**24), -(2**24), -(2**24), 0]
    assert pulses.column("flags").tolist() == [0, PulseFlag.PILE_UP, 0, 0, 0, 0]
    assert reader.report.passed_over == {
        "empty GEB frame of mode 3": 1,
        "GEB frame(s): interaction points (mode 2)": 1,
    }


def test_boards_tell_the_channels_of_a_crystal_apart_where_nothing_else_does(tmp_path: Path) -> None:
    raw = waves(3, 20)
    made = [packet(row, channel=8 - number, board=3 + number) for number, row in enumerate(raw)]
    (pulses,) = opened(tmp_path / "run.geb", channels(*made)).chunks()
    assert pulses.column("channel").tolist() == [9 * 3 + 8, 7, 9 + 6]


def test_packets_of_several_lengths_keep_their_numbers(tmp_path: Path) -> None:
    short, long = waves(3, 20), waves(2, 24)
    content = channels(packet(short[0]), packet(long[0]), packet(short[1])) + channels(
        packet(long[1]), packet(short[2])
    )
    chunks = list(opened(tmp_path / "run.geb", content).chunks())
    for raw, entries in ((short, [0, 2, 4]), (long, [1, 3])):
        pulses = concatenate(chunk for chunk in chunks if chunk.n_samples == raw.shape[1])
        assert pulses.column("entry").tolist() == entries
        assert np.array_equal(pulses.samples, raw)


@pytest.mark.parametrize("chunk_bytes", [100, 2**24])
def test_damage_is_counted_and_the_rest_is_read(tmp_path: Path, chunk_bytes: int) -> None:
    traces, content = crystals(5)
    size = len(content) // 5
    broken = bytearray(content)
    broken[size + 4 : size + 8] = b"\x10\x00\x00\x00"  # the size of the second frame
    del broken[3 * size + 1000 : 3 * size + 1007]  # some bytes of the fourth
    reader = opened(tmp_path / "run.dat", bytes(broken[:-3]), chunk_bytes=chunk_bytes)
    pulses = concatenate(reader.chunks())
    assert np.array_equal(pulses.samples, traces[[0, 2]].reshape(-1, 300))
    # What is lost behind the fourth frame ends with the file, and the last one's rest in it.
    assert {kind: found.count for kind, found in reader.report.damaged.items()} == {
        "GEB frame that no other one follows": 2
    }
    assert reader.report.damaged["GEB frame that no other one follows"].first_offset == size


@pytest.mark.parametrize("chunk_bytes", [100, 2**24])
@pytest.mark.parametrize("place", [0, 4, 12])
def test_a_damaged_head_costs_one_frame(tmp_path: Path, chunk_bytes: int, place: int) -> None:
    traces, content = crystals(5)
    broken = bytearray(content)
    broken[2 * len(content) // 5 + place : 2 * len(content) // 5 + place + 4] = b"\xff\xff\xff\x7f"
    reader = opened(tmp_path / "run.dat", bytes(broken), chunk_bytes=chunk_bytes)
    assert np.array_equal(concatenate(reader.chunks()).samples, traces[[0, 1, 3, 4]].reshape(-1, 300))
    assert reader.report.damaged["bytes that are no GEB frame"].first_offset == 2 * len(content) // 5
    assert reader.report.n_damaged == 1


def test_quiet_samples_are_no_head(tmp_path: Path) -> None:
    quiet = np.tile(np.array([1, 0, 8, 0, 0, 0, 0, 0], np.int16), 37 * 300 // 8 + 1)[: 37 * 300].reshape(37, 300)
    content = traces_as_bytes(np.stack([quiet] * 3), energies=np.zeros((3, 37)), ticks=np.arange(1, 4))
    # 200 bytes are lost in the first frame, and what stands where it should end looks like a head of type 1.
    reader = opened(tmp_path / "run.dat", content[:1000] + content[1200:])
    pulses = concatenate(reader.chunks())
    assert pulses.column("timestamp_ps").tolist() == [20_000] * 37 + [30_000] * 37
    assert reader.report.n_damaged == 1


def test_a_size_beyond_the_end_does_not_hide_the_frames_behind(tmp_path: Path) -> None:
    traces, content = crystals(3)
    broken = bytearray(content)
    broken[len(content) // 3 + 4 : len(content) // 3 + 8] = b"\x00\x00\x10\x00"
    reader = opened(tmp_path / "run.dat", bytes(broken))
    assert np.array_equal(concatenate(reader.chunks()).samples, traces[[0, 2]].reshape(-1, 300))
    assert reader.report.n_damaged == 1


def test_packets_that_do_not_fill_their_frame_are_damage(tmp_path: Path) -> None:
    raw = waves(4, 20)
    made = [packet(row, channel=number) for number, row in enumerate(raw)]
    wrong = bytearray(made[2])
    wrong[5] += 1
    content = channels(made[0]) + channels(made[1], bytes(wrong)) + channels(made[3])
    reader = opened(tmp_path / "run.geb", content)
    pulses = concatenate(reader.chunks())
    assert pulses.column("channel").tolist() == [0, 3]
    assert pulses.column("entry").tolist() == [0, 2]
    (found,) = reader.report.damaged.items()
    assert found[0] == "mode 3 packet whose length leads to no other one"
    assert (found[1].count, found[1].first_offset) == (1, len(channels(made[0])))


def test_what_the_writer_wrote_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    pulses = Pulses(
        samples=waves(80, 30),
        sample_period_ns=10.0,
        board=np.repeat([5, 127], 40),
        channel=np.tile(np.arange(40), 2),
        timestamp_ps=np.repeat([30_000, 10_000 * (2**48 - 1)], 40),
        energy=rng.integers(-(2**24), 2**24, 80).astype(float),
        flags=rng.integers(0, 2, 80).astype(np.uint32) * PulseFlag.PILE_UP,
    )
    with open_writer(tmp_path / "run.geb") as writer:
        writer.write(pulses)
    assert (tmp_path / "run.geb").stat().st_size == 2 * 16 + 80 * (32 + 60)
    back = concatenate(open_reader(tmp_path / "run.geb").chunks())
    for name in ("samples", "board", "channel", "timestamp_ps", "energy", "flags"):
        assert np.array_equal(getattr(back, name), getattr(pulses, name)), name


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"board": np.full(2, 128)}, r"boards \(crystals\) of 0 to 127, got 128"),
        ({"channel": np.full(2, 40)}, "channels of 0 to 39"),
        ({"energy": np.full(2, 2.0**24)}, "energies of -16777216 to 16777215"),
        ({"energy": np.array([np.nan, 1.0])}, "NaN"),
        ({"samples": np.zeros((2, 21), np.int16)}, "even number of samples up to 4080, got 21"),
        ({"samples": np.full((2, 4), 40_000, np.uint16)}, "samples of -32768 to 32767"),
        ({"samples": np.zeros((2, 4), np.float32)}, "whole numbers, got float32"),
        ({"timestamp_ps": np.full(2, -10_000)}, "times in steps of 10 ns"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path: Path, changes: dict[str, object], problem: str) -> None:
    pulses = Pulses(samples=np.zeros((2, 4), np.int16), sample_period_ns=10.0).replace(**changes)
    with pytest.raises(DataError, match=problem), open_writer(tmp_path / "run.geb") as writer:
        writer.write(pulses)
    assert not (tmp_path / "run.geb").exists()


@pytest.mark.parametrize("chunk_bytes", [1, 2**24])
def test_interaction_points_come_back(tmp_path: Path, chunk_bytes: int) -> None:
    made = some_points(9)
    with GebPointsWriter(tmp_path / "run.geb") as writer:
        for hits in (made[made.event < 4], made[made.event >= 4]):
            writer.write(hits)
    report = ReadReport()
    back = join_points(geb_points(tmp_path / "run.geb", report=report, chunk_bytes=chunk_bytes))
    assert set(back.columns()) == set(made.columns())
    for name, values in made.columns().items():
        assert np.array_equal(values, back.columns()[name]), name
    assert (report.n_read, report.n_damaged) == (9, 0)


def test_a_stream_of_points_is_a_list_of_energies(tmp_path: Path) -> None:
    reader = opened(tmp_path / "run.geb", points(6))
    assert isinstance(reader, ListModeReader)
    events = concatenate_events(reader.event_chunks())
    assert events.long_charge is not None
    assert events.board is not None
    assert events.long_charge.tolist() == [500, 501, 502, 503, 504, 505]
    assert events.board.tolist() == [3, 4, 5, 6, 3, 4]
    with pytest.raises(DataError, match="interaction points"):
        next(reader.chunks())


def test_bad_frames_of_points_are_counted(tmp_path: Path) -> None:
    content = bytearray(points(5))
    size = len(content) // 5
    content[size + 16 + 8 : size + 16 + 12] = b"\x11\x00\x00\x00"  # 17 points
    content[2 * size + 16 : 2 * size + 20] = b"\x34\x12\xcd\xab"  # an older layout
    content[3 * size + 16 + 8 : 3 * size + 16 + 12] = bytes(4)  # no point
    (tmp_path / "run.geb").write_bytes(content)
    report = ReadReport()
    content[4 * size + 16 + 80 : 4 * size + 16 + 84] = b"\x00\x00\xc0\x7f"  # no x
    (tmp_path / "run.geb").write_bytes(content)
    back = join_points(geb_points(tmp_path / "run.geb", report=report))
    assert np.unique(back.event).tolist() == [0, 4]
    assert np.isnan(back.x_mm).sum() == 1
    assert report.n_read == 3
    assert report.damaged["mode 2 frame whose number of points is not 0 to 16"].first_offset == size
    assert report.passed_over == {"GEB frame(s): interaction points (mode 2), of another layout than 0xabcd5678": 1}
    assert report.remarks == {
        "mode 2 frame(s) without a point": 1,
        "interaction point(s) with a coordinate that is no number": 1,
    }


def test_a_stream_of_other_frames_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.geb"
    path.write_bytes(frame(5, b"some load") * 4)
    with pytest.raises(FormatError, match="got 4 whole frames of others"):
        open_reader(path, format_name="geb")


@pytest.mark.real_data
def test_measured_signals_are_read(real_data: Path) -> None:
    for path in sorted((real_data / "gretina").glob("cevt_*.dat")):
        reader = open_reader(path)
        pulses = concatenate(reader.chunks())
        assert (reader.info.format, len(pulses), reader.report.n_damaged) == ("geb", 3 * 37, 0)
        energies = pulses.column("energy").reshape(3, 37)
        # 374 keV, all of it in segment 15 and in the core.
        assert np.allclose(energies[:, [15, 36]], 373.5, atol=2.5)
        assert np.abs(np.delete(energies, [15, 36], axis=1)).max() < 5
        assert np.abs(pulses.samples.reshape(3, 37, 300)[2, [15, 36]].max(axis=1) - 2.4 * 374).max() < 30
