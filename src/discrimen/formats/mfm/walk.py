"""Walking through the frames of an MFM file: from frame to frame, into merged ones, and back into step behind damage.

The frames of NEDA that are wanted are told as stretches of frames of one layout that follow each other. A long stretch
is found at once, by comparing the first bytes of all its frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from discrimen.formats.base import ReadReport
from discrimen.formats.mfm.frames import (
    HEAD_BYTES,
    ITEMS_HEAD_BYTES,
    KNOWN_TYPES,
    MERGED,
    NEDA,
    NEDA_COMP,
    NEDA_END,
    XML_DESCRIPTION,
    XML_FILE_HEADER,
    Head,
    Layout,
    begins_inside,
    head_at,
    layout_at,
    n_items_at,
    name_of,
)
from discrimen.formats.mfm.stretches import Stretch, n_alike
from discrimen.formats.mfm.way_back import next_candidates

DEEPEST = 8
"""Merged frames in merged frames are followed so far down."""

NO_FRAME = "bytes that are no frame"
UNSOUND = "frame whose size or header cannot be right"
NO_END = "NEDA frame without its end mark"
CUT = "frame cut off by the end of the file"
OTHER_NUMBER = "merged frame(s) with another number of frames than they say"
TOO_DEEP = f"merged frames more than {DEEPEST} deep"


@dataclass(slots=True)
class _Merged:
    """A merged frame that the walk is in: where it ends, and how many frames should be and are in it."""

    start: int
    end: int
    n_items: int
    is_cut: bool
    n_met: int = 0


@dataclass(slots=True)
class FrameWalk:
    """Finds the frames of some types in the pieces of a file.

    Parameters
    ----------
    wanted : frozenset of int
        Types to find, of NEDA and NEDACOMP; others are passed over and counted.
    file_bytes : int
        Size of the file.
    fetch : callable
        ``fetch(offset, count)``: bytes from elsewhere in the file.
    report : ReadReport
        Where damage is counted.

    Attributes
    ----------
    found : dict of Layout to list of Stretch
        In the latest piece.
    passed_over : dict of int to int
        Up to now: frames of each other type.
    n_entries : int
        Up to now: wanted frames, and whatever was damaged.
    """

    wanted: frozenset[int]
    file_bytes: int
    fetch: Callable[[int, int], bytes]
    report: ReadReport
    found: dict[Layout, list[Stretch]] = field(default_factory=dict)
    passed_over: dict[int, int] = field(default_factory=dict)
    n_entries: int = 0
    _around: list[_Merged] = field(default_factory=list)
    _lost: tuple[str, int] | None = None
    _content: bytes = b""
    _base: int = 0

    def through(self, content: bytes, base: int) -> int:
        """Walk through a piece that begins at `base`, and return where the next one has to begin."""
        self.found, self._content, self._base = {}, content, base
        at, end = base, base + len(content)
        while at < min(end, self.file_bytes):
            if self._lost is not None:
                at = self._way_back(at)
                if self._lost is not None:
                    return at
                continue
            at = self._out_of_merged(at)
            if at >= end:
                return at
            if end < self.file_bytes and at + ITEMS_HEAD_BYTES > end:
                return at
            after = self._step(at)
            if after is None:
                return at
            at = after
        return at

    def finish(self) -> None:
        """Count what was passed over, when the file is at its end."""
        self._out_of_merged(self.file_bytes)
        if self._lost is not None:
            self.report.add_damage(self._lost[0], offset=self._lost[1])
            self._lost = None
        for frame_type, count in sorted(self.passed_over.items()):
            if frame_type in (XML_DESCRIPTION, XML_FILE_HEADER):
                continue  # they hold no data
            self.report.pass_over(f"type {name_of(frame_type)}", count=count)

    def _out_of_merged(self, at: int) -> int:
        """Leave the merged frames that end here; what is too short for a frame fills up their last unit."""
        while self._around and self._around[-1].end - at < HEAD_BYTES:
            left = self._around.pop()
            at = max(at, left.end)
            if left.is_cut:
                self.report.add_damage(CUT, offset=left.start)
            elif left.n_met != left.n_items:
                self.report.add_remark(OTHER_NUMBER, count=1)
        return at

    def _step(self, at: int) -> int | None:
        """Take the frame at a place in the file, and return where the next one begins; None if more has to come."""
        head = head_at(self._content, at - self._base)
        limit = self._around[-1].end if self._around else self.file_bytes
        if head is None:
            is_cut = limit == self.file_bytes and limit - at < HEAD_BYTES
            return self._lose(CUT if is_cut else NO_FRAME, at)
        if head.type in MERGED:
            return self._into_merged(at, head, limit)
        if at + head.bytes > limit:
            return self._lose(CUT, at) if limit == self.file_bytes else self._distrust_merged(at)
        if head.type in self.wanted:
            return self._take(at, head, limit)
        if not self._is_followed(at + head.bytes, limit):
            return self._lose(UNSOUND, at)
        self._meet(1)
        self.passed_over[head.type] = self.passed_over.get(head.type, 0) + 1
        return at + head.bytes

    def _meet(self, n_frames: int) -> None:
        """Count frames of the merged one around them."""
        if self._around:
            self._around[-1].n_met += n_frames

    def _into_merged(self, at: int, head: Head, limit: int) -> int | None:
        end, inside = at + head.bytes, at - self._base
        is_cut = end > limit == self.file_bytes
        if end > limit and not is_cut:
            return self._distrust_merged(at)
        begins = begins_inside(self._content, inside, head)
        begin = next((begin for begin in begins if self._may_begin(at + begin, end)), None)
        if begin is None:
            return self._lose(CUT if is_cut else UNSOUND, at)
        self._meet(1)
        if len(self._around) == DEEPEST:
            self._damage(TOO_DEEP, at)
            return min(end, limit)
        # Of merged frames that the end of the file cuts off, the outermost one stands for all.
        is_outermost = is_cut and not any(each.is_cut for each in self._around)
        n_items = n_items_at(self._content, inside, head)
        self._around.append(_Merged(at, min(end, limit), n_items, is_outermost))
        return at + begin

    def _may_begin(self, at: int, end: int) -> bool:
        """Whether a frame begins here in a merged one, or nothing is in it."""
        if at == min(end, self.file_bytes):
            return True
        begin = self._begin(at)
        head = head_at(begin, 0)
        return head is not None and at + head.bytes <= end and self._is_credible(head, begin, at)

    def _take(self, at: int, head: Head, limit: int) -> int | None:
        """Take a wanted frame, and all of its layout that follow."""
        layout = layout_at(self._content, at - self._base, head)
        after = at + head.bytes
        if layout is None:
            return self._lose(UNSOUND, at)
        if after > self._base + len(self._content):
            return None
        mark = at - self._base + layout.end_mark
        if head.type == NEDA and self._content[mark : mark + len(NEDA_END)] != NEDA_END:
            return self._pass_damaged(NO_END, at, after, limit)
        end = min(limit - self._base, len(self._content))
        n_frames = n_alike(self._content, at - self._base, layout, end=end)
        self.found.setdefault(layout, []).append(Stretch(at, self.n_entries, n_frames))
        self.n_entries += n_frames
        self._meet(n_frames)
        return at + n_frames * head.bytes

    def _begin(self, at: int) -> bytes:
        """Read the first bytes of a frame anywhere in the file."""
        inside = at - self._base
        if 0 <= inside <= len(self._content) - ITEMS_HEAD_BYTES:
            return self._content[inside : inside + ITEMS_HEAD_BYTES]
        return self.fetch(at, ITEMS_HEAD_BYTES)

    def _is_followed(self, after: int, limit: int) -> bool:
        """Whether a frame may end here: another one begins, or no more can."""
        if limit - after < HEAD_BYTES:
            return True
        begin = self._begin(after)
        head = head_at(begin, 0)
        return head is not None and self._is_credible(head, begin, after)

    def _is_credible(self, head: Head, begin: bytes, at: int) -> bool:
        """Whether a head is one: of a type that is known or was met, or followed by one that is."""
        after = at + head.bytes
        if head.type in (NEDA, NEDA_COMP):
            return layout_at(begin, 0, head) is not None
        if head.type in MERGED or head.type in self.passed_over:
            return True
        if head.type in KNOWN_TYPES or after == self.file_bytes:
            return after <= self.file_bytes
        behind = head_at(self._begin(after), 0)
        return behind is not None and behind.type in (*KNOWN_TYPES, head.type)

    def _damage(self, kind: str, at: int) -> None:
        self.report.add_damage(kind, offset=at)
        self.n_entries += 1

    def _pass_damaged(self, kind: str, at: int, after: int, limit: int) -> int:
        """Leave a frame out that is damaged inside, if its size leads to the next one."""
        if not self._is_followed(after, limit):
            return self._lose(kind, at)
        self._damage(kind, at)
        self._meet(1)
        return after

    def _distrust_merged(self, at: int) -> int:
        """Forget the merged frames around a frame that is longer than they are, and look at it by itself."""
        self._damage(UNSOUND, at)
        self._around.clear()
        return at

    def _lose(self, kind: str, at: int) -> int:
        """Note what cannot be read; the next frame is to be looked for behind it."""
        self._lost = kind, at
        self.n_entries += 1
        self._around.clear()
        return at + 1

    def _way_back(self, at: int) -> int:
        """Look for a frame of NEDA or a merged one; where there is none, return what may still be part of one."""
        is_end = self._base + len(self._content) >= self.file_bytes
        for place in next_candidates(self._content, at - self._base):
            if self._is_sound(self._base + place):
                kind, lost_at = self._lost or (UNSOUND, at)
                self.report.add_damage(UNSOUND if kind == CUT else kind, offset=lost_at)
                self._lost = None
                return self._base + place
        end = self._base + len(self._content)
        return end if is_end else max(at, end - ITEMS_HEAD_BYTES + 1)

    def _is_sound(self, at: int) -> bool:
        """Whether what looks like a frame behind damage is one."""
        head, inside = head_at(self._content, at - self._base), at - self._base
        if head is None or at + head.bytes > self.file_bytes:
            return False
        after = at + head.bytes
        if head.type in MERGED:
            begins = begins_inside(self._content, inside, head)
            is_entered = any(self._may_begin(at + begin, after) for begin in begins)
            return is_entered and self._is_followed(after, self.file_bytes)
        layout = layout_at(self._content, inside, head)
        if layout is None:
            return False
        if head.type == NEDA_COMP:
            return True
        return self.fetch(at + layout.end_mark, len(NEDA_END)) == NEDA_END
