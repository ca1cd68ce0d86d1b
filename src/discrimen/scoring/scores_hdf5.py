"""Scores as HDF5: one extendable data set a column, provenance as attributes of the root group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError
from discrimen.output.hdf5 import hdf5_output
from discrimen.scoring.score_rows import ScoreRows, ScoreTable, StagedScoreWriter, table_of

CHUNK_ROWS = 65_536

_COMPRESSION: Mapping[str, Any] = MappingProxyType({"shuffle": True, "compression": "gzip", "compression_opts": 1})


class Hdf5ScoreWriter(StagedScoreWriter):
    """Writes scores to an HDF5 file; a :class:`~discrimen.scoring.scores.ScoreWriter`.

    Rows wait until they fill a chunk of each data set: many small writes are slow.

    Parameters
    ----------
    path, classes, attributes
        See :class:`~discrimen.scoring.score_rows.StagedScoreWriter`.
    compress : bool
        Shuffle and gzip every column: about a third of the size, but the file takes ten times as long to write.
    """

    def __init__(
        self, path: Path, *, classes: Sequence[str], attributes: Mapping[str, str], compress: bool = False
    ) -> None:
        super().__init__(path, classes=classes, attributes=attributes)
        self._filters = _COMPRESSION if compress else {}
        self._data: dict[str, Any] = {}
        self._waiting: dict[str, NDArray[Any]] = {}
        self._n_waiting = 0

    @contextmanager
    def _open(self, part: Path) -> Iterator[None]:
        # Attributes above 64 kB need the file layout of HDF5 1.8 or later.
        with hdf5_output(part, libver=("v108", "latest")) as self._output:
            for name, text in self._attributes.items():
                self._output.file.attrs[name] = text
            yield

    def _begin(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._waiting = {name: np.empty(CHUNK_ROWS, values.dtype) for name, values in columns.items()}

    def _append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        n_rows, taken = len(columns["entry"]), 0
        while taken < n_rows:
            count = min(n_rows - taken, CHUNK_ROWS - self._n_waiting)
            for name, values in columns.items():
                self._waiting[name][self._n_waiting : self._n_waiting + count] = values[taken : taken + count]
            taken += count
            self._n_waiting += count
            if self._n_waiting == CHUNK_ROWS:
                self._flush()

    def _complete(self) -> None:
        self._flush()
        self._output.file.flush()
        self._output.check()

    def _flush(self) -> None:
        """Write the rows that wait; the data sets are made with the first of them, no larger than a short run needs."""
        for name, values in self._waiting.items():
            rows = values[: self._n_waiting]
            if name not in self._data:
                self._data[name] = self._output.file.create_dataset(
                    name,
                    shape=(0,),
                    maxshape=(None,),
                    dtype=rows.dtype,
                    chunks=(max(1, len(rows)),),
                    **self._filters,
                )
            data = self._data[name]
            data.resize(len(data) + len(rows), axis=0)
            data[len(data) - len(rows) :] = rows
        self._n_waiting = 0
        self._output.check()


def hdf5_score_slices(path: Path) -> Iterator[ScoreRows]:
    """Read what :class:`Hdf5ScoreWriter` wrote, slice by slice.

    Raises
    ------
    FormatError
        If it is no such file.
    """
    with _readable(path) as file:
        for start in range(0, len(file["entry"]) if "entry" in file else 0, CHUNK_ROWS):
            yield table_of({name: data[start : start + CHUNK_ROWS] for name, data in file.items()}, {}).rows


def read_hdf5_scores(path: Path) -> ScoreTable:
    """Read what :class:`Hdf5ScoreWriter` wrote.

    Raises
    ------
    FormatError
        If it is no such file.
    """
    with _readable(path) as file:
        columns = {name: np.asarray(data) for name, data in file.items() if isinstance(data, h5py.Dataset)}
    attributes = read_hdf5_attributes(path)
    try:
        return table_of(columns, attributes)
    except DataError as error:
        raise FormatError(f"no file of scores: {error}", path) from error


def read_hdf5_attributes(path: Path) -> dict[str, str]:
    """Read the provenance that :class:`Hdf5ScoreWriter` wrote.

    Raises
    ------
    FormatError
        If it is no HDF5 file.
    """
    with _readable(path) as file:
        return {name: str(text) for name, text in file.attrs.items()}


@contextmanager
def _readable(path: Path) -> Iterator[Any]:
    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        raise FormatError(f"cannot be read as HDF5: {' '.join(str(error).split())}", path) from error
