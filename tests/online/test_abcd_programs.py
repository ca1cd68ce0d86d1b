"""Beside ABCD's own programs, where $ABCD_BIN names the folder that holds them (`waan`, `spec`, `dasa`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.online.abcd_messages import EVENT, free_ports, json_in, until
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import toy_pulses

from discrimen.formats.table import open_reader, open_writer
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.pulses import concatenate

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")

import zmq

ABCD = Path(os.environ.get("ABCD_BIN", "/nowhere"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ABCD / "spec").exists(), reason="NO ABCD: set ABCD_BIN to the folder of its programs"),
]

N_PULSES, BLOCK = 3000, 300


class Programs:
    """Programs that were started, and are ended at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, list[subprocess.Popen[bytes]]()
        self.context = zmq.Context()
        self.sockets: list[Any] = []
        self.port = free_ports(40)

    def address(self, beside: int) -> str:
        return f"tcp://127.0.0.1:{self.port + beside}"

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{len(self.running)}.log").open("wb")
        process = subprocess.Popen(list(map(str, arguments)), stdout=log, stderr=log, cwd=self.folder)
        log.close()
        self.running.append(process)
        return process

    def discrimen(self, *arguments: object) -> subprocess.Popen[bytes]:
        return self.start(sys.executable, "-m", "discrimen", *arguments)

    def abcd(self, name: str, *arguments: object) -> subprocess.Popen[bytes]:
        return self.start(ABCD / name, *arguments)

    def said(self, process: subprocess.Popen[bytes]) -> str:
        return (self.folder / f"{self.running.index(process)}.log").read_text(errors="replace")

    def ended(self, process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> str:
        process.send_signal(number)
        assert process.wait(30) == 0, self.said(process)
        return self.said(process)

    def socket(self, kind: int, beside: int) -> Any:
        socket = self.context.socket(kind)
        if kind == zmq.SUB:
            socket.subscribe(b"")
        socket.rcvtimeo = 20_000
        socket.connect(self.address(beside))
        self.sockets.append(socket)
        return socket

    def command(self, beside: int, command: str, **arguments: object) -> None:
        self.socket(zmq.PUSH, beside).send(json.dumps({"command": command, "arguments": arguments}).encode())

    def latest(self, beside: int, topic: str, enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Listen to a topic until what it says is enough."""
        socket = self.socket(zmq.SUB, beside)
        end_s = time.monotonic() + 60
        while time.monotonic() < end_s:
            name, told = json_in(socket.recv())
            if name.startswith(topic) and enough(told):
                return told
        raise AssertionError(f"{topic} never said enough: {told}")

    def __enter__(self) -> Programs:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait(10)
        self.context.destroy(linger=0)


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    with Programs(tmp_path) as started:
        yield started


@pytest.fixture
def run(tmp_path: Path) -> Path:
    pulses = toy_pulses(N_PULSES // 2, seed=7).replace(label=None)
    with open_writer(tmp_path / "run.adw") as writer:
        writer.write(
            pulses.replace(timestamp_ps=np.arange(N_PULSES) * 10**8, channel=np.zeros(N_PULSES, dtype=np.int32))
        )
    return tmp_path / "run.adw"


def histogram(told: dict[str, Any], kind: str) -> dict[str, Any]:
    return dict(told["data"][0][kind])


def counts_of(told: dict[str, Any]) -> int:
    return int(sum(histogram(told, "energy")["data"])) if told["data"] else 0


def test_spec_draws_the_scores_and_dasa_stores_them(programs: Programs, run: Path) -> None:
    model = write_small_model(programs.folder / "small.discrimen")
    ours = programs.discrimen(
        "stream", model, "--input", f"abcd+{programs.address(1)}", "-o", f"abcd+{programs.address(11)}",
        "--sample-period-ns", 10, "--charge-factor", 0.5,
    )  # fmt: skip
    programs.abcd("spec", "-A", programs.address(11), "-S", programs.address(20), "-D", programs.address(21),
                  "-C", programs.address(22))  # fmt: skip
    programs.abcd("dasa", "-A", programs.address(11), "-s", programs.address(30), "-w", programs.address(10),
                  "-S", programs.address(31), "-C", programs.address(32))  # fmt: skip
    until(lambda: "listening" in programs.said(ours))
    programs.latest(31, "status_dasa", lambda _: True)
    enable = {"events": True, "waveforms": True, "raw": True}
    programs.command(32, "start", file_name=str(programs.folder / "saved"), enable=enable)
    until(lambda: (programs.folder / "saved_events.ade").exists())
    time.sleep(1)
    replay = programs.discrimen("replay", run, "-o", f"abcd+{programs.address(1)}", "--block", BLOCK)
    told = programs.latest(21, "data_spec_histograms", lambda told: counts_of(told) >= N_PULSES)
    assert replay.wait(30) == 0
    psd = histogram(told, "PSD")
    drawn = np.array(psd["data"], float).reshape(psd["config"]["bins_y"], psd["config"]["bins_x"]).sum(axis=1)
    edges = np.linspace(psd["config"]["min_y"], psd["config"]["max_y"], psd["config"]["bins_y"] + 1)
    pulses = concatenate(open_reader(run).chunks())
    score = ReferencePredictor(model).predict(pulses.samples)[:, 1]
    # A score at an edge of a bin may fall to either side, for it is drawn in steps of 1 / qlong.
    difference = np.cumsum(drawn) - np.cumsum(np.histogram(score, edges)[0])
    assert np.abs(difference).max() <= 0.02 * N_PULSES
    status = programs.latest(10, "status_discrimen", lambda told: told["n_pulses"] == N_PULSES)
    assert (status["n_events"], status["n_lost"], status["n_garbage"]) == (N_PULSES, 0, 0)
    time.sleep(3.5)
    programs.command(32, "stop")
    until(lambda: (programs.folder / "saved_events.ade").stat().st_size == 16 * N_PULSES)
    saved = np.fromfile(programs.folder / "saved_events.ade", EVENT)
    assert np.allclose((saved["qlong"].astype(float) - saved["qshort"]) / saved["qlong"], score, atol=1e-3)
    assert b"status_discrimen" in (programs.folder / "saved_raw.adr").read_bytes()
    programs.command(12, "quit")
    assert ours.wait(30) == 0, programs.said(ours)
    assert f"{N_PULSES} pulses" in programs.said(ours)


def waan_config(folder: Path) -> Path:
    libraries = ABCD / "libraries"
    config = {
        "module": "waan", "high_water_mark": "no limit", "forward_waveforms": True, "enable_additional": True,
        "channels": [{
            "id": 0, "name": "0", "enabled": True,
            "user_libraries": {"timestamp": str(libraries / "libCFD.so"), "energy": str(libraries / "libPSD.so")},
            "user_config": {"baseline_samples": 10, "fraction": 0.5, "delay": 2, "pregate": 3, "short_gate": 8,
                            "long_gate": 40, "pulse_polarity": "negative", "integrals_scaling": 0.5},
        }],
    }  # fmt: skip
    path = folder / "waan.json"
    path.write_text(json.dumps(config))
    return path


@pytest.mark.skipif(not (ABCD / "waan").exists(), reason="NO WAAN in $ABCD_BIN")
def test_waan_takes_our_waveforms_and_we_take_those_of_waan(programs: Programs, run: Path) -> None:
    """`replay` instead of the digitizer, `waan` behind it, and our module behind `waan`."""
    model = write_small_model(programs.folder / "small.discrimen")
    programs.abcd("waan", "-A", programs.address(1), "-S", programs.address(5), "-D", programs.address(6),
                  "-C", programs.address(7), "-f", waan_config(programs.folder), "-T", 1, "-p", 100)  # fmt: skip
    ours = programs.discrimen(
        "stream", model, "--input", f"abcd+{programs.address(6)}", "-o", programs.folder / "scores.h5",
        "--sample-period-ns", 10,
    )  # fmt: skip
    until(lambda: "listening" in programs.said(ours))
    time.sleep(4)  # `waan` waits for its sockets
    replay = programs.discrimen("replay", run, "-o", f"abcd+{programs.address(1)}", "--block", BLOCK, "--rate-hz", 3000)
    assert replay.wait(60) == 0, programs.said(replay)
    time.sleep(2)
    said = programs.ended(ours)
    assert f"{N_PULSES} pulses" in said, said
    assert f"{N_PULSES // BLOCK} messages, 0 lost, 0 restarts" in said
