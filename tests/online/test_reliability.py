"""Programs that are killed or stopped fifty times at random moments, and noise: nothing is lost or doubled.

Each test prints its figures; ``pytest -s -m slow tests/online/test_reliability.py`` shows them.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from socket import create_connection, create_server

import pytest
from tests.online.programs import ended, program, same_scores, timed, with_a_threshold
from tests.training.toy_pulses import toy_pulses

from discrimen.formats.table import open_writer
from discrimen.online.kept_scores import write_scores
from discrimen.pulses.detector import DetectorSettings

zmq = pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

N_PULSES = 20_000
N_TIMES = 50
LONGEST_S = 600
OPTIONS = ("--sample-period-ns", "10", "--polarity", "negative")


@pytest.fixture(scope="module")
def run_and_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A CoMPASS run, a model, and what classify gives."""
    folder = tmp_path_factory.mktemp("reliability")
    run, scores = folder / "run.BIN", folder / "classified.h5"
    pulses = timed(toy_pulses(N_PULSES, seed=9)[:N_PULSES])
    with open_writer(run, DetectorSettings(sample_period_ns=10.0, polarity="negative")) as writer:
        writer.write(pulses)
    model = with_a_threshold(folder / "small.discrimen", pulses)
    status, _, err = ended(program("classify", model, run, "-o", scores, "--accept", "--no-psd", *OPTIONS))
    assert status == 0, err
    return run, model, scores


class Programs:
    """Some programs that are ended and started again, one drawn at random each time."""

    def __init__(self, commands: Mapping[str, Sequence[str | Path]], seed: int) -> None:
        self._commands, self._rng = commands, random.Random(seed)
        self.running = {name: self._start(name) for name in commands}
        self.n_ended = dict.fromkeys(commands, 0)

    def _start(self, name: str) -> subprocess.Popen[str]:
        command = self._commands[name]
        return program(*command[1:], module=str(command[0]))

    def end_one(self, number: signal.Signals) -> None:
        """Wait for a random time, end a program that runs, and start it again."""
        time.sleep(self._rng.uniform(0.0, 2.0))
        name = self._rng.choice([name for name, process in self.running.items() if process.poll() is None])
        self.running[name].send_signal(number)
        status, _, err = ended(self.running[name])
        assert status in (-number, 0), err  # the signal's number where the program was only starting
        self.running[name] = self._start(name)
        self.n_ended[name] += 1

    def all_end(self) -> dict[str, str]:
        """Wait until all have ended by themselves, and return what they print."""
        printed = {}
        for name, process in self.running.items():
            printed[name], err = process.communicate(timeout=LONGEST_S)
            assert process.returncode == 0, err
        return printed


def test_fifty_kills_of_producer_classifier_and_consumer(
    run_and_model: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    run, model, classified = run_and_model
    pulses, results, log = f"ipc://{tmp_path}/pulses", f"ipc://{tmp_path}/results", tmp_path / "results.log"
    programs = Programs(
        {
            "producer": ("discrimen", "replay", run, "-o", pulses, "--block", "20", "--rate-hz", "300", *OPTIONS),
            "classifier": ("discrimen", "stream", model, "--input", pulses, "-o", results),
            "consumer": ("tests.online.programs", results, log),
        },
        seed=1,
    )
    for _ in range(N_TIMES):
        programs.end_one(signal.SIGKILL)
    programs.all_end()
    assert min(programs.n_ended.values()) > 0
    n_written = write_scores(log, tmp_path / "scores.h5", {})
    same_scores(tmp_path / "scores.h5", classified)
    print(f"kills {programs.n_ended}: {n_written} of {N_PULSES} pulses kept once and in order")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_fifty_ends_of_what_follows_a_growing_file(
    run_and_model: tuple[Path, Path, Path], tmp_path: Path, number: signal.Signals
) -> None:
    run, model, classified = run_and_model
    growing, scores = tmp_path / "run.BIN", tmp_path / "scores.h5"
    is_grown = threading.Event()

    def grow() -> None:
        content, rng = run.read_bytes(), random.Random(2)
        with growing.open("wb", buffering=0) as file:
            while content:
                size = rng.randrange(1, 20_000)
                file.write(content[:size])
                content = content[size:]
                is_grown.wait(0.3)

    writer = threading.Thread(target=grow)
    writer.start()
    command = ("discrimen", "stream", model, "--follow", growing, "-o", scores, "--idle-s", "20", *OPTIONS)
    programs = Programs({"follower": command}, seed=3)
    for _ in range(N_TIMES):
        programs.end_one(number)
    is_grown.set()
    writer.join()
    told = programs.all_end()["follower"]
    assert f"{N_PULSES} scores written" in told
    same_scores(scores, classified)
    print(f"{N_TIMES} times {number.name}: {N_PULSES} pulses scored once and in order")


def test_fifty_ordinary_stops_in_the_middle_of_a_stream(run_and_model: tuple[Path, Path, Path], tmp_path: Path) -> None:
    run, model, classified = run_and_model
    address, scores = f"ipc://{tmp_path}/pulses", tmp_path / "scores.h5"
    programs = Programs(
        {
            "producer": ("discrimen", "replay", run, "-o", address, "--block", "20", "--rate-hz", "300", *OPTIONS),
            "classifier": ("discrimen", "stream", model, "--input", address, "-o", scores),
        },
        seed=4,
    )
    for _ in range(N_TIMES):
        programs.end_one(signal.SIGTERM)
    programs.all_end()
    same_scores(scores, classified)
    print(f"stops {programs.n_ended}: the last of {N_PULSES} pulses is there")


def test_noise_at_the_socket_does_not_stop_a_stream(run_and_model: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """Messages of noise, and bytes that are not ZeroMQ's; then a run."""
    run, model, classified = run_and_model
    port, scores, n_noise = free_port(), tmp_path / "scores.h5", 20_000
    address = f"tcp://127.0.0.1:{port}"
    stream = program("stream", model, "--input", address, "-o", scores, "--json")
    rng = random.Random(5)
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.connect(address)
        for _ in range(n_noise):
            socket.send_multipart([rng.randbytes(rng.choice([0, 8, 88, 500])) for _ in range(rng.randint(1, 7))])
    with create_connection(("127.0.0.1", port)) as raw, suppress(ConnectionError):
        for _ in range(100):
            raw.send(rng.randbytes(1000))
    status, _, err = ended(program("replay", run, "-o", address, *OPTIONS))
    assert status == 0, err
    out, err = stream.communicate(timeout=LONGEST_S)
    assert stream.returncode == 0, err
    told = json.loads(out)
    same_scores(scores, classified)
    print(f"{told['n_garbage']} of {n_noise} messages of noise counted, {told['n_written']} pulses scored behind them")
    assert told["n_garbage"] >= n_noise  # and what ZeroMQ takes for messages of a version without a greeting


def free_port() -> int:
    """Return a port that is free, and so is the one behind it, most likely."""
    with create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
