"""Finding the events in a block of a CoMPASS .BIN file: at full speed while they are alike, with care where not.

An event whose number of samples N was met before is taken as it is. One with a new N must itself look like an event and
lead to another one; otherwise N, or the event after it, is damaged, and reading goes on at the next place from which
events chain up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadReport
from discrimen.formats.compass.binary_layout import RESYNC_BYTES, Fetch, Layout, Tail

_COUNT = Struct("<I")
_MOST_LENGTHS = 4096

ENOUGH_BYTES = 2**16
"""So much of a growing file behind damage must be there before the next event is looked for."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events of equal length, one right after the other.

    Parameters
    ----------
    start : int
        Offset in the block of the first one.
    n_samples : int
        Samples of each.
    n_events : int
        How many.
    entry : int
        Position of the first one in the file, counting every event.
    """

    start: int
    n_samples: int
    n_events: int
    entry: int


class EventWalk:
    """A walk over the events of one file, block by block.

    Parameters
    ----------
    layout : Layout
        The layout of the file.
    fetch : callable
        Random access to the file.
    end : int
        Size of the file.
    report : ReadReport
        Where damage is counted.
    grows : bool
        Whether the file is still written: then an event that runs out at its end is not damaged, but waited for.

    Attributes
    ----------
    entry : int
        Position in the file of the next event.
    """

    def __init__(self, layout: Layout, fetch: Fetch, end: int, report: ReadReport, *, grows: bool = False) -> None:
        self.end, self.grows = end, grows
        self._layout = layout
        self._fetch = fetch
        self._report = report
        self.entry = 0
        self._count = -1
        self._seen: set[int] = set()
        self._span = 1

    def stretches(self, block: NDArray[np.uint8], base: int) -> tuple[list[Stretch], int]:
        """Return the whole events of a block as stretches, and the offset in the file where the next block must start.

        Parameters
        ----------
        block : ndarray of uint8
            A stretch of the file that starts with an event.
        base : int
            Offset in the file of the block.
        """
        found: list[Stretch] = []
        at = 0
        while len(block) - at >= self._layout.head_bytes:
            count = self._count_at(block, at)
            if not self._trusted(block, base, at, count):
                if self.grows and self._may_become_whole(block, base, at):
                    break
                at = self._skip_damage(block, base, at) - base
                continue
            size = self._layout.event_bytes(count)
            n_events = self._alike(block, at, count, min((len(block) - at) // size, self._span))
            if n_events == 0:
                break
            _append(found, Stretch(at, count, n_events, self.entry), size)
            self.entry += n_events
            self._span = 2 * self._span if n_events == self._span else max(1, n_events // 2)
            at += n_events * size
        return found, min(base + at, self.end)

    def finish(self, offset: int) -> None:
        """Count what is left at the end of the file, too short for the head of an event, as a truncated event."""
        if offset < self.end:
            self._report.add_damage("truncated last event", offset=offset)
            self.entry += 1

    def _count_at(self, block: NDArray[np.uint8], at: int) -> int:
        if self._layout.tail is Tail.NOTHING:
            return 0
        return int(_COUNT.unpack_from(block.data, at + self._layout.count_at)[0])

    def _alike(self, block: NDArray[np.uint8], at: int, count: int, most: int) -> int:
        """Return how many events from here on, at most `most`, have `count` samples."""
        if most <= 1 or self._layout.tail is Tail.NOTHING:
            return most
        stride = (self._layout.event_bytes(count),)
        counts: NDArray[Any] = np.ndarray((most,), "<u4", block.data, at + self._layout.count_at, stride)
        other = counts != count
        first = int(other.argmax())
        return first if other[first] else most

    def _trusted(self, block: NDArray[np.uint8], base: int, at: int, count: int) -> bool:
        after = base + at + self._layout.event_bytes(count)
        if after > self.end:
            return False
        if count == self._count:
            return True
        head = block[at : at + self._layout.head_bytes].tobytes()
        if self._layout.plausible(head) != count:
            return False
        if count not in self._seen and not self._leads_on(block, base, after):
            return False
        if len(self._seen) < _MOST_LENGTHS:
            self._seen.add(count)
        self._count = count
        return True

    def _may_become_whole(self, block: NDArray[np.uint8], base: int, at: int) -> bool:
        """Whether what is still to be written decides if there is an event here."""
        offset = base + at
        count = self._layout.plausible(block[at : at + self._layout.head_bytes].tobytes())
        size = 0 if count is None else self._layout.event_bytes(count)
        return self.end - offset < max(size + self._layout.head_bytes, ENOUGH_BYTES if count is None else 0)

    def _leads_on(self, block: NDArray[np.uint8], base: int, after: int) -> bool:
        """Whether at `after` another event starts, or the file ends."""
        n = self._layout.head_bytes
        inside = block[after - base : after - base + n].tobytes()
        head = inside if len(inside) == n else self._fetch(after, n)
        if len(head) < n:
            # A few bytes more may be a cut event, but behind a new length among others, that length is in doubt.
            return not head or not self._seen
        return self._layout.plausible(head) is not None

    def _skip_damage(self, block: NDArray[np.uint8], base: int, at: int) -> int:
        """Count the damage at `at` and return the offset in the file where reading can go on."""
        offset = base + at
        beyond = self._layout.next_chain(self._fetch, offset + 1, self.end, within=RESYNC_BYTES)
        if beyond is not None:
            size = self._layout.event_bytes(max(self._count, 0))
            lost = (beyond - offset) // size if self._count > 0 and (beyond - offset) % size == 0 else 1
            self._report.add_damage("damaged event", offset=offset, count=lost)
            self.entry += lost
            return beyond
        count = self._layout.plausible(block[at : at + self._layout.head_bytes].tobytes())
        runs_out = count is not None and offset + self._layout.event_bytes(count) > self.end
        self._report.add_damage("truncated last event" if runs_out else "unreadable rest of the file", offset=offset)
        self.entry += 1
        return self.end


def _append(stretches: list[Stretch], stretch: Stretch, size: int) -> None:
    """Add a stretch, joined to the last one if it goes on with it."""
    last = stretches[-1] if stretches else None
    if last is not None and last.n_samples == stretch.n_samples and last.start + last.n_events * size == stretch.start:
        stretches[-1] = Stretch(last.start, stretch.n_samples, last.n_events + stretch.n_events, last.entry)
    else:
        stretches.append(stretch)
