"""How the events of a CoMPASS .BIN file are laid out, and how to tell from the bytes.

Little-endian, packed (CAEN UM5960). The file header, once per run, is the 16-bit number ``0xCAE0 | bits``, bits being
:class:`EventContent`. Each event: board u16, channel u16, timestamp u64 in ps, then as the bits say energy u16,
calibrated energy f64, energy of the short gate u16; flags u32; and with waveforms the probe code u8, the number of
samples N u32, and N samples u16. Before 2022 there was neither file header nor probe code, and both energies were
always there. Without waveforms some versions write probe code and N = 0, some leave both out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, IntFlag
from functools import cached_property
from itertools import islice
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = 0xCAE0
FILE_HEADER_BYTES = 2
MAX_SAMPLES = 2**23
"""No CAEN digitizer of this kind records longer waveforms; a greater number is damage."""
RESYNC_BYTES = 8 * 2**20
"""How far behind a damaged event the next good one is looked for."""
MAX_BOARD, MAX_CHANNEL, MAX_PROBE, MAX_FLAGS = 0xFF, 0x3FF, 0x3F, 0xFFFFFF
MAX_TIMESTAMP = 2**63 - 1

_COUNT = Struct("<I")

Fetch = Callable[[int, int], bytes]
"""``fetch(offset, count)``: bytes of the file, fewer than `count` only at its end."""


class EventContent(IntFlag):
    """The bits of the file header: what each event holds."""

    ENERGY = 1
    CALIBRATED_ENERGY = 2
    ENERGY_SHORT = 4
    WAVEFORM = 8


class Tail(Enum):
    """What follows the flags of an event."""

    NOTHING = 0
    COUNT = 4
    PROBE_AND_COUNT = 5


@dataclass(frozen=True)
class Layout:
    """The layout of one file.

    Parameters
    ----------
    content : EventContent
        What each event holds.
    tail : Tail
        What follows the flags.
    start : int
        Offset of the first event: 2 with a file header, 0 without.
    """

    content: EventContent
    tail: Tail
    start: int

    @cached_property
    def head(self) -> np.dtype[Any]:
        """The packed type of an event up to its samples."""
        fields = [("board", "<u2"), ("channel", "<u2"), ("timestamp", "<u8")]
        fields += [("energy", "<u2")] if EventContent.ENERGY in self.content else []
        fields += [("calibrated_energy", "<f8")] if EventContent.CALIBRATED_ENERGY in self.content else []
        fields += [("energy_short", "<u2")] if EventContent.ENERGY_SHORT in self.content else []
        fields += [("flags", "<u4")]
        fields += [("probe", "u1")] if self.tail is Tail.PROBE_AND_COUNT else []
        fields += [("count", "<u4")] if self.tail is not Tail.NOTHING else []
        return np.dtype(fields)

    @cached_property
    def head_bytes(self) -> int:
        """Bytes of an event without its samples."""
        return int(self.head.itemsize)

    @cached_property
    def count_at(self) -> int:
        """Offset in the event of N."""
        return self.head_bytes - 4

    @cached_property
    def _leading(self) -> Struct:
        """Board, channel, timestamp, the energies that are there, flags."""
        codes = {EventContent.ENERGY: "H", EventContent.CALIBRATED_ENERGY: "d", EventContent.ENERGY_SHORT: "H"}
        return Struct("<HHQ" + "".join(code for part, code in codes.items() if part in self.content) + "I")

    def event_bytes(self, n_samples: int) -> int:
        """Bytes of an event with `n_samples` samples."""
        return self.head_bytes + 2 * n_samples

    def __str__(self) -> str:
        parts = [part.name.lower().replace("_", " ") for part in EventContent if part in self.content and part.name]
        head = "file header" if self.start else "no file header"
        probe = {Tail.PROBE_AND_COUNT: "probe code", Tail.COUNT: "no probe code", Tail.NOTHING: "no sample count"}
        return f"{' + '.join(parts) or 'timestamps only'}; {head}, {probe[self.tail]}"

    def plausible(self, head: bytes) -> int | None:
        """Return N if these bytes may be the head of an event, else None."""
        if len(head) < self.head_bytes:
            return None
        board, channel, timestamp, *energies, flags = self._leading.unpack_from(head)
        count = _COUNT.unpack_from(head, self.count_at)[0] if self.tail is not Tail.NOTHING else 0
        fits = (
            board <= MAX_BOARD
            and channel <= MAX_CHANNEL
            and timestamp <= MAX_TIMESTAMP
            and flags <= MAX_FLAGS
            and count <= MAX_SAMPLES
            and (count > 0 or timestamp > 0 or EventContent.WAVEFORM not in self.content)
            and (self.tail is not Tail.PROBE_AND_COUNT or head[self.count_at - 1] <= MAX_PROBE)
            and (self.start > 0 or all(_plausible_energy(energy) for energy in energies if isinstance(energy, float)))
        )
        return int(count) if fits else None

    def chain(self, fetch: Fetch, offset: int, end: int) -> Iterator[tuple[int, int]]:
        """Walk from event to event; yield offset and N of each plausible one that lies within the file."""
        while offset + self.head_bytes <= end:
            count = self.plausible(fetch(offset, self.head_bytes))
            if count is None or offset + self.event_bytes(count) > end:
                return
            yield offset, count
            offset += self.event_bytes(count)

    def holds(self, fetch: Fetch, offset: int, end: int, *, events: int = 3) -> bool:
        """Whether events chain up from `offset`, over `events` of them or up to the very end of the file."""
        walked = list(islice(self.chain(fetch, offset, end), events))
        if not walked:
            return False
        last, count = walked[-1]
        after = last + self.event_bytes(count)
        # At the end of the file an event may be cut short: two whole ones before it are enough.
        cut = self.plausible(fetch(after, self.head_bytes)) is not None or end - after < self.head_bytes
        return len(walked) == events or after == end or (len(walked) >= 2 and cut)

    def next_chain(self, fetch: Fetch, start: int, end: int, *, within: int) -> int | None:
        """Find the first place from `start` on, at most `within` bytes away, where events chain up again."""
        window = 4096
        at = start
        while at < min(start + within, end - self.head_bytes + 1):
            block = np.frombuffer(fetch(at, window + self.head_bytes - 1), np.uint8)
            for candidate in self._candidates(block):
                if self.holds(fetch, at + int(candidate), end):
                    return at + int(candidate)
            at += window
            window = min(2 * window, 2**18)
        return None

    def _candidates(self, block: NDArray[np.uint8]) -> NDArray[np.intp]:
        """Return where in a stretch of bytes the head of an event may start, tested on its most telling bytes."""
        n_places = len(block) - self.head_bytes + 1
        if n_places <= 0:
            return np.empty(0, np.intp)

        def byte(offset: int) -> NDArray[np.uint8]:
            return block[offset : offset + n_places]

        flags_at = int(self.head.fields["flags"][1]) if self.head.fields is not None else 0
        fits = (byte(1) == 0) & (byte(3) <= MAX_CHANNEL >> 8) & (byte(11) < 0x80) & (byte(flags_at + 3) == 0)
        if self.tail is not Tail.NOTHING:
            n = self.count_at
            fits &= (
                (byte(n + 3) == 0) & (byte(n + 2) <= MAX_SAMPLES >> 16) & ((byte(n) | byte(n + 1) | byte(n + 2)) > 0)
            )
        return np.flatnonzero(fits)


def _plausible_energy(energy: float) -> bool:
    # A calibrated energy is a number a physicist would write; other fields read as one give 1e-310 and the like.
    return energy == 0.0 or 1e-12 < abs(energy) < 1e12
