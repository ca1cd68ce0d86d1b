"""A small world with a clock of its own in which messages are delayed, lost, doubled and torn, and programs killed.

Everything follows from one seed: a failing one plays the same story again.
"""

from __future__ import annotations

import heapq
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discrimen.errors import DataError
from discrimen.online.delivery import Keeper, Sender
from discrimen.online.message import PULSE_COLUMNS, Head, Kind, Message, unpack
from discrimen.online.result_log import ResultLog, records

FAULTS_END_S = 20.0
"""Later nothing goes wrong any more: what is not delivered then never will be."""

LAST_S = 60.0
SOURCE = 7


def block(sequence: int) -> Message:
    """Return a message of some pulses that can be told from all others."""
    n_pulses = 1 + sequence % 3
    head = Head(
        kind=Kind.PULSES,
        source=SOURCE,
        sequence=sequence,
        begin_ps=1000 * sequence,
        end_ps=1000 * (sequence + 1),
        n_pulses=n_pulses,
        n_samples=2,
    )
    columns = bytes([sequence % 256]) * (n_pulses * PULSE_COLUMNS.itemsize)
    return Message(head, (columns, bytes(n_pulses * 2 * 2)))


@dataclass
class FileLog:
    """A log on disk: it survives its program, which may only read what is not forgotten."""

    n_all: int
    n_written: int = 0
    n_forgotten: int = 0
    source: int = SOURCE

    @property
    def n_messages(self) -> int:
        return self.n_written

    @property
    def is_complete(self) -> bool:
        return self.n_written == self.n_all

    def message(self, sequence: int) -> Message:
        if not self.n_forgotten <= sequence < self.n_written:
            raise DataError(f"message {sequence} is not there: {self.n_forgotten} to {self.n_written} are")
        return self.message_again(sequence)

    def message_again(self, sequence: int) -> Message:
        """Return a message whether it is forgotten or not."""
        if sequence == self.n_all - 1:
            return Message(Head(kind=Kind.STOP, source=SOURCE, sequence=sequence))
        return block(sequence)

    def forget(self, n_kept: int) -> None:
        self.n_forgotten = max(self.n_forgotten, n_kept)


class Killed(Exception):
    """The program ended in the middle of what it did."""


class Disk(io.BytesIO):
    """What a keeper writes to; it may be killed when only a part of a message is written."""

    def __init__(self, rng: random.Random, torn: float) -> None:
        super().__init__()
        self._rng, self.torn = rng, torn

    def write(self, content: Any) -> int:
        if self._rng.random() < self.torn:
            super().write(content[: self._rng.randrange(len(content))])
            raise Killed
        return super().write(content)

    def messages(self) -> list[Message]:
        """Return all that is kept."""
        return [message for message, _ in records(self, Path("disk"))]


@dataclass
class Odds:
    """How likely each thing is to go wrong; drawn for each story, so that some are calm and some are not."""

    lost: float
    doubled: float
    torn: float
    killed_while_writing: float
    kills_per_s: float
    longest_delay_s: float

    @classmethod
    def drawn(cls, rng: random.Random) -> Odds:
        return cls(
            lost=rng.choice((0, 0.02, 0.3)),
            doubled=rng.choice((0, 0.1)),
            torn=rng.choice((0, 0.05)),
            killed_while_writing=rng.choice((0, 0.1)),
            kills_per_s=rng.choice((0, 0.2, 1.0)),
            longest_delay_s=rng.choice((0.01, 0.5, 3.0)),
        )


class World:
    """A log, its sender, a relay that keeps nothing, and a keeper with its disk."""

    def __init__(self, seed: int, *, keeper: Callable[..., Any] = Keeper) -> None:
        self._rng = random.Random(seed)
        self._odds, self._keeper_of = Odds.drawn(self._rng), keeper
        self._now_s, self._number = 0.0, 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self.log = FileLog(self._rng.randint(2, 60))
        self.disk = Disk(self._rng, self._odds.killed_while_writing)
        self.n_garbage = self.n_torn = 0
        self.sender: Sender | None = Sender(self.log, attempt=self._rng.getrandbits(32))
        self.relay_is_up = True
        self.keeper: Any = None
        self._start("keeper", again=False)
        self._at(0, self._tick)
        self._at(FAULTS_END_S, self._calm_down)
        for name in ("sender", "relay", "keeper"):
            self._plan_kill(name)

    def play(self) -> None:
        """Play until everything is delivered, or it is too late for that."""
        while self._events and self._now_s < LAST_S and not (self.sender and self.sender.is_done):
            self._now_s, _, happens = heapq.heappop(self._events)
            happens()

    def _at(self, delay_s: float, happens: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (self._now_s + delay_s, self._number, happens))

    def _tick(self) -> None:
        if self.log.n_written < self.log.n_all and self._rng.random() < 0.7:
            self.log.n_written += 1
        if self.sender is not None:
            for message in self.sender.due(self._now_s):
                self._send(message.frames(), self._arrives_at_relay)
        self._at(0.1, self._tick)

    def _send(self, frames: list[Any], arrives: Callable[[list[bytes]], None]) -> None:
        content = [bytes(part) for part in frames]
        wrong = self._now_s < FAULTS_END_S
        if wrong and self._rng.random() < self._odds.lost:
            return
        if wrong and self._rng.random() < self._odds.torn:
            content[-1] = content[-1][: self._rng.randrange(max(1, len(content[-1])))]
        for _ in range(2 if wrong and self._rng.random() < self._odds.doubled else 1):
            longest_s = self._odds.longest_delay_s if wrong else 0.01
            self._at(self._rng.uniform(0, longest_s), lambda: arrives(content))

    def _arrives_at_relay(self, frames: list[bytes]) -> None:
        if self.relay_is_up and (message := self._unpacked(frames)):
            arrives = self._arrives_at_sender if message.head.kind == Kind.RECEIPT else self._arrives_at_keeper
            self._send(message.frames(), arrives)

    def _arrives_at_keeper(self, frames: list[bytes]) -> None:
        if self.keeper is None or not (message := self._unpacked(frames)):
            return
        try:
            receipt = self.keeper.take(message)
        except Killed:
            self.n_torn += 1
            self.keeper = None
            self._at(self._rng.uniform(0.05, 2), lambda: self._start("keeper", again=False))
            return
        if receipt is not None:
            self._send([receipt.pack()], self._arrives_at_relay)

    def _arrives_at_sender(self, frames: list[bytes]) -> None:
        if self.sender is not None and (message := self._unpacked(frames)):
            self.sender.take(message.head, self._now_s)

    def _unpacked(self, frames: list[bytes]) -> Message | None:
        try:
            return unpack(frames)
        except DataError:
            self.n_garbage += 1
            return None

    def _calm_down(self) -> None:
        self.disk.torn = 0

    def _plan_kill(self, name: str) -> None:
        if self._odds.kills_per_s:
            self._at(self._rng.expovariate(self._odds.kills_per_s), lambda: self._kill(name))

    def _kill(self, name: str) -> None:
        if self._now_s > FAULTS_END_S:
            return
        if name == "sender":
            self.sender = None
        elif name == "relay":
            self.relay_is_up = False
        else:
            self.keeper = None
        self._at(self._rng.uniform(0.05, 2), lambda: self._start(name))

    def _start(self, name: str, *, again: bool = True) -> None:
        if name == "sender":
            self.sender = Sender(self.log, attempt=self._rng.getrandbits(32))
        elif name == "relay":
            self.relay_is_up = True
        else:
            self.keeper = self._keeper_of(ResultLog(self.disk, Path("disk")), window=4)
        if again:
            self._plan_kill(name)
