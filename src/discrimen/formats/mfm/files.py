"""The row of MFM in the table of formats."""

from __future__ import annotations

from pathlib import Path

from discrimen.formats.base import Format, ReadOptions
from discrimen.formats.mfm.frames import NEDA
from discrimen.formats.mfm.reader import NAME, NedaCompReader, NedaReader
from discrimen.formats.mfm.survey import recognises, survey
from discrimen.formats.mfm.writer import KEPT, open_mfm_writer


def open_mfm(path: Path, options: ReadOptions) -> NedaReader | NedaCompReader:
    """Open a file for its raw frames of NEDA, or where it has none for its NEDACOMP frames.

    Raises
    ------
    FormatError
        If it cannot be read, or holds neither.
    """
    found = survey(path)
    reader = NedaReader if found.wanted == NEDA else NedaCompReader
    return reader(path, options, found)


FORMAT = Format(
    name=NAME,
    description="GANIL MFM: raw frames of NEDA, or NEDACOMP frames (list mode)",
    suffixes=(".mfm",),
    recognises=recognises,
    open_reader=open_mfm,
    open_writer=open_mfm_writer,
    keeps=KEPT,
    takes=("board_bit",),
)
"""The row of the table of formats."""
