"""Messages say what they hold, and garbage is no message."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.online.faults import block

from discrimen.errors import DataError
from discrimen.online.delivery import as_result
from discrimen.online.message import HEAD_BYTES, MOST_PULSES, PULSE_COLUMNS, Head, Kind, Message, unpack
from discrimen.online.run_log import message_of
from discrimen.online.stream import Stream
from discrimen.pulses import Pulses


def pulses(dtype: str = "u2") -> Pulses:
    return Pulses(
        samples=np.arange(12).reshape(3, 4).astype(dtype),
        sample_period_ns=10.0,
        entry=np.array([5, 6, 9]),
        timestamp_ps=np.array([100, 300, 200]),
        board=np.array([0, 0, 1], np.int32),
        channel=np.array([3, 4, 5], np.int32),
    )


def frames(message: Message) -> list[bytes]:
    return [bytes(part) for part in message.frames()]


def test_pulses_come_out_as_they_went_in() -> None:
    sent = message_of(pulses(), source=2**63 + 1, sequence=8, begin_ps=50)
    came = unpack(frames(sent))
    assert came.head == sent.head
    assert (came.head.begin_ps, came.head.end_ps, came.head.n_pulses) == (50, 301, 3)
    assert np.array_equal(came.samples[:, 0], pulses().samples)
    assert came.columns["entry"].tolist() == [5, 6, 9]
    assert came.columns["channel"].tolist() == [3, 4, 5]


@pytest.mark.parametrize(("given", "travels"), [("i2", "<i2"), ("u1", "<i2"), ("i4", "<i4"), ("f4", "<f4")])
def test_samples_travel_in_a_type_that_holds_them(given: str, travels: str) -> None:
    came = unpack(frames(message_of(pulses(given), source=1, sequence=0, begin_ps=None)))
    assert came.samples.dtype == np.dtype(travels)
    assert np.array_equal(came.samples[:, 0], pulses(given).samples)


GOOD = block(3)
WRONG: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "nothing": (lambda _: [], "expected a head of 88 bytes, got 0"),
    "a short head": (lambda parts: [parts[0][:-1], *parts[1:]], "got 87"),
    "another magic": (lambda parts: [b"X" + parts[0][1:], *parts[1:]], "begins with"),
    "another version": (lambda parts: [parts[0][:8] + b"\x02" + parts[0][9:], *parts[1:]], "version 1"),
    "an unknown kind": (lambda parts: [parts[0][:12] + b"\x09" + parts[0][13:], *parts[1:]], "no kind 9"),
    "a part too few": (lambda parts: parts[:-1], "expected 3 parts"),
    "a part too many": (lambda parts: [*parts, b""], "expected 3 parts"),
    "torn samples": (lambda parts: [*parts[:-1], parts[-1][:-1]], "part 2 has 3 bytes"),
    "torn columns": (lambda parts: [parts[0], parts[1][:-1], parts[2]], "part 1 has 23 bytes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_message_says_why(name: str) -> None:
    change, reason = WRONG[name]
    assert unpack(frames(GOOD)).head == GOOD.head
    with pytest.raises(DataError, match=reason):
        unpack(change(frames(GOOD)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"n_pulses": MOST_PULSES + 1}, "too many for one message"),
        ({"n_channels": 2**31, "n_samples": 2**31}, "too many for one message"),
        ({"sample_type": 4}, "no type 4"),
        ({"begin_ps": 10, "end_ps": 9}, "back to 9 ps"),
    ],
)
def test_a_head_that_cannot_be_is_refused(changes: dict[str, int], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        unpack([replace(GOOD.head, **changes).pack(), *frames(GOOD)[1:]])  # type: ignore[arg-type]


class Nowhere:
    """Takes everything and says nothing."""

    def __init__(self) -> None:
        self.taken: list[Message] = []

    def take(self, message: Message) -> bool:
        self.taken.append(message)
        return True

    def receipts(self) -> list[Head]:
        return []

    def wait(self, inlet: object, *, for_room: bool) -> None:
        return None


class Given:
    """Gives what is put into it."""

    def __init__(self, messages: list[list[bytes]]) -> None:
        self.messages = messages

    def come(self) -> list[list[memoryview]]:
        given, self.messages = self.messages, []
        return [[memoryview(part) for part in parts] for parts in given]


def mutated(rng: random.Random) -> list[bytes]:
    """Return a message in which bytes are changed, cut off, added, or parts exchanged."""
    parts = [bytearray(part) for part in frames(block(rng.randrange(10)))]
    for _ in range(rng.randint(1, 4)):
        part = rng.choice(parts)
        kind = rng.randrange(5)
        if kind == 0 and part:
            part[rng.randrange(len(part))] = rng.randrange(256)
        elif kind == 1:
            del part[rng.randrange(len(part) + 1) :]
        elif kind == 2:
            part += rng.randbytes(rng.randrange(200))
        elif kind == 3:
            rng.shuffle(parts)
        else:
            parts.append(bytearray(rng.randbytes(rng.randrange(HEAD_BYTES + 1))))
    return [bytes(part) for part in parts]


def as_results(message: Message) -> Message:
    values = np.zeros((message.head.n_pulses, 1), np.float32)
    return Message(as_result(message.head, n_values=1), (message.parts[0], values, b"", b"", b"{}"))


@pytest.mark.parametrize("n_messages", [5000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_garbage_is_counted_and_the_stream_goes_on(n_messages: int) -> None:
    rng = random.Random(4)
    given, nowhere = Given([]), Nowhere()
    stream = Stream(given, as_results, nowhere)  # type: ignore[arg-type]
    for _ in range(n_messages):
        given.messages = [mutated(rng)]
        stream.step()
    assert stream.n_garbage + len(nowhere.taken) == n_messages
    assert stream.n_garbage > n_messages // 2
    given.messages = [frames(GOOD)]
    stream.step()
    assert nowhere.taken[-1].head.kind == Kind.RESULTS
    assert len(nowhere.taken[-1].parts[0]) == GOOD.head.n_pulses * PULSE_COLUMNS.itemsize
