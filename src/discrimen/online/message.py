r"""The messages of a stream: a head of fixed length, then columns and samples as they lie in memory.

A message has one to six parts (frames of ZeroMQ), all little-endian. The first part is the head, 88 bytes:

====== ======= =======================================================================================
offset type    what
====== ======= =======================================================================================
0      8 bytes ``DSCSTRM\0``
8      u32     version of this layout, 1
12     u32     kind: 1 pulses, 2 results, 3 stop, 4 hello, 5 receipt
16     u64     source: a number that the sender of the pulses has for itself, for as long as its log lives
24     u64     sequence: number of the message among those of the source, from 0; of a receipt, how many are kept
32     i64     begin of the time that it covers, in ps
40     i64     end of that time, in ps; the next message begins there
48     u32     pulses
52     u32     channels of a pulse
56     u32     samples of a channel; of results, float32 values of a pulse
60     u32     type of the samples: 0 int16, 1 uint16, 2 int32, 3 float32; of a receipt, 1 asks to send again
64     f64     sampling period in ns
72     u32     flags: 1 the sender can send again what was lost
76     u32     window: of a receipt, how many messages may be on their way
80     u32     attempt: how often the sender has begun again; a receipt repeats that of the message that it answers
84     u32     0
====== ======= =======================================================================================

*pulses*: a part with 24 bytes for each pulse (i64 time stamp in ps, i64 entry, u32 flags, u16 board, u16 channel), and
a part with the samples, (pulse, channel, sample). *results*: the same columns; the values of all outputs, float32
(pulse, value); u16 bits of what is unlike the training (empty where the model does not know); i8 class, -1 without one
(empty without classes); JSON that names outputs, classes and model. *stop*, *hello* and *receipt* have the head alone.
A stop has a sequence number like the messages before it, so that it cannot overtake them. ``delivery.py`` says who
sends what when.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError

MAGIC = b"DSCSTRM\0"
VERSION = 1
MOST_PULSES = 2**20
"""Of one message: a head that promises more is taken for garbage."""

MOST_VALUES = 2**28
"""Samples, or values of results, of one message."""

CAN_SEND_AGAIN = 1
"""Flag of a sender with a log."""

SEND_AGAIN = 1
"""In a receipt's place for the type of samples: what was sent behind the messages that are kept is lost."""

SAMPLE_TYPES = tuple(np.dtype(name) for name in ("<i2", "<u2", "<i4", "<f4"))
PULSE_COLUMNS = np.dtype(
    [
        ("timestamp_ps", "<i8"),
        ("entry", "<i8"),
        ("flags", "<u4"),
        ("board", "<u2"),
        ("channel", "<u2"),
    ]
)
_HEAD = struct.Struct("<8sIIQQqqIIIIdIII4x")
HEAD_BYTES = _HEAD.size

Part = bytes | memoryview | NDArray[Any]


class Kind(IntEnum):
    """What a message holds."""

    PULSES = 1
    RESULTS = 2
    STOP = 3
    HELLO = 4
    RECEIPT = 5


