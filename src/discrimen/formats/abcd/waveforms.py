"""Waveforms as ABCD packs them, in its messages and in ``.adw`` files: records that follow each other without a mark.

A record is 14 bytes of head (u64 time stamp in ticks, u8 channel, u32 n, u8 k), n samples of u16, and k curves of n
bytes that `waan` draws beside the pulse. Little-endian and packed. Lengths may change from record to record; where they
do not, all records are one array that needs no walk.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

HEAD = np.dtype([("timestamp", "<u8"), ("channel", "u1"), ("n_samples", "<u4"), ("n_curves", "u1")])
"""The head of a record."""

SHAPE = slice(9, 14)
"""The bytes of a head that say how long the record is."""

LARGEST_RECORD = 2**26
"""Bytes; a head that promises more is taken for damage."""

_HEAD = struct.Struct("<QBIB")
_SHAPE = struct.Struct("<IB")
_SOUGHT_BYTES, _SOUGHT_SHAPES = 2**16, 16
"""Behind damage, records of the latest shapes are looked for in stretches of so many bytes."""

Content = bytes | memoryview
Shape = tuple[int, int]
"""Samples, and curves beside them."""


@lru_cache(maxsize=256)
def record_type(n_samples: int, n_curves: int) -> np.dtype[np.void]:
    """Return the type of a record of some shape."""
    curves = [("curves", "u1", (n_curves, n_samples))] if n_curves else []
    return np.dtype([*((name, HEAD[name]) for name in HEAD.names or ()), ("samples", "<u2", (n_samples,)), *curves])


def bytes_of_first(content: Content, latest_tick: int) -> int | None:
    """Return the length of the record that begins here; None if it cannot be one."""
    shape = _shape_at(content, 0, latest_tick) if len(content) >= HEAD.itemsize else None
    return None if shape is None else record_type(*shape).itemsize


def _shape_at(content: Content, at: int, latest_tick: int) -> Shape | None:
    """Read the shape from a head; None if it is no head."""
    tick, _, n_samples, n_curves = _HEAD.unpack_from(content, at)
    if not 0 < n_samples * (2 + n_curves) <= LARGEST_RECORD or tick >= latest_tick:
        return None
    return n_samples, n_curves


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one shape that follow each other.

    Parameters
    ----------
    first : int
        How many records, damaged ones included, came before them.
    records : ndarray of `record_type`, shape (record,)
        A view of what was walked through.
    """

    first: int
    records: NDArray[np.void]


@dataclass(slots=True)
class Walk:
    """Finds the records in bytes that may come piece by piece, and the way back to them behind damage.

    A shape that was not seen before is believed when the head of a record, or the end, comes behind it. Behind damage
    the next record is found by a shape that was seen before.

    Parameters
    ----------
    latest_tick : int
        A head with this time stamp or a later one is damaged.
    shapes : dict of Shape to None
        That were seen, in the order in which they came.

    Attributes
    ----------
    runs : list of Run
        Found in the latest piece.
    damaged : list of int
        Offsets in the latest piece where something else than a record stood.
    n_records : int
        Up to now, damaged ones included.
    """

    latest_tick: int
    shapes: dict[Shape, None] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    n_records: int = 0
    _is_lost: bool = False

    def through(self, content: Content, *, is_end: bool) -> int:
        """Walk through a piece, and return how many bytes of it are done; the next piece begins with the rest.

        Behind the end another message may begin.
        """
        self.runs, self.damaged = [], []
        at = self._walk(content, is_end=is_end)
        self._is_lost = self._is_lost and not is_end
        return at

    def _walk(self, content: Content, *, is_end: bool) -> int:
        at = 0
        while at < len(content):
            if self._is_lost:
                content = bytes(content)
                at = self._way_back(content, at, is_end=is_end)
                if self._is_lost:
                    return at
            is_record = self._is_record(content, at, is_end=is_end)
            if is_record is None:
                return at
            if is_record:
                at = self._run(content, at)
            else:
                self.damaged.append(at)
                self.n_records += 1
                self._is_lost = True
        return at

    def _is_record(self, content: Content, at: int, *, is_end: bool) -> bool | None:
        """Whether a whole record begins here; None if that cannot be told before more has come."""
        unknown = False if is_end else None
        if at + HEAD.itemsize > len(content):
            return unknown
        shape = self._shape(content, at)
        if shape is None:
            return False
        end = at + record_type(*shape).itemsize
        if end > len(content):
            return unknown
        if shape in self.shapes:
            return True
        if end + HEAD.itemsize > len(content):
            is_believed = end == len(content) if is_end else None
        else:
            is_believed = self._shape(content, end) is not None
        if is_believed:
            self.shapes[shape] = None
        return is_believed

    def _shape(self, content: Content, at: int) -> Shape | None:
        return _shape_at(content, at, self.latest_tick)

    def _run(self, content: Content, at: int) -> int:
        """Take all records of one shape that begin here; return where they end."""
        shape = self._shape(content, at)
        assert shape is not None
        dtype = record_type(*shape)
        records = np.frombuffer(content, dtype, (len(content) - at) // dtype.itemsize, at)
        count = self._count(records, shape)
        self.runs.append(Run(self.n_records, records[:count]))
        self.n_records += count
        return at + count * dtype.itemsize

    def _count(self, records: NDArray[np.void], shape: Shape) -> int:
        """How many records from the first one on have this shape, looking ever further ahead."""
        count, step = 1, 64
        while count < len(records):
            ahead = records[count : count + step]
            same = ahead["n_samples"] == shape[0]
            same &= ahead["n_curves"] == shape[1]
            same &= ahead["timestamp"] < self.latest_tick
            if not same.all():
                return count + int(same.argmin())
            count, step = count + len(ahead), 16 * step
        return count

    def _way_back(self, content: bytes, at: int, *, is_end: bool) -> int:
        """Find the next record of a known shape behind damage; where there is none, what may still be part of one."""
        shapes = list(self.shapes)[-_SOUGHT_SHAPES:]
        begin = at + 1
        while begin < len(content):
            end = begin + _SOUGHT_BYTES
            found = [place for shape in shapes if (place := self._next(content, begin, end, shape, is_end)) is not None]
            if found:
                self._is_lost = False
                return min(found)
            begin = end
        return len(content) if is_end else max(at, len(content) - HEAD.itemsize)

    def _next(self, content: bytes, begin: int, end: int, shape: Shape, is_end: bool) -> int | None:
        """Find a record of some shape between two places."""
        mark, size = _SHAPE.pack(*shape), record_type(*shape).itemsize
        place = begin + SHAPE.start - 1
        while (place := content.find(mark, place + 1, end + HEAD.itemsize)) >= 0:
            head = place - SHAPE.start
            if head < begin or head >= end or self._shape(content, head) != shape:
                continue
            behind = len(content) - (head + size)
            if behind < 0:
                if not is_end:
                    return head
            elif behind < HEAD.itemsize or self._shape(content, head + size) is not None:
                return head
        return None
