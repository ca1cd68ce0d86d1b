"""What the beginning of a GEB stream holds, and whether a file is one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from discrimen.errors import FormatError
from discrimen.formats.base import ReadReport, opened_to_read
from discrimen.formats.geb.frames import (
    CHANNELS,
    HEAD,
    HEAD_BYTES,
    POINTS,
    POINTS_BYTES,
    TRACES,
    TRACES_BYTES,
    can_be_head,
    is_known,
    pieces,
)
from discrimen.formats.geb.traces import N_CHANNELS

_LOOKED_AT = 2**24
_PIECE_BYTES = 2**20
_CHAIN = 64
"""Frames of other types that may come before the first one that is known."""

_NAMES = {
    POINTS: "interaction points (mode 2)",
    CHANNELS: "channels (mode 3)",
    TRACES: "traces of a whole crystal (type 100)",
    3: "tracked gamma rays (type 3)",
    5: "S800 (type 5)",
}


def name_of(frame_type: int, frame_bytes: int | None = None) -> str:
    """Return what frames of a type are called; those of another size than theirs say so."""
    name = f"GEB frame(s): {_NAMES.get(frame_type, f'type {frame_type}')}"
    size = {TRACES: TRACES_BYTES, POINTS: POINTS_BYTES}.get(frame_type)
    if size is None or frame_bytes is None or frame_bytes == HEAD_BYTES + size:
        return name
    return f"{name}, of {frame_bytes - HEAD_BYTES} bytes instead of {size}"


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found at the beginning of a file.

    Parameters
    ----------
    n_frames : Counter of int
        Frames of each type; those of traces only where they have the size of such.
    is_whole : bool
        Whether it was the whole file.
    n_pulses : int or None
        In the whole file, where it is known.
    """

    n_frames: Counter[int]
    is_whole: bool
    n_pulses: int | None

    @property
    def has_waveforms(self) -> bool:
        """Whether there is a waveform."""
        return bool(self.n_frames[TRACES] or self.n_frames[CHANNELS])

    def __str__(self) -> str:
        counts = ", ".join(
            f"{count} of {_NAMES.get(frame_type, f'type {frame_type}')}"
            for frame_type, count in sorted(self.n_frames.items())
        )
        return f"{'frames' if self.is_whole else f'in the first {_LOOKED_AT >> 20} MiB, frames'}: {counts}"


def survey(path: Path) -> Survey:
    """Look into a file: at its beginning, and on until something that is read is found.

    Raises
    ------
    FormatError
        If it cannot be read, or holds nothing that is read.
    """
    n_frames: Counter[int] = Counter()
    is_whole, others = True, 0
    for piece in pieces(path, chunk_bytes=_PIECE_BYTES, report=ReadReport()):
        for stretch in piece.stretches:
            if stretch.type == TRACES and stretch.frame_bytes != HEAD_BYTES + TRACES_BYTES:
                others += stretch.count
            else:
                n_frames[stretch.type] += stretch.count
        if piece.offset > _LOOKED_AT and any(n_frames[known] for known in (POINTS, CHANNELS, TRACES)):
            is_whole = False
            break
    if not any(n_frames[known] for known in (POINTS, CHANNELS, TRACES)):
        raise FormatError(
            f"expected a GEB stream with frames of type {POINTS} (mode 2), {CHANNELS} (mode 3) or {TRACES}, got "
            f"{sum(n_frames.values()) + others} whole frames of others",
            path,
        )
    only_traces = is_whole and not n_frames[CHANNELS]
    return Survey(n_frames, is_whole, N_CHANNELS * n_frames[TRACES] if only_traces else None)


def recognises(path: Path, head: bytes) -> bool:
    """Whether the file begins with a frame that is known by more than its head, or with others and then one."""
    if len(head) < HEAD_BYTES + 4 or not can_be_head(head, 0):
        return False
    try:
        with opened_to_read(path) as stream:
            at = 0
            for _ in range(_CHAIN):
                stream.seek(at)
                begin = stream.read(HEAD_BYTES + 4)
                if len(begin) < HEAD_BYTES or not can_be_head(begin, 0):
                    return False
                if is_known(begin, 0):
                    return True
                at += HEAD_BYTES + int(np.frombuffer(begin, HEAD, 1)[0]["load_bytes"])
    except FormatError:
        return False
    return False
