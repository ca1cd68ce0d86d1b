"""Piled-up traces as text, one a row, in a folder with the clean waveforms that each is the sum of.

The layout of the NPPD data (Congyu-Lin/nuclear-pulse-dataset-for-pileup-correction): ``feature_X.csv`` holds the
traces, ``label1_X.csv`` and ``label2_X.csv`` the two waveforms of each, row by row; X is mostly *train* or *test*. The
samples are 1 ns apart, pulses rise from a baseline of 0.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from discrimen.errors import FormatError
from discrimen.formats.base import Format, ReadOptions
from discrimen.formats.settings_merge import merge_settings
from discrimen.formats.text_matrix.reader import TextMatrixReader
from discrimen.formats.text_matrix.reader import recognises as is_text_matrix
from discrimen.pulses.detector import DetectorSettings, WindowNs

NAME = "pile-up-text"

_TRACES = "feature_"
_PARTS = ("label1_", "label2_")
_LAYOUT = DetectorSettings(
    sample_period_ns=1.0, polarity="positive", baseline=WindowNs(start_ns=0.0, stop_ns=10.0), name="piled-up traces"
)


class PileUpTextReader(TextMatrixReader):
    """Reader of the traces of such a folder, or of one of its files of clean waveforms.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Raises
    ------
    FormatError
        See :class:`~discrimen.formats.text_matrix.reader.TextMatrixReader`.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        super().__init__(path, options)
        settings, source = merge_settings(options.settings, _LAYOUT, found_in="layout of the folder")
        self.info = replace(self.info, format=NAME, settings=settings, settings_source=source)


def traces_in(path: Path) -> tuple[Path, ...]:
    """Return the files of traces of a folder of this layout; a file stands for itself.

    Raises
    ------
    FormatError
        If the folder has none.
    """
    if not path.is_dir():
        return (path,)
    found = tuple(sorted(each for each in path.glob(f"{_TRACES}*.csv") if each.is_file()))
    if not found:
        below = sorted(each.name for each in path.iterdir() if each.is_dir() and any(each.glob(f"{_TRACES}*.csv")))
        mend = f"give one of its folders: {', '.join(below)}" if below else "give run files, or a folder with such"
        raise FormatError(f"expected piled-up traces, {_TRACES}*.csv, in this folder; there are none: {mend}", path)
    return found


def parts_beside(path: Path) -> tuple[Path, Path] | None:
    """Return the two files of clean waveforms that belong to a file of traces, None where they are not there.

    Raises
    ------
    FormatError
        If only one of the two is there.
    """
    if not path.name.startswith(_TRACES):
        return None
    first, second = (path.with_name(name + path.name.removeprefix(_TRACES)) for name in _PARTS)
    if first.is_file() != second.is_file():
        missing = second if first.is_file() else first
        raise FormatError(f"{missing.name} is missing beside it: give both files of clean waveforms, or none", path)
    return (first, second) if first.is_file() else None


def recognises(path: Path, head: bytes) -> bool:
    """Whether the name is one of this layout, and the rows are numbers."""
    if not path.name.startswith((_TRACES, *_PARTS)) or not is_text_matrix(path, head):
        return False
    stem = path.name.removeprefix(_TRACES)
    for name in _PARTS:
        stem = stem.removeprefix(name)
    return path.parent.name.startswith("Type") or all(path.with_name(name + stem).is_file() for name in _PARTS)


FORMAT = Format(
    name=NAME,
    description="text with one piled-up trace a row, as in the NPPD data",
    suffixes=(".csv",),
    recognises=recognises,
    open_reader=PileUpTextReader,
)
"""The row of the table of formats."""
