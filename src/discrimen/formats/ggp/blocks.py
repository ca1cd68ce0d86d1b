"""The blocks of a GGP file: a head of 16 words each, channels, and the next block behind damage.

All words are u16, little-endian. The head: key, event number (low, high), time stamp (48 bits), samples of a channel,
total length, crystal, status, 6 words to spare. A channel: key, energy (low, high), status, 2 words to spare, type of
compression, compressed length; and its samples. The total length counts words, or bytes in files where only that leads
from block to block.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadReport, opened_to_read

HEAD = np.dtype(
    [
        ("key", "<u2"),
        ("event", "<u2", (2,)),
        ("ticks", "<u2", (3,)),
        ("n_samples", "<u2"),
        ("length", "<u2"),
        ("crystal", "<u2"),
        ("status", "<u2"),
        ("spare", "<u2", (6,)),
    ]
)
HEAD_BYTES = HEAD.itemsize
CHANNEL_HEAD_BYTES = 16

DATA, WAVE, SPECTRUM = 0xDA00, 0xDA50, 0xDA60
NAMES = {DATA: "data", WAVE: "wave", SPECTRUM: "spectrum"}
_KIND = 0xFFF0
PILE_UP, IDLE = 0x1, 0x8

CUT = "truncated last block"
UNSOUND = "GGP block that no other one follows"
NO_BLOCK = "bytes that are no GGP block"


def channel_type(n_samples: int) -> np.dtype[Any]:
    """Return the type of a channel that is not compressed."""
    return np.dtype(
        [
            ("key", "<u2"),
            ("energy", "<i4"),
            ("status", "<u2"),
            ("spare", "<u2", (2,)),
            ("compression", "<u2"),
            ("compressed_words", "<u2"),
            ("samples", "<u2", (n_samples,)),
        ]
    )


def head_at(text: bytes, at: int) -> np.void | None:
    """Return the head of the block that may begin here; None if none does."""
    if len(text) - at < HEAD_BYTES:
        return None
    head: np.void = np.frombuffer(text, HEAD, 1, at)[0]
    kind = int(head["key"]) & _KIND
    return head if kind in NAMES and (kind == SPECTRUM or head["n_samples"]) and head["length"] else None


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Blocks of one kind and size that follow each other.

    Parameters
    ----------
    kind, n_samples : int
        Of each.
    rows : ndarray of uint8, shape (block, byte)
        The blocks.
    offset : int
        Where the first begins in the file.
    """

    kind: int
    n_samples: int
    rows: NDArray[np.uint8]
    offset: int

    @property
    def heads(self) -> NDArray[np.void]:
        """Their heads, of shape (block,)."""
        return np.ascontiguousarray(self.rows[:, :HEAD_BYTES]).view(HEAD)[:, 0]


def block_pieces(path: Path, *, unit: int, chunk_bytes: int, report: ReadReport) -> Iterator[list[Blocks]]:
    """Walk through a file and yield its sound blocks in pieces; what is damaged is counted.

    Parameters
    ----------
    path : Path
        The file.
    unit : int
        Bytes of a step of the total length.
    chunk_bytes : int
        About how much to hold at a time.
    report : ReadReport
        Counts damage.

    Raises
    ------
    FormatError
        If the file cannot be read.
    """
    walk = BlockWalk(unit, report)
    rest, offset, is_end = b"", 0, False
    with opened_to_read(path) as stream:
        while not is_end:
            more = stream.read(max(chunk_bytes, len(rest), HEAD_BYTES))
            is_end = not more
            text = rest + more
            found, done = walk.through(text, offset, is_end=is_end)
            if found:
                yield found
            rest, offset = text[done:], offset + done


