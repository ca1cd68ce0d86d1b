"""The frames of a GEB stream: a head of 16 bytes each, frames that follow each other, and the next one behind damage.

Little-endian: i32 type, i32 bytes of the load, i64 time stamp in steps of 10 ns, and the load. A frame is sound if a
head that can be one follows it, or the end of the file. A head has no mark of its own: behind damage only frames that
are known by more than their head (their size, or a mark in their load) bring the walk back into step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadReport
from discrimen.formats.frame_walk import FrameWalk, next_mark

HEAD = np.dtype([("type", "<i4"), ("load_bytes", "<i4"), ("tick", "<i8")])
HEAD_BYTES = HEAD.itemsize
TICK_PS = 10_000
"""Step of the time stamps."""

POINTS, CHANNELS, TRACES = 1, 2, 100
"""Types that are read: interaction points (mode 2), channels (mode 3), and the traces of a whole crystal."""

POINTS_BYTES, TRACES_BYTES = 464, 22_352
"""Load of frames of interaction points, and of traces."""

CHANNELS_MARK = b"\xaa\xaa\xaa\xaa"
_POINTS_MARKS = (b"\x78\x56\xcd\xab", b"\x34\x12\xcd\xab")
_LARGEST_TYPE = 127
MOST_LOAD_BYTES = 2**22
LATEST_TICK = 2**49
"""Later time stamps than 65 days are none."""

CUT = "truncated last frame"
UNSOUND = "GEB frame that no other one follows"
NO_FRAME = "bytes that are no GEB frame"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames of one type and size that follow each other.

    Parameters
    ----------
    type, frame_bytes, count : int
        Of each frame, with its head; and how many there are.
    at : int
        Where the first begins in the piece.
    """

    type: int
    frame_bytes: int
    count: int
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some bytes of a file and the sound frames in them.

    Parameters
    ----------
    content : ndarray of uint8, shape (byte,)
        The bytes.
    offset : int
        Where they begin in the file.
    stretches : list of Stretch
        In the order of the file.
    """

    content: NDArray[np.uint8]
    offset: int
    stretches: list[Stretch]

    def rows(self, stretch: Stretch) -> NDArray[np.uint8]:
        """Return the frames of a stretch, of shape (frame, byte)."""
        n_bytes = stretch.count * stretch.frame_bytes
        return self.content[stretch.at : stretch.at + n_bytes].reshape(stretch.count, -1)


def can_be_head(content: bytes, at: int) -> bool:
    """Whether a head may begin here."""
    head = np.frombuffer(content, HEAD, 1, at)[0]
    known = 0 < head["type"] <= _LARGEST_TYPE and 0 <= head["load_bytes"] <= MOST_LOAD_BYTES
    return bool(known and 0 <= head["tick"] < LATEST_TICK)


def is_known(content: bytes, at: int) -> bool:
    """Whether a frame begins here that is known by more than its head."""
    if len(content) < at + HEAD_BYTES + 4 or not can_be_head(content, at):
        return False
    head = np.frombuffer(content, HEAD, 1, at)[0]
    mark = content[at + HEAD_BYTES : at + HEAD_BYTES + 4]
    return bool(
        (head["type"] == TRACES and head["load_bytes"] == TRACES_BYTES)
        or (head["type"] == CHANNELS and mark == CHANNELS_MARK)
        or (head["type"] == POINTS and mark in _POINTS_MARKS)
    )


def pieces(path: Path, *, chunk_bytes: int, report: ReadReport) -> Iterator[Piece]:
    """Walk through a file and yield its frames, piece by piece; damage is counted.

    Raises
    ------
    FormatError
        If the file cannot be read.
    """
    for text, offset, stretches in _GebWalk(report).pieces(path, chunk_bytes=chunk_bytes):
        yield Piece(np.frombuffer(text, np.uint8), offset, stretches)


class _GebWalk(FrameWalk[Stretch]):
    head_bytes, cut = HEAD_BYTES, CUT

    def step(self, text: bytes, at: int, found: list[Stretch]) -> int | None:
        if not can_be_head(text, at):
            return self.lose(NO_FRAME, at)
        head = np.frombuffer(text, HEAD, 1, at)[0]
        frame_bytes = HEAD_BYTES + int(head["load_bytes"])
        if not self.is_end and at + frame_bytes + HEAD_BYTES > len(text):
            return None
        if at + frame_bytes > len(text):
            # The last frame is cut off, unless sound ones follow: then its size is wrong.
            return self.lose(UNSOUND, at) if self.way_back(text, at + 1, is_end=True)[1] else None
        count = self.n_alike(text, at, frame_bytes, head=HEAD, is_alike=_are_alike)
        last = at + (count - 1) * frame_bytes
        is_sound = _is_followed(text, last + frame_bytes)
        must_wait = not (is_sound or self.is_end) and last + 2 * frame_bytes + HEAD_BYTES > len(text)
        if not (is_sound or must_wait):
            is_sound = _is_followed_but_one(text, last, frame_bytes)
        if count > (not is_sound):
            found.append(Stretch(int(head["type"]), frame_bytes, count - (not is_sound), at))
        if must_wait:
            return last if count > 1 else None
        return last + frame_bytes if is_sound else self.lose(UNSOUND, last)

    def way_back(self, text: bytes, at: int, *, is_end: bool) -> tuple[int, bool]:
        while (at := next_mark(text, at, _MARKS)) < len(text):
            if len(text) - at < HEAD_BYTES + 4:
                return at, False
            if is_known(text, at):
                after = at + HEAD_BYTES + int(np.frombuffer(text, HEAD, 1, at)[0]["load_bytes"])
                if not is_end and after + HEAD_BYTES > len(text):
                    return at, False
                if after <= len(text) and _is_followed(text, after):
                    return at, True
            at += 1
        return max(0, len(text) - _LONGEST_MARK + 1), False


def _is_followed(text: bytes, after: int) -> bool:
    """Whether a frame may end here; a rest that is too short for a head counts as cut off."""
    if len(text) - after < HEAD_BYTES:
        return True
    if not can_be_head(text, after) or is_known(text, after):
        return can_be_head(text, after)
    # Quiet samples may look like a head of another type: that should lead to one more.
    beyond = after + HEAD_BYTES + int(np.frombuffer(text, HEAD, 1, after)[0]["load_bytes"])
    return beyond + HEAD_BYTES > len(text) or can_be_head(text, beyond)


def _is_followed_but_one(text: bytes, at: int, frame_bytes: int) -> bool:
    """Whether only the head behind a frame is damaged: a frame of the same type and size stands one farther."""
    beyond = at + 2 * frame_bytes
    return is_known(text, beyond) and text[at : at + _LONGEST_MARK] == text[beyond : beyond + _LONGEST_MARK]


def _are_alike(heads: NDArray[np.void]) -> NDArray[np.bool_]:
    alike = (heads["type"] == heads["type"][0]) & (heads["load_bytes"] == heads["load_bytes"][0])
    return np.asarray(alike & (heads["tick"] >= 0) & (heads["tick"] < LATEST_TICK))


_MARKS = (
    np.array([TRACES, TRACES_BYTES], "<i4").tobytes(),
    np.array([POINTS, POINTS_BYTES], "<i4").tobytes(),
    np.array([CHANNELS], "<i4").tobytes(),
)
"""How frames begin that are known by more than their head."""

_LONGEST_MARK = 8
