"""Files of DRS4 evaluation boards: uneven cells become even samples, and damage stays where it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.formats.drs4_file import DATE, N_CELLS, dates, event, head, uneven_widths, write_random

from discrimen.errors import FormatError
from discrimen.formats.base import ReadOptions
from discrimen.formats.drs4.layout import Board
from discrimen.formats.drs4.resample import Resampler, even_period_ns
from discrimen.formats.table import find_format, open_reader
from discrimen.pulses import Pulses, concatenate

REAL = "drs4/pydrs4_test.dat"
EVENT_BYTES = 2088


def wave(time_ns: NDArray[np.float64]) -> NDArray[np.float64]:
    return 30_000 + 9_000 * np.sin(2 * np.pi * time_ns / 25) * np.exp(-(((time_ns - 250) / 120) ** 2))


def cell_times(widths: NDArray[np.float32], trigger_cell: int) -> NDArray[np.float64]:
    turned = np.roll(widths.astype(np.float64), -trigger_cell)
    return np.concatenate([[0.0], np.cumsum(turned)[:-1]])


def read(path: Path) -> Pulses:
    return concatenate(open_reader(path).chunks())


def test_a_wave_is_the_same_wherever_the_record_begins(tmp_path: Path) -> None:
    widths = uneven_widths(0.5)
    cells = [0, 1, 500, 1023]
    content = head({7: {1: widths}})
    for number, cell in enumerate(cells):
        content += event(number, {7: (cell, {1: np.rint(wave(cell_times(widths, cell))).astype(np.uint16)})})
    (tmp_path / "run.dat").write_bytes(content)
    assert find_format(tmp_path / "run.dat").name == "drs4"
    pulses = read(tmp_path / "run.dat")
    assert pulses.sample_period_ns == 0.5
    assert pulses.samples.dtype == np.uint16
    expected = wave(0.5 * np.arange(N_CELLS))
    assert np.abs(pulses.samples - expected)[:, :-3].max() < 5
    assert np.abs(np.rint(wave(cell_times(widths, 0))) - expected).max() > 500


def test_channels_of_a_board_share_the_time_of_cell_0(tmp_path: Path) -> None:
    widths = {channel: uneven_widths(0.5, seed=channel) for channel in (1, 3)}
    cell = 400
    to_cell_0 = {channel: cell_times(w, cell)[N_CELLS - cell] for channel, w in widths.items()}
    assert abs(to_cell_0[1] - to_cell_0[3]) > 1
    samples = {
        channel: np.rint(wave(cell_times(w, cell) - to_cell_0[channel] + to_cell_0[1])).astype(np.uint16)
        for channel, w in widths.items()
    }
    (tmp_path / "run.dat").write_bytes(head({7: widths}) + event(1, {7: (cell, samples)}))
    pulses = read(tmp_path / "run.dat")
    assert pulses.column("channel").tolist() == [0, 2]
    first, second = pulses.samples.astype(int)
    assert np.abs(first - second)[20:-20].max() < 8


def test_every_channel_of_every_board_is_a_pulse(tmp_path: Path) -> None:
    assert dates(200)[-1][:4] == (2024, 4, 1, 0)
    write_random(tmp_path / "run.dat", 200, serials=(2711, 13), channels=(1, 2, 4))
    reader = open_reader(tmp_path / "run.dat", ReadOptions(chunk_bytes=300_000))
    chunks = list(reader.chunks())
    assert len(chunks) > 2
    pulses = concatenate(chunks)
    assert reader.info.n_entries == reader.report.n_read == 1200
    assert pulses.column("entry").tolist() == list(range(1200))
    assert pulses.column("board")[:6].tolist() == [2711] * 3 + [13] * 3
    assert pulses.column("channel")[:6].tolist() == [0, 1, 3] * 2
    assert np.array_equal(pulses.column("timestamp_ps")[::6], np.arange(200) * 7 * 10**9)
    assert reader.info.settings.adc_bits == 16
    assert reader.info.settings.polarity is None


def test_boards_of_different_speed_come_apart(tmp_path: Path) -> None:
    widths = {1: {1: uneven_widths(0.5)}, 2: {1: uneven_widths(1.0)}}
    drawn = np.full(N_CELLS, 30_000, np.uint16)
    content = head(widths) + event(1, {serial: (5, {1: drawn}) for serial in widths})
    (tmp_path / "run.dat").write_bytes(content)
    reader = open_reader(tmp_path / "run.dat")
    found = [(c.sample_period_ns, c.column("board").tolist(), c.column("entry").tolist()) for c in reader.chunks()]
    assert found == [(0.5, [1], [0]), (1.0, [2], [1])]
    assert reader.info.settings.sample_period_ns is None


def test_an_end_of_the_range_stays_one() -> None:
    board = Board(1, (1,), uneven_widths(0.5)[None].astype(np.float64))
    samples = np.full((2, N_CELLS), 30_000, np.uint16)
    samples[0, 300], samples[1, 700] = 65_535, 0
    even = Resampler(board, 0)(samples, np.array([10, 900]))
    assert even[0].max() == 65_535
    assert even[1].min() == 0
    assert (even == 30_000).mean() > 0.99


def test_very_narrow_cells_do_not_raise_the_noise() -> None:
    widths = uneven_widths(0.5)
    widths[::7] = 0.004
    board = Board(1, (1,), widths[None].astype(np.float64))
    noise = np.random.default_rng(2).normal(30_000, 100, (200, N_CELLS)).astype(np.uint16)
    even = Resampler(board, 0)(noise, np.arange(200))
    assert 80 < even.std() < 105
    assert even_period_ns(board) == round(float(widths.mean()), 3)


@pytest.mark.parametrize(
    ("damage", "kept", "kind"),
    [
        (lambda c, at: c[: at + 100] + c[at + 110 :], [0, 1, 3, 4], "another length"),
        (lambda c, at: c[: at + 100] + b"1234567890" + c[at + 100 :], [0, 1, 3, 4], "another length"),
        (lambda c, at: c[: at + 100] + bytes(3000) + c[at + 100 :], [0, 1, 3, 4], "another length"),
        (lambda c, at: c[:at] + b"XXXX" + c[at + 4 :], [0, 1, 3, 4], "another length"),
        (lambda c, at: c[: at + 26] + b"\x09" + c[at + 27 :], [0, 1, 3, 4], "another length"),
        (lambda c, at: c[: at + 31] + b"\x09" + c[at + 32 :], [0, 1, 3, 4], "trigger cell"),
        (lambda c, at: c[: at + 10] + b"\x0d" + c[at + 11 :], [0, 1, 3, 4], "date out of range"),
        (lambda c, at: c[: at + 22] + b"\xc2\x01" + c[at + 24 :], [0, 1, 3, 4], "another range"),
        (lambda c, at: c[:at] + c[at + EVENT_BYTES :], [0, 1, 2, 3], None),
        (lambda c, at: c[: at + 2 * EVENT_BYTES + 50], [0, 1, 2, 3], "truncated last event"),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [2**24, 5000])
def test_a_damaged_event_is_left_out_alone(
    tmp_path: Path, damage: object, kept: list[int], kind: str | None, chunk_bytes: int
) -> None:
    path = tmp_path / "run.dat"
    write_random(path, 5)
    whole = read(path)
    content = path.read_bytes()
    at = len(content) - 3 * EVENT_BYTES
    path.write_bytes(damage(content, at))  # type: ignore[operator]
    reader = open_reader(path, ReadOptions(chunk_bytes=chunk_bytes))
    pulses = concatenate(reader.chunks())
    assert pulses.column("entry").tolist() == kept
    damaged = [*reader.report.damaged.items()]
    assert [found.count for _, found in damaged] == ([1] if kind else [])
    if kind is not None:
        assert kind in damaged[0][0]
        assert np.array_equal(pulses.samples, whole.samples[kept])


def test_a_head_alone_holds_no_pulse(tmp_path: Path) -> None:
    (tmp_path / "run.dat").write_bytes(head({3: {1: uneven_widths(1)}}))
    reader = open_reader(tmp_path / "run.dat")
    assert list(reader.chunks()) == []
    assert reader.report.n_damaged == 0


def test_a_changed_clock_is_no_event_of_this_run(tmp_path: Path) -> None:
    flat = {1: (0, {1: np.full(N_CELLS, 5, np.uint16)})}
    content = head({1: {1: uneven_widths(1)}}) + event(1, flat) + event(2, flat, date=(2030, *DATE[1:]))
    (tmp_path / "run.dat").write_bytes(content)
    reader = open_reader(tmp_path / "run.dat")
    assert sum(len(chunk) for chunk in reader.chunks()) == 1
    assert list(reader.report.damaged) == ["date out of range"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (head({}), "the head names none"),
        (head({3: {}}), "the head names none"),
        (head({3: {1: uneven_widths(1)}})[:-5], "are cut off: 4091 bytes"),
        (head({3: {1: uneven_widths(1) * 0}}), r"got 0 to 0: calibrate the timing"),
        (head({3: {1: uneven_widths(1)}}) + b"C001" + bytes(4096), "must be more than 0"),
        (head({3: {1: uneven_widths(1)}}) + head({3: {1: uneven_widths(1)}})[12:], "names channel 1 twice"),
        (head({3: {1: uneven_widths(1)}}) + b"rest", "found b'rest'"),
        (
            head({3: {1: uneven_widths(1)}}) + b"EHDR" + bytes(5000),
            "says: EHDR, B# 3, T#, C001, 2088 bytes",
        ),
    ],
)
def test_a_broken_head_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "run.dat").write_bytes(content)
    with pytest.raises(FormatError, match=told):
        open_reader(tmp_path / "run.dat", format_name="drs4")


@pytest.mark.parametrize("begin", [b"DRS8TIMEB#", b"TIMEB#\x01\x00C001", b"EHDR\x01\x00\x00\x00"])
def test_older_and_other_versions_are_named(tmp_path: Path, begin: bytes) -> None:
    (tmp_path / "run.dat").write_bytes(begin + bytes(5000))
    with pytest.raises(FormatError, match=r"DRS4 board of another version"):
        open_reader(tmp_path / "run.dat")


def test_a_configuration_of_wavedump_beside_it_takes_nothing_away(tmp_path: Path) -> None:
    (tmp_path / "WaveDumpConfig.txt").write_text("RECORD_LENGTH 1024\nOUTPUT_FILE_HEADER NO\n")
    write_random(tmp_path / "run.dat", 2)
    assert find_format(tmp_path / "run.dat").name == "drs4"
    (tmp_path / "wave0.dat").write_bytes(bytes(range(64)) * 64)
    assert find_format(tmp_path / "wave0.dat").name == "wavedump"


@pytest.mark.real_data
def test_real_records_turned_by_the_trigger_cell_are_the_smoothest(real_data: Path) -> None:
    """At 0.5 ns the signal has little above 0.4 of the sampling rate: a wrong turn of the widths puts power there."""
    path = real_data / REAL
    pulses = read(path)
    assert len(pulses) == 1000
    assert pulses.sample_period_ns == 0.505
    assert set(pulses.column("board")) == {2711}
    raw = np.frombuffer(path.read_bytes(), np.dtype((np.void, EVENT_BYTES)), 1000, 4112)[:200]
    samples = np.stack([np.frombuffer(row, "<u2", N_CELLS, 40) for row in raw])
    cells = np.array([int.from_bytes(row.tobytes()[30:32], "little") for row in raw])
    widths = np.frombuffer(path.read_bytes(), "<f4", N_CELLS, 16).astype(np.float64)
    resampler = Resampler(Board(2711, (1,), widths[None]), 0)
    power = {turn: high_power(resampler(samples, (cells + turn) % N_CELLS)) for turn in (-100, -2, -1, 0, 1, 2, 100)}
    power["unturned"] = high_power(resampler(samples, 0 * cells))
    power["backwards"] = high_power(resampler(samples, (-cells) % N_CELLS))
    power["not resampled"] = high_power(samples)
    assert power.pop(0) < 0.9 * min(power.values()), power
    assert np.array_equal(pulses.samples[:200], resampler(samples, cells))


def high_power(samples: NDArray[np.uint16]) -> float:
    centred = samples - samples.mean(axis=1, keepdims=True)
    return float((np.abs(np.fft.rfft(centred * np.hanning(N_CELLS), axis=1)) ** 2)[:, 410:].sum())
