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

from discrimen.formats.base import ReadReport
from discrimen.formats.frame_walk import FrameWalk, heads_of

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
        return heads_of(self.rows, HEAD)


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
    for _, _, found in BlockWalk(unit, report).pieces(path, chunk_bytes=chunk_bytes):
        yield found


class BlockWalk(FrameWalk[Blocks]):
    """Finds the blocks in the pieces of a file.

    Parameters
    ----------
    unit : int
        Bytes of a step of the total length: 2 for words, 1 for bytes.
    report : ReadReport
        Counts what is damaged.
    """

    head_bytes, cut = HEAD_BYTES, CUT

    def __init__(self, unit: int, report: ReadReport) -> None:
        super().__init__(report)
        self._unit = unit

    def step(self, text: bytes, at: int, found: list[Blocks]) -> int | None:
        """Take the blocks of one kind and size that begin here."""
        head = head_at(text, at)
        n_bytes = 0 if head is None else self._unit * int(head["length"])
        if head is None or n_bytes < HEAD_BYTES:
            return self.lose(NO_BLOCK, at)
        if not self.is_end and at + n_bytes + HEAD_BYTES > len(text):
            return None
        if at + n_bytes > len(text):
            return self.lose(UNSOUND, at) if self.way_back(text, at + 1, is_end=True)[1] else None
        count = self.n_alike(text, at, n_bytes, head=HEAD, is_alike=_are_alike)
        last = at + (count - 1) * n_bytes
        is_sound = self.is_followed(text, last + n_bytes)
        n_good = count - (not is_sound)
        if n_good:
            rows = np.frombuffer(text, np.uint8, n_good * n_bytes, at).reshape(n_good, n_bytes)
            kind = int(head["key"]) & _KIND
            found.append(Blocks(kind, int(head["n_samples"]), rows, self.offset + at))
        return last + n_bytes if is_sound else self.lose(UNSOUND, last)

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
        """Whether a block may end here; a rest that is too short for a head counts as cut off."""
        return len(text) - after < HEAD_BYTES or head_at(text, after) is not None

    def way_back(self, text: bytes, at: int, *, is_end: bool) -> tuple[int, bool]:
        """Look for a block behind damage whose channels fill it."""
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


def _are_alike(heads: NDArray[np.void]) -> NDArray[np.bool_]:
    alike = (heads["key"] & _KIND) == (heads["key"][0] & _KIND)
    return np.asarray(alike & (heads["n_samples"] == heads["n_samples"][0]) & (heads["length"] == heads["length"][0]))
