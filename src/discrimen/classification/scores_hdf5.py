"""Scores as HDF5: one extendable data set a column, provenance as attributes of the root group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.classification.score_rows import ScoreTable, StagedScoreWriter, table_of
from discrimen.errors import DataError, FormatError
from discrimen.hdf5_output import hdf5_output

CHUNK_ROWS = 65_536


class Hdf5ScoreWriter(StagedScoreWriter):
    """Writes scores to an HDF5 file; a :class:`~discrimen.classification.scores.ScoreWriter`."""

    @contextmanager
    def _open(self, part: Path) -> Iterator[None]:
        # Attributes above 64 kB need the file layout of HDF5 1.8 or later.
        with hdf5_output(part, libver=("v108", "latest")) as self._output:
            self._data: dict[str, Any] = {}
            for name, text in self._attributes.items():
                self._output.file.attrs[name] = text
            yield

    def _begin(self, columns: Mapping[str, NDArray[Any]]) -> None:
        for name, values in columns.items():
            self._data[name] = self._output.file.create_dataset(
                name,
                shape=(0,),
                maxshape=(None,),
                dtype=values.dtype,
                chunks=(CHUNK_ROWS,),
                shuffle=True,
                compression="gzip",
                compression_opts=1,
            )

    def _append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        for name, values in columns.items():
            data = self._data[name]
            data.resize(len(data) + len(values), axis=0)
            data[len(data) - len(values) :] = values
        self._output.check()

    def _complete(self) -> None:
        self._output.file.flush()
        self._output.check()


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
