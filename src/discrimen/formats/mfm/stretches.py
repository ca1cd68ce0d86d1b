"""Frames of one layout that follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.mfm.frames import HEAD_BYTES, ITEMS_HEAD_BYTES, NEDA, NEDA_END, Layout

_FEW = 4
"""So many are looked at one by one; behind them a long stretch is expected."""


@dataclass(slots=True)
class Stretch:
    """Frames of one layout that follow each other.

    Parameters
    ----------
    start : int
        Offset of the first one in the file.
    entry : int
        How many wanted frames, damaged ones included, came before it.
    n_frames : int
        How many.
    """

    start: int
    entry: int
    n_frames: int


def n_alike(content: bytes, at: int, layout: Layout, *, end: int) -> int:
    """How many frames of one layout follow each other, from one that was found sound.

    Parameters
    ----------
    content : bytes
        They lie in it.
    at : int
        Where the first one begins.
    layout : Layout
        Of the first one.
    end : int
        None may go beyond.
    """
    n_bytes, is_raw = layout.head.bytes, layout.head.type == NEDA
    n_most = (end - at) // n_bytes
    told = content[at : at + 4], content[at + 5 : at + (ITEMS_HEAD_BYTES if is_raw else HEAD_BYTES)]
    count, place, mark = 1, at + n_bytes, layout.end_mark
    while count < n_most and count < _FEW:
        behind_source = content[place + 5 : place + 5 + len(told[1])]
        if content[place : place + 4] != told[0] or behind_source != told[1]:
            return count
        if is_raw and content[place + mark : place + mark + len(NEDA_END)] != NEDA_END:
            return count
        count, place = count + 1, place + n_bytes
    return count if count == n_most else _n_many(np.frombuffer(content, _first_bytes(layout), n_most, at), count)


def _n_many(frames: NDArray[np.void], count: int) -> int:
    """How many frames from the first one on are alike, looking ever further; `count` are known to be."""
    step = 64
    while count < len(frames):
        ahead = frames[count : count + step]
        same = (ahead["head"] & _NOT_SOURCE) == (frames["head"][0] & _NOT_SOURCE)
        for name in (frames.dtype.names or ())[1:]:
            same &= ahead[name] == frames[name][0]
        if not same.all():
            return count + int(same.argmin())
        count, step = count + len(ahead), 16 * step
    return count


_NOT_SOURCE = np.uint64(~(0xFF << 32) & (2**64 - 1))
"""Frames that differ in their source alone are alike."""


@lru_cache(maxsize=256)
def _first_bytes(layout: Layout) -> np.dtype[np.void]:
    """Return the type of a frame by which those of one layout are told."""
    marks = {"head": ("<u8", 0)}
    if layout.head.type == NEDA:
        marks |= {"items": ("<u8", HEAD_BYTES), "end": ("<u4", layout.end_mark)}
    formats, offsets = zip(*marks.values(), strict=True)
    return np.dtype(
        {"names": list(marks), "formats": list(formats), "offsets": list(offsets), "itemsize": layout.head.bytes}
    )


def offsets_of(stretches: list[Stretch], n_bytes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the offset in the file and the entry of every frame of some stretches."""
    counts = np.array([stretch.n_frames for stretch in stretches])
    starts = np.array([stretch.start for stretch in stretches], np.int64)
    entries = np.array([stretch.entry for stretch in stretches], np.int64)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(starts, counts) + n_bytes * within, np.repeat(entries, counts) + within
