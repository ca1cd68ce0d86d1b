"""How many pulses a second go through `discrimen stream` as a module of ABCD, from loopback messages to events.

Usage: python benchmarks/abcd_stream.py X.discrimen [--messages 500] [--pulses 4096] [--curves 0]

A publisher in this process sends messages of made-up pulses as fast as they are taken; a listener counts the events.
The time is that from the first message of pulses to the last one of events.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import zmq

from discrimen.formats.abcd.messages import WAVEFORMS, packed
from discrimen.formats.abcd.waveforms import record_type
from discrimen.inference.load import load_model
from discrimen.network.made_up import made_up_pulses
from discrimen.online.abcd.sockets import Publisher


def payload_of(model: Path, n_pulses: int, n_curves: int) -> tuple[bytes, float]:
    """Return the records of a message, and the sampling period in ns."""
    preparation = load_model(model, threads=1).description.preparation
    samples = np.clip(made_up_pulses(preparation, n_pulses)[:, 0], 0, 2**14 - 1)
    records = np.zeros(n_pulses, record_type(samples.shape[1], n_curves))
    records["timestamp"], records["channel"] = 512_000 * np.arange(n_pulses), np.arange(n_pulses) % 16
    records["n_samples"], records["n_curves"], records["samples"] = samples.shape[1], n_curves, samples
    return records.tobytes(), preparation.sample_period_ns


def measure(model: Path, *, n_messages: int, n_pulses: int, n_curves: int, port: int) -> float:
    """Return the time in s until the events of all messages have come."""
    payload, period_ns = payload_of(model, n_pulses, n_curves)
    command = [sys.executable, "-m", "discrimen", "stream", str(model), "--input", f"abcd+tcp://127.0.0.1:{port}"]
    command += ["-o", f"abcd+tcp://127.0.0.1:{port + 11}", "--sample-period-ns", str(period_ns), "--threads", "1"]
    with zmq.Context() as context, context.socket(zmq.SUB) as events, Publisher(f"abcd+tcp://127.0.0.1:{port}") as out:
        events.subscribe(b"data_abcd_events")
        events.rcvtimeo, events.rcvhwm = 60_000, 0
        events.connect(f"tcp://127.0.0.1:{port + 11}")
        module = subprocess.Popen([*command, "--idle-s", "2"], stdout=subprocess.DEVNULL)
        while not out.has_listener(WAVEFORMS):
            time.sleep(0.01)
        time.sleep(1)
        begin_s = time.monotonic()
        for number in range(n_messages):
            while not out.try_to_send(packed(WAVEFORMS, payload, version=0, number=number)):
                time.sleep(0.0005)
        for _ in range(n_messages):
            events.recv()
        end_s = time.monotonic()
        module.wait(60)
    return end_s - begin_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    for name, value in (("messages", 500), ("pulses", 4096), ("curves", 0), ("port", 27181)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    seconds = measure(
        given.model, n_messages=given.messages, n_pulses=given.pulses, n_curves=given.curves, port=given.port
    )
    n_pulses = given.messages * given.pulses
    print(f"{n_pulses} pulses in {seconds:.2f} s: {n_pulses / seconds / 1e6:.2f} million a second")


if __name__ == "__main__":
    main()
