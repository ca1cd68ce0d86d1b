"""Scores of pulses in a file of their own beside the run file: HDF5, Parquet, ROOT friend tree, CSV, MFM, by suffix.

One row a pulse: its entry in the run file, time stamp, board, channel and flags where the run has them, and one column
``score_CLASS`` for each class. A pulse that could not be prepared has NaN scores. Provenance (model, version, settings)
is stored as text attributes. :func:`read_scores` reads all kinds back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from discrimen.errors import SettingsError
from discrimen.scoring.score_rows import SCORE_PREFIX, ScoreRows, ScoreTable
from discrimen.scoring.scores_csv import CsvScoreWriter, read_csv_attributes, read_csv_scores
from discrimen.scoring.scores_hdf5 import Hdf5ScoreWriter, read_hdf5_attributes, read_hdf5_scores
from discrimen.scoring.scores_mfm import MfmScoreWriter, read_mfm_attributes, read_mfm_scores
from discrimen.scoring.scores_parquet import (
    ParquetScoreWriter,
    read_parquet_attributes,
    read_parquet_scores,
)
from discrimen.scoring.scores_root import RootScoreWriter, read_root_attributes, read_root_scores

__all__ = [
    "SCORE_PREFIX",
    "SCORE_SUFFIXES",
    "ScoreRows",
    "ScoreTable",
    "ScoreWriter",
    "open_score_writer",
    "read_attributes",
    "read_scores",
]

_KINDS = {".h5": "hdf5", ".hdf5": "hdf5", ".parquet": "parquet", ".root": "root", ".csv": "csv", ".mfm": "mfm"}
SCORE_SUFFIXES = tuple(_KINDS)
"""Endings of the names of files of scores."""


class ScoreWriter(Protocol):
    """A file of scores, open for writing; the final name appears when the `with` block ends well."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, rows: ScoreRows) -> None:
        """Append rows; every call has the same optional columns.

        Raises
        ------
        DataError
            If the columns or the number of classes differ from before.
        """


def open_score_writer(
    path: Path | str,
    *,
    classes: Sequence[str],
    attributes: Mapping[str, str],
    n_entries: int | None,
    compress: bool = False,
    source: Path | None = None,
) -> ScoreWriter:
    """Open a file of scores for writing; its suffix says which kind.

    Parameters
    ----------
    path : Path or str
        ``.h5`` or ``.hdf5``, ``.parquet``, ``.csv``, ``.mfm`` (NEDACOMP frames), or ``.root`` (a friend tree with one
        row for each entry of the run file).
    classes : sequence of str
        Names of the classes, in the order of the scores.
    attributes : mapping of str to str
        Provenance: hash of the model, version, settings.
    n_entries : int or None
        Number of events in the run file, where it is known. A friend tree gets so many rows; without it, it ends with
        the last entry written.
    compress : bool
        HDF5 only, which is plain otherwise: smaller, but slower to write. Parquet and ROOT files are always compressed.
    source : Path, optional
        The run file; NEDACOMP frames take over what its raw frames of NEDA say.

    Raises
    ------
    SettingsError
        If the suffix is none of these, or a class that the kind of file needs is missing.
    MissingExtraError
        If the library for the suffix is not installed.
    """
    path = Path(path)
    _check_classes(classes)
    kind = _kind(path)
    if kind == "root":
        return RootScoreWriter(path, classes=classes, attributes=attributes, n_entries=n_entries)
    if kind == "parquet":
        return ParquetScoreWriter(path, classes=classes, attributes=attributes)
    if kind == "csv":
        return CsvScoreWriter(path, classes=classes, attributes=attributes)
    if kind == "mfm":
        return MfmScoreWriter(path, classes=classes, attributes=attributes, source=source)
    return Hdf5ScoreWriter(path, classes=classes, attributes=attributes, compress=compress)


def read_scores(path: Path | str) -> ScoreTable:
    """Read a whole file of scores.

    Of a friend tree, the rows without a pulse are left out.

    Raises
    ------
    SettingsError
        If the suffix is none of a file of scores.
    FormatError
        If it is no file of scores or damaged.
    """
    path = Path(path)
    readers = {
        "hdf5": read_hdf5_scores,
        "parquet": read_parquet_scores,
        "root": read_root_scores,
        "csv": read_csv_scores,
        "mfm": read_mfm_scores,
    }
    return readers[_kind(path)](path)


def read_attributes(path: Path | str) -> Mapping[str, str]:
    """Read the provenance of a file of scores, without its rows.

    Raises
    ------
    SettingsError
        If the suffix is none of a file of scores.
    FormatError
        If it is no file of scores or damaged.
    """
    path = Path(path)
    readers = {
        "hdf5": read_hdf5_attributes,
        "parquet": read_parquet_attributes,
        "root": read_root_attributes,
        "csv": read_csv_attributes,
        "mfm": read_mfm_attributes,
    }
    return readers[_kind(path)](path)


def _kind(path: Path) -> str:
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        choices = ", ".join(_KINDS)
        raise SettingsError(f"{path}: the suffix tells the kind of a file of scores: {choices}; got '{path.suffix}'")
    return kind


def _check_classes(classes: Sequence[str]) -> None:
    if not classes or len(set(classes)) < len(classes) or not all(name.isidentifier() for name in classes):
        got = ", ".join(classes) or "none"
        raise SettingsError(f"classes need different names of letters, digits and underscores, got: {got}")
