"""FASTER files: waveforms in and out of groups, charges as a list, and damage that stays where it is."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.formats.faster_file import counter, frame, group, oscilloscope, qdc, sampler, spectroscopy

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.formats.base import ListModeReader, Reader, ReadOptions
from discrimen.formats.faster import frames as frames_module
from discrimen.formats.table import find_format, open_reader, open_writer
from discrimen.pulses import PulseFlag, Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.list_mode import ListModeEvents, concatenate_events

REAL = "faster/compton_75_Na-22-colimated2ndRun_0001.fast"


def waves(n_pulses: int, n_samples: int, *, seed: int = 1) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-2000, 2000, (n_pulses, n_samples)).astype(np.int16)


def opened(path: Path, content: bytes, **options: object) -> Reader:
    path.write_bytes(content)
    assert find_format(path).name == "faster"
    return open_reader(path, ReadOptions(**options))  # type: ignore[arg-type]


def events_of(reader: Reader) -> ListModeEvents:
    assert isinstance(reader, ListModeReader)
    return concatenate_events(reader.event_chunks())


@pytest.fixture(params=[2**20, 50, 700])
def piece_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(frames_module, "PIECE_BYTES", request.param)
    return int(request.param)


@pytest.mark.usefixtures("piece_bytes")
def test_samplers_are_read_wherever_they_stand(tmp_path: Path) -> None:
    raw = waves(6, 30)
    made = [sampler(row, clock=1000 + number, label=7 + number % 2) for number, row in enumerate(raw)]
    content = counter() + made[0] + group(made[1], group(made[2], frame(199, b"what is this")), counter()) + made[3]
    content += group() + frame(0) + group(made[4]) + counter() + made[5]
    reader = opened(tmp_path / "run.fast", content)
    pulses = concatenate(reader.chunks())
    assert np.array_equal(pulses.samples, raw)
    assert pulses.samples.dtype == np.int16
    assert pulses.column("timestamp_ps").tolist() == [2000 * (1000 + number) for number in range(6)]
    assert pulses.column("channel").tolist() == [7, 8] * 3
    assert pulses.column("entry").tolist() == list(range(6))
    assert (pulses.sample_period_ns, reader.info.settings.pretrigger_ns) == (2.0, 24.0)
    assert reader.report.passed_over == {
        "spectroscopy counter (70)": 3,
        "unknown type 199": 1,
        "synchronisation (0)": 1,
    }
    assert reader.report.n_damaged == 0
    for told in ("6 sampler (22)", "4 group (10)", "unknown type 199", "a count is 0.0729 mV"):
        assert told in reader.info.layout


def test_scopes_and_samplers_of_several_steps_come_apart(tmp_path: Path) -> None:
    short, long = waves(2, 20), waves(2, 25, seed=2)
    content = oscilloscope(short[0], x=(-0.04, 0.0008, b"us     ")) + sampler(short[1], scale=0, before=0)
    content += oscilloscope(long[0], x=(0, 4, b"ns\0     ")) + oscilloscope(long[1], x=(-8, 1, b"parsec"))
    reader = opened(tmp_path / "run.fast", content)
    found = {(c.n_samples, c.sample_period_ns): (c.column("entry").tolist(), c.samples) for c in reader.chunks()}
    assert set(found) == {(20, 0.8), (20, 2.0), (25, 4.0), (25, None)}
    assert found[20, 0.8][0] == [0]
    assert np.array_equal(found[25, None][1], long[1:])
    assert reader.info.settings.sample_period_ns is None
    given = opened(tmp_path / "run.fast", content, settings=DetectorSettings(sample_period_ns=3.0))
    assert {chunk.sample_period_ns for chunk in given.chunks()} == {3.0}


def test_samplers_of_old_firmware_have_no_head(tmp_path: Path) -> None:
    raw = waves(5, 40)
    content = b"".join(sampler(row, has_head=False, clock=number) for number, row in enumerate(raw))
    pulses = concatenate(opened(tmp_path / "run.fast", content).chunks())
    assert np.array_equal(pulses.samples, raw)


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize(
    ("damage", "kept", "kind"),
    [
        (lambda c, at, n: c[:at] + c[at + 20 :], [0, 1, 4, 5], "no other one follows"),
        (lambda c, at, n: c[: at + 1] + b"x" + c[at + 2 :], [0, 1, 4, 5], "no other one follows"),
        (lambda c, at, n: c[: at + 40] + c[at + 50 :], [0, 1, 2, 4, 5], "no other one follows"),
        (lambda c, at, n: c[: at + 40] + bytes(9) + c[at + 40 :], [0, 1, 2, 4, 5], "no other one follows"),
        (lambda c, at, n: c[: at + 10] + b"\xff\x01" + c[at + 12 :], [0, 1, 2, 4, 5], "no other one follows"),
        (lambda c, at, n: c[: at + 12] + b"\xff" + c[at + 13 :], [0, 1, 2, 4, 5], "another length"),
        (lambda c, at, n: c[: at + n + 9], [0, 1, 2, 3], "truncated last frame"),
        (lambda c, at, n: c[: at + n + 50], [0, 1, 2, 3], "truncated last frame"),
        (lambda c, at, n: c + bytes(300), [0, 1, 2, 3, 4], "no other one follows"),
        (lambda c, at, n: c[:1] + b"x" + c[2:], [1, 2, 3, 4, 5], "bytes that are no frame"),
    ],
)
def test_a_damaged_frame_is_left_out_and_the_next_one_is_found(
    tmp_path: Path, damage: object, kept: list[int], kind: str
) -> None:
    raw = waves(6, 30)
    made = [sampler(row, clock=number) for number, row in enumerate(raw)]
    n_bytes = len(made[0])
    content = damage(b"".join(made), 3 * n_bytes, n_bytes)  # type: ignore[operator]
    (tmp_path / "run.fast").write_bytes(content)
    reader = open_reader(tmp_path / "run.fast")
    pulses = concatenate(reader.chunks())
    assert (pulses.column("timestamp_ps") // 2000).tolist() == kept
    assert np.array_equal(pulses.samples, raw[kept])
    ((told, found),) = reader.report.damaged.items()
    assert kind in told
    assert found.count == 1


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize("load_bytes", [4, 0x7FFF])
def test_samples_that_look_like_a_frame_are_none(tmp_path: Path, load_bytes: int) -> None:
    """One leads to another such place, one far beyond: behind damage neither is taken for the next frame."""
    raw = waves(5, 60)
    fake = frame(22)[:10] + struct.pack("<H", load_bytes)
    raw[1].view(np.uint8)[40:80] = np.frombuffer((fake + bytes(4) + fake).ljust(40, b"\1"), np.uint8)
    made = [sampler(row, clock=number) for number, row in enumerate(raw)]
    made[1] = made[1][:10] + struct.pack("<H", 30) + made[1][12:]
    reader = opened(tmp_path / "run.fast", b"".join(made))
    assert concatenate(reader.chunks()).column("timestamp_ps").tolist() == [0, 4000, 6000, 8000]
    assert {kind: found.count for kind, found in reader.report.damaged.items()} == {
        "frame that no other one follows": 1
    }


@pytest.mark.usefixtures("piece_bytes")
def test_a_group_of_a_wrong_size_is_told_but_its_frames_are_read(tmp_path: Path) -> None:
    raw = waves(4, 10)
    made = [group(sampler(row)) for row in raw]
    made[1] = made[1][:10] + struct.pack("<H", 35) + made[1][12:]
    reader = opened(tmp_path / "run.fast", b"".join(made))
    assert np.array_equal(concatenate(reader.chunks()).samples, raw)
    assert {kind: found.count for kind, found in reader.report.damaged.items()} == {
        "group whose size is not that of its frames": 1
    }


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (oscilloscope(waves(1, 9)[0], x=(0, 0.0, b"ns")), "whose step in time is none"),
        (oscilloscope(waves(1, 9)[0], x=(0, -1.0, b"ns")), "whose step in time is none"),
        (frame(21, bytes(28)), "oscilloscope frame of no whole samples"),
        (frame(22, bytes(5)), "sampler frame of no whole samples"),
    ],
)
def test_loads_that_cannot_be_are_damage(tmp_path: Path, content: bytes, kind: str) -> None:
    reader = opened(tmp_path / "run.fast", sampler(waves(1, 9)[0]) + content)
    assert len(concatenate(reader.chunks())) == 1
    assert [kind in found for found in reader.report.damaged] == [True]


def test_spectroscopy_is_a_list(tmp_path: Path) -> None:
    content = counter() + group(spectroscopy(1000, clock=5, label=1), spectroscopy(-7, clock=6, label=2))
    content += spectroscopy(2**21 - 1, clock=2**47, saturated=True) + spectroscopy(3, pile_up=True)
    content += frame(61, bytes(7))
    reader = opened(tmp_path / "run.fast", content)
    events = events_of(reader)
    assert events.long_charge is not None
    assert events.long_charge.tolist() == [1000, -7, 2**21 - 1, 3]
    assert events.columns()["timestamp_ps"].tolist() == [10_000, 12_000, 2**48 * 1000, 0]
    assert events.columns()["channel"].tolist() == [1, 2, 1, 1]
    assert events.columns()["flags"].tolist() == [0, 0, PulseFlag.SATURATED_INPUT, PulseFlag.PILE_UP]
    assert reader.report.damaged["event of another size than its kind has"].count == 1
    assert reader.report.passed_over == {"spectroscopy counter (70)": 1}
    assert "without waveforms" in reader.info.layout
    with pytest.raises(DataError, match="events without waveforms"):
        list(reader.chunks())


def test_several_charges_are_named_by_the_user(tmp_path: Path) -> None:
    content = (
        qdc([900, -4], saturated=2) + qdc([-9, 7], saturated=2) + qdc([800, 600], tdc=-3, clock=10) + qdc([5], clock=11)
    )
    unnamed = opened(tmp_path / "run.fast", content)
    assert "--branch energy=q1 --branch energy_short=q2" in unnamed.info.layout
    assert events_of(unnamed).long_charge is None
    events = events_of(opened(tmp_path / "run.fast", content, branches={"energy": "q1", "energy_short": "q2"}))
    assert events.long_charge is not None
    assert events.short_charge is not None
    assert events.long_charge.tolist() == [900, -9, 800, 5]
    assert np.array_equal(events.short_charge, [-4, 7, 600, np.nan], equal_nan=True)
    assert events.columns()["timestamp_ps"].tolist() == [0, 0, 20_000 - 23, 22_000]
    assert events.columns()["flags"].tolist() == [PulseFlag.SATURATED_INPUT] * 2 + [0, 0]
    for branches in ({"energy": "q4"}, {"psd": "q1"}):
        with pytest.raises(SettingsError, match="name energy or energy_short, as one of q1, q2"):
            opened(tmp_path / "run.fast", content, branches=branches)


def test_charges_are_not_named_where_there_are_waveforms(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="leave it out"):
        opened(tmp_path / "run.fast", sampler(waves(1, 9)[0]) + qdc([1]), branches={"energy": "q1"})


def test_counters_alone_are_no_events(tmp_path: Path) -> None:
    reader = opened(tmp_path / "run.fast", counter() * 3)
    assert list(reader.chunks()) == []
    assert reader.report.left_out() == ["3 of spectroscopy counter (70) passed over"]
    assert reader.report.as_dict()["n_passed_over"] == {"spectroscopy counter (70)": 3}


@pytest.mark.parametrize(
    "content", [b"\x3d\xaa" + bytes(300), bytes(300), frame(200), b"\x18\xaa\0\0" + bytes(20), b"\x3d\xaa"]
)
def test_strangers_are_not_taken_for_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.fast").write_bytes(content)
    assert not find_format(tmp_path / "run.fast", "faster").recognises(tmp_path / "run.fast", content[:4096])
    if b"\xaa" not in content:
        with pytest.raises(FormatError, match="expected the frames of FASTER"):
            open_reader(tmp_path / "run.fast")


def test_what_is_written_keeps_times_channels_and_settings(tmp_path: Path) -> None:
    raw = waves(50, 232)
    settings = DetectorSettings(pretrigger_ns=100.0)
    made = Pulses(
        samples=raw,
        sample_period_ns=0.8,
        timestamp_ps=np.arange(50) * 2**40 * 2000 // 49 // 2000 * 2000,
        channel=np.arange(50, dtype=np.int32),
        board=np.ones(50, np.int32),
    )
    with open_writer(tmp_path / "run.fast", settings) as writer:
        writer.write(made)
    packed = tmp_path / "run.fast.gz"
    packed.write_bytes(gzip.compress((tmp_path / "run.fast").read_bytes()))
    reader = open_reader(packed)
    read = concatenate(reader.chunks())
    assert np.array_equal(read.samples, raw)
    assert np.array_equal(read.column("timestamp_ps"), made.column("timestamp_ps"))
    assert np.array_equal(read.column("channel"), made.column("channel"))
    assert "board" not in read.columns()
    assert (read.sample_period_ns, reader.info.settings.pretrigger_ns) == (0.8, 100.0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"samples": np.zeros((1, 705), np.int16)}, "up to 704 samples, got 705"),
        ({"samples": np.full((1, 9), 40_000, np.uint16)}, "got 40000..40000"),
        ({"samples": np.zeros((1, 9), np.float32)}, "got float32"),
        ({"channel": np.array([70_000])}, "label of 0 to 65535, got 70000"),
        ({"timestamp_ps": np.array([-5000])}, "stores times from 0"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, NDArray[np.generic]], told: str) -> None:
    pulses = Pulses(samples=np.zeros((1, 9), np.int16), sample_period_ns=2.0).replace(**changes)
    with pytest.raises(DataError, match=told), open_writer(tmp_path / "run.fast") as writer:
        writer.write(pulses)
    with pytest.raises(SettingsError, match="sampling period"), open_writer(tmp_path / "run.fast") as writer:
        writer.write(Pulses(samples=np.zeros((1, 9), np.int16), sample_period_ns=None))


@pytest.mark.real_data
def test_a_real_run_adds_up_to_the_line_of_its_source(real_data: Path) -> None:
    """A gamma of 511 keV scatters from one detector into the other: the sum of both amplitudes has its line."""
    reader = open_reader(real_data / REAL)
    events = events_of(reader)
    assert (len(events), reader.report.n_damaged) == (21_444, 0)
    assert reader.report.passed_over == {"spectroscopy counter (70)": 7014}
    assert events.long_charge is not None
    channel = events.columns()["channel"]
    assert set(channel) == {1, 2}
    apart_ps = events.columns()["timestamp_ps"][channel == 1] - events.columns()["timestamp_ps"][channel == 2]
    assert np.abs(apart_ps).max() <= 1_000_000
    both = events.long_charge[channel == 1] + events.long_charge[channel == 2]
    counts, _ = np.histogram(both, 50, (0, 1e6))
    assert counts[15:17].min() > 1.9 * max(counts[10:14].max(), counts[18:30].max())
