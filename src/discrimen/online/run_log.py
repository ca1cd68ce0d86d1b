"""A run file as the log of a source: its pulses in blocks, in the order of the file."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.online.message import PULSE_COLUMNS, SAMPLE_TYPES, Head, Kind, Message
from discrimen.pulses import Pulses

BLOCK_PULSES = 1000
"""Pulses of a message."""


def source_of(told: str) -> int:
    """Return the number of a source from what tells it from all others."""
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "little")


class RunLog:
    """The pulses of a run file as messages; those that are kept are let go, the others can be had again.

    Parameters
    ----------
    reader : Reader
        The open file.
    block_pulses : int
        Pulses of a message.
    n_rounds : int
        How often the reader reads the file, where it is a :class:`~discrimen.online.looped.LoopedReader`.
    """

    def __init__(self, reader: Reader, *, block_pulses: int = BLOCK_PULSES, n_rounds: int = 1) -> None:
        path = reader.info.path
        # A file of another size, or other blocks, would give other messages under the same numbers.
        told = f"{path.resolve()} {path.stat().st_size} {block_pulses}"
        self.source = source_of(told if n_rounds == 1 else f"{told} {n_rounds}")
        self.is_complete = False
        self._blocks = _blocks(reader, block_pulses, self.source)
        self._held: deque[Message] = deque()
        self.n_forgotten = 0

    @property
    def n_messages(self) -> int:
        """How many were read."""
        return self.n_forgotten + len(self._held)

    def read_on(self) -> Message | None:
        """Read one more block, and return it; None if there is none."""
        message = next(self._blocks, None)
        if message is None:
            self.is_complete = True
            return None
        self._held.append(message)
        return message

    def message(self, sequence: int) -> Message:
        """Return a message; see :class:`~discrimen.online.delivery.Log`."""
        at = sequence - self.n_forgotten
        if not 0 <= at < len(self._held):
            raise DataError(f"message {sequence} is not held: {self.n_forgotten} to {self.n_messages} are")
        return self._held[at]

    def forget(self, n_kept: int) -> None:
        """Let messages go; those that were not read yet are read first, for the receiver has them from before."""
        while self.n_messages < n_kept and self.read_on():
            self._held.popleft()
            self.n_forgotten += 1
        while self.n_forgotten < n_kept and self._held:
            self._held.popleft()
            self.n_forgotten += 1


def _blocks(reader: Reader, block_pulses: int, source: int) -> Iterator[Message]:
    sequence, end_ps = 0, None
    for pulses in reader.chunks():
        for start in range(0, len(pulses), block_pulses):
            message = message_of(
                pulses[start : start + block_pulses], source=source, sequence=sequence, begin_ps=end_ps
            )
            yield message
            sequence, end_ps = sequence + 1, message.head.end_ps
    end_ps = end_ps or 0
    yield Message(Head(kind=Kind.STOP, source=source, sequence=sequence, begin_ps=end_ps, end_ps=end_ps))


def message_of(pulses: Pulses, *, source: int, sequence: int, begin_ps: int | None) -> Message:
    """Return pulses as a message.

    Parameters
    ----------
    pulses : Pulses
        At least one.
    source, sequence : int
        See :class:`~discrimen.online.message.Head`.
    begin_ps : int or None
        Where the time of the message before ended; by default it begins with the first pulse.

    Raises
    ------
    DataError
        If the samples are of a type that messages do not have.
    """
    columns = np.zeros(len(pulses), PULSE_COLUMNS)
    for name in PULSE_COLUMNS.names or ():
        values = getattr(pulses, name)
        if values is not None:
            columns[name] = values
    samples = pulses.samples
    little = samples.astype(_sendable(samples.dtype).newbyteorder("<"), copy=False)
    times_ps = columns["timestamp_ps"]
    begin = int(times_ps.min()) if begin_ps is None else begin_ps
    head = Head(
        kind=Kind.PULSES,
        source=source,
        sequence=sequence,
        begin_ps=begin,
        end_ps=max(begin, int(times_ps.max()) + 1),
        n_pulses=len(pulses),
        n_samples=pulses.n_samples,
        sample_type=SAMPLE_TYPES.index(little.dtype),
        sample_period_ns=pulses.sample_period_ns or 0.0,
    )
    return Message(head, (columns, np.ascontiguousarray(little)))


def _sendable(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type in which samples travel: 8 and wider bits in one that holds them."""
    for candidate in SAMPLE_TYPES:
        if np.can_cast(dtype, candidate, "safe") and candidate.kind in ("f" if dtype.kind == "f" else "iu"):
            return candidate
    raise DataError(f"samples of type {dtype} have no place in a message")
