"""What the page costs: the stream that tells it, and the monitor with many viewers.

    python benchmarks/monitor.py

The stream's part is CPU time of all its threads, bare and told in turns, as fast as one core can, with a monitor that
listens; a real stream, which also receives, pays less. The viewers' part is the CPU time of the monitor with 0 and with
20 viewers, who look at all channels or at one each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tornado.websocket import websocket_connect

from discrimen.inference.load import load_model
from discrimen.network.made_up import made_up_pulses
from discrimen.network.thresholds import choose_threshold
from discrimen.online.message import Message, unpack
from discrimen.online.monitor.side import Side, TappedScorer, tap_of
from discrimen.online.monitor.side_channel import SidePublisher
from discrimen.online.result_log import ResultLog
from discrimen.online.run_log import BLOCK_PULSES, message_of
from discrimen.online.scorer import Scorer
from discrimen.pulses import Pulses

SLICE = 50
"""Messages of a turn."""

MODEL = Path(__file__).parent.parent / "cpp/examples/sample/bc501a_10ns.discrimen"


def blocks(n_blocks: int, n_channels: int) -> list[list[bytes]]:
    """Return messages of made-up pulses as they come from a socket."""
    preparation = load_model(MODEL, threads=1).description.preparation
    n_pulses, rng = 20 * BLOCK_PULSES, np.random.default_rng(0)
    number = rng.integers(0, n_channels, n_pulses)
    samples = np.clip(made_up_pulses(preparation, n_pulses)[:, 0], 0, 2**14 - 1).astype(np.uint16)
    pulses = Pulses(
        samples=samples,
        sample_period_ns=preparation.sample_period_ns,
        timestamp_ps=np.arange(n_pulses) * 10**6,
        entry=np.arange(n_pulses),
        board=(number // 16).astype(np.int32),
        channel=(number % 16).astype(np.int32),
        flags=np.zeros(n_pulses, np.uint32),
    )
    found = []
    for sequence in range(n_blocks):
        start = sequence * BLOCK_PULSES % n_pulses
        made = message_of(pulses[start : start + BLOCK_PULSES], source=1, sequence=sequence, begin_ps=0)
        found.append([memoryview(part).cast("B").tobytes() for part in made.frames()])
    return found


def small_scorer() -> Scorer:
    """Return the sample model on one thread."""
    model = load_model(MODEL, threads=1)
    return Scorer(model.predictor, model.sha256, choose_threshold(model.description.thresholds, None))


def streamed_s(messages: list[list[bytes]], side: Side, store: ResultLog) -> float:
    """Return the CPU time of taking apart, scoring and keeping messages."""
    if side.tap is not None:
        # The same messages are new ones each time.
        side.tap._covered.clear()
    begin_s = time.process_time()
    for frames in messages:
        message: Message = unpack(frames)
        store.append(side.scorer(message))
    return time.process_time() - begin_s


@contextmanager
def monitor(address: str) -> Iterator[tuple[int, int]]:
    """Run a monitor; give its process and its port."""
    command = [sys.executable, "-m", "discrimen", "monitor", address, "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        text += process.stdout.readline()
    try:
        yield process.pid, json.loads(text)["port"]
    finally:
        process.terminate()
        process.wait()


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class CpuClock:
    """Shows the CPU time of the turns in which a monitor is told.

    To the tap it is the time of a stream at its limit on a machine of its own, whatever else this one does meanwhile.
    Within a turn it runs with the clock on the wall, which is read in a tenth of the time.
    """

    def __init__(self) -> None:
        self._before_s, self._begin_s = 0.0, time.perf_counter()

    def __call__(self) -> float:
        return self._before_s + time.perf_counter() - self._begin_s

    def begin(self) -> None:
        """Begin a turn."""
        self._begin_s = time.perf_counter()

    def end(self, used_s: float) -> None:
        """End a turn that took so much CPU time."""
        self._before_s += used_s


def cost_of_stream(folder: Path, turns: int) -> dict[str, Any]:
    """Measure the stream bare and told, in short turns, so that what else the machine does slows both alike."""
    messages, address, scorer = blocks(SLICE, 64), f"ipc://{folder}/side", small_scorer()
    tap, clock = tap_of(scorer), CpuClock()
    tap.clock = clock
    tap.__post_init__()
    used_s: dict[str, list[float]] = {"bare": [], "told": []}
    with SidePublisher(address) as publisher, monitor(address), ResultLog.open(folder / "kept.log") as store:
        tapped = TappedScorer(scorer, tap)
        sides = {"bare": Side(scorer), "told": Side(tapped, tap, publisher)}
        tapped.tell = sides["told"].tell
        time.sleep(2)
        for turn in range(turns):
            for name in sorted(sides, reverse=bool(turn % 2)):
                clock.begin()
                used_s[name].append(streamed_s(messages, sides[name], store))
                clock.end(used_s[name][-1] if name == "told" else 0.0)
            if turn % 100 == 99:
                store._file.truncate(0)
    bare_s, told_s = (np.array(used_s[name]) for name in ("bare", "told"))
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, turns, (2000, turns))
    low, high = np.quantile(told_s[drawn].mean(axis=1) / bare_s[drawn].mean(axis=1), [0.025, 0.975]) - 1
    return {
        "turns": turns,
        "bare_ns_a_pulse": float(bare_s.mean()) / (SLICE * BLOCK_PULSES) * 1e9,
        "cost": float(told_s.mean() / bare_s.mean()) - 1,
        "interval": [float(low), float(high)],
    }


async def looked_at(folder: Path, *, n_viewers: int, is_each_own: bool, seconds: float) -> dict[str, Any]:
    """Measure a monitor that hears 100,000 pulses a second of 64 channels, while pages are open."""
    address, messages, scorer = f"ipc://{folder}/side", blocks(50, 64), small_scorer()
    tap = tap_of(scorer)
    received = [0] * n_viewers
    with SidePublisher(address) as publisher, monitor(address) as (pid, port):
        side, sequence = Side(TappedScorer(scorer, tap), tap, publisher), 0

        async def stream() -> None:
            nonlocal sequence
            while True:
                for frames in messages[:2]:
                    message = unpack(frames)
                    tap._covered.clear()
                    side.scorer(message)
                    sequence += 1
                side.tell()
                await asyncio.sleep(0.02)

        async def view(number: int) -> None:
            line = await websocket_connect(f"ws://127.0.0.1:{port}/view")
            chosen = [[number // 16, number % 16]] if is_each_own else None
            await line.write_message(json.dumps({"channels": chosen}))
            while (content := await line.read_message()) is not None:
                received[number] += len(content)

        tasks = [asyncio.ensure_future(stream()), *(asyncio.ensure_future(view(each)) for each in range(n_viewers))]
        await asyncio.sleep(8)
        begin_s, begin_cpu_s, before = time.monotonic(), cpu_s(pid), list(received)
        await asyncio.sleep(seconds)
        wall_s, used_s = time.monotonic() - begin_s, cpu_s(pid) - begin_cpu_s
        rates = [(now - then) / wall_s for now, then in zip(received, before, strict=True)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "n_viewers": n_viewers,
        "own_channels": is_each_own,
        "core": used_s / wall_s,
        "bytes_hz": max(rates, default=0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        told = cost_of_stream(Path(folder), options.turns)
        low, high = told["interval"]
        print(
            f"stream: {told['bare_ns_a_pulse']:.0f} ns of CPU a pulse, telling a monitor costs {told['cost']:+.1%} "
            f"(95 %: {low:+.1%} to {high:+.1%}, {told['turns']} turns)"
        )
        none = 0.0
        for n_viewers, is_each_own in ((0, False), (20, False), (20, True)):
            found = asyncio.run(
                looked_at(Path(folder), n_viewers=n_viewers, is_each_own=is_each_own, seconds=options.seconds)
            )
            none = none if n_viewers else found["core"]
            who = f"{n_viewers} viewers" + (", each of a channel of its own" if is_each_own else "")
            print(
                f"monitor, {who}: {found['core']:.1%} of a core ({found['core'] - none:+.1%}), "
                f"{found['bytes_hz'] / 1000:.0f} kB/s each"
            )


if __name__ == "__main__":
    main()
