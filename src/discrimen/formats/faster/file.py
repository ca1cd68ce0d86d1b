"""FASTER files (`.fast`): opened as waveforms where there are any, else as a list of events."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from discrimen.errors import FormatError, SettingsError
from discrimen.formats.base import Format, Reader, ReadOptions
from discrimen.formats.faster.events import FasterListReader
from discrimen.formats.faster.frames import HEAD_BYTES, LARGEST_FRAME, MAGIC
from discrimen.formats.faster.kinds import GROUP, NAMES
from discrimen.formats.faster.survey import survey
from discrimen.formats.faster.waveforms import NAME, FasterWaveformReader
from discrimen.formats.faster.writer import open_writer

_CHAIN = 4
"""Frames that must follow each other for a file to be of FASTER, or all that there are."""


def open_reader(path: Path, options: ReadOptions) -> Reader:
    """Open a file.

    Raises
    ------
    FormatError
        If it cannot be read, or holds no frames.
    SettingsError
        If charges are named that are not there.
    """
    found = survey(path)
    if not found.n_frames:
        raise FormatError(
            "expected the frames of FASTER, each with a head of 12 bytes and 0xAA in it, found none", path
        )
    if found.listed and not found.has_waveforms:
        return FasterListReader(path, options, found)
    if options.branches:
        raise SettingsError(f"{path}: --branch names charges of FASTER files without waveforms: leave it out")
    return FasterWaveformReader(path, options, found)


def recognises(path: Path, head: bytes) -> bool:
    """Whether the file is a chain of frames from its first byte on."""
    if len(head) < HEAD_BYTES or head[1] != MAGIC:
        return False
    try:
        with path.open("rb") as stream:
            content = stream.read((_CHAIN + 1) * LARGEST_FRAME)
    except OSError:
        return False
    at, n_frames, kinds = 0, 0, []
    while n_frames < _CHAIN and at + HEAD_BYTES <= len(content) and content[at + 1] == MAGIC:
        kinds.append(content[at])
        load_bytes = 0 if content[at] == GROUP else int.from_bytes(content[at + 10 : at + 12], "little")
        at, n_frames = at + HEAD_BYTES + load_bytes, n_frames + 1
    is_end = len(content) - HEAD_BYTES < at <= len(content)
    return n_frames == _CHAIN or (is_end and bool(np.isin(kinds, list(NAMES)).all()))


FORMAT = Format(
    name=NAME,
    description="FASTER (.fast): oscilloscope and sampler frames, or charges as list mode",
    suffixes=(".fast",),
    recognises=recognises,
    open_reader=open_reader,
    open_writer=open_writer,
    keeps=("entry", "timestamp_ps", "channel"),
    takes=("branches",),
)
"""The row of the table of formats."""
