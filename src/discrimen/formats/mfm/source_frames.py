"""The raw frames of NEDA behind some pulses of a run, without their samples, by the entries of the pulses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.formats.base import DEFAULT_CHUNK_BYTES, ReadReport, opened_to_read
from discrimen.formats.mfm.blocks import FrameTable, frame_tables
from discrimen.formats.mfm.frames import ITEMS_HEAD_BYTES, NEDA
from discrimen.formats.mfm.neda import ticks
from discrimen.formats.mfm.survey import recognises, survey

COPIED = ("source", "event_number", "location", "tdc", "slow", "fast")
"""What a NEDACOMP frame takes over from a raw one as it is."""

RAW_HEAD = np.dtype(
    [
        ("entry", "i8"),
        ("ticks", "i8"),
        ("source", "u1"),
        ("event_number", "u4"),
        ("location", "u2"),
        ("tdc", "u2"),
        ("slow", "u4"),
        ("fast", "u4"),
    ]
)
"""A raw frame without its samples."""

_KEPT_FRAMES = 2**20
"""Frames behind the latest one wanted that are still known: chunks of one piece of a file come out of order."""


def holds_raw_frames(path: Path) -> bool:
    """Whether a run file is of MFM and its pulses are those of raw frames."""
    try:
        with opened_to_read(path) as stream:
            head = stream.read(ITEMS_HEAD_BYTES)
        is_mfm = path.suffix.lower() == ".mfm" or recognises(path, head)
        return is_mfm and survey(path).wanted == NEDA
    except FormatError:
        return False


class SourceFrames:
    """Looks frames up while a run is read from its start to its end a second time.

    Parameters
    ----------
    path : Path
        The run file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pieces = self._read()
        self._known: list[NDArray[np.void]] = []

    def of_entries(self, entries: NDArray[np.int64]) -> NDArray[np.void]:
        """Return the frames of some entries, as :data:`RAW_HEAD`; calls go forward through the run.

        Raises
        ------
        FormatError
            If the run has no such frame: it has changed since it was read.
        """
        last = int(entries.max(initial=-1))
        while not self._known or self._known[-1]["entry"][-1] < last:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._known.append(piece)
        while len(self._known) > 1 and sum(len(piece) for piece in self._known[1:]) > _KEPT_FRAMES:
            del self._known[0]
        known = np.concatenate([*self._known, np.empty(0, RAW_HEAD)])
        place = np.minimum(np.searchsorted(known["entry"], entries), max(len(known) - 1, 0))
        if len(entries) and not (len(known) and (known["entry"][place] == entries).all()):
            raise FormatError(
                f"no frames of NEDA for entries up to {last}: the file has changed while it was read", self._path
            )
        return known[place]

    def _read(self) -> Iterator[NDArray[np.void]]:
        wanted = frozenset([NEDA])
        for tables in frame_tables(self._path, wanted, chunk_bytes=DEFAULT_CHUNK_BYTES, report=ReadReport()):
            heads = np.concatenate([_heads(table) for table in tables])
            yield heads[np.argsort(heads["entry"])] if len(tables) > 1 else heads


def _heads(table: FrameTable) -> NDArray[Any]:
    heads = np.empty(len(table.entry), RAW_HEAD)
    heads["entry"] = table.entry
    heads["ticks"] = ticks(table.frames, table.layout, is_raw=True)
    for name in COPIED:
        heads[name] = table.frames[name]
    return heads
