"""Positions of hits in a file of their own: HDF5, Parquet or a ROOT tree, by suffix.

One row a hit: the number of its file and its entry in it, what is known of it (time stamp, segment, energy),
``x_mm``, ``y_mm``, ``z_mm``, their predicted errors ``x_error_mm`` ... and ``flags``, the bits of
:class:`discrimen.network.hits_domain.PositionFlag`; a hit with a flag has NaN as its position. Provenance (model,
version, files) and units are stored as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError, SettingsError, require_module
from discrimen.output.files import complete_or_absent
from discrimen.output.hdf5 import hdf5_output

TREE = "positions"
_PROVENANCE = "provenance"
_CHUNK_ROWS = 8_192
_UNITS = ("mm", "kev", "ps", "ns")

Columns = Mapping[str, NDArray[Any]]


class PositionWriter(Protocol):
    """A file of positions, open for writing."""

    def write(self, columns: Columns) -> None:
        """Append rows; every call has the same columns.

        Raises
        ------
        DataError
            If the columns differ from before.
        """


def unit_of(column: str) -> str:
    """Return the unit that the name of a column ends in, empty for none."""
    unit = column.rsplit("_", 1)[-1]
    return {"kev": "keV"}.get(unit, unit) if unit in _UNITS else ""


def _unit_metadata(column: str) -> dict[str, str]:
    unit = unit_of(column)
    return {"unit": unit} if unit else {}


def open_position_writer(path: Path | str, *, attributes: Mapping[str, str]) -> AbstractContextManager[PositionWriter]:
    """Open a file of positions for writing; it appears under its name only when the block ends well.

    Parameters
    ----------
    path : Path
        ``.h5`` or ``.hdf5``, ``.parquet`` or ``.root``.
    attributes : mapping of str to str
        Provenance.

    Raises
    ------
    SettingsError
        If the suffix is another.
    MissingExtraError
        If the library for the suffix is not installed.
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    return _staged(path, _BACKENDS[_kind(path)], attributes)


