"""ABCD's waveforms, alone and in messages: bytes written here come back, curves beside them are passed over."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError, FormatError, OutputError, SettingsError
from discrimen.formats.abcd.messages import LONGEST_TOPIC, Topic, packed, unpacked
from discrimen.formats.abcd.ticks import DEFAULT_TICK_PS, TickClock
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import FORMATS, find_format, open_reader, open_writer
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings


def record(tick: int, channel: int, samples: list[int], curves: int = 0) -> bytes:
    """The bytes of a waveform, as the handbook of ABCD says."""
    head = struct.pack("<QBIB", tick, channel, len(samples), curves)
    return head + struct.pack(f"<{len(samples)}H", *samples) + bytes(range(len(samples))) * curves


def records(n: int = 40, *, n_samples: int = 10, curves: int = 0) -> list[bytes]:
    return [record(1000 * k, k % 3, [k + j for j in range(n_samples)], curves) for k in range(n)]


def message(payload: bytes, number: int = 0) -> bytes:
    return f"data_abcd_waveforms_v0_n{number}_s{len(payload)} ".encode() + payload


def written(folder: Path, content: bytes, name: str = "run.adw") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(path: Path, **options: object) -> tuple[list[Pulses], dict[str, int]]:
    reader = open_reader(path, ReadOptions(**options))  # type: ignore[arg-type]
    chunks = list(reader.chunks())
    assert reader.report.n_read == sum(map(len, chunks))
    return chunks, {kind: found.count for kind, found in reader.report.damaged.items()}


@pytest.mark.parametrize("curves", [0, 6])
@pytest.mark.parametrize("chunk_bytes", [1, 50, 2**20])
def test_waveforms_come_back_whatever_the_pieces(tmp_path: Path, curves: int, chunk_bytes: int) -> None:
    path = written(tmp_path, b"".join(records(curves=curves)))
    chunks, damaged = read(path, chunk_bytes=chunk_bytes)
    pulses = concatenate(chunks)
    assert not damaged
    assert np.array_equal(pulses.samples, np.arange(40)[:, np.newaxis] + np.arange(10))
    assert np.array_equal(pulses.column("channel"), np.arange(40) % 3)
    assert np.array_equal(pulses.column("timestamp_ps"), np.rint(1000 * np.arange(40) * 2000 / 1024 + 1e-9))
    assert np.array_equal(pulses.column("entry"), np.arange(40))


def test_lengths_may_change_from_record_to_record(tmp_path: Path) -> None:
    content = b"".join(record(k, 0, [7] * (5 + k % 3), curves=k % 2) for k in range(30))
    chunks, damaged = read(written(tmp_path, content))
    assert not damaged
    assert {pulses.n_samples: len(pulses) for pulses in chunks} == {5: 10, 6: 10, 7: 10}
    assert np.array_equal(chunks[1].column("entry"), np.arange(1, 30, 3))


def test_curves_may_change_where_lengths_do_not(tmp_path: Path) -> None:
    content = b"".join(record(k, 0, [k] * 5, curves=k // 3) for k in range(12))
    (pulses,), damaged = read(written(tmp_path, content))
    assert not damaged
    assert np.array_equal(pulses.samples[:, 4], np.arange(12))


def test_the_unit_of_time_stamps_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, b"".join(records()))
    (pulses,), _ = read(path, tick_ps=4000.0)
    assert np.array_equal(pulses.column("timestamp_ps"), 4_000_000 * np.arange(40))
    assert "1.95312 ps (ABCD's default" in open_reader(path).info.layout
    with pytest.raises(SettingsError, match="--tick-ps does nothing for npy"):
        np.save(tmp_path / "x.npy", np.zeros((3, 8)))
        open_reader(tmp_path / "x.npy", ReadOptions(tick_ps=1.0))


@pytest.mark.parametrize("tick_ps", [DEFAULT_TICK_PS, 3.90625, 1000.0, 8000.0, 1 / 0.3])
def test_ticks_come_back_exactly(tick_ps: float) -> None:
    clock = TickClock(tick_ps)
    ticks = np.array([0, 1, 2, 3, 1023, 10**12 + 1, clock.latest_tick - 1], np.uint64)
    assert np.array_equal(clock.to_ticks(clock.to_ps(ticks)), ticks)


def test_a_time_that_abcd_cannot_store_is_refused() -> None:
    with pytest.raises(DataError, match="0 to"):
        TickClock().to_ticks(np.array([-1]))


@pytest.mark.parametrize("chunk_bytes", [1, 7, 100, 2**20])
@pytest.mark.parametrize("at", [5, 39])
def test_behind_damage_the_next_waveform_is_found(tmp_path: Path, chunk_bytes: int, at: int) -> None:
    whole = records()
    content = b"".join([*whole[:at], b"\xff" * 21, *whole[at:]])
    chunks, damaged = read(written(tmp_path, content), chunk_bytes=chunk_bytes)
    assert damaged == {"unreadable record": 1}
    assert np.array_equal(np.concatenate([each.samples[:, 0] for each in chunks]), np.arange(40))
    assert concatenate(chunks).column("entry")[-1] == 40, "what is damaged counts as one entry"


def test_a_length_that_nothing_bears_out_is_damage(tmp_path: Path) -> None:
    whole = records()
    wrong = whole[10][:9] + struct.pack("<I", 12) + whole[10][13:]
    chunks, damaged = read(written(tmp_path, b"".join([*whole[:10], wrong, *whole[11:]])))
    assert damaged == {"unreadable record": 1}
    assert {each.n_samples for each in chunks} == {10}
    assert sum(map(len, chunks)) == 39


def test_a_cut_last_waveform_is_counted(tmp_path: Path) -> None:
    chunks, damaged = read(written(tmp_path, b"".join(records())[:-3]))
    assert (sum(map(len, chunks)), damaged) == (39, {"unreadable record": 1})


def test_what_is_no_waveform_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="expected the waveforms of ABCD"):
        open_reader(written(tmp_path, b"\xff" * 100), format_name="abcd-waveforms")
    with pytest.raises(FormatError, match="begins with a topic"):
        open_reader(written(tmp_path, b"\xff" * 100), format_name="abcd-raw")


def raw(*, lost: bool = False) -> bytes:
    whole = records(curves=2)
    parts = [b'events_waan_s12 {"type": "x"}'[:-1], b"data_abcd_events_v0_n0_s16 " + b"d" * 16]
    parts += [message(b"".join(whole[10 * k : 10 * k + 10]), k + (lost and 2 * (k > 1))) for k in range(4)]
    return b"".join(parts) + b"status_waan_s2 {}"


@pytest.mark.parametrize("chunk_bytes", [1, 64, 2**20])
def test_messages_of_waveforms_are_read_out_of_all_others(tmp_path: Path, chunk_bytes: int) -> None:
    path = written(tmp_path, raw(), "run.adr")
    assert find_format(path).name == "abcd-raw"
    chunks, damaged = read(path, chunk_bytes=chunk_bytes)
    assert not damaged
    pulses = concatenate(chunks)
    assert np.array_equal(pulses.samples[:, 0], np.arange(40))
    assert np.array_equal(pulses.column("entry"), np.arange(40))


def test_lost_messages_are_told_by_their_numbers(tmp_path: Path) -> None:
    _, damaged = read(written(tmp_path, raw(lost=True), "run.adr"))
    assert [(kind[:20], count) for kind, count in damaged.items()] == [("message that was los", 2)]


@pytest.mark.parametrize("chunk_bytes", [1, 64, 2**20])
@pytest.mark.parametrize("damage", [b"\0" * 9, b"data_abcd_waveforms_v0_n9_s99999999 ", b"data_abcd "])
def test_behind_damage_the_next_message_is_found(tmp_path: Path, chunk_bytes: int, damage: bytes) -> None:
    whole = raw()
    at = whole.index(b"data_abcd_waveforms_v0_n2")
    chunks, damaged = read(written(tmp_path, whole[:at] + damage + whole[at:], "run.adr"), chunk_bytes=chunk_bytes)
    assert sum(damaged.values()) == 1
    assert np.array_equal(np.concatenate([each.samples[:, 0] for each in chunks]), np.arange(40))


def test_a_message_of_garbage_costs_nothing_of_the_next_one(tmp_path: Path) -> None:
    content = message(b"".join(records(5))) + message(b"\xff" * 60, 1) + message(b"".join(records(5)), 2)
    chunks, damaged = read(written(tmp_path, content, "run.adr"))
    assert ([len(each) for each in chunks], damaged) == ([5, 5], {"unreadable record": 1})


def test_a_packed_message_is_told(tmp_path: Path) -> None:
    _, damaged = read(written(tmp_path, raw() + b"compressed_data_abcd_events_v0_n3_s4 abcd", "run.adr"))
    assert [kind for kind in damaged if "unzad" in kind]


def pulses() -> Pulses:
    rng = np.random.default_rng(2)
    return Pulses(
        samples=rng.integers(0, 16000, (5000, 8)).astype(np.uint16),
        timestamp_ps=TickClock().to_ps(np.cumsum(rng.integers(1, 10**9, 5000)).astype(np.uint64)),
        channel=np.arange(5000, dtype=np.int32) % 7,
        sample_period_ns=None,
    )


class Writing:
    """Lets a file grow by some bytes each time that its reader waits for more."""

    def __init__(self, path: Path, content: bytes, step: int) -> None:
        self._path, self._content, self._step, self._size = path, content, 200, 0
        path.write_bytes(b"")
        self.wait(0)
        self._step = step

    def wait(self, size: int) -> int | None:
        assert size == self._size
        more = self._content[size : size + self._step]
        with self._path.open("ab") as file:
            file.write(more)
        self._size += len(more)
        return self._size if more else None


@pytest.mark.parametrize("step", [1, 34, 333])
@pytest.mark.parametrize("name", ["run.adw", "run.adr"])
@pytest.mark.parametrize("damage", [b"", b"\xff" * 20])
def test_a_growing_file_gives_what_the_whole_one_gives(tmp_path: Path, name: str, step: int, damage: bytes) -> None:
    content = b"".join(records(20)) if name == "run.adw" else raw()[:1000]
    content = content[:340] + damage + content[340:-3]
    whole, damaged = read(written(tmp_path, content, f"whole_{name}"))
    pieces, damaged_too = read(tmp_path / name, growth=Writing(tmp_path / name, content, step))
    assert damaged_too == damaged
    assert damaged
    for column in ("samples", "entry", "timestamp_ps"):
        assert np.array_equal(*(np.concatenate([getattr(each, column) for each in some]) for some in (whole, pieces)))


def test_a_waveform_is_handed_out_as_soon_as_it_is_whole(tmp_path: Path) -> None:
    content = b"".join(records(20))
    pieces, _ = read(tmp_path / "run.adw", growth=Writing(tmp_path / "run.adw", content, len(records(1)[0])))
    assert [len(each) for each in pieces] == [5, *[1] * 15]


@pytest.mark.parametrize("name", ["run.adw", "run.adr"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    with open_writer(tmp_path / name) as writer:
        writer.write(pulses())
    chunks, damaged = read(tmp_path / name)
    assert not damaged
    again = concatenate(chunks)
    for column in ("samples", "timestamp_ps", "channel"):
        assert np.array_equal(getattr(again, column), getattr(pulses(), column)), column


@pytest.mark.parametrize(
    "changes",
    [
        {"samples": np.full((5000, 8), -1, np.int32)},
        {"channel": np.full(5000, 256, np.int32)},
        {"samples": np.full((5000, 8), 0.5, np.float32)},
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, np.ndarray]) -> None:
    wrong = pulses().replace(**changes)
    with pytest.raises(DataError, match="ABCD"), open_writer(tmp_path / "run.adw") as writer:
        writer.write(wrong)
    assert not list(tmp_path.iterdir())


GROWING = [known for known in FORMATS if known.open_growing_writer is not None]


@pytest.mark.parametrize("known", GROWING, ids=lambda known: known.name)
def test_a_growing_file_holds_all_that_was_written(tmp_path: Path, known: object) -> None:
    path = tmp_path / f"run{known.suffixes[0]}"  # type: ignore[attr-defined]
    timed = pulses().replace(timestamp_ps=np.arange(5000) * 8000, channel=np.zeros(5000, np.int32))
    settings = DetectorSettings(sample_period_ns=4.0, polarity="negative")
    with known.open_growing_writer(path, settings) as writer:  # type: ignore[attr-defined]
        for n in (1, 2, 3):
            writer.write(timed.replace(sample_period_ns=4.0)[100 * n - 100 : 100 * n])
            reader = open_reader(path, ReadOptions(settings=settings))
            assert len(concatenate(reader.chunks())) == 100 * n
    with pytest.raises(OutputError, match="is there already"), known.open_growing_writer(path, settings):  # type: ignore[attr-defined]
        pass
    assert len(concatenate(open_reader(path, ReadOptions(settings=settings)).chunks())) == 300


def test_a_frame_is_taken_apart() -> None:
    topic, payload = unpacked(packed("data_abcd_waveforms", b"12345", version=0, number=7))
    assert (topic, bytes(payload)) == (Topic("data_abcd_waveforms", 5, 0, 7), b"12345")
    assert unpacked(b"status_waan_s2 {}")[0] == Topic("status_waan", 2)
    assert bytes(Topic("events_x", 3)) == b"events_x_s3 "


@pytest.mark.parametrize(
    "frame",
    [b"", b"x", b"data_abcd_waveforms_v0_s3 12", b"data_abcd_waveforms_v0_s3 1234", b"a" * (LONGEST_TOPIC + 1), b" 12"],
)
def test_garbage_is_no_frame(frame: bytes) -> None:
    with pytest.raises(DataError):
        unpacked(frame)


@pytest.mark.real_data
def test_files_of_abcd_itself_agree(real_data: Path) -> None:
    alone, _ = read(real_data / "abcd" / "sample_waveforms.adw", chunk_bytes=100_000)
    among, _ = read(real_data / "abcd" / "sample_raw.adr")
    first, second = concatenate(alone), concatenate(among)
    assert first.samples.shape == (2500, 75)
    for column in ("samples", "timestamp_ps", "channel", "entry"):
        assert np.array_equal(getattr(first, column), getattr(second, column)), column
