"""Scores as Parquet: columns of numbers in row groups, provenance as JSON in the file's metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError, require_module
from discrimen.scoring.score_rows import ScoreTable, StagedScoreWriter, table_of

ROW_GROUP_ROWS = 131_072
METADATA_KEY = b"discrimen"

_RISING = ("entry", "timestamp_ps")
"""Columns stored as differences."""
_FEW_VALUES = ("board", "channel", "flags", "outside", "pile_up")
"""Columns stored as numbers in a dictionary; for columns of which every value is new, that only takes time."""


class ParquetScoreWriter(StagedScoreWriter):
    """Writes scores to a Parquet file; a :class:`~discrimen.scoring.scores.ScoreWriter`."""

    def __init__(self, path: Path, *, classes: Sequence[str], attributes: Mapping[str, str]) -> None:
        super().__init__(path, classes=classes, attributes=attributes)
        self._arrow = require_module("pyarrow", extra="parquet")
        self._parquet = require_module("pyarrow.parquet", extra="parquet")
        self._writer: Any = None
        self._waiting: list[Mapping[str, NDArray[Any]]] = []
        self._has_groups = False

    @contextmanager
    def _open(self, part: Path) -> Iterator[None]:
        with part.open("wb") as stream:
            self._stream = stream
            try:
                yield
            finally:
                if self._writer is not None:
                    self._writer.close()

    def _begin(self, columns: Mapping[str, NDArray[Any]]) -> None:
        fields = [(name, self._arrow.from_numpy_dtype(values.dtype)) for name, values in columns.items()]
        schema = self._arrow.schema(fields, metadata={METADATA_KEY: json.dumps(self._attributes)})
        self._writer = self._parquet.ParquetWriter(
            self._stream,
            schema,
            use_dictionary=[name for name in _FEW_VALUES if name in columns],
            column_encoding={name: "DELTA_BINARY_PACKED" for name in _RISING if name in columns},
        )

    def _append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Keep rows until they fill a row group: many small ones are slow to read, and follow how the rows came."""
        self._waiting.append(columns)
        if sum(len(part["entry"]) for part in self._waiting) >= ROW_GROUP_ROWS:
            joined = self._joined()
            full = len(joined["entry"]) // ROW_GROUP_ROWS * ROW_GROUP_ROWS
            for start in range(0, full, ROW_GROUP_ROWS):
                self._write_group({name: values[start : start + ROW_GROUP_ROWS] for name, values in joined.items()})
            self._waiting = [{name: values[full:] for name, values in joined.items()}]

    def _complete(self) -> None:
        rest = self._joined()
        if len(rest["entry"]) or not self._has_groups:
            self._write_group(rest)
        self._writer.close()

    def _joined(self) -> dict[str, NDArray[Any]]:
        return {name: np.concatenate([part[name] for part in self._waiting]) for name in self._waiting[0]}

    def _write_group(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._has_groups = True
        self._writer.write_table(self._arrow.table(columns, schema=self._writer.schema))


def read_parquet_scores(path: Path) -> ScoreTable:
    """Read what :class:`ParquetScoreWriter` wrote.

    Raises
    ------
    FormatError
        If it is no such file.
    """
    parquet = require_module("pyarrow.parquet", extra="parquet")
    with _readable(path) as stream:
        table = parquet.read_table(stream)
    try:
        columns = {name: table[name].to_numpy() for name in table.column_names}
        return table_of(columns, _provenance(table.schema, path))
    except DataError as error:
        raise FormatError(f"no file of scores: {error}", path) from error


def read_parquet_attributes(path: Path) -> dict[str, str]:
    """Read the provenance that :class:`ParquetScoreWriter` wrote.

    Raises
    ------
    FormatError
        If it is no Parquet file.
    """
    parquet = require_module("pyarrow.parquet", extra="parquet")
    with _readable(path) as stream:
        return _provenance(parquet.read_schema(stream), path)


@contextmanager
def _readable(path: Path) -> Iterator[BinaryIO]:
    arrow = require_module("pyarrow", extra="parquet")
    try:
        with path.open("rb") as stream:
            yield stream
    except (OSError, arrow.ArrowException) as error:
        raise FormatError(f"cannot be read as Parquet: {' '.join(str(error).split())}", path) from error


def _provenance(schema: Any, path: Path) -> dict[str, str]:
    try:
        attributes: dict[str, str] = json.loads((schema.metadata or {}).get(METADATA_KEY, b"{}"))
    except ValueError as error:
        raise FormatError(f"no file of scores: its provenance is damaged: {error}", path) from error
    return attributes