def read_positions(path: Path | str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Read a whole file of positions: its columns, and its provenance.

    Raises
    ------
    SettingsError
        If the suffix is none of a file of positions.
    FormatError
        If it is none, or is damaged.
    """
    path = Path(path)
    try:
        columns, attributes = _READERS[_kind(path)](path)
        return columns, attributes
    except (OSError, KeyError, ValueError) as error:
        raise FormatError(f"no file of positions: {' '.join(str(error).split())}", path) from error


def read_position_attributes(path: Path) -> dict[str, str]:
    """Read the provenance of an HDF5 file of positions, without its rows.

    Raises
    ------
    FormatError
        If it is none.
    """
    try:
        with h5py.File(path, "r") as file:
            found = {name: str(value) for name, value in file.attrs.items()}
    except (OSError, RuntimeError) as error:
        raise FormatError(f"no file of positions: {' '.join(str(error).split())}", path) from error
    if "model_sha256" not in found:
        raise FormatError("no file of positions: it names no model", path)
    return found


class _Hdf5:
    def __init__(self, output: Any) -> None:
        self._output = output

    def begin(self, columns: Columns) -> None:
        for name, values in columns.items():
            data = self._output.file.create_dataset(
                name, (0,), values.dtype, maxshape=(None,), chunks=(_CHUNK_ROWS,), fletcher32=True
            )
            if unit := unit_of(name):
                data.attrs["units"] = unit

    def append(self, columns: Columns) -> None:
        for name, values in columns.items():
            data = self._output.file[name]
            data.resize(len(data) + len(values), axis=0)
            data[len(data) - len(values) :] = values
        self._output.check()


@contextmanager
def _open_hdf5(part: Path, attributes: Mapping[str, str]) -> Iterator[_Hdf5]:
    with hdf5_output(part, libver=("v108", "latest")) as output:
        for name, text in attributes.items():
            output.file.attrs[name] = text
        yield _Hdf5(output)


class _Parquet:
    def __init__(self, stream: Any, attributes: Mapping[str, str]) -> None:
        self._arrow = require_module("pyarrow", extra="parquet")
        self._parquet = require_module("pyarrow.parquet", extra="parquet")
        self._stream, self._attributes = stream, attributes
        self._writer: Any = None

    def begin(self, columns: Columns) -> None:
        fields = [
            self._arrow.field(
                name,
                self._arrow.from_numpy_dtype(values.dtype),
                metadata=_unit_metadata(name),
            )
            for name, values in columns.items()
        ]
        schema = self._arrow.schema(fields, metadata={_PROVENANCE: json.dumps(dict(self._attributes))})
        self._writer = self._parquet.ParquetWriter(self._stream, schema)

    def append(self, columns: Columns) -> None:
        self._writer.write_table(self._arrow.table(dict(columns), schema=self._writer.schema))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


@contextmanager
def _open_parquet(part: Path, attributes: Mapping[str, str]) -> Iterator[_Parquet]:
    with part.open("wb") as stream:
        writer = _Parquet(stream, attributes)
        try:
            yield writer
        finally:
            writer.close()


class _Root:
    def __init__(self, file: Any) -> None:
        self._file = file
        self._tree: Any = None

    def begin(self, columns: Columns) -> None:
        types = {name: values.dtype for name, values in columns.items()}
        self._tree = self._file.mktree(TREE, types, title="positions of hits")

    def append(self, columns: Columns) -> None:
        self._tree.extend(dict(columns))


@contextmanager
def _open_root(part: Path, attributes: Mapping[str, str]) -> Iterator[_Root]:
    uproot = require_module("uproot", extra="root")
    with uproot.recreate(part, compression=uproot.ZSTD(1)) as file:
        file[_PROVENANCE] = json.dumps(dict(attributes))
        yield _Root(file)


_KINDS = {".h5": "hdf5", ".hdf5": "hdf5", ".parquet": "parquet", ".root": "root"}
_BACKENDS: Mapping[str, Any] = {"hdf5": _open_hdf5, "parquet": _open_parquet, "root": _open_root}


class _Checked:
    """Holds every call to the columns of the first."""

    def __init__(self, path: Path, backend: Any) -> None:
        self._path, self._backend = path, backend
        self._names: tuple[str, ...] = ()

    def write(self, columns: Columns) -> None:
        if not self._names:
            self._names = tuple(columns)
            self._backend.begin(columns)
        if tuple(columns) != self._names:
            told = f"first {', '.join(self._names)}, now {', '.join(columns)}"
            raise DataError(f"{self._path}: rows of one file must have the same columns; {told}")
        self._backend.append(columns)


@contextmanager
def _staged(path: Path, opened: Any, attributes: Mapping[str, str]) -> Iterator[PositionWriter]:
    with complete_or_absent(path) as part, opened(part, attributes) as backend:
        yield _Checked(path, backend)


def _read_hdf5(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    with h5py.File(path, "r") as file:
        return {name: np.asarray(data) for name, data in file.items()}, {k: str(v) for k, v in file.attrs.items()}


def _read_parquet(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    table = require_module("pyarrow.parquet", extra="parquet").read_table(path)
    attributes = json.loads((table.schema.metadata or {})[_PROVENANCE.encode()])
    return {name: table[name].to_numpy() for name in table.column_names}, attributes


def _read_root(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    with require_module("uproot", extra="root").open(path) as file:
        columns = file[TREE].arrays(library="np")
        return dict(columns), json.loads(str(file[_PROVENANCE]))


_READERS: Mapping[str, Any] = {"hdf5": _read_hdf5, "parquet": _read_parquet, "root": _read_root}


def _kind(path: Path) -> str:
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        choices = ", ".join(_KINDS)
        raise SettingsError(f"{path}: the suffix tells the kind of a file of positions: {choices}; got '{path.suffix}'")
    return kind
