"""Columns as other libraries take them: a table of pandas, of Arrow, or through Arrow's C interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module


class Tabular:
    """Gives an object with columns, one value or array a row, the ways that other libraries take tables.

    A class says in :meth:`table_columns` what its columns are.
    """

    __slots__ = ()

    def table_columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns by name, of shape (row,) or (row, ...)."""
        raise NotImplementedError

    def table_remarks(self) -> dict[str, str]:
        """Return what is known of all rows together."""
        return {}

    def to_pandas(self) -> Any:
        """Return the columns of one value a row as a ``pandas.DataFrame``; waveforms are no column of it.

        What holds for all rows, for example the sampling period, is in its ``attrs``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = require_module("pandas", extra="pandas")
        columns = self.table_columns()
        n_rows = len(next(iter(columns.values()), ()))
        flat = {name: _native(values) for name, values in columns.items() if values.ndim == 1}
        frame = pandas.DataFrame(flat, index=pandas.RangeIndex(n_rows))
        frame.attrs.update(self.table_remarks())
        return frame

    def to_arrow(self) -> Any:
        """Return all columns as a ``pyarrow.Table``, waveforms as lists of fixed size.

        What holds for all rows is in the metadata of its schema.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        """
        arrow = require_module("pyarrow", extra="parquet")
        arrays = {name: arrow_array(values) for name, values in self.table_columns().items()}
        return arrow.table(arrays).replace_schema_metadata(self.table_remarks() or None)

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        """Hand the columns to any library that takes Arrow's C data interface, as one batch."""
        arrow = require_module("pyarrow", extra="parquet")
        columns: Mapping[str, Any] = {name: arrow_array(values) for name, values in self.table_columns().items()}
        batch = arrow.RecordBatch.from_pydict(dict(columns), metadata=self.table_remarks() or None)
        return batch.__arrow_c_array__(requested_schema)


def rows_at(index: Any, n_rows: int) -> Any:
    """Return an index that selects rows and keeps their axis: a single position as an array of one.

    Raises
    ------
    IndexError
        If a single position lies outside.
    """
    if not isinstance(index, int | np.integer) or isinstance(index, bool):
        return index
    if not -n_rows <= index < n_rows:
        raise IndexError(f"position {index} lies outside of {n_rows} rows")
    return np.array([int(index)])


def arrow_array(values: NDArray[Any]) -> Any:
    """Return values as an array of Arrow; each further axis becomes lists of fixed size.

    Parameters
    ----------
    values : ndarray, shape (row, ...)
        Numbers; they are not copied where their memory is as Arrow's.
    """
    arrow = require_module("pyarrow", extra="parquet")
    native = _native(values)
    array = arrow.array(native.reshape(-1))
    for size in reversed(native.shape[1:]):
        array = arrow.FixedSizeListArray.from_arrays(array, size)
    return array


def _native(values: NDArray[Any]) -> NDArray[Any]:
    """Return values in the byte order of this machine, without gaps."""
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
