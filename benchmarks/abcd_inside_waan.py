"""What a pulse costs inside ABCD's `waan`: with our energy library, its own libPSD, and one that does nothing.

Usage: ABCD_BIN=FOLDER python benchmarks/abcd_inside_waan.py X.discrimen build/examples/libDiscrimen.so [OTHER.so ...]
       [--turns 7] [--messages 50] [--pulses 4096] [--timestamp libCFD.so] [--forward]

The libraries of ours must be built with ABCD's headers (-DABCD_INCLUDE_DIR). Each turn starts `waan` once for each
library, in changing order, and sends it the same messages of made-up pulses over loopback. Printed are medians over the
turns: pulses a second from the first message of pulses to the last one of events, by the clock, with the slowest and
the fastest turn; the time that `waan`'s own thread was on a processor for each pulse, which other programs of the
machine change less; what of it is more than with the library that does nothing; and its ratio to that with libPSD.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from operator import sub, truediv
from pathlib import Path
from typing import Any

import numpy as np
import zmq

from discrimen.formats.abcd.messages import WAVEFORMS, packed
from discrimen.formats.abcd.waveforms import record_type
from discrimen.inference.load import load_model
from discrimen.network.made_up import made_up_pulses
from discrimen.online.abcd.sockets import Publisher

NOTHING, PSD = "a library that does nothing", "ABCD's libPSD"
KEEPS_ALL = {"energy_threshold": -1e9, "PSD_min": -1e9, "PSD_max": 1e9}
LONGEST_S = 120


@dataclass(frozen=True)
class Load:
    """What is sent, and how `waan` is set up."""

    waan: Path
    model: Path
    payload: bytes
    n_baseline: int
    n_messages: int
    n_pulses: int
    timestamp: str
    forwards: bool
    port: int

    def address(self, beside: int) -> str:
        """Return an address on this machine alone."""
        return f"tcp://127.0.0.1:{self.port + beside}"


@dataclass(frozen=True)
class Cost:
    """Of a pulse, in ns: by the clock, and on a processor."""

    by_clock_ns: float
    on_processor_ns: float


def payload_of(model: Path, n_pulses: int) -> tuple[bytes, int]:
    """Return the records of a message, and how many samples of baseline they have."""
    preparation = load_model(model, threads=1).description.preparation
    samples = np.clip(made_up_pulses(preparation, n_pulses)[:, 0], 0, 2**14 - 1)
    records = np.zeros(n_pulses, record_type(samples.shape[1], 0))
    records["timestamp"] = 512_000 * np.arange(n_pulses)
    records["n_samples"], records["samples"] = samples.shape[1], samples
    return records.tobytes(), preparation.channels[0].baseline_stop


def config_of(load: Load, library: Path) -> dict[str, Any]:
    """Return a configuration of `waan`: channel 0, whose settings all libraries understand."""
    settings = {
        "model": str(load.model.resolve()), "baseline_samples": load.n_baseline, "pregate": 0, "short_gate": 8,
        "long_gate": 40, "pulse_polarity": "negative", "integrals_scaling": 0.1, "fraction": 0.5, "delay": 2,
        **KEEPS_ALL,
    }  # fmt: skip
    timestamp = str(load.waan.parent / "libraries" / load.timestamp) if load.timestamp else ""
    channel = {
        "id": 0, "name": "0", "enabled": True, "user_config": settings,
        "user_libraries": {"timestamp": timestamp, "energy": str(library.resolve())},
    }  # fmt: skip
    return {"module": "waan", "high_water_mark": "no limit", "forward_waveforms": load.forwards,
            "enable_additional": load.forwards, "channels": [channel]}  # fmt: skip


def on_processor_ns(pid: int) -> int:
    """Return how long the first thread of a program has been on a processor."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])


def cost_in(load: Load, library: Path, folder: Path) -> Cost:
    """Start `waan` with an energy library and return what a pulse costs."""
    config = folder / "waan.json"
    config.write_text(json.dumps(config_of(load, library)))
    command = [str(load.waan), "-A", load.address(0), "-S", load.address(1), "-D", load.address(2)]
    command += ["-C", load.address(3), "-f", str(config), "-T", "1", "-p", "100"]
    with zmq.Context() as context, context.socket(zmq.SUB) as events, Publisher(f"abcd+{load.address(0)}") as out:
        events.subscribe(b"data_abcd_events")
        events.rcvtimeo, events.rcvhwm, events.linger = 1000 * LONGEST_S, 0, 0
        events.connect(load.address(2))
        log = (folder / "waan.log").open("wb")
        waan = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            return measured(load, waan, events, out)
        except zmq.Again:
            sys.exit(f"no events of {library}; waan says: {(folder / 'waan.log').read_text(errors='replace')[-2000:]}")
        finally:
            log.close()
            waan.kill()
            waan.wait()


