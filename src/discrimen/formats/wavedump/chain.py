"""Follow the chain of events through a WaveDump file, block by block, and find it again behind damage."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import Growth, ReadReport
from discrimen.formats.wavedump.layout import (
    BOARD_MASK,
    EVENT_HEADER,
    HEADER_BYTES,
    LARGEST_CHANNEL,
    EventLayout,
    plausible_header,
)

_SEARCH_BYTES = 2**20
_SMALLEST_READ_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events of one size that follow each other in a block.

    Parameters
    ----------
    start : int
        Offset of the first one in the block, in bytes.
    count : int
        How many.
    event_bytes : int
        Size of each.
    entry : int
        Number of the first one in the file.
    """

    start: int
    count: int
    event_bytes: int
    entry: int


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the file and the stretches of events in it."""

    data: NDArray[np.uint8]
    stretches: list[Stretch]

    def records(self, stretch: Stretch, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return the events of a stretch as records that share the block's memory."""
        return np.ndarray((stretch.count,), dtype, self.data, offset=stretch.start, strides=(stretch.event_bytes,))


@dataclass(slots=True)
class EventChain:
    """One pass over a file whose events have headers.

    An event counts as whole if the header of another event, or the end of the file, follows it. Where neither does,
    the next header of the known size is searched within 1 MiB or two events, and what lies between is damage.

    Parameters
    ----------
    stream : binary stream
        The file, at its start.
    file_bytes : int
        Its size.
    layout : EventLayout
        Of its first event.
    report : ReadReport
        Where damage is counted.
    growth : Growth, optional
        Of a file that is still written: an event is whole when the header of the next one is there.
    """

    stream: BufferedReader
    file_bytes: int
    layout: EventLayout
    report: ReadReport
    growth: Growth | None = None
    _size: int = field(init=False)
    _board_word: int = field(init=False)
    _block: NDArray[np.uint8] = field(init=False)
    _base: int = 0
    _entry: int = 0
    _abandoned: bool = False

    def __post_init__(self) -> None:
        self._size = self.layout.event_bytes
        self._board_word = self.layout.board_word or 0
        self._block = np.empty(0, dtype=np.uint8)

    def blocks(self, block_bytes: int) -> Iterator[Block]:
        """Yield the file in blocks of about so many bytes, cut between events."""
        carried = self._block
        while not self._abandoned and (self._base + len(carried) < self.file_bytes or self._grown()):
            # Where the block is too short for what is looked for, the next one is twice as long.
            wanted = len(carried) + max(block_bytes, len(carried), _SMALLEST_READ_BYTES)
            block = np.empty(min(wanted, self.file_bytes - self._base), dtype=np.uint8)
            block[: len(carried)] = carried
            self.stream.seek(self._base + len(carried))
            filled = len(carried) + self.stream.readinto(block.data[len(carried) :])
            if filled < len(block):
                self.file_bytes = self._base + filled
            self._block = block[:filled]
            stretches, used = self._follow()
            if stretches:
                yield Block(self._block, stretches)
            carried = self._block[used:].copy()
            self._base += used

    def _grown(self) -> bool:
        """Wait for more of the file; whether there is more, or the rest is to be looked at as what it is."""
        if self.growth is None:
            return False
        size = self.growth.wait(self.file_bytes)
        if size is None:
            self.growth = None
        self.file_bytes = size or self.file_bytes
        return True

    @property
    def _at_end(self) -> bool:
        return self.growth is None and self._base + len(self._block) >= self.file_bytes

    def _follow(self) -> tuple[list[Stretch], int]:
        """Return the stretches of whole events in the block, and how many bytes are done with."""
        stretches: list[Stretch] = []
        position = 0
        while (following := self._step(stretches, position)) > position:
            position = following
        return stretches, position

    def _step(self, stretches: list[Stretch], position: int) -> int:
        """Go one stretch, or what is damaged, on; stay where more of the file is needed."""
        left = len(self._block) - position
        if left < HEADER_BYTES:
            if self._at_end and left:
                self._damage("truncated last event", position)
                return len(self._block)
            return position
        if not self._plausible(position):
            return self._skip(position)
        size = self._word(position)
        if size <= left:
            return self._take(stretches, position, size)
        if not self._at_end and (size == self._size or self._base + position + size <= self.file_bytes):
            return position
        if size == self._size:
            self._damage("truncated last event", position)
            return len(self._block)
        return self._skip(position)

    def _take(self, stretches: list[Stretch], position: int, size: int) -> int:
        """Take the events of equal size from here on, as far as each is followed by another header."""
        count = self._count_equal(position, size)
        end = position + count * size
        continues = self._continues(end, size)
        if continues is None:
            # The last event waits until what is behind it has been read.
            self._append(stretches, position, count - 1, size)
            return end - size
        if continues:
            self._append(stretches, position, count, size)
            return end
        found = self._find_header(end - size + 1, searched_from=end)
        known_size = count > 1 or size == self._size
        whole = known_size and found is not None and not self._abandoned and (found - end) % size == 0
        if not whole:
            count, end = count - 1, end - size
        self._append(stretches, position, count, size)
        if found is None:
            return end
        self._damage("damaged event", end, (found - end) // self._size)
        return found

    def _continues(self, end: int, size: int) -> bool | None:
        """Whether an event of this size can end here: the chain or the file goes on as it should; None to read on."""
        left = self.file_bytes - self._base - end
        if len(self._block) - end < (min(left, HEADER_BYTES) if self.growth is None else HEADER_BYTES):
            return None
        if left < HEADER_BYTES:
            begun = self._block[end : end + 4].tobytes()
            return struct.pack("<I", size).startswith(begun)
        if not self._plausible(end):
            return False
        following = self._word(end)
        if following in (size, left):
            return True
        # A new size is believed only if it leads on: one byte too many turns a size into another one.
        if following + HEADER_BYTES > left:
            return None if self.growth is not None else False
        if len(self._block) < end + following + HEADER_BYTES:
            return None
        return self._plausible(end + following)

    def _skip(self, position: int) -> int:
        """Go from a damaged header to the next good one."""
        found = self._find_header(position + 1, searched_from=position)
        if found is None:
            return position
        self._damage("damaged event", position, (found - position) // self._size)
        return found

    def _find_header(self, start: int, *, searched_from: int) -> int | None:
        """Return where the next header of the known size is, the end of the block if there is none, None to read on."""
        stop = searched_from + max(_SEARCH_BYTES, 2 * self._size)
        if not self._at_end and len(self._block) < stop + self._size + HEADER_BYTES:
            return None
        searched = self._block[start:stop].tobytes()
        pattern = struct.pack("<II", self._size, self._board_word)
        offset = searched.find(pattern)
        while offset >= 0:
            if self._leads_on(start + offset):
                return start + offset
            offset = searched.find(pattern, offset + 1)
        self._abandoned = True
        return len(self._block)

    def _leads_on(self, position: int) -> bool:
        if len(self._block) - position < HEADER_BYTES or not self._plausible(position):
            return False
        following = position + self._size
        if self._base + following + HEADER_BYTES > self.file_bytes:
            return True
        return following + HEADER_BYTES <= len(self._block) and self._plausible(following)

    def _append(self, stretches: list[Stretch], position: int, count: int, size: int) -> None:
        if count:
            stretches.append(Stretch(position, count, size, self._entry))
            self._entry += count
            self._size = size

    def _damage(self, kind: str, position: int, count: int = 1) -> None:
        if self._abandoned:
            kind, count = "damaged, and no further event found within reach", 1
        self.report.add_damage(kind, offset=self._base + position, count=max(count, 1))
        self._entry += max(count, 1)

    def _word(self, position: int) -> int:
        return int(struct.unpack_from("<I", self._block.data, position)[0])

    def _plausible(self, position: int) -> bool:
        return plausible_header(struct.unpack_from("<4I", self._block.data, position), board_word=self._board_word)

    def _count_equal(self, position: int, size: int) -> int:
        """Return how many events in the block follow each other with this size and good headers."""
        n_fitting = (len(self._block) - position) // size
        headers = np.ndarray((n_fitting,), EVENT_HEADER, self._block, offset=position, strides=(size,))
        board, channel = headers["board"], headers["channel"]
        good = (headers["size"] == size) & (channel <= LARGEST_CHANNEL)
        good &= (board == self._board_word) | (board <= BOARD_MASK)
        return n_fitting if good.all() else int(np.argmin(good))