class BlockWalk:
    """Finds the blocks in the pieces of a file.

    Parameters
    ----------
    unit : int
        Bytes of a step of the total length: 2 for words, 1 for bytes.
    report : ReadReport
        Counts what is damaged.
    """

    def __init__(self, unit: int, report: ReadReport) -> None:
        self._unit, self._report = unit, report
        self._is_lost, self._is_end = False, False
        self._offset = 0

    def through(self, text: bytes, offset: int, *, is_end: bool) -> tuple[list[Blocks], int]:
        """Return the blocks of a piece that begins at an offset of the file, and how many of its bytes are done."""
        self._offset, self._is_end = offset, is_end
        found: list[Blocks] = []
        at = 0
        after: int | None = 0
        while after is not None and len(text) - after >= HEAD_BYTES:
            at = after
            if self._is_lost:
                at, is_sound = self._way_back(text, at, is_end=is_end)
                if not is_sound:
                    break
                self._is_lost = False
            after = self._step(text, at, found)
        else:
            at = at if after is None else after
        if is_end and at < len(text):
            if not self._is_lost:
                self._report.add_damage(CUT, offset=offset + at)
            at = len(text)
        return found, at

    def _step(self, text: bytes, at: int, found: list[Blocks]) -> int | None:
        """Take the blocks of one kind that begin here, and return where the next begins; None if more has to come."""
        head = head_at(text, at)
        n_bytes = 0 if head is None else self._unit * int(head["length"])
        if head is None or n_bytes < HEAD_BYTES:
            return self._lose(NO_BLOCK, at)
        if not self._is_end and at + n_bytes + HEAD_BYTES > len(text):
            return None
        if at + n_bytes > len(text):
            return self._lose(UNSOUND, at) if self._way_back(text, at + 1, is_end=True)[1] else None
        count = _n_alike(text, at, n_bytes, spare=0 if self._is_end else HEAD_BYTES)
        last = at + (count - 1) * n_bytes
        is_sound = self.is_followed(text, last + n_bytes)
        n_good = count - (not is_sound)
        if n_good:
            rows = np.frombuffer(text, np.uint8, n_good * n_bytes, at).reshape(n_good, n_bytes)
            kind = int(head["key"]) & _KIND
            found.append(Blocks(kind, int(head["n_samples"]), rows, self._offset + at))
        return last + n_bytes if is_sound else self._lose(UNSOUND, last)

    def fits(self, text: bytes, at: int) -> bool:
        """Whether the channels of the block here fill it, as far as it has come."""
        head = head_at(text, at)
        if head is None:
            return False
        n_bytes = self._unit * int(head["length"])
        if int(head["key"]) & _KIND == SPECTRUM:
            return n_bytes >= HEAD_BYTES
        places = channel_places(text[at : at + n_bytes], int(head["n_samples"]))
        return at + n_bytes > len(text) or (len(places) > 1 and places[-1] == n_bytes)

    def is_followed(self, text: bytes, after: int) -> bool:
        """Whether a block may end here; a rest that is too short for a head is told as cut off."""
        return len(text) - after < HEAD_BYTES or head_at(text, after) is not None

    def _lose(self, kind: str, at: int) -> int:
        self._report.add_damage(kind, offset=self._offset + at)
        self._is_lost = True
        return at + 1

    def _way_back(self, text: bytes, at: int, *, is_end: bool) -> tuple[int, bool]:
        """Look for a block behind damage; return its place, or from where on to look once more has come."""
        while (at := text.find(b"\xda", at + 1) - 1) >= 0:
            head = head_at(text, at)
            if head is None and len(text) - at < HEAD_BYTES:
                return at, False
            if head is not None and self.fits(text, at):
                after = at + self._unit * int(head["length"])
                if not is_end and after + HEAD_BYTES > len(text):
                    return at, False
                if after <= len(text) and self.is_followed(text, after):
                    return at, True
            at += 1
        return len(text) - 1, False


def channel_places(block: bytes, n_samples: int) -> list[int]:
    """Return where each whole channel of a block begins, and where the last one ends."""
    places = [HEAD_BYTES]
    while (at := places[-1]) + CHANNEL_HEAD_BYTES <= len(block):
        compression, n_words = struct.unpack_from("<HH", block, at + 12)
        after = at + CHANNEL_HEAD_BYTES + 2 * (n_words if compression else n_samples)
        if after > len(block):
            break
        places.append(after)
    return places


def _n_alike(text: bytes, at: int, n_bytes: int, *, spare: int) -> int:
    """Return how many blocks of the kind and size of the one here follow each other, itself counted."""
    most = max(1, (len(text) - spare - at) // n_bytes)
    rows = np.frombuffer(text, np.uint8, most * n_bytes, at).reshape(most, n_bytes)
    heads = np.ascontiguousarray(rows[:, :HEAD_BYTES]).view(HEAD)[:, 0]
    alike = (heads["key"] & _KIND) == (heads["key"][0] & _KIND)
    alike &= (heads["n_samples"] == heads["n_samples"][0]) & (heads["length"] == heads["length"][0])
    return most if alike.all() else int(alike.argmin())
