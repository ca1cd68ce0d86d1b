"""The row of GEB streams in the table of formats."""

from __future__ import annotations

from pathlib import Path

from discrimen.formats.base import Format, ReadOptions
from discrimen.formats.geb.hits import GebPointsReader
from discrimen.formats.geb.reader import NAME, GebReader
from discrimen.formats.geb.survey import recognises, survey
from discrimen.formats.geb.writer import KEPT, open_writer


def open_geb(path: Path, options: ReadOptions) -> GebReader | GebPointsReader:
    """Open a stream for its waveforms, or where it has none for the energies of its interaction points.

    Raises
    ------
    FormatError
        If it cannot be read, or holds neither.
    """
    found = survey(path)
    return GebReader(path, options, found) if found.has_waveforms else GebPointsReader(path, options, found)


FORMAT = Format(
    name=NAME,
    description="GEB streams of GRETINA and GRETA: type 100, mode 3, mode 2 (list mode)",
    suffixes=(".geb", ".gtd", ".dat"),
    recognises=recognises,
    open_reader=open_geb,
    open_writer=open_writer,
    keeps=KEPT,
)
"""The row of the table of formats."""
