"""The events of a file one after the other, and the next one behind damage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.formats.base import ReadReport
from discrimen.formats.drs4.layout import EVENT_MARK, FileLayout

Stretch = tuple[NDArray[np.void], int, int]
"""Events that follow each other, the number of the first one in the file, and its offset."""

_LOOK_AHEAD = 3
"""Events behind a damaged one in which the next one is looked for before that is called whole or not."""

_DAMAGED = "event of another length, or without its marks"


class EventWalk:
    """Finds the events in the pieces of a file.

    An event is whole if it has its marks, and the next one begins where it ends: where bytes are missing, the mark of
    the next event lies inside of it.

    Parameters
    ----------
    layout : FileLayout
        Of the file.
    report : ReadReport
        Counts what is damaged.
    """

    def __init__(self, layout: FileLayout, report: ReadReport) -> None:
        self.event = layout.event
        self._layout, self._report = layout, report
        self._number = 0
        self._is_lost = False

    def stretches(self, pieces: Iterable[bytes]) -> Iterator[Stretch]:
        """Yield whole events, at most those of one piece at a time."""
        rest, offset, size = b"", self._layout.first_event, self.event.itemsize
        for piece, is_end in chain(((piece, False) for piece in pieces), [(b"", True)]):
            content, done = rest + piece, self._found_again(rest + piece)
            while (found := self._next(content, done, is_end=is_end)) is not None:
                count, behind = found
                if count:
                    yield np.frombuffer(content, self.event, count, done), self._number, offset + done
                    self._number += count
                done += count * size
                if behind > done:
                    self._report.add_damage(_DAMAGED, offset=offset + done, count=self._layout.n_channels)
                    self._number += 1
                    done = behind
            rest, offset = content[done:], offset + done
        if rest and not self._is_lost:
            self._report.add_damage("truncated last event", offset=offset, count=self._layout.n_channels)

    def _found_again(self, content: bytes) -> int:
        """Return where to go on: at the start, or at the next event if the last piece ended within damage."""
        if not self._is_lost:
            return 0
        behind = content.find(EVENT_MARK)
        self._is_lost = behind < 0
        return behind if behind >= 0 else max(0, len(content) - len(EVENT_MARK) + 1)

    def _next(self, content: bytes, done: int, *, is_end: bool) -> tuple[int, int] | None:
        """Return how many whole events begin here, and where to go on; None if that needs the next piece."""
        size = self.event.itemsize
        count = (len(content) - done - (0 if is_end else len(EVENT_MARK))) // size
        if count <= 0 or self._is_lost:
            return None
        events = np.frombuffer(content, self.event, count, done)
        marked = self._layout.marked(events)
        tail = content[done + count * size :][: len(EVENT_MARK)]
        is_followed = EVENT_MARK.startswith(tail) if is_end else tail == EVENT_MARK
        whole = marked & np.append(events["mark"][1:] == int.from_bytes(EVENT_MARK, "little"), is_followed)
        if whole.all():
            return count, done + count * size
        first = int(whole.argmin())
        at = done + first * size
        behind = content.find(EVENT_MARK, at + 1)
        if behind < 0 and not is_end and len(content) - at < _LOOK_AHEAD * size:
            return (first, at) if first else None
        gone, odd = divmod((behind if behind >= 0 else len(content)) - at, size)
        if marked[first] and gone > 1 and not odd:
            # Nothing is shifted: it is the next one that has lost its mark.
            first += 1
        self._is_lost = behind < 0
        return first, behind if behind >= 0 else max(at + 1, len(content) - len(EVENT_MARK) + 1)


def first_event(content: bytes, layout: FileLayout, path: Path) -> np.void | None:
    """Return the first event with all its marks, None where there are no events.

    Raises
    ------
    FormatError
        If there are some, but none has its marks.
    """
    at = content.find(EVENT_MARK)
    while 0 <= at <= len(content) - layout.event.itemsize:
        event = np.frombuffer(content, layout.event, 1, at)
        if layout.marked(event).all():
            return np.void(event[0])
        at = content.find(EVENT_MARK, at + 1)
    if content:
        raise FormatError(
            f"a file of a DRS4 evaluation board, but none of its first events is as its head says: {layout.in_words}, "
            f"{layout.event.itemsize} bytes each",
            path,
            layout.first_event,
        )
    return None
