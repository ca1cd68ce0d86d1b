"""Scores as text, to be opened by any program: provenance in a first line after ``#``, names, then one row a pulse.

Numbers are written so that they are read back as they were. The other kinds of file are smaller and faster.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError
from discrimen.scoring.score_rows import ScoreTable, StagedScoreWriter, column_type, table_of

_PROVENANCE = "# discrimen scores "
_SLICE_ROWS = 65_536


class CsvScoreWriter(StagedScoreWriter):
    """Writes scores to a CSV file; a :class:`~discrimen.scoring.scores.ScoreWriter`."""

    @contextmanager
    def _open(self, part: Path) -> Iterator[None]:
        with part.open("w", encoding="utf-8") as stream:
            self._stream = stream
            yield

    def _begin(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._stream.write(f"{_PROVENANCE}{json.dumps(self._attributes)}\n{','.join(columns)}\n")

    def _append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        for start in range(0, len(columns["entry"]), _SLICE_ROWS):
            texts = [values[start : start + _SLICE_ROWS].astype(str).tolist() for values in columns.values()]
            self._stream.writelines(",".join(row) + "\n" for row in zip(*texts, strict=True))

    def _complete(self) -> None:
        self._stream.flush()


def read_csv_scores(path: Path) -> ScoreTable:
    """Read what :class:`CsvScoreWriter` wrote.

    Raises
    ------
    FormatError
        If it is no such file.
    """
    with _readable(path) as stream:
        attributes = _provenance(stream, path)
        names = stream.readline().strip().split(",")
        try:
            types = [(name, column_type(name)) for name in names]
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "loadtxt: input contained no data")
                rows = np.loadtxt(stream, delimiter=",", dtype=types, ndmin=1)
            return table_of({name: rows[name].copy() for name in names}, attributes)
        except (DataError, ValueError) as error:
            raise FormatError(f"no file of scores: {error}", path) from error


def read_csv_attributes(path: Path) -> dict[str, str]:
    """Read the provenance that :class:`CsvScoreWriter` wrote.

    Raises
    ------
    FormatError
        If it is no such file.
    """
    with _readable(path) as stream:
        return _provenance(stream, path)


def _provenance(stream: TextIO, path: Path) -> dict[str, str]:
    line = stream.readline()
    try:
        if not line.startswith(_PROVENANCE):
            raise ValueError(f"it begins with {line[:40]!r}, not with '{_PROVENANCE}'")
        attributes: dict[str, str] = json.loads(line.removeprefix(_PROVENANCE))
    except ValueError as error:
        raise FormatError(f"no file of scores: {error}", path) from error
    return attributes


@contextmanager
def _readable(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(encoding="utf-8") as stream:
            yield stream
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"cannot be read as text: {error}", path) from error