def measured(load: Load, waan: subprocess.Popen[bytes], events: Any, out: Publisher) -> Cost:
    """Send the messages to a `waan` that has just been started, after one that is not counted."""
    begin_s = time.monotonic()
    while not out.has_listener(WAVEFORMS):
        if waan.poll() is not None or time.monotonic() > begin_s + LONGEST_S:
            sys.exit(f"waan does not listen (exit status {waan.poll()})")
        time.sleep(0.01)
    time.sleep(1)  # until it knows its own listener
    for number in range(load.n_messages + 1):
        while not out.try_to_send(packed(WAVEFORMS, load.payload, version=0, number=number)):
            time.sleep(0.0005)
        if number == 0:
            received(events, load.n_pulses)
            begin_ns, begin_s = on_processor_ns(waan.pid), time.monotonic()
    for _ in range(load.n_messages):
        received(events, load.n_pulses)
    end_s, end_ns = time.monotonic(), on_processor_ns(waan.pid)
    n_pulses = load.n_messages * load.n_pulses
    return Cost((end_s - begin_s) * 1e9 / n_pulses, (end_ns - begin_ns) / n_pulses)


def received(events: Any, n_pulses: int) -> None:
    """Take a message of events: each pulse must have one, or the libraries do not do the same work."""
    n_events = len(events.recv().partition(b" ")[2]) // 16
    if n_events != n_pulses:
        sys.exit(f"{n_events} events of {n_pulses} pulses")


def library_that_does_nothing(folder: Path) -> Path:
    """Compile it: `waan` needs the function of the analysis only."""
    path = folder / "libNothing.so"
    command = ["cc", "-O2", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path)]
    subprocess.run(command, input=b"void energy_analysis(void) {}\n", check=True)
    return path


def show(costs: dict[str, list[Cost]]) -> None:
    """Print medians over the turns; differences and ratios are taken within each turn."""
    print(f"{'':40} {'pulses/s by the clock':>31} {'ns on a processor':>18} {'above nothing':>14} {'of libPSD':>10}")
    for name, turns in costs.items():
        rates_hz = [1e9 / cost.by_clock_ns for cost in turns]
        by_clock = f"{statistics.median(rates_hz):,.0f} ({min(rates_hz):,.0f} to {max(rates_hz):,.0f})"
        spent = [cost.on_processor_ns for cost in turns]
        above, ratio = (
            statistics.median(map(operation, spent, [cost.on_processor_ns for cost in costs[other]]))
            for operation, other in ((sub, NOTHING), (truediv, PSD))
        )
        print(f"{name[-40:]:40} {by_clock:>31} {statistics.median(spent):18.0f} {above:14.0f} {ratio:10.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("library", type=Path, nargs="+")
    for name, value in (("turns", 7), ("messages", 50), ("pulses", 4096), ("port", 27281)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--timestamp", default="", help="name of one of ABCD's libraries for time stamps")
    parser.add_argument("--forward", action="store_true", help="waan passes on waveforms, with the curves beside them")
    given = parser.parse_args()
    waan = Path(os.environ.get("ABCD_BIN", "/nowhere")) / "waan"
    if not waan.exists():
        sys.exit("NO WAAN: set ABCD_BIN to the folder of ABCD's programs")
    payload, n_baseline = payload_of(given.model, given.pulses)
    load = Load(waan, given.model, payload, n_baseline, given.messages, given.pulses, given.timestamp, given.forward,
                given.port)  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        libraries = {NOTHING: library_that_does_nothing(folder), PSD: waan.parent / "libraries" / "libPSD.so"}
        libraries |= {str(path): path for path in given.library}
        costs: dict[str, list[Cost]] = {library: [] for library in libraries}
        for turn in range(given.turns):
            for library in sorted(libraries, reverse=turn % 2 == 1):
                costs[library].append(cost_in(load, libraries[library], folder))
    show(costs)


if __name__ == "__main__":
    main()
