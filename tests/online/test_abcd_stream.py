"""A module of ABCD over real sockets: waveforms in, events with the score out, commands and status beside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from tests.online.abcd_messages import events_in, free_ports, json_in, message, until, waveforms
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import toy_pulses

from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.thresholds import choose_threshold

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")

import zmq

from discrimen.errors import SettingsError
from discrimen.formats.abcd.ticks import TickClock
from discrimen.online.abcd.control import Control, ModuleControl
from discrimen.online.abcd.events import EventMaker
from discrimen.online.abcd.intake import Intake
from discrimen.online.abcd.replay import AbcdPlayer
from discrimen.online.abcd.sinks import Sink, ToAbcd, ToLog
from discrimen.online.abcd.sockets import ModuleSockets, Publisher, Subscriber
from discrimen.online.abcd.stream import AbcdStream
from discrimen.online.kept_scores import finish, open_log
from discrimen.online.pace import Pace
from discrimen.online.scorer import Scorer
from discrimen.scoring.scores import read_scores

TOY = toy_pulses(30, seed=3).replace(label=None)


@pytest.fixture(scope="module")
def scorer_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = write_small_model(tmp_path_factory.mktemp("model") / "small.discrimen")
    return lambda: Scorer(ReferencePredictor(path), "abc", choose_threshold({}, 0.5))


def expected_scores(scorer: Scorer) -> np.ndarray:
    return scorer.predictor.predict(TOY.samples)[:, 1]


@dataclass
class Laboratory:
    """A program that publishes waveforms, one that listens to events, and the module between."""

    context: Any
    waveforms: Any
    module_port: int
    ended: Event = field(default_factory=Event)
    failed: list[BaseException] = field(default_factory=list)
    thread: Thread | None = None
    sockets: list[Any] = field(default_factory=list)

    def start(self, stream: AbcdStream, **how: Any) -> None:
        def run() -> None:
            try:
                stream.run(self.ended.is_set, **how)
            except BaseException as error:  # noqa: BLE001 - it is raised in the test
                self.failed.append(error)

        self.thread = Thread(target=run, daemon=True)
        self.thread.start()

    def wait(self) -> None:
        assert self.thread is not None
        self.thread.join(30)
        assert not self.thread.is_alive()
        if self.failed:
            raise self.failed[0]

    def socket(self, kind: int, beside: int) -> Any:
        socket = self.context.socket(kind)
        if kind == zmq.SUB:
            socket.subscribe(b"")
        socket.connect(f"tcp://127.0.0.1:{self.module_port + beside}")
        socket.rcvtimeo = 20_000
        self.sockets.append(socket)
        return socket


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def lab() -> Iterator[Laboratory]:
    context = zmq.Context()
    publisher = context.socket(zmq.XPUB)
    publisher.rcvtimeo = 20_000
    port = publisher.bind_to_random_port("tcp://127.0.0.1")
    assert port
    yield Laboratory(context, publisher, free_ports(3) + 1)
    context.destroy(linger=0)


def stream_of(lab: Laboratory, stack: ExitStack, scorer: Scorer, sink: Sink, control: Control | None) -> AbcdStream:
    source = lab.waveforms.last_endpoint.decode().rstrip("\0")
    subscriber = stack.enter_context(Subscriber(f"abcd+{source}", "data_abcd_waveforms"))
    assert lab.waveforms.recv() == b"\1data_abcd_waveforms"
    return AbcdStream(subscriber, Intake(10.0), scorer, sink, control or Control(), about={"model_sha256": "abc"})


def module_of(lab: Laboratory, stack: ExitStack, scorer: Scorer) -> tuple[AbcdStream, ToAbcd]:
    sockets = stack.enter_context(ModuleSockets(f"abcd+tcp://127.0.0.1:{lab.module_port}"))
    preparation = scorer.predictor.description.preparation
    sink = ToAbcd(sockets, EventMaker(preparation), scorer.predictor.description.neutron_class)
    return stream_of(lab, stack, scorer, sink, ModuleControl(sockets)), sink


def test_a_module_of_abcd_does_what_modules_do(lab: Laboratory, stack: ExitStack, scorer_of: Any) -> None:
    scorer = scorer_of()
    stream, sink = module_of(lab, stack, scorer)
    data, status, commands = lab.socket(zmq.SUB, 0), lab.socket(zmq.SUB, -1), lab.socket(zmq.PUSH, 1)
    until(lambda: sink.publisher.has_listener("data_abcd_events"))
    lab.start(stream)
    lab.waveforms.send(waveforms(TOY, 0, curves=2))
    topic, events = events_in(data.recv())
    assert topic == f"data_abcd_events_v0_n0_s{16 * len(TOY)}"
    long, short = events["qlong"].astype(float), events["qshort"].astype(float)
    assert np.all(np.abs((long - short) / long - expected_scores(scorer)) <= 0.51 / long)
    assert np.array_equal(events["t"], 1000 * np.arange(len(TOY)))

    topic, told = json_in(status.recv())
    while told.get("n_pulses") != len(TOY):
        topic, told = json_in(status.recv())
    assert topic.startswith("status_discrimen_s")
    assert (told["module"], told["model_sha256"], told["is_running"]) == ("discrimen", "abc", True)
    assert told["active_channels"] == [0, 1, 2]
    assert [each["id"] for each in told["statuses"]] == [0, 1, 2]
    assert all(each["rate"] > 0 for each in told["statuses"])

    def command(name: str, expected: str) -> None:
        commands.send(json.dumps({"command": name, "arguments": {}, "msg_ID": 1}).encode())
        while not (heard := json_in(status.recv()))[0].startswith("events_discrimen"):
            pass
        assert expected in json.dumps(heard[1])

    command("stop", "Command: stop")
    lab.waveforms.send(waveforms(TOY, 1))
    until(lambda: stream.n_while_stopped == 1)
    command("reset", "expected start, stop or quit, got reset")
    commands.send(b"no json")
    command("start", "expected start, stop or quit, got None")
    lab.waveforms.send(waveforms(TOY[:7], 4))
    topic, events = events_in(data.recv())
    assert (topic, len(events)) == ("data_abcd_events_v0_n1_s112", 7)
    command("quit", "Command: start")
    lab.wait()
    counted = stream.as_dict()
    assert (counted["n_lost"], counted["n_restarts"], counted["n_messages_while_stopped"]) == (2, 0, 1)
    assert (counted["n_events"], counted["n_event_messages"]) == (len(TOY) + 7, 2)


def test_garbage_does_not_stop_the_stream_and_silence_may(lab: Laboratory, stack: ExitStack, scorer_of: Any) -> None:
    stream, _ = module_of(lab, stack, scorer_of())
    lines: list[str] = []
    stream.log = lines.append
    lab.start(stream, idle_s=0.2)
    for frame in (waveforms(TOY, 0), waveforms(TOY, 1)[:-1], message(b"\xff" * 99, 2), waveforms(TOY, 9)):
        lab.waveforms.send(frame)
    lab.waveforms.send_multipart([b"data_abcd_waveforms", b"x"])
    lab.wait()
    counted = stream.as_dict()
    assert (counted["n_pulses"], counted["n_garbage"], counted["n_damaged"]) == (2 * len(TOY), 2, 1)
    assert len(lines) == 3
    assert "could not be read" in lines[0]
    assert "1 messages were lost between number 0 and 2" in lines[1]
    assert "6 messages were lost between number 2 and 9" in lines[2]


def test_scores_are_kept_in_a_file_and_go_on(lab: Laboratory, stack: ExitStack, scorer_of: Any, tmp_path: Path) -> None:
    scorer = scorer_of()
    output = tmp_path / "scores.h5"
    stream = stream_of(lab, stack, scorer, ToLog(None, 7), None)  # type: ignore[arg-type]
    for first in (0, 1):
        with open_log(output, scorer) as store:
            stream.sink = ToLog(store, 7)
            lab.start(stream, idle_s=0.1)
            lab.waveforms.send(waveforms(TOY, first, first=first * len(TOY)))
            lab.wait()
    assert finish(output, scorer) == 2 * len(TOY)
    rows = read_scores(output).rows
    assert np.array_equal(rows.entry, np.arange(2 * len(TOY)))
    np.testing.assert_allclose(rows.score[: len(TOY), 1], expected_scores(scorer), atol=1e-6)
    assert np.array_equal(rows.timestamp_ps, TickClock().to_ps(1000 * np.arange(2 * len(TOY), dtype=np.uint64)))


def test_a_run_plays_abcd_and_nothing_is_lost(lab: Laboratory, stack: ExitStack) -> None:
    class Run:
        info = report = None

        def chunks(self) -> Iterator[Any]:
            return iter([TOY.replace(timestamp_ps=np.arange(len(TOY)) * 125, channel=np.zeros(len(TOY), np.int32))])

    publisher = stack.enter_context(Publisher(f"abcd+tcp://127.0.0.1:{lab.module_port}"))
    player = AbcdPlayer(publisher, TickClock(), others_s=0.0)
    subscriber = stack.enter_context(Subscriber(f"abcd+tcp://127.0.0.1:{lab.module_port}", "data_abcd_waveforms"))
    assert [player.play(Run(), Pace(), block_pulses=25) for _ in range(2)] == [60, 60]  # type: ignore[arg-type]
    intake, samples = Intake(10.0), []

    def come() -> bool:
        samples.extend(batch.pulses for frame in subscriber.come() for batch in intake.take(frame))
        return intake.numbers.n_messages == 6

    until(come)
    assert (intake.numbers.first, intake.numbers.last, intake.numbers.n_lost) == (0, 5, 0)
    assert np.array_equal(np.concatenate([each.samples for each in samples[:3]]), TOY.samples)
    assert np.array_equal(np.concatenate([each.timestamp_ps for each in samples[3:]]), 125 * np.arange(60))


def test_a_port_that_is_taken_is_named(lab: Laboratory) -> None:
    with (
        ModuleSockets(f"abcd+tcp://127.0.0.1:{lab.module_port}"),
        pytest.raises(SettingsError, match=f"cannot listen at tcp://127.0.0.1:{lab.module_port - 1}"),
    ):
        ModuleSockets(f"abcd+tcp://127.0.0.1:{lab.module_port - 1}")
