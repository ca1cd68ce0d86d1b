"""What comes from ABCD, what is counted of it, and what goes back, without sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.online.abcd_messages import EVENT, message, record, waveforms
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError, SettingsError
from discrimen.formats.abcd.ticks import TickClock
from discrimen.formats.base import ReadReport, RunInfo
from discrimen.formats.table import open_reader
from discrimen.online.pace import Pace
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")

from discrimen.online.abcd.events import LARGEST_CHARGE, EventMaker
from discrimen.online.abcd.intake import Batch, Intake
from discrimen.online.abcd.numbers import Numbers
from discrimen.online.abcd.sinks import ToAbcd, ToProgram
from discrimen.online.abcd.sockets import tcp_address
from discrimen.online.delivery import Ledger
from discrimen.online.growing import grow_run, paced_blocks
from discrimen.online.looped import LoopedReader

TOY = toy_pulses(20, seed=3)


def taken(intake: Intake, *frames: bytes | None) -> list[Batch]:
    return [batch for frame in frames for batch in intake.take(None if frame is None else memoryview(frame))]


def test_numbers_tell_a_gap_from_a_restart() -> None:
    numbers = Numbers()
    told = [numbers.add(number) for number in (5, 6, 9, 10, 0, 1, 3, 2, None)]
    assert [bool(each) for each in told] == [False, False, True, False, True, False, True, True, False]
    assert "2 messages were lost between number 6 and 9" in told[2]
    assert "begin again with 0 behind 10" in told[4]
    assert "begin again with 2 behind 3: its program was started again, and 2 messages were lost before it" in told[7]
    assert (numbers.first, numbers.n_lost, numbers.n_gaps, numbers.n_restarts) == (5, 2 + 1 + 2, 3, 2)
    assert (numbers.n_messages, numbers.n_without_number) == (9, 1)


@pytest.mark.parametrize("curves", [0, 6])
def test_a_message_becomes_pulses(curves: int) -> None:
    intake = Intake(10.0, TickClock(1000.0))
    one, two = taken(intake, waveforms(TOY, 0, curves=curves), waveforms(TOY[:5], 1, first=40))
    assert np.array_equal(one.pulses.samples, TOY.samples)
    assert np.array_equal(one.pulses.column("channel"), np.arange(40) % 3)
    assert np.array_equal(one.pulses.column("timestamp_ps"), 1_000_000 * np.arange(40))
    assert np.array_equal(two.ticks, 1000 * np.arange(40, 45))
    assert np.array_equal(two.pulses.column("entry"), np.arange(40, 45))


GARBAGE = {
    "nothing": b"",
    "no topic": b"\xff" * 50,
    "truncated": waveforms(TOY, 1)[:-1],
    "oversized": waveforms(TOY, 1) + b"\0",
    "another layout": waveforms(TOY, 1).replace(b"_v0_", b"_v1_"),
    "events": b"data_abcd_events_v0_n0_s16 " + bytes(16),
    "a size beyond all": b"data_abcd_waveforms_v0_n1_s" + b"9" * 30 + b" 12",
    "several frames": None,
}


@pytest.mark.parametrize("frame", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_counted_and_the_next_message_is_taken(frame: bytes | None) -> None:
    intake = Intake(10.0)
    batches = taken(intake, waveforms(TOY, 0), frame, waveforms(TOY, 1))
    assert [len(batch.pulses) for batch in batches] == [40, 40]
    assert intake.n_garbage == 1
    assert intake.garbage
    assert intake.numbers.n_messages == 2


def test_damage_in_a_message_costs_no_other_waveform() -> None:
    rows = [record(k, 0, row) for k, row in enumerate(TOY.samples[:6])]
    intake = Intake(10.0)
    batches = taken(intake, message(b"".join([*rows[:3], b"\xff" * 30, *rows[3:]]), 0), message(b"".join(rows)[:-5], 1))
    assert [len(batch.pulses) for batch in batches] == [6, 5]
    assert intake.n_damaged == 2


def test_lengths_of_one_message_are_told_apart() -> None:
    rows = [record(k, 0, TOY.samples[k][: 75 - k % 2]) for k in range(6)]
    long, short = taken(Intake(10.0), message(b"".join(rows), 0))
    assert (long.pulses.n_samples, short.pulses.n_samples) == (75, 74)
    assert np.array_equal(short.pulses.column("entry"), [1, 3, 5])


def test_channels_are_chosen() -> None:
    intake = Intake(10.0, channels=(1,))
    (batch,) = taken(intake, waveforms(TOY, 0))
    assert set(batch.pulses.column("channel")) == {1}
    assert (intake.n_pulses, intake.n_other_channels) == (13, 27)


def test_spec_draws_the_score() -> None:
    maker = EventMaker(PREPARATION, 0.5)
    score = np.linspace(0, 1, 40, dtype=np.float32)
    events, drawn = maker(np.arange(40) + 2**60, np.full(40, 7), TOY.samples, score)
    long, short = events["qlong"].astype(float), events["qshort"].astype(float)
    assert np.all(np.abs((long - short) / long - score) <= 0.5 / long + 1e-12)
    charge = 0.5 * (TOY.samples[:, :12].mean(axis=1) * 63 - TOY.samples[:, 12:].sum(axis=1))
    assert np.allclose(long, charge, atol=0.51)
    assert np.array_equal(events["timestamp"], np.arange(40) + 2**60)
    assert set(events["channel"]) == {7}
    assert np.allclose(events["baseline"], 8000, atol=5)
    assert np.array_equal(drawn, np.arange(40))


def test_what_cannot_be_drawn_is_counted() -> None:
    samples = TOY.samples.copy()
    samples[3] = 8000  # no charge
    score = np.full(40, 0.25, np.float32)
    score[5] = np.nan
    maker = EventMaker(PREPARATION, 100.0)
    events, drawn = maker(np.arange(40), np.zeros(40), samples, score)
    assert np.array_equal(drawn, np.delete(np.arange(40), [3, 5]))
    assert (maker.n_events, maker.n_not_drawn, maker.n_overflow) == (38, 2, 38)
    assert set(events["qlong"]) == {LARGEST_CHARGE}
    assert np.allclose(1 - events["qshort"] / LARGEST_CHARGE, 0.25, atol=1e-5)


class SlowListener:
    """A publisher with a listener that takes nothing for some messages."""

    def __init__(self) -> None:
        self.sent, self.to_some, self.is_stuck = list[bytes](), 0, False

    def try_to_send(self, frame: bytes) -> bool:
        if not self.is_stuck:
            self.sent.append(frame)
        return not self.is_stuck

    def send_to_some(self, frame: bytes) -> None:
        self.sent.append(frame)
        self.to_some += 1


class HalfScore:
    def __call__(self, pulses: Any) -> Any:
        self.values = np.full((pulses.head.n_pulses, 2), 0.5, np.float32)
        return self


def test_a_listener_that_does_not_follow_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discrimen.online.abcd.sinks.PATIENCE_S", 0.01)
    publisher = SlowListener()
    sink = ToAbcd(publisher, EventMaker(PREPARATION), 1)  # type: ignore[arg-type]
    intake = Intake(10.0)
    for number, is_stuck in enumerate([False, True, True, False]):
        publisher.is_stuck = is_stuck
        sink.take(taken(intake, waveforms(TOY, number)), HalfScore())
    assert [frame.split(b" ")[0] for frame in publisher.sent] == [
        f"data_abcd_events_v0_n{number}_s640".encode() for number in range(4)
    ]
    assert publisher.to_some == sink.as_dict()["n_messages_not_to_all"] == 2


class Outlet:
    """Keeps what is sent, and refuses every other time."""

    receipts = messages = None

    def __init__(self) -> None:
        self.sent, self._refuses = list[Any](), False

    def try_to_send(self, sent: Any) -> bool:
        self._refuses = not self._refuses
        if not self._refuses:
            self.sent.append(sent)
        return not self._refuses

    def come(self) -> Iterator[bytes]:
        return iter(())


def test_the_next_program_is_told_time_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discrimen.online.abcd.sinks.wait_for", lambda *_, **__: None)
    outlet, intake, ledger = Outlet(), Intake(10.0, TickClock(1000.0)), Ledger()
    sink = ToProgram(outlet, 5, lambda: False)  # type: ignore[arg-type]
    for number in (0, 1, 4):
        sink.take(taken(intake, waveforms(TOY, number, first=100 * number)), lambda pulses: pulses)
    sink.end()
    for sent in outlet.sent:
        ledger.add(sent.head)
    assert [sent.head.sequence for sent in outlet.sent] == [0, 1, 2, 3]
    assert (ledger.n_pulses, ledger.is_stopped) == (3 * 40, True)
    # Behind the second message 139 ticks of 1 ns times 1000 are over, and the one behind the loss begins at 400.
    assert ledger.missing_ps == (400 - 139) * 1_000_000 - 1


def test_events_keep_the_order_of_the_pulses() -> None:
    rows = [record(k, 0, TOY.samples[k][: 75 - k % 2]) for k in range(6)]
    publisher = SlowListener()
    ToAbcd(publisher, EventMaker(PREPARATION), 1).take(  # type: ignore[arg-type]
        taken(Intake(10.0), message(b"".join(rows), 0)), HalfScore()
    )
    assert np.array_equal(np.frombuffer(publisher.sent[0].partition(b" ")[2], EVENT)["t"], np.arange(6))


@pytest.mark.parametrize(
    "address", ["abcd+tcp://127.0.0.1", "tcp://127.0.0.1:16181", "abcd+tcp://:1", "abcd+tcp://a:1"]
)
def test_what_is_no_address_of_abcd_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="expected an address like abcd"):
        tcp_address(address)
    assert tcp_address("abcd+tcp://127.0.0.1:16207", beside=-1) == "tcp://127.0.0.1:16206"


class Memory:
    """A reader of pulses in memory."""

    info = RunInfo(path=Path("run"), format="made", layout="made", settings=DetectorSettings())
    report = ReadReport()

    def __init__(self, *chunks: Pulses) -> None:
        self._chunks = chunks

    def chunks(self) -> Iterator[Pulses]:
        return iter(self._chunks)


def timed(times_ps: list[int], first: int) -> Pulses:
    n = len(times_ps)
    return TOY[:n].replace(timestamp_ps=np.array(times_ps), entry=np.arange(first, first + n), label=None)


def test_a_run_that_is_played_again_goes_on() -> None:
    looped = LoopedReader(Memory(timed([100, 110, 105], 0), timed([140], 5)), 3)
    again = concatenate(looped.chunks())
    assert np.array_equal(again.column("entry"), [0, 1, 2, 5, 6, 7, 8, 11, 12, 13, 14, 17])
    # A round covers 40 ps and a mean step of 13.
    assert np.array_equal(
        again.column("timestamp_ps").reshape(3, 4) - [100, 110, 105, 140], [[0] * 4, [53] * 4, [106] * 4]
    )


def test_a_run_without_times_is_played_again() -> None:
    bare = TOY[:2].replace(entry=np.arange(2), label=None)
    again = concatenate(LoopedReader(Memory(bare), 2).chunks())
    assert again.timestamp_ps is None
    assert np.array_equal(again.column("entry"), np.arange(4))


def test_a_run_grows_block_by_block(tmp_path: Path) -> None:
    from discrimen.formats.table import FORMATS

    known = next(each for each in FORMATS if each.name == "abcd-waveforms")
    assert known.open_growing_writer is not None
    sizes = []
    with known.open_growing_writer(tmp_path / "run.adw", DetectorSettings()) as writer:
        n = grow_run(
            Memory(timed(list(range(10)), 0), timed(list(range(10, 15)), 10)),
            writer,
            Pace(),
            block_pulses=4,
            on_progress=lambda _: sizes.append((tmp_path / "run.adw").stat().st_size),
        )
    assert n == 15
    assert [size // 164 for size in sizes] == [4, 8, 10, 14, 15]
    assert np.array_equal(concatenate(open_reader(tmp_path / "run.adw").chunks()).samples[:10], TOY.samples[:10])


def test_a_block_waits_until_it_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("discrimen.online.growing.sleep", pauses.append)

    class EveryThird(Pace):
        def allows(self, now_s: float) -> bool:
            return len(pauses) >= 3 * (1 + self.n_pulses // 4)

    run = Memory(timed(list(range(12)), 0))
    went = [len(pauses) for _ in paced_blocks(run, EveryThird(), block_pulses=4)]
    assert went == [3, 6, 9]
    assert not list(paced_blocks(run, EveryThird(), block_pulses=4, is_ended=lambda: True))


def test_pace_follows_the_rate_or_the_time_stamps() -> None:
    pace = Pace(10.0)
    assert not pace.allows(5.0)
    pace.start(5.0)
    assert not pace.allows(4.99)
    assert pace.allows(5.01)
    pace.add(3, begin_ps=0, end_ps=0)
    assert not pace.allows(5.29)
    assert pace.wait_s(5.29) == pytest.approx(0.01)
    assert pace.allows(5.31)
    own = Pace(by_own_time=True)
    own.start(0.0)
    own.add(3, begin_ps=10**12, end_ps=3 * 10**12)
    assert not own.allows(1.9)
    assert own.allows(2.1)
    with pytest.raises(SettingsError, match="not both"):
        Pace(1.0, by_own_time=True)


def test_lists_without_waveforms_are_not_played(tmp_path: Path) -> None:
    np.zeros(3, EVENT).tofile(tmp_path / "run.ade")
    with pytest.raises(DataError, match="holds no waveforms"):
        LoopedReader(open_reader(tmp_path / "run.ade"), 2)
