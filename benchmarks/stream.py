"""How fast a stream is, how late its results come, and whether its memory stays as it is.

Three programs on one machine: ``discrimen replay`` plays a simulated run again and again, ``discrimen stream`` scores
it, and this one takes the results, checks that each pulse comes once and in order, and forgets them. First as fast as
it goes, then at a share of that rate. A message is due when the rate says so, whether or not the sender is late; its
delay is what its results come later than that, counted from the message that came earliest.

Before that, ``discrimen stream --follow`` of a file in the page cache, of two lengths: their difference tells the rate,
and the shorter one how long it takes from the start of the program to the first score.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.online.delivery import Keeper
from discrimen.online.kept_scores import LOG_SUFFIX
from discrimen.online.message import Kind, Message, unpack
from discrimen.online.sockets import Inlet, wait_for
from discrimen.scoring.scores import read_scores

N_PULSES = 400_000
TOP_SECONDS = 10.0
OPTIONS = ("--sample-period-ns", 10, "--polarity", "negative")
GUESSED_HZ = 2.5e6


@dataclass
class Checked:
    """A store that keeps nothing but what tells whether all is well."""

    n_kept_messages: int = 0
    n_pulses: int = 0
    n_not_scored: int = 0
    n_out_of_order: int = 0
    arrivals_s: list[float] = field(default_factory=list)
    n_before: list[int] = field(default_factory=list)
    is_stopped: bool = False
    _last_ps: int = -1

    def n_kept(self, source: int) -> int:
        """See :class:`~discrimen.online.delivery.Store`."""
        return self.n_kept_messages

    def append(self, message: Message) -> None:
        """See :class:`~discrimen.online.delivery.Store`."""
        self.n_kept_messages += 1
        self.is_stopped = message.head.kind == Kind.STOP
        if message.head.kind != Kind.RESULTS:
            return
        self.arrivals_s.append(time.monotonic())
        self.n_before.append(self.n_pulses)
        times_ps = message.columns["timestamp_ps"]
        self.n_out_of_order += int(np.count_nonzero(np.diff(times_ps) < 0)) + int(times_ps[0] < self._last_ps)
        self._last_ps = int(times_ps[-1])
        self.n_pulses += message.head.n_pulses
        self.n_not_scored += int(np.isnan(message.values[:, 0]).sum())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?", default=Path("cpp/examples/sample/bc501a_10ns.discrimen"))
    parser.add_argument("--seconds", type=float, default=60.0, help="how long at the share of the top rate")
    parser.add_argument("--share", type=float, default=0.8)
    parser.add_argument("--transport", choices=["ipc", "tcp"], default="ipc")
    parser.add_argument("--monitor", action="store_true", help="let the stream tell a monitor, which nobody runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run.BIN"
        Command("simulate", "-o", run, "-n", N_PULSES).check()
        print("followed:", json.dumps(followed(run, options.model), indent=2))
        top = streamed(run, options, Path(folder), n_loops=math.ceil(GUESSED_HZ * TOP_SECONDS / N_PULSES))
        print("as fast as it goes:", json.dumps(top, indent=2))
        rate_hz = options.share * top["pulses_per_s"]
        loops = math.ceil(rate_hz * options.seconds / N_PULSES)
        print(
            f"at {rate_hz:.0f}/s:",
            json.dumps(streamed(run, options, Path(folder), n_loops=loops, rate_hz=rate_hz), indent=2),
        )


class Command:
    """A command that runs."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "discrimen", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.memory_mb: list[float] = []

    def check(self) -> None:
        """Wait for its end."""
        _, err = self.process.communicate()
        if self.process.returncode:
            raise SystemExit(err)

    def note_memory(self) -> None:
        """Note how much memory it has now."""
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except (FileNotFoundError, IndexError):
            return
        self.memory_mb.append(pages * 4096 / 1e6)

    def memory(self) -> dict[str, float]:
        """Return the memory in MB after a tenth of the time and at the most after that."""
        at = len(self.memory_mb) // 10 + 1
        return {
            "after_a_tenth_mb": round(self.memory_mb[at], 1),
            "later_at_most_mb": round(max(self.memory_mb[at:-1]), 1),
        }


