"""Frames of one layout that follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.mfm.frames import HEAD_BYTES, NEDA, Layout


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
    n_frames: int = 1


def n_alike(content: bytes, at: int, layout: Layout, *, end: int) -> int:
    """How many frames of one layout follow each other, from one that was found sound, looking ever further.

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
    n_most = (end - at) // layout.head.bytes
    is_raw = layout.head.type == NEDA
    frames = np.frombuffer(content, _first_bytes(layout), n_most, at)
    count, step = 1, 64
    while count < n_most:
        ahead = frames[count : count + step]
        same = (ahead["head"] & _NOT_SOURCE) == (frames["head"][0] & _NOT_SOURCE)
        if is_raw:
            same &= ahead["items"] == frames["items"][0]
            same &= ahead["end"] == frames["end"][0]
        if not same.all():
            count += int(same.argmin())
            break
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
