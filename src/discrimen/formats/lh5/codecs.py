"""Read the samples of an LH5 table whatever compression they have: HDF5 filters, or LEGEND's waveform codecs."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError
from discrimen.formats.lh5.layout import PulseTable

_LEGEND_READERS = ("lh5", "lgdo.lh5")
_NARROWER = {"i8": "i4", "u8": "u4", "f8": "f4", "f2": "f4"}


def require_readable(group: h5py.Group, table: PulseTable, path: Path) -> None:
    """Check that the compression of a table's samples can be undone here.

    Raises
    ------
    FormatError
        Naming the missing HDF5 filter or waveform codec and the package that brings it.
    """
    if table.codec is not None:
        if _legend_reader() is None:
            raise FormatError(
                f"the waveforms of {table.name} are encoded with {table.codec}, which LEGEND's own reader decodes: "
                "pip install legend-lh5io",
                path,
            )
        return
    creation = group[table.values].id.get_create_plist()
    for number in range(creation.get_nfilters()):
        code, _, _, name = creation.get_filter(number)
        if not h5py.h5z.filter_avail(code) and not (_import_plugins() and h5py.h5z.filter_avail(code)):
            raise FormatError(
                f"the waveforms of {table.name} are compressed with the HDF5 filter {name.decode()!r} ({code}), which "
                "is not installed: pip install hdf5plugin",
                path,
            )


def read_samples(group: h5py.Group, table: PulseTable, rows: slice) -> NDArray[Any]:
    """Return waveforms as integers of up to 32 bits or float32, in the byte order of this machine.

    Parameters
    ----------
    group : h5py.Group
        The table.
    table : PulseTable
    rows : slice

    Returns
    -------
    ndarray, shape (row, sample)

    Raises
    ------
    DataError
        If 64-bit integers do not fit 32 bits.
    """
    samples = group[table.values][rows] if table.codec is None else _decoded(group, table, rows)
    kind = f"{samples.dtype.kind}{samples.dtype.itemsize}"
    if kind not in _NARROWER:
        native: NDArray[Any] = samples.astype(samples.dtype.newbyteorder("="), copy=False)
        return native
    narrow = np.dtype(_NARROWER[kind])
    if narrow.kind in "iu" and samples.size:
        limits = np.iinfo(narrow)
        if samples.min() < limits.min or samples.max() > limits.max:
            raise DataError(f"{table.name}: samples {samples.min()}..{samples.max()} do not fit {narrow}")
    with np.errstate(over="ignore"):
        # A number beyond float32 becomes infinite, and its waveform is counted as damaged.
        converted: NDArray[Any] = samples.astype(narrow)
    return converted


def _decoded(group: h5py.Group, table: PulseTable, rows: slice) -> NDArray[Any]:
    legend = _legend_reader()
    if legend is None:
        raise DataError(f"{table.name}: LEGEND's reader is gone")
    read = legend.read(
        f"{table.name.strip('/')}/{table.values}", group.file, start_row=rows.start, n_rows=_length(rows)
    )
    values: NDArray[Any] = (read[0] if isinstance(read, tuple) else read).nda
    return values


def _length(rows: slice) -> int:
    return int(rows.stop - rows.start)


def _legend_reader() -> ModuleType | None:
    for name in _LEGEND_READERS:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        if hasattr(module, "read"):
            return module
    return None


def _import_plugins() -> bool:
    try:
        importlib.import_module("hdf5plugin")
    except ModuleNotFoundError:
        return False
    return True