def followed(run: Path, model: Path) -> dict[str, float]:
    """Return how fast a file is followed that is there already, and how long the first score takes."""
    short, n_times = run.with_name("short.BIN"), 10
    header, content = run.read_bytes()[:2], run.read_bytes()[2:]
    short.write_bytes(header + content)
    long = run.with_name("long.BIN")
    long.write_bytes(header + content * n_times)
    short_s, first_s = follow_time(short, model)
    long_s, _ = follow_time(long, model)
    long.unlink()
    return {
        "pulses_per_s": round((n_times - 1) * N_PULSES / (long_s - short_s)),
        "start_to_first_score_s": round(first_s, 2),
    }


def follow_time(run: Path, model: Path) -> tuple[float, float]:
    """Follow a file to its end, and return the seconds to the last score that is kept and to the first."""
    scores = run.with_suffix(".h5")
    log = scores.with_name(scores.name + LOG_SUFFIX)
    begin_s = time.monotonic()
    stream = Command("stream", model, "--follow", run, "-o", scores, "--idle-s", 1, "--threads", 1, *OPTIONS)
    first_s, last_s, size = 0.0, 0.0, 0
    while stream.process.poll() is None:
        now_s, before = time.monotonic() - begin_s, size
        size = log.stat().st_size if log.exists() else size
        if size > before:
            first_s, last_s = first_s or now_s, now_s
        time.sleep(0.001)
    stream.check()
    if np.isnan(read_scores(scores).rows.score).any():
        raise SystemExit(f"{scores} holds pulses that were not scored")
    return last_s, first_s


def streamed(
    run: Path, options: argparse.Namespace, folder: Path, *, n_loops: int, rate_hz: float | None = None
) -> dict[str, Any]:
    """Play a run some times through a stream, and return what was seen."""
    pulses, results = addresses(options.transport, folder)
    store = Checked()
    with Inlet(results) as inlet:
        told = ("--monitor", f"ipc://{folder}/side") if options.monitor else ()
        stream = Command("stream", options.model, "--input", pulses, "-o", results, "--threads", 1, *told)
        rate = ("--rate-hz", rate_hz) if rate_hz else ()
        replay = Command("replay", run, "-o", pulses, "--loop", n_loops, *rate)
        programs = {"stream": stream, "replay": replay}
        is_done = threading.Event()
        watch = threading.Thread(target=watch_memory, args=(programs.values(), is_done))
        watch.start()
        take_all(inlet, store, replay)
        is_done.set()
        watch.join()
        before_s = children_s()
        stream.check()
        busy_s = children_s() - before_s
    arrivals_s = np.array(store.arrivals_s)
    seen: dict[str, Any] = {
        "pulses": store.n_pulses,
        "expected": n_loops * N_PULSES,
        "not_scored": store.n_not_scored,
        "out_of_order": store.n_out_of_order,
        "pulses_per_s": round((store.n_pulses - 1000) / (arrivals_s[-1] - arrivals_s[0])),
        "stream_cpu_ns_a_pulse": round(1e9 * busy_s / store.n_pulses, 1),
        "memory": {name: each.memory() for name, each in programs.items()},
    }
    if rate_hz:
        late_s = arrivals_s - np.array(store.n_before) / rate_hz
        late_ms = 1e3 * (late_s - late_s.min())
        seen["delay_ms"] = {
            f"p{each:g}": round(float(np.percentile(late_ms, each)), 2) for each in (50, 90, 99, 99.9, 100)
        }
    return seen


def children_s() -> float:
    """Return the processor time in s of all programs that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def addresses(transport: str, folder: Path) -> tuple[str, str]:
    """Return where pulses go, and where results."""
    if transport == "ipc":
        return f"ipc://{folder}/pulses", f"ipc://{folder}/results"
    return "tcp://127.0.0.1:15570", "tcp://127.0.0.1:15580"


def take_all(inlet: Inlet, store: Checked, replay: Command) -> None:
    """Take results until their source has stopped and its sender knows."""
    keeper = Keeper(store)
    while not store.is_stopped or replay.process.poll() is None:
        wait_for(inlet.messages, timeout_s=0.05)
        for frames in inlet.come():
            receipt = keeper.take(unpack(frames))
            if receipt is not None:
                inlet.send_receipt(receipt)
        if replay.process.poll():
            replay.check()


def watch_memory(programs: Any, is_done: threading.Event) -> None:
    """Note the memory of some programs each second."""
    while not is_done.wait(1.0):
        for each in programs:
            each.note_memory()


if __name__ == "__main__":
    main()
