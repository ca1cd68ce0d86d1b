"""The frames of an ADF file: a key of 20 bytes each, composite ones that hold others, and the next one behind damage.

Little-endian: u32 length with the key, u32 type, u32 event number, u64 time stamp in steps of 10 ns, and what the frame
holds. That of an event (event:data and the like) is complete frames. A frame is sound if another key follows it, or the
end of the file.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from discrimen.formats.base import ReadReport
from discrimen.formats.frame_walk import FrameWalk, next_mark

KEY = struct.Struct("<IIIQ")
TICK_PS = 10_000
"""Step of the time stamps."""

CRYSTAL, CALIBRATED_CRYSTAL, PSA, TRACKED = 0xFA010101, 0xFA010111, 0xFA010102, 0xFA010105
NAMES = {
    CRYSTAL: "data:crystal",
    CALIBRATED_CRYSTAL: "data:ccrystal",
    PSA: "data:psa",
    TRACKED: "data:tracked",
    0xFA0201A0: "ancillary (FA0201A0)",
    0xFA0201A1: "ancillary (FA0201A1)",
    0xFA0201A2: "ancillary (FA0201A2)",
    0xFA020101: "data:neda",
    0xFA000200: "configuration",
    0xCA000100: "event:data",
    0xCA010101: "event:data:crystal",
    0xCA010102: "event:data:psa",
    0xCA010103: "event:data:tracked",
}
"""What frames of each type are called."""

COMPOSITE = frozenset([0xCA000100, 0xCA010101, 0xCA010102, 0xCA010103])
"""Types that hold complete frames."""

_FAMILIES = (0xFA, 0xCA)
_MOST_BYTES = 2**24
_LATEST_TICK = 2**49

CUT = "truncated last frame"
UNSOUND = "ADF frame that no other one follows"
NO_FRAME = "bytes that are no ADF frame"
WRONG_EVENT = "ADF event whose length is not that of its frames"


def name_of(frame_type: int) -> str:
    """Return what frames of a type are called."""
    return NAMES.get(frame_type, f"type {frame_type:08X}")


@dataclass(frozen=True, slots=True)
class AdfFrame:
    """A frame that holds no others.

    Parameters
    ----------
    type, event : int
        As in its key.
    timestamp_ps : int
        Of its key.
    offset : int
        Where its key begins in the file.
    payload : bytes
        What follows the key.
    """

    type: int
    event: int
    timestamp_ps: int
    offset: int
    payload: bytes


def is_key(text: bytes, at: int) -> bool:
    """Whether a key may begin here."""
    if len(text) - at < KEY.size:
        return False
    n_bytes, frame_type, _, tick = KEY.unpack_from(text, at)
    return frame_type >> 24 in _FAMILIES and KEY.size <= n_bytes <= _MOST_BYTES and tick < _LATEST_TICK


def adf_frames(path: Path, wanted: frozenset[int], *, chunk_bytes: int, report: ReadReport) -> Iterator[list[AdfFrame]]:
    """Walk through a file and yield the frames of some types, in pieces; those within events too.

    Frames of other types are counted as passed over, and what is damaged as damage.

    Raises
    ------
    FormatError
        If the file cannot be read.
    """
    for _, _, frames in _AdfWalk(wanted, report).pieces(path, chunk_bytes=chunk_bytes):
        yield frames


class _AdfWalk(FrameWalk[AdfFrame]):
    head_bytes, cut = KEY.size, CUT

    def __init__(self, wanted: frozenset[int], report: ReadReport) -> None:
        super().__init__(report)
        self._wanted = wanted
        self._event_ends: list[int] = []

    def through(self, text: bytes, offset: int, *, is_end: bool) -> tuple[list[AdfFrame], int]:
        self._others: Counter[int] = Counter()
        found, done = super().through(text, offset, is_end=is_end)
        for frame_type, count in self._others.items():
            self.report.pass_over(f"ADF frame(s): {name_of(frame_type)}", count=count)
        return found, done

    def step(self, text: bytes, at: int, found: list[AdfFrame]) -> int | None:
        if not is_key(text, at):
            return self.lose(NO_FRAME, at)
        n_bytes, frame_type, event, tick = KEY.unpack_from(text, at)
        if frame_type in COMPOSITE:
            self._enter(self.offset + at, self.offset + at + n_bytes)
            return self._leave(at + KEY.size)
        after = at + n_bytes
        if not self.is_end and after + KEY.size > len(text):
            return None
        if after > len(text) and not self.way_back(text, at + 1, is_end=True)[1]:
            return None
        if after > len(text) or not _is_followed(text, after):
            return self.lose(UNSOUND, at)
        if frame_type in self._wanted:
            payload = text[at + KEY.size : after]
            found.append(AdfFrame(frame_type, event, TICK_PS * tick, self.offset + at, payload))
        else:
            self._others[frame_type] += 1
        return self._leave(after)

    def finish(self, at: int, size: int) -> None:
        super().finish(at, size)
        if at == size and self._event_ends and not self.is_lost:
            self.report.add_damage(WRONG_EVENT, offset=self.offset + size)

    def _enter(self, begin: int, end: int) -> None:
        """Note where an event ends; one that is longer than the one around it is damage."""
        if self._event_ends and end > self._event_ends[-1]:
            self.report.add_damage(WRONG_EVENT, offset=begin)
            self._event_ends.clear()
        self._event_ends.append(end)

    def _leave(self, at: int) -> int:
        """Leave the events that end here, and return the same place."""
        while self._event_ends and self._event_ends[-1] <= self.offset + at:
            if self._event_ends.pop() < self.offset + at:
                self.report.add_damage(WRONG_EVENT, offset=self.offset + at)
        return at

    def lose(self, kind: str, at: int) -> int:
        self._event_ends.clear()
        return super().lose(kind, at)

    def way_back(self, text: bytes, at: int, *, is_end: bool) -> tuple[int, bool]:
        while (at := next_mark(text, at + _TYPE_AT, _MARKS) - _TYPE_AT) + _TYPE_AT < len(text):
            if len(text) - at < KEY.size:
                return at, False
            if is_key(text, at):
                n_bytes, frame_type, *_ = KEY.unpack_from(text, at)
                after = at + (KEY.size if frame_type in COMPOSITE else n_bytes)
                if not is_end and after + KEY.size > len(text):
                    return at, False
                if after <= len(text) and _is_followed(text, after):
                    return at, True
            at += 1
        return max(0, len(text) - _TYPE_AT - 3), False


def _is_followed(text: bytes, after: int) -> bool:
    """Whether a frame may end here; a rest that is too short for a key counts as cut off."""
    return len(text) - after < KEY.size or is_key(text, after)


_MARKS = tuple(struct.pack("<I", frame_type) for frame_type in NAMES)
_TYPE_AT = 4
