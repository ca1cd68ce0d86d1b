"""The frames of a FASTER file: a head of 12 bytes each, groups that hold frames, and the next frame behind damage.

Little-endian: u8 type, u8 0xAA, u48 clock in steps of 2 ns, u16 label, u16 size of the load, and the load. The load of
a group is frames. A frame is sound if another one begins where it ends. Frames of all sizes are followed at once:
every 0xAA may be the mark of a frame, each points to where the next one would begin, and the chain from the first one
on is found by doubling the length of the step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadReport, opened_to_read
from discrimen.formats.faster.kinds import GROUP

HEAD_BYTES = 12
MAGIC = 0xAA
TICK_PS = 2000
"""Step of the clock."""

LARGEST_FRAME = HEAD_BYTES + 0xFFFF
PIECE_BYTES = 2**20
"""What is looked through at once: in pieces of this size the tables stay in the cache of the processor."""

_CUT = "truncated last frame"
_LEADS_NOWHERE = "frame that no other one follows"
_NO_FRAME = "bytes that are no frame"
_GROUP_SIZE = "group whose size is not that of its frames"


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Frames that follow each other in one piece of a file; groups come before what they hold.

    Parameters
    ----------
    content : ndarray of uint8, shape (byte,)
        The piece.
    at : ndarray of int64, shape (frame,)
        Where each begins in it.
    offset : int
        Where the piece begins in the file.
    is_sound : ndarray of bool, shape (frame,)
        Whether another one follows; those that are not are counted as damage.
    """

    content: NDArray[np.uint8]
    at: NDArray[np.int64]
    offset: int
    is_sound: NDArray[np.bool_]

    @property
    def kind(self) -> NDArray[np.uint8]:
        """Number of the kind of each frame."""
        return np.asarray(self.content[self.at])

    @property
    def load_bytes(self) -> NDArray[np.int64]:
        """Bytes of the load of each frame."""
        return _sizes(self.content, self.at)

    @property
    def label(self) -> NDArray[np.int32]:
        """Label of each frame."""
        return self.content[self.at + 8] | self.content[self.at + 9].astype(np.int32) << 8

    @property
    def time_ps(self) -> NDArray[np.int64]:
        """Clock of each frame."""
        steps = 256 ** np.arange(6, dtype=np.int64) * TICK_PS
        return np.asarray(self.content[self.at[:, None] + np.arange(2, 8)] @ steps)

    def loads(self, which: NDArray[np.int64], n_bytes: int) -> NDArray[np.uint8]:
        """Return the loads of some frames of one size, of shape (frame, byte)."""
        return np.asarray(self.content[self.at[which][:, None] + np.arange(HEAD_BYTES, HEAD_BYTES + n_bytes)])


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
        self._is_guess = False
        self._group_ends: NDArray[np.int64] = np.empty(0, np.int64)

    def pieces(self, pieces: Iterable[bytes]) -> Iterator[Frames]:
        """Yield the frames that end in each piece, of any size; what is damaged is counted."""
        rest, offset = b"", 0
        for piece, is_end in chain(((piece, False) for piece in pieces), [(b"", True)]):
            content = np.frombuffer(rest + piece, np.uint8)
            frames, done = self._through(content, offset, is_end=is_end)
            if len(frames.at):
                yield frames
            rest, offset = content[done:].tobytes(), offset + done

    def _through(self, content: NDArray[np.uint8], offset: int, *, is_end: bool) -> tuple[Frames, int]:
        """Return the frames of a piece, and how many of its bytes are done."""
        links = _links(content, is_end=is_end)
        begin = self._begin(links, offset) if len(content) >= HEAD_BYTES else len(links.at)
        reached = _reached(links.following, begin)
        last = int(reached[-1]) if len(reached) else len(links.at)
        is_open, done = bool(np.append(links.is_open, False)[last]), len(content)
        if is_end:
            is_cut = links.ends[last] < done if is_open else not (len(reached) or self._is_lost or not done)
            if is_cut:
                self._report.add_damage(_CUT, offset=offset + (int(links.ends[last]) if is_open else 0))
        elif is_open:
            reached, done = reached[:-1], int(links.at[last])
            self._is_guess = links.is_guess(reached, last) if len(reached) else self._is_lost or self._is_guess
            self._is_lost = False
        else:
            self._is_lost = self._is_lost or self._is_guess or len(reached) > 0
            self._is_guess, done = False, max(0, done - HEAD_BYTES + 1)
        frames = Frames(content, links.at[reached], offset, links.is_sound[reached])
        self._count_damage(frames, offset + done)
        return frames, done

    def _begin(self, links: _Links, offset: int) -> int:
        """Return the frame to start from: the first one, or the next sound one where the first one has no mark."""
        has_mark = len(links.at) > 0 and links.at[0] == 0 and not (self._is_guess and not links.is_sound[0])
        if has_mark and not self._is_lost:
            return 0
        if not (self._is_lost or self._is_guess):
            self._report.add_damage(_NO_FRAME, offset=offset)
            self._is_lost = True
        return int(links.firm[0])

    def _count_damage(self, frames: Frames, done: int) -> None:
        bad = np.flatnonzero(~frames.is_sound)
        ends = frames.at + HEAD_BYTES + frames.load_bytes
        for index in bad.tolist():
            is_cut = index == len(frames.at) - 1 and ends[index] > len(frames.content)
            self._report.add_damage(_CUT if is_cut else _LEADS_NOWHERE, offset=frames.offset + int(frames.at[index]))
        ends = np.concatenate([self._group_ends, frames.offset + ends[frames.kind == GROUP]])
        self._group_ends, past = ends[ends > done], ends[ends <= done]
        wrong = past[~np.isin(past, np.append(frames.offset + frames.at, done))]
        if len(wrong) and not len(bad):
            self._report.add_damage(_GROUP_SIZE, offset=int(wrong[0]), count=len(wrong))


