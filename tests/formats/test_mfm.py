"""NEDA's frames in MFM files: in both byte orders and revisions, merged, beside others, behind damage, cut off."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from tests.formats.mfm_frames import N_SAMPLES, compressed, head, merged, neda, other

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.formats.base import ListModeReader, ReadOptions, ReadReport
from discrimen.formats.mfm.blocks import SHORTER
from discrimen.formats.mfm.survey import recognises
from discrimen.formats.mfm.walk import CUT, DEEPEST, NO_END, NO_FRAME, TOO_DEEP, UNSOUND
from discrimen.formats.table import find_format, open_reader, open_writer
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.list_mode import ListModeEvents, concatenate_events

FIRST_TICK = 2**40 + 0x0102030405
"""Every byte of a time differs from the others."""


def samples(number: int) -> list[int]:
    return [(3 + 7 * number + place) % 2**14 for place in range(N_SAMPLES)]


def frames(n: int = 30, **options: object) -> list[bytes]:
    return [neda(samples(k), event=k, ticks=FIRST_TICK + k, source=k % 3, **options) for k in range(n)]  # type: ignore[arg-type]


def written(folder: Path, *content: bytes, name: str = "run.mfm") -> Path:
    path = folder / name
    path.write_bytes(b"".join(content))
    return path


def read(path: Path, **options: object) -> tuple[Pulses, ReadReport]:
    reader = open_reader(path, ReadOptions(**options))  # type: ignore[arg-type]
    pulses = concatenate(reader.chunks())
    assert reader.report.n_read == len(pulses)
    return pulses, reader.report


def damage(report: ReadReport) -> dict[str, int]:
    return {kind: found.count for kind, found in report.damaged.items()}


def numbers(pulses: Pulses) -> list[int]:
    """Which pulses these are, by their times."""
    return (pulses.column("timestamp_ps") // 10_000 - FIRST_TICK).tolist()


def events(path: Path, **options: object) -> tuple[ListModeEvents, ReadReport]:
    reader = open_reader(path, ReadOptions(**options))  # type: ignore[arg-type]
    assert isinstance(reader, ListModeReader)
    return concatenate_events(reader.event_chunks()), reader.report


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("revision", [0, 1, 2])
@pytest.mark.parametrize("chunk_bytes", [1, 5000, 2**24])
def test_pulses_come_back_in_both_byte_orders_and_revisions(
    tmp_path: Path, order: str, revision: int, chunk_bytes: int
) -> None:
    path = written(tmp_path, *frames(order=order, revision=revision, slow=0x0102, fast=0x0304))
    pulses, report = read(path, chunk_bytes=chunk_bytes)
    assert not report.left_out()
    assert np.array_equal(pulses.samples, [samples(k) for k in range(30)])
    assert pulses.samples.dtype == np.uint16
    assert pulses.samples.dtype.isnative
    assert pulses.sample_period_ns == 10
    assert np.array_equal(pulses.column("timestamp_ps"), 10_000 * (FIRST_TICK + np.arange(30)))
    assert set(pulses.column("board")) == {7}
    assert set(pulses.column("channel")) == {3}
    assert set(pulses.column("energy")) == {0x0102 + 0x0304}
    assert set(pulses.column("energy_short")) == {0x0304}
    assert np.array_equal(pulses.column("entry"), np.arange(30))
    assert pulses.flags is None


def test_revision_0_keeps_its_time_in_an_order_of_its_own() -> None:
    little, big = neda([1] * N_SAMPLES, ticks=0x060504030201, revision=0), neda([1], ticks=0x060504030201, revision=0)
    assert little[22:28] == big[22:28] == bytes([2, 1, 6, 5, 4, 3])
    assert neda([1], ticks=0x060504030201, revision=0, order=">")[22:28] == bytes([5, 6, 1, 2, 3, 4])


@pytest.mark.parametrize("unit", [1, 2, 4])
def test_the_size_counts_units(tmp_path: Path, unit: int) -> None:
    whole = [neda(samples(k), ticks=FIRST_TICK + k, unit=0 if unit == 4 else unit) for k in range(5)]
    pulses, report = read(written(tmp_path, *whole))
    assert not report.damaged
    assert numbers(pulses) == list(range(5))


def test_a_frame_may_be_filled_up_to_its_last_unit(tmp_path: Path) -> None:
    whole = [neda([k, k + 1, k + 2], unit=2, ticks=FIRST_TICK + k) for k in range(9)]
    assert len(whole[0]) == 56
    pulses, report = read(written(tmp_path, *whole), settings=DetectorSettings(sample_period_ns=5))
    assert not report.damaged
    assert np.array_equal(pulses.samples, np.arange(9)[:, np.newaxis] + np.arange(3))


@pytest.mark.parametrize("chunk_bytes", [1, 3000, 2**24])
@pytest.mark.parametrize("header", [None, 24, 32])
def test_merged_frames_are_entered_at_every_depth(tmp_path: Path, chunk_bytes: int, header: int | None) -> None:
    raw = frames(24)
    inside = merged(raw[:3], by_time=True, header=header)
    for number in range(3, 3 + DEEPEST - 1):
        inside = merged([inside, raw[number]], by_time=number % 2 == 0, header=header if number % 2 == 0 else None)
    content = [other(0xFF11, b"<run/>"), inside, merged([]), *raw[10:20], merged(raw[20:], order=">")]
    pulses, report = read(written(tmp_path, *content), chunk_bytes=chunk_bytes)
    assert numbers(pulses) == list(range(24))
    assert not report.damaged


def test_too_deep_is_told(tmp_path: Path) -> None:
    raw = frames(6)
    inside = raw[0]
    for _ in range(DEEPEST + 1):
        inside = merged([inside])
    pulses, report = read(written(tmp_path, raw[1], inside, *raw[2:]))
    assert numbers(pulses) == [1, 2, 3, 4, 5]
    assert damage(report) == {TOO_DEEP: 1}


@pytest.mark.parametrize("chunk_bytes", [64, 2**24])
def test_other_frames_are_passed_over_and_told_and_no_damage(tmp_path: Path, chunk_bytes: int) -> None:
    raw = frames(6)
    big = other(0x10, bytes(range(256)) * 40)
    path = written(
        tmp_path,
        other(0xFF10, b"<a/>"),
        raw[0],
        big,
        other(0xD15, bytes(36)),
        merged([raw[1], big, raw[2]]),
        big,
        *raw[3:],
        big,
    )
    pulses, report = read(path, chunk_bytes=chunk_bytes)
    assert numbers(pulses) == list(range(6))
    assert not report.damaged
    assert report.left_out() == [
        "4 of type 0x10 (EXOGAM2) passed over",
        "1 of type 0xd15 passed over",
    ]


def test_frames_of_several_lengths_and_byte_orders_are_kept_apart_and_in_order(tmp_path: Path) -> None:
    mixed = [neda(samples(k)[: 232 if k % 4 else 100], ticks=FIRST_TICK + k, order="<>"[k % 2]) for k in range(40)]
    chunks = list(open_reader(written(tmp_path, *mixed)).chunks())
    assert [(each.n_samples, each.sample_period_ns) for each in chunks] == [(100, None), (232, 10.0)]
    assert numbers(chunks[0]) == list(range(0, 40, 4))
    assert numbers(chunks[1]) == [k for k in range(40) if k % 4]
    assert np.array_equal(chunks[1].samples[:, 5], [samples(k)[5] for k in range(40) if k % 4])


def test_bit_15_is_free_and_bit_14_is_checked(tmp_path: Path) -> None:
    whole = frames(9)
    slipped, free = bytearray(whole[4]), bytearray(whole[5])
    slipped[44:508] = slipped[46:508] + slipped[44:46]
    free[45::2] = bytes(value | 0x80 for value in free[45::2])
    pulses, report = read(written(tmp_path, *whole[:4], slipped, bytes(free), *whole[6:]))
    assert numbers(pulses) == [0, 1, 2, 3, 5, 6, 7, 8]
    assert pulses.column("entry").tolist() == numbers(pulses)
    assert np.array_equal(pulses.samples[4], samples(5))
    assert report.damaged["NEDA frame with a sample out of its place (bit 14)"].first_offset == 4 * 512


@pytest.mark.parametrize("chunk_bytes", [1, 700, 2**24])
@pytest.mark.parametrize("at", [0, 1, 13, 30])
@pytest.mark.parametrize("garbage", [b"\xff" * 21, b"\x00" * 100, b"\x81\x00\x01\x00\x00\x12\x00\x01" + b"\x00" * 8])
def test_behind_damage_the_next_frame_is_found(tmp_path: Path, chunk_bytes: int, at: int, garbage: bytes) -> None:
    whole = frames()
    pulses, report = read(written(tmp_path, *whole[:at], garbage, *whole[at:]), chunk_bytes=chunk_bytes)
    assert numbers(pulses) == list(range(30))
    assert report.n_damaged == 1
    assert next(iter(report.damaged.values())).first_offset == 512 * at


@pytest.mark.parametrize(
    ("place", "value", "kind"),
    [
        (1, 0x20, UNSOUND),
        (2, 0x02, UNSOUND),
        (3, 0x40, UNSOUND),
        (8, 0x17, UNSOUND),
        (12, 0xE9, UNSOUND),
        (509, 0, NO_END),
        (5, 0, NO_FRAME),
        (0, 0xB1, NO_FRAME),
    ],
)
def test_a_damaged_frame_costs_itself_alone(tmp_path: Path, place: int, value: int, kind: str) -> None:
    whole = frames()
    wrong = bytearray(whole[12])
    wrong[place] = value
    pulses, report = read(written(tmp_path, *whole[:12], bytes(wrong), *whole[13:]))
    assert numbers(pulses) == [k for k in range(30) if k != 12]
    assert pulses.column("entry").tolist() == numbers(pulses)
    assert damage(report) == {kind: 1}


@pytest.mark.parametrize("value", [0x00, 0x01, 0x02, 0x06, 0x10, 0x7F])
def test_a_merged_frame_of_a_wrong_size_costs_no_pulse(tmp_path: Path, value: int) -> None:
    whole = frames(20)
    wrong = bytearray(merged(whole[4:9]))
    wrong[2] = value
    pulses, report = read(written(tmp_path, *whole[:4], bytes(wrong), merged(whole[9:12]), *whole[12:]))
    assert numbers(pulses) == list(range(20))
    assert report.left_out(), "told, as damage or as another number of frames"


@pytest.mark.parametrize("place", [1, 3])
def test_another_frame_of_a_wrong_size_hides_no_pulse(tmp_path: Path, place: int) -> None:
    wrong = bytearray(other(0x10, bytes(range(200))))
    wrong[place] |= 2
    pulses, report = read(written(tmp_path, *frames(20)[:5], bytes(wrong), *frames(20)[5:]))
    assert numbers(pulses) == list(range(20))
    assert damage(report) == {UNSOUND: 1}


@pytest.mark.parametrize("left", [1, 7, 12, 100, 511])
@pytest.mark.parametrize("is_merged", [False, True])
def test_a_run_that_was_stopped_lacks_its_last_frame_alone(tmp_path: Path, left: int, is_merged: bool) -> None:
    whole = frames(8)
    last = merged([whole[6], whole[7]]) if is_merged else whole[6] + whole[7]
    content = b"".join([*whole[:6], last])[: left - 512]
    pulses, report = read(written(tmp_path, content))
    assert numbers(pulses) == list(range(7))
    assert damage(report) == {CUT: 1}


def test_the_board_begins_at_bit_5_or_4(tmp_path: Path) -> None:
    path = written(tmp_path, *frames(6, location=9 | 1 << 4 | 100 << 5))
    pulses, report = read(path)
    assert (pulses.column("board")[0], pulses.column("channel")[0]) == (100, 9)
    assert report.left_out() == [
        "6 location(s) of NEDA have bit 4 set, between channel and board: if the boards of this run begin there, give "
        "--board-bit 4"
    ]
    pulses, report = read(path, board_bit=4)
    assert (pulses.column("board")[0], pulses.column("channel")[0]) == (201, 9)
    assert not report.left_out()
    np.save(tmp_path / "x.npy", np.zeros((3, 8)))
    with pytest.raises(SettingsError, match="--board-bit does nothing for npy, only for mfm"):
        open_reader(tmp_path / "x.npy", ReadOptions(board_bit=4))


def test_what_is_told_wins_over_the_10_ns_of_neda(tmp_path: Path) -> None:
    path = written(tmp_path, *frames(3))
    info = open_reader(path).info
    assert (info.settings.sample_period_ns, info.settings.adc_bits, info.settings.polarity) == (10, 14, None)
    assert info.settings_source["sample_period_ns"] == "NEDA's frames"
    assert read(path, settings=DetectorSettings(sample_period_ns=5))[0].sample_period_ns == 5


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("revision", [0, 1])
@pytest.mark.parametrize("chunk_bytes", [1, 2**24])
def test_nedacomp_gives_list_mode(tmp_path: Path, order: str, revision: int, chunk_bytes: int) -> None:
    some = [
        compressed(ticks=FIRST_TICK + k, slow=1000 + k, order=order, revision=revision, network=257 * k)
        for k in range(40)
    ]
    path = written(tmp_path, *some[:20], merged([other(0x10, b"x"), *some[20:30]]), *some[30:-1], some[-1][:-3])
    listed, report = events(path, chunk_bytes=chunk_bytes)
    assert np.array_equal(listed.columns()["timestamp_ps"], 10_000 * (FIRST_TICK + np.arange(39)))
    assert np.array_equal(listed.columns()["short_charge"], [280_000] * 39)
    assert np.array_equal(listed.columns()["long_charge"], 281_000 + np.arange(39))
    assert listed.psd == pytest.approx((1000 + np.arange(39)) / (281_000 + np.arange(39)))
    assert listed.columns()["score"] == pytest.approx(257 * np.arange(39) / 65_535)
    assert (set(listed.columns()["board"]), set(listed.columns()["channel"])) == ({7}, {3})
    assert (report.n_read, damage(report)) == (39, {CUT: 1})
    with pytest.raises(DataError, match="events without waveforms"):
        next(iter(open_reader(path).chunks()))


def test_nedacomp_of_both_byte_orders_comes_in_the_order_of_the_file(tmp_path: Path) -> None:
    listed, _ = events(written(tmp_path, *[compressed(ticks=k, order="<>"[k % 2]) for k in range(9)]))
    assert (listed.columns()["timestamp_ps"] // 10_000).tolist() == listed.entry.tolist() == list(range(9))


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_damaged_nedacomp_frame_costs_itself_alone(tmp_path: Path, place: int) -> None:
    some = [compressed(ticks=k) for k in range(30)]
    wrong = bytearray(some[12])
    wrong[place] ^= 0x20
    listed, report = events(written(tmp_path, *some[:12], bytes(wrong), *some[13:]))
    assert (listed.columns()["timestamp_ps"] // 10_000).tolist() == [k for k in range(30) if k != 12]
    assert report.n_damaged == 1


def test_of_both_kinds_the_raw_frames_are_read_and_the_others_told(tmp_path: Path) -> None:
    raw = frames(4)
    path = written(tmp_path, compressed(), compressed(), *raw, compressed())
    assert "NEDACOMP frames (list mode) beside them are passed over" in open_reader(path).info.layout
    pulses, report = read(path)
    assert numbers(pulses) == [0, 1, 2, 3]
    assert report.left_out() == ["3 of type 0x13 (NEDACOMP) passed over"]


@pytest.mark.parametrize("name", ["run.mfm", "run_0001.dat", "run_0012.dat.19-11-28_10h12m55s", "run"])
@pytest.mark.parametrize("first", [b"", other(0xFF11, b"<run/>" * 2000), other(0x01, bytes(4000), order=">")])
def test_the_content_tells_the_format(tmp_path: Path, name: str, first: bytes) -> None:
    for content in (first + b"".join(frames(3)), first + merged(frames(2)), first + compressed() + compressed()):
        assert find_format(written(tmp_path, content, name=name)).name == "mfm"


def test_a_first_frame_of_neda_tells_the_format_whatever_comes_behind(tmp_path: Path) -> None:
    path = written(tmp_path, frames(1)[0], b"\xff" * 300, *frames(3), name="run.dat")
    assert find_format(path).name == "mfm"
    assert len(read(path)[0]) == 4


def test_a_file_that_becomes_shorter_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, *frames(40))
    reader = open_reader(path, ReadOptions(chunk_bytes=5000))
    chunks = reader.chunks()
    first = next(chunks)
    os.truncate(path, 30 * 512)
    read_on = [first, *chunks]
    assert numbers(concatenate(read_on)) == list(range(30))
    assert damage(reader.report) == {SHORTER: 1}


def test_a_file_without_neda_is_told_for_what_it_holds(tmp_path: Path) -> None:
    path = written(tmp_path, *[other(0x10, bytes(30)) for _ in range(6)], name="run.dat")
    with pytest.raises(FormatError, match=r"without frames of NEDA.*: 6 frames of type 0x10 \(EXOGAM2\)"):
        open_reader(path)
    with pytest.raises(FormatError, match="expected frames of GANIL's acquisition"):
        open_reader(written(tmp_path, bytes(range(256)) * 9), format_name="mfm")


@pytest.mark.parametrize(
    "content", [bytes(2000), b"\x81" * 2000, head(0x12, 512) * 9, b"text " * 300, other(0xABC, bytes(40)) * 9]
)
def test_other_bytes_are_no_mfm(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content, name="run.bin")
    assert not recognises(path, content[:4096])
    with pytest.raises(FormatError):
        open_reader(path)


def some_pulses(**changes: object) -> Pulses:
    n = 50
    made = Pulses(
        samples=np.array([samples(k) for k in range(n)], np.uint16),
        sample_period_ns=10.0,
        entry=100 + np.arange(n),
        timestamp_ps=10_000 * (FIRST_TICK + np.arange(n)),
        board=np.full(n, 117, np.int32),
        channel=np.arange(n, dtype=np.int32) % 16,
        energy=200.0 + np.arange(n),
        energy_short=np.full(n, 150.0),
    )
    return made.replace(**changes)


def test_what_is_written_is_read_and_is_a_frame_of_neda(tmp_path: Path) -> None:
    with open_writer(tmp_path / "run.mfm") as writer:
        writer.write(some_pulses())
    content = (tmp_path / "run.mfm").read_bytes()
    expected = bytearray(neda(samples(1), location=1 | 117 << 5, event=101, ticks=FIRST_TICK + 1, slow=51, fast=150))
    expected[28:32] = expected[40:44] = bytes(4)
    assert content[512:1024] == expected
    pulses, report = read(tmp_path / "run.mfm")
    assert not report.left_out()
    for column in ("samples", "timestamp_ps", "board", "channel", "energy", "energy_short"):
        assert np.array_equal(getattr(pulses, column), getattr(some_pulses(), column)), column


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"samples": np.full((50, 232), 2**14, np.uint16)}, "samples of 0..16383, got 16384"),
        ({"samples": np.full((50, 232), 0.5, np.float32)}, "whole numbers"),
        ({"channel": np.full(50, 16, np.int32)}, "channel of 0 to 15, got 16"),
        ({"board": np.full(50, 2048, np.int32)}, "board of 0 to 2047"),
        ({"timestamp_ps": np.full(50, -(10**6))}, "shift them"),
        ({"sample_period_ns": 5.0}, "samples of 10 ns, got 5 ns"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    with pytest.raises(DataError, match=told), open_writer(tmp_path / "run.mfm") as writer:
        writer.write(some_pulses(**changes))
    assert not list(tmp_path.iterdir())
