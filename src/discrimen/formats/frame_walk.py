"""Walking through a file of frames that follow each other: piece by piece, and back into step behind damage.

What a frame is says each family; common is how a file is read in pieces, how a place is lost and found again, and what
the end of a file may leave over.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadReport, opened_to_read

Found = TypeVar("Found")

_WINDOW_BYTES = 2**16


class FrameWalk(ABC, Generic[Found]):
    """Finds the sound frames of a file.

    Parameters
    ----------
    report : ReadReport
        Counts what is damaged.

    Attributes
    ----------
    head_bytes : int
        Bytes of the head of each frame.
    cut : str
        What a frame is called that the end of the file cuts off.
    offset : int
        Where the piece begins in the file.
    is_end : bool
        Whether nothing follows the piece.
    is_lost : bool
        Whether the next frame has to be looked for.
    """

    head_bytes: ClassVar[int]
    cut: ClassVar[str]

    def __init__(self, report: ReadReport) -> None:
        self.report = report
        self.offset = 0
        self.is_end = self.is_lost = False

    @abstractmethod
    def step(self, text: bytes, at: int, found: list[Found]) -> int | None:
        """Take what begins at a place of the piece, and return where the next begins; None if more has to come."""

    @abstractmethod
    def way_back(self, text: bytes, at: int, *, is_end: bool) -> tuple[int, bool]:
        """Look for a frame behind damage.

        Returns
        -------
        at : int
            Where it begins, or where to look on when more has come.
        is_sound : bool
            Whether there is one.
        """

    def pieces(self, path: Path, *, chunk_bytes: int) -> Iterator[tuple[bytes, int, list[Found]]]:
        """Walk through a file.

        Yields
        ------
        text : bytes
            A piece.
        offset : int
            Where it begins in the file.
        found : list
            What is sound in it; never empty.

        Raises
        ------
        FormatError
            If the file cannot be read.
        """
        rest, offset, is_end = b"", 0, False
        with opened_to_read(path) as stream:
            while not is_end:
                more = stream.read(max(chunk_bytes, len(rest), self.head_bytes))
                is_end = not more
                text = rest + more
                found, done = self.through(text, offset, is_end=is_end)
                if found:
                    yield text, offset, found
                rest, offset = text[done:], offset + done

    def through(self, text: bytes, offset: int, *, is_end: bool) -> tuple[list[Found], int]:
        """Return what is sound in a piece that begins at an offset of the file, and how many of its bytes are done."""
        self.offset, self.is_end = offset, is_end
        found: list[Found] = []
        at = 0
        after: int | None = 0
        while after is not None and len(text) - after >= self.head_bytes:
            at = after
            if self.is_lost:
                at, is_sound = self.way_back(text, at, is_end=is_end)
                if not is_sound:
                    break
                self.is_lost = False
            after = self.step(text, at, found)
        else:
            at = at if after is None else after
        if is_end:
            self.finish(at, len(text))
            at = len(text)
        return found, at

    def finish(self, at: int, size: int) -> None:
        """Count what the last piece, of so many bytes, holds behind its last frame."""
        if at < size and not self.is_lost:
            self.report.add_damage(self.cut, offset=self.offset + at)

    def lose(self, kind: str, at: int) -> int:
        """Count damage at a place of the piece, and return from where on the next frame is looked for."""
        self.report.add_damage(kind, offset=self.offset + at)
        self.is_lost = True
        return at + 1

    def n_alike(
        self,
        text: bytes,
        at: int,
        frame_bytes: int,
        *,
        head: np.dtype[Any],
        is_alike: Callable[[NDArray[Any]], NDArray[np.bool_]],
    ) -> int:
        """Return how many frames like the one here follow each other, itself counted; `is_alike` judges their heads."""
        spare = 0 if self.is_end else self.head_bytes
        most = max(1, (len(text) - spare - at) // frame_bytes)
        rows = np.frombuffer(text, np.uint8, most * frame_bytes, at).reshape(most, frame_bytes)
        alike = is_alike(heads_of(rows, head))
        return most if alike.all() else int(alike.argmin())


def heads_of(rows: NDArray[np.uint8], head: np.dtype[Any]) -> NDArray[Any]:
    """Return the heads of frames of shape (frame, byte), of shape (frame,)."""
    return np.ascontiguousarray(rows[:, : head.itemsize]).view(head)[:, 0]


def next_mark(text: bytes, at: int, marks: Sequence[bytes]) -> int:
    """Return where one of some marks stands next; the length of the text if none does."""
    longest = max(map(len, marks))
    for begin in range(at, len(text), _WINDOW_BYTES):
        end = begin + _WINDOW_BYTES + longest - 1
        places = [place for mark in marks if (place := text.find(mark, begin, end)) >= 0]
        if places:
            return min(places)
    return len(text)
