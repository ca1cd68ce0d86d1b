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

from discrimen.formats.base import ReadReport, opened_to_read

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


def heads_of(rows: NDArray[np.uint8]) -> NDArray[np.void]:
    """Return the heads of frames, of shape (frame,)."""
    return np.ascontiguousarray(rows[:, :HEAD_BYTES]).view(HEAD)[:, 0]


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
    walk, rest, offset, is_end = FrameWalk(report), b"", 0, False
    with opened_to_read(path) as stream:
        while not is_end:
            more = stream.read(max(chunk_bytes, len(rest), HEAD_BYTES))
            is_end = not more
            text = rest + more
            stretches, done = walk.through(text, offset, is_end=is_end)
            if stretches:
                yield Piece(np.frombuffer(text, np.uint8), offset, stretches)
            rest, offset = text[done:], offset + done


class FrameWalk:
    """Finds the frames in the pieces of a file.

    Parameters
    ----------
    report : ReadReport
        Counts what is damaged.
    """

    def __init__(self, report: ReadReport) -> None:
        self._report = report
        self._is_lost = False
        self._is_end = False
        self._offset = 0

    def through(self, text: bytes, offset: int, *, is_end: bool) -> tuple[list[Stretch], int]:
        """Return the frames of a piece that begins at an offset of the file, and how many of its bytes are done."""
        self._offset, self._is_end = offset, is_end
        found: list[Stretch] = []
        at = 0
        after: int | None = 0
        while after is not None and len(text) - after >= HEAD_BYTES:
            at = after
            if self._is_lost:
                at, is_sound = way_back(text, at, is_end=is_end)
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

    def _step(self, text: bytes, at: int, found: list[Stretch]) -> int | None:
        """Take the frames of one kind that begin here, and return where the next begins; None if more has to come."""
        if not can_be_head(text, at):
            return self._lose(NO_FRAME, at)
        head = np.frombuffer(text, HEAD, 1, at)[0]
        frame_bytes = HEAD_BYTES + int(head["load_bytes"])
        if not self._is_end and at + frame_bytes + HEAD_BYTES > len(text):
            return None
        if at + frame_bytes > len(text):
            # The last frame is cut off, unless sound ones follow: then its size is wrong.
            return self._lose(UNSOUND, at) if way_back(text, at + 1, is_end=True)[1] else None
        count = _n_alike(text, at, frame_bytes, spare=0 if self._is_end else HEAD_BYTES)
        last = at + (count - 1) * frame_bytes
        is_sound = _is_followed(text, last + frame_bytes)
        must_wait = not (is_sound or self._is_end) and last + 2 * frame_bytes + HEAD_BYTES > len(text)
        if not (is_sound or must_wait):
            is_sound = _is_followed_but_one(text, last, frame_bytes)
        if count > (not is_sound):
            found.append(Stretch(int(head["type"]), frame_bytes, count - (not is_sound), at))
        if must_wait:
            return last if count > 1 else None
        return last + frame_bytes if is_sound else self._lose(UNSOUND, last)

    def _lose(self, kind: str, at: int) -> int:
        self._report.add_damage(kind, offset=self._offset + at)
        self._is_lost = True
        return at + 1


def _is_followed(text: bytes, after: int) -> bool:
    """Whether a frame may end here; a rest that is too short for a head is told as cut off."""
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


def _n_alike(text: bytes, at: int, frame_bytes: int, *, spare: int) -> int:
    """Return how many frames of the type and size of the one here follow each other, itself counted."""
    most = max(1, (len(text) - spare - at) // frame_bytes)
    heads = heads_of(np.frombuffer(text, np.uint8, most * frame_bytes, at).reshape(most, frame_bytes))
    alike = (heads["type"] == heads["type"][0]) & (heads["load_bytes"] == heads["load_bytes"][0])
    alike &= (heads["tick"] >= 0) & (heads["tick"] < LATEST_TICK)
    return most if alike.all() else int(alike.argmin())


def way_back(text: bytes, at: int, *, is_end: bool) -> tuple[int, bool]:
    """Look for a frame behind damage.

    Returns
    -------
    at : int
        Where it begins, or from where on is to be looked once more has come.
    is_sound : bool
        Whether there is one.
    """
    while (at := _next_mark(text, at)) < len(text):
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


_MARKS = (
    np.array([TRACES, TRACES_BYTES], "<i4").tobytes(),
    np.array([POINTS, POINTS_BYTES], "<i4").tobytes(),
    np.array([CHANNELS], "<i4").tobytes(),
)
"""How frames begin that are known by more than their head."""

_LONGEST_MARK = 8
_WINDOW_BYTES = 2**16


def _next_mark(text: bytes, at: int) -> int:
    """Return where one of the marks stands next; the length of the text if none does."""
    for begin in range(at, len(text), _WINDOW_BYTES):
        end = begin + _WINDOW_BYTES + _LONGEST_MARK - 1
        places = [place for mark in _MARKS if (place := text.find(mark, begin, end)) >= 0]
        if places:
            return min(places)
    return len(text)
