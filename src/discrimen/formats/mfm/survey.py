"""What an MFM file holds, by its beginning: raw frames of NEDA, NEDACOMP frames, others."""

from __future__ import annotations

from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from discrimen.errors import FormatError
from discrimen.formats.base import ReadReport
from discrimen.formats.mfm.blocks import frame_tables
from discrimen.formats.mfm.frames import (
    KNOWN_TYPES,
    MERGED,
    NEDA,
    NEDA_COMP,
    NEDA_END,
    NEDA_HEADER_BYTES,
    Head,
    begins_inside,
    head_at,
    layout_at,
    name_of,
)

_PIECE_BYTES = 2**20
_FAR = 2**26
"""So far from the first NEDACOMP frame on, raw frames are waited for."""

_CHAIN = 4
"""Frames that follow each other are taken for MFM."""

_LATEST_REVISION = 15

_MARKS = {NEDA: "NEDA raw frames", NEDA_COMP: "NEDACOMP frames (list mode)"}


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found at the beginning of a file.

    Parameters
    ----------
    types : frozenset of int
        Of the frames of NEDA.
    n_samples : int or None
        Of the first raw frame.
    """

    types: frozenset[int]
    n_samples: int | None

    @property
    def wanted(self) -> int:
        """What is read: raw frames where there are any."""
        return NEDA if NEDA in self.types else NEDA_COMP

    def told(self, wanted: int) -> str:
        """Say what is read, and what beside it is not."""
        others = [f"; {_MARKS[each]} beside them are passed over" for each in self.types if each != wanted]
        length = f" of {self.n_samples} samples" if wanted == NEDA else ""
        return f"GANIL MFM, {_MARKS[wanted]}{length}{''.join(others)}"


def survey(path: Path) -> Survey:
    """Look into a file until a raw frame of NEDA is found, or none far behind the first NEDACOMP frame.

    Raises
    ------
    FormatError
        If it cannot be read, or holds no frame of NEDA.
    """
    report = ReadReport()
    types: set[int] = set()
    n_samples = first = None
    wanted = frozenset([NEDA, NEDA_COMP])
    for tables in frame_tables(path, wanted, chunk_bytes=_PIECE_BYTES, report=report):
        for table in tables:
            types.add(table.layout.head.type)
            if table.layout.head.type == NEDA and n_samples is None:
                n_samples = table.layout.n_items
        last = max(int(table.offset[-1]) for table in tables)
        first = last if first is None else first
        if NEDA in types or last - first > _FAR:
            break
    if not types:
        raise _no_neda(path, report)
    return Survey(frozenset(types), n_samples)


def _no_neda(path: Path, report: ReadReport) -> FormatError:
    if not report.passed_over:
        return FormatError("expected frames of GANIL's acquisition (MFM), found none", path, 0)
    met = "; ".join(f"{count} frames of {what}" for what, count in report.passed_over.items())
    return FormatError(
        f"an MFM file without frames of NEDA ({name_of(NEDA)}, {name_of(NEDA_COMP)}), which alone are read: {met}", path
    )


def recognises(path: Path, head: bytes) -> bool:
    """Whether the file begins with a frame of a known type that others follow, or that is the only one."""
    first = head_at(head, 0)
    if first is None or first.type not in KNOWN_TYPES or first.revision > _LATEST_REVISION:
        return False
    at = 0
    try:
        with path.open("rb") as stream:
            file_bytes = stream.seek(0, 2)
            for n_before in range(_CHAIN):
                stream.seek(at)
                content = stream.read(NEDA_HEADER_BYTES)
                frame = head_at(content, 0)
                if frame is None or not _may_be(frame, content):
                    return n_before > 1 and file_bytes - at < NEDA_HEADER_BYTES
                if frame.type == NEDA and _is_whole(stream, at, frame, content):
                    return True
                at += frame.bytes
                if at >= file_bytes:
                    return at == file_bytes or n_before > 0 or frame.type in (NEDA, *MERGED)
    except OSError:
        return False
    return True


def _is_whole(stream: BufferedReader, at: int, frame: Head, content: bytes) -> bool:
    """Whether a raw frame of NEDA ends as it should: whatever is behind it, no other file has both."""
    layout = layout_at(content, 0, frame)
    if layout is None:
        return False
    stream.seek(at + layout.end_mark)
    return stream.read(len(NEDA_END)) == NEDA_END


def _may_be(frame: Head, content: bytes) -> bool:
    """Whether what is behind the head of a frame of NEDA, or of a merged one, fits it."""
    if frame.type in (NEDA, NEDA_COMP):
        return layout_at(content, 0, frame) is not None
    return frame.type not in MERGED or bool(begins_inside(content, 0, frame))