@dataclass(frozen=True, slots=True, eq=False)
class _Links:
    """Every place that may be a frame, and where the next one is: an index, their number where there is none."""

    at: NDArray[np.int64]
    ends: NDArray[np.int64]
    following: NDArray[np.int64]
    is_sound: NDArray[np.bool_]
    is_open: NDArray[np.bool_]
    firm: NDArray[np.int64]

    def is_guess(self, reached: NDArray[np.int64], last: int) -> bool:
        """Whether the last one was only found as the next that may be one behind damage."""
        return not self.is_sound[reached[-1]] and bool(self.following[reached[-1]] == last)


def _links(content: NDArray[np.uint8], *, is_end: bool) -> _Links:
    """Return the links between all places with a mark; those of damaged frames lead to the next sound one."""
    at = np.flatnonzero(content[1 : max(1, len(content) - HEAD_BYTES + 2)] == MAGIC)
    number = len(at)
    ends = at + HEAD_BYTES + np.where(content[at] == GROUP, 0, _sizes(content, at))
    left = len(content) - ends
    is_open = (left >= 0) & (left < HEAD_BYTES) if is_end else left < HEAD_BYTES
    following = np.searchsorted(at, ends)
    is_sound = is_open | (np.append(at, -1)[following] == ends)
    following[is_open] = number
    # Behind damage two frames in a row must be sound: any byte of a sample may look like a mark.
    is_firm = is_sound & np.append(is_sound, True)[following]
    firm = np.append(np.flatnonzero(is_firm), number)
    broken = np.flatnonzero(~is_sound)
    following[broken] = firm[np.searchsorted(firm[:-1], broken, side="right")]
    return _Links(at, ends, following, is_sound, is_open, firm)


def _reached(following: NDArray[np.int64], begin: int) -> NDArray[np.int64]:
    """Return what the chain from `begin` on meets, in order; it ends at the number of links."""
    number = len(following)
    is_met = np.zeros(number + 1, np.bool_)
    is_met[begin] = True
    step, n_met = np.append(following, number), 0
    while (met := np.flatnonzero(is_met)).size > n_met:
        n_met = met.size
        is_met[step[met]] = True
        step = step[step]
    return met[met < number]


def _sizes(content: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.int64]:
    return content[at + 10].astype(np.int64) | content[at + 11].astype(np.int64) << 8


def read_pieces(path: Path, most_bytes: int | None = None) -> Iterator[bytes]:
    """Yield the pieces of a file, or of its beginning."""
    left = most_bytes if most_bytes is not None else path.stat().st_size
    with opened_to_read(path) as stream:
        while left > 0 and (piece := stream.read(min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
