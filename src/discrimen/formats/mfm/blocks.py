"""Reading an MFM file piece by piece, and the frames of NEDA in each piece as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadReport, opened_to_read
from discrimen.formats.mfm.frames import ITEMS_HEAD_BYTES, NEDA, Layout
from discrimen.formats.mfm.neda import compressed_type, raw_type
from discrimen.formats.mfm.stretches import Stretch, offsets_of
from discrimen.formats.mfm.walk import FrameWalk

SHORTER = "rest of a file that became shorter while it was read"


@dataclass(frozen=True, slots=True, eq=False)
class FrameTable:
    """Frames of one layout in one piece of a file.

    Parameters
    ----------
    layout : Layout
        Of all of them.
    frames : ndarray of structures, shape (frame,)
        As :func:`~discrimen.formats.mfm.neda.raw_type` or `compressed_type` says.
    offset, entry : ndarray of int64, shape (frame,)
        Where each begins in the file, and how many of its type, damaged ones included, came before it.
    """

    layout: Layout
    frames: NDArray[np.void]
    offset: NDArray[np.int64]
    entry: NDArray[np.int64]


def frame_tables(
    path: Path, wanted: frozenset[int], *, chunk_bytes: int, report: ReadReport
) -> Iterator[list[FrameTable]]:
    """Walk through a file and yield the wanted frames of each piece.

    Damage and frames of other types are counted in the report.

    Raises
    ------
    FormatError
        If the file cannot be read.
    """
    with opened_to_read(path) as stream:
        walk = FrameWalk(wanted, stream.seek(0, 2), lambda at, count: _fetched(stream, at, count), report)
        at, piece_bytes = 0, max(chunk_bytes, ITEMS_HEAD_BYTES)
        while at < walk.file_bytes:
            content = _fetched(stream, at, piece_bytes)
            after = walk.through(content, at)
            if walk.found:
                yield [_table(layout, found, content, at) for layout, found in walk.found.items()]
            if after == at and len(content) < piece_bytes:
                report.add_damage(SHORTER, offset=at)
                break
            piece_bytes = 2 * piece_bytes if after == at else max(chunk_bytes, ITEMS_HEAD_BYTES)
            at = after
        walk.finish()


def _fetched(stream: BufferedReader, at: int, count: int) -> bytes:
    stream.seek(at)
    return stream.read(count)


def _table(layout: Layout, stretches: list[Stretch], content: bytes, base: int) -> FrameTable:
    dtype = raw_type(layout) if layout.head.type == NEDA else compressed_type(layout)
    n_bytes = layout.head.bytes
    offset, entry = offsets_of(stretches, n_bytes)
    if len(stretches) == 1:
        frames = np.frombuffer(content, dtype, len(offset), stretches[0].start - base)
    else:
        every_place = np.lib.stride_tricks.sliding_window_view(np.frombuffer(content, np.uint8), n_bytes)
        frames = every_place[offset - base].view(dtype)[:, 0]
    return FrameTable(layout, frames, offset, entry)
