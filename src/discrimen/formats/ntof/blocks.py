"""What is in an ACQC bank: the stretches of samples of one channel that the zero suppression kept, in one bunch.

The payload is char[4] detector, u32 number, u32 flags, then blocks without a mark: u64 start, u64 n, n samples of i16;
at its end it is filled up to whole words. The first block of a channel, the window of the gamma flash, has start 0 and
is always kept. For the others `start` is the sample that crossed the threshold, and the block begins `PRE_SAMPLES`
before it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadReport
from discrimen.formats.ntof.banks import Bank

ACQC = struct.Struct("<4sII")
"""Detector, number, flags."""

BLOCK = struct.Struct("<QQ")
"""Start, samples."""

PRE_SAMPLES = 259
"""Samples of a block before the one that crossed the threshold."""

FILL = -(2**15)
"""What stands in gaps; the lower end of the ADC's range as well."""

_MOST_SAMPLES, _LATEST = 2**27, 2**32
_PAD_BYTES = 4
_APPROACH = 4

BROKEN = "broken chain of blocks, with the rest of its ACQC bank"
CUT = "truncated last block"
GAP = "block with a gap, filled with 0x8000"


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its number in the file, the place of its first sample in the bunch, and its samples.

    Parameters
    ----------
    entry : int
        Counts every block of the file.
    begin : int
        In samples from the start of the bunch's window; below 0 if the threshold was crossed in the first ones.
    samples : ndarray of int16, shape (sample,)
    saturated : bool
        Whether a sample lies at an end of the ADC's range.
    """

    entry: int
    begin: int
    samples: NDArray[np.int16]
    saturated: bool


@dataclass(slots=True)
class BlockWalk:
    """Walks through the blocks of banks, reading them in pieces.

    Parameters
    ----------
    stream : BufferedReader
        The open file.
    size : int
        Its length in bytes.
    piece_bytes : int
        How much to read at a time, unless one block is longer.
    report : ReadReport
        Counts what is left out.
    n_blocks : int
        Walked through up to now, damaged ones included.
    broken_at : int or None
        Where in the file the latest bank stopped to be a chain of blocks: its length may be wrong as well.
    """

    stream: BufferedReader
    size: int
    piece_bytes: int
    report: ReadReport
    n_blocks: int = 0
    broken_at: int | None = None

    def through(self, bank: Bank) -> Iterator[Block]:
        """Yield the blocks of a bank that are whole."""
        at, end = bank.begin + ACQC.size, min(bank.end, self.size)
        piece, origin = b"", at
        self.broken_at = None
        while end - at >= BLOCK.size:
            piece, origin = self._ahead(piece, origin, at, BLOCK.size, end)
            start, n_samples = BLOCK.unpack_from(piece, at - origin)
            behind = at + BLOCK.size + 2 * n_samples
            if start >= _LATEST or n_samples > _MOST_SAMPLES or behind > bank.end:
                self.broken_at = at
                self._leave_out(BROKEN, at)
                return
            if behind > end:
                self._leave_out(CUT, at)
                return
            piece, origin = self._ahead(piece, origin, at, behind - at, end)
            samples = np.frombuffer(piece, "<i2", n_samples, at - origin + BLOCK.size)
            yield from self._judged(start, samples, at)
            at = behind
        self._end(bank, at, end)

    def _end(self, bank: Bank, at: int, end: int) -> None:
        """Tell what is left of a bank behind its last block."""
        if bank.end > self.size:
            self._leave_out(CUT, at)
        elif end - at >= _PAD_BYTES:
            self.broken_at = at
            self._leave_out(BROKEN, at)

    def _ahead(self, piece: bytes, origin: int, at: int, n_bytes: int, end: int) -> tuple[bytes, int]:
        """Return a piece that holds some bytes from a place on, and where it begins in the file."""
        if at + n_bytes <= origin + len(piece):
            return piece, origin
        self.stream.seek(at)
        return self.stream.read(min(max(n_bytes, self.piece_bytes), end - at)), at

    def _judged(self, start: int, samples: NDArray[np.int16], at: int) -> Iterator[Block]:
        """Yield the block unless it is empty or has a gap."""
        if not len(samples):
            self.report.n_empty += 1
            self.n_blocks += 1
            return
        low, high = int(samples.min()), int(samples.max())
        if low == FILL and has_gap(samples):
            self._leave_out(GAP, at)
            return
        begin = start - PRE_SAMPLES if start else 0
        yield Block(self.n_blocks, begin, samples, low == FILL or high == -FILL - 1)
        self.n_blocks += 1

    def _leave_out(self, kind: str, at: int) -> None:
        self.report.add_damage(kind, offset=at)
        self.n_blocks += 1


def has_gap(samples: NDArray[np.int16]) -> bool:
    """Say whether samples at the lower end of the range fill a gap, and are not a pulse that is cut off there.

    Both are the same number. A pulse goes to the end of the range in steps, or comes back from it so; a gap has a cliff
    on both sides. A side counts as steps if the last one, onto the rail, is at most four times the one before. A gap
    that begins on the steep edge of a pulse and ends on another cannot be told.
    """
    at_rail = np.concatenate(([False], samples == FILL, [False]))
    edges = np.flatnonzero(at_rail[1:] != at_rail[:-1])
    wide = samples.astype(np.int32)
    for first, behind in edges.reshape(-1, 2):
        before, after = wide[max(0, first - 2) : first], wide[behind : behind + 2][::-1]
        if not (_is_approach(before) or _is_approach(after)):
            return True
    return False


def _is_approach(outside: NDArray[np.int32]) -> bool:
    """Whether two samples, the second beside the rail, lead onto it."""
    if len(outside) < 2:
        return False
    far, near = int(outside[0]), int(outside[1])
    return near - FILL <= _APPROACH * (far - near)