_N_PARTS = {Kind.PULSES: 3, Kind.RESULTS: 6, Kind.STOP: 1, Kind.HELLO: 1, Kind.RECEIPT: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a message; what each field holds stands in the table of the module."""

    kind: Kind
    source: int
    sequence: int
    begin_ps: int = 0
    end_ps: int = 0
    n_pulses: int = 0
    n_channels: int = 1
    n_samples: int = 0
    sample_type: int = 0
    sample_period_ns: float = 0.0
    flags: int = 0
    window: int = 0
    attempt: int = 0

    def pack(self) -> bytes:
        """Return its bytes."""
        return _HEAD.pack(
            MAGIC,
            VERSION,
            self.kind,
            self.source,
            self.sequence,
            self.begin_ps,
            self.end_ps,
            self.n_pulses,
            self.n_channels,
            self.n_samples,
            self.sample_type,
            self.sample_period_ns,
            self.flags,
            self.window,
            self.attempt,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A head with the parts that belong to it, whose lengths are those that the head promises."""

    head: Head
    parts: tuple[Part, ...] = ()

    def frames(self) -> list[Part]:
        """Return all parts, the head first."""
        return [self.head.pack(), *self.parts]

    @property
    def columns(self) -> NDArray[Any]:
        """Time stamp, entry, flags, board and channel of each pulse: a structured array, shape (pulse,)."""
        return np.frombuffer(self.parts[0], PULSE_COLUMNS)

    @property
    def samples(self) -> NDArray[Any]:
        """The samples of pulses, shape (pulse, channel, sample)."""
        head = self.head
        shape = (head.n_pulses, head.n_channels, head.n_samples)
        return np.frombuffer(self.parts[1], SAMPLE_TYPES[head.sample_type]).reshape(shape)

    @property
    def values(self) -> NDArray[np.float32]:
        """The values of results, shape (pulse, value)."""
        return np.frombuffer(self.parts[1], np.dtype("<f4")).reshape(self.head.n_pulses, self.head.n_samples)


def unpack(frames: Sequence[bytes | memoryview]) -> Message:
    """Check a message that came, and take it apart; nothing is copied.

    Raises
    ------
    DataError
        If it is no message of this layout, or its parts have other lengths than its head says.
    """
    head = _unpack_head(frames[0] if frames else b"")
    parts = tuple(frames[1:])
    _require_lengths(head, [len(part) if isinstance(part, bytes) else part.nbytes for part in parts])
    return Message(head, parts)


def _unpack_head(content: bytes | memoryview) -> Head:
    length = len(content) if isinstance(content, bytes) else content.nbytes
    if length != HEAD_BYTES:
        raise DataError(f"expected a head of {HEAD_BYTES} bytes, got {length}")
    magic, version, kind, *rest = _HEAD.unpack(content)
    if magic != MAGIC:
        raise DataError(f"expected a message that begins with {MAGIC!r}, got {magic!r}")
    if version != VERSION:
        raise DataError(
            f"expected version {VERSION} of the messages, got {version}: run the same version on both sides"
        )
    if kind not in Kind.__members__.values():
        raise DataError(f"there is no kind {kind} of message")
    names = [name for name in Head.__dataclass_fields__ if name != "kind"]
    head = Head(kind=Kind(kind), **dict(zip(names, rest, strict=True)))
    if head.n_pulses > MOST_PULSES or head.n_pulses * head.n_channels * head.n_samples > MOST_VALUES:
        raise DataError(
            f"{head.n_pulses} pulses of {head.n_channels} x {head.n_samples} samples are too many for one message"
        )
    if head.kind == Kind.PULSES and head.sample_type >= len(SAMPLE_TYPES):
        raise DataError(f"there is no type {head.sample_type} of samples")
    if head.end_ps < head.begin_ps:
        raise DataError(f"it covers the time from {head.begin_ps} ps back to {head.end_ps} ps")
    return head


def _require_lengths(head: Head, lengths: Sequence[int]) -> None:
    if len(lengths) + 1 != _N_PARTS[head.kind]:
        raise DataError(
            f"expected {_N_PARTS[head.kind]} parts of a message of {head.kind.name.lower()}, got {len(lengths) + 1}"
        )
    wanted: list[set[int] | None] = []
    if head.kind in (Kind.PULSES, Kind.RESULTS):
        wanted.append({head.n_pulses * PULSE_COLUMNS.itemsize})
    if head.kind == Kind.PULSES:
        wanted.append(
            {prod((head.n_pulses, head.n_channels, head.n_samples)) * SAMPLE_TYPES[head.sample_type].itemsize}
        )
    elif head.kind == Kind.RESULTS:
        wanted += [{4 * head.n_pulses * head.n_samples}, {0, 2 * head.n_pulses}, {0, head.n_pulses}, None]
    for number, (length, allowed) in enumerate(zip(lengths, wanted, strict=True), start=1):
        if allowed is not None and length not in allowed:
            raise DataError(
                f"part {number} has {length} bytes, its head promises {' or '.join(map(str, sorted(allowed)))}"
            )
