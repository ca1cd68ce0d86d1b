"""Write pulses in the native format: HDF5 in LEGEND's LH5 layout, one table a channel.

``ch7/raw`` (or ``ch2_7/raw`` for board 2) is a table with the waveforms in ``waveform/{values,t0,dt}`` and every column
that the pulses have beside it, so that LEGEND's tools read it. The detector settings and the version that wrote the
file are attributes of the root.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.lh5.layout import PROVENANCE_ATTRIBUTE, SETTINGS_ATTRIBUTE, VERSION_ATTRIBUTE
from discrimen.formats.staged_writer import StagedWriter
from discrimen.output.files import complete_or_absent
from discrimen.output.hdf5 import Hdf5Output, hdf5_output
from discrimen.output.plain import plain
from discrimen.output.provenance import software_versions
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "timestamp_ps": "ps",
        "energy": "adc",
        "energy_short": "adc",
        "energy_kevee": "keV",
        "tof_ns": "ns",
        "time_offset_ns": "ns",
        "energy_kev": "keV",
        "x_mm": "mm",
        "y_mm": "mm",
        "z_mm": "mm",
        "energy_2_kev": "keV",
        "x_2_mm": "mm",
        "y_2_mm": "mm",
        "z_2_mm": "mm",
    }
)
_CHUNK_BYTES = 2**18
_COLUMN_CHUNK_ROWS = 2**14


class Lh5Writer(StagedWriter):
    """Writer of one native file; memory does not grow with what is written.

    Parameters
    ----------
    path : Path
        The final name.
    settings : DetectorSettings
        Stored in the file, and given back by the reader.
    provenance : mapping, optional
        Where the pulses come from, plain data; stored in the file.
    """

    def __init__(self, path: Path, settings: DetectorSettings, provenance: Mapping[str, Any] | None = None) -> None:
        super().__init__(path)
        self._settings = settings
        self._provenance = provenance
        self._output: Hdf5Output | None = None
        self._tables: dict[str, _Table] = {}
        self._n_written = 0

    def _open(self, stack: ExitStack) -> None:
        part = stack.enter_context(complete_or_absent(self._path))
        self._output = stack.enter_context(hdf5_output(part, libver=("v110", "v110")))
        stack.callback(self._close)
        self._output.file.attrs[VERSION_ATTRIBUTE] = software_versions()["discrimen"]
        self._output.file.attrs[SETTINGS_ATTRIBUTE] = json.dumps(self._settings.model_dump(exclude_none=True))
        if self._provenance:
            self._output.file.attrs[PROVENANCE_ATTRIBUTE] = json.dumps(plain(self._provenance))

    def write(self, pulses: Pulses) -> None:
        """Append pulses to the table of each channel.

        Raises
        ------
        DataError
            If the sampling period is unknown, or a channel's pulses change length, type or columns.
        """
        if self._output is None:
            raise DataError(f"{self._path}: open the writer with 'with' before writing")
        if pulses.sample_period_ns is None:
            raise DataError("the native format stores the sampling period, which is unknown: give --sample-period-ns")
        if pulses.entry is None:
            # The order of pulses of different channels is in no other place.
            pulses = pulses.replace(entry=np.arange(self._n_written, self._n_written + len(pulses)))
        self._n_written += len(pulses)
        for name, chosen in _by_channel(pulses):
            if name not in self._tables:
                self._tables[name] = _Table(self._output.file, name, chosen)
            self._tables[name].append(chosen)
        self._output.check()

    def _close(self) -> None:
        output, self._output = self._output, None
        if output is not None:
            output.file.attrs["datatype"] = f"struct{{{','.join(self._tables)}}}"


class _Table:
    """The table of one channel."""

    def __init__(self, file: h5py.File, name: str, first: Pulses) -> None:
        self._name = name
        self._columns = tuple(first.columns())
        self._n_rows = 0
        group = file.create_group(name)
        group.attrs["datatype"] = "struct{raw}"
        table = group.create_group("raw")
        table.attrs["datatype"] = f"table{{{','.join((*self._columns, 'waveform'))}}}"
        waveform = table.create_group("waveform")
        waveform.attrs["datatype"] = "table{values,t0,dt}"
        self._values = _growing(waveform, "values", first.samples.dtype, n_samples=first.n_samples, unit="ADC")
        self._t0 = _growing(waveform, "t0", np.dtype(np.float64), unit="ns")
        self._dt = _growing(waveform, "dt", np.dtype(np.float64), unit="ns")
        self._data = {
            column: _growing(table, column, values.dtype, unit=_UNITS.get(column))
            for column, values in first.columns().items()
        }

    def append(self, pulses: Pulses) -> None:
        self._check(pulses)
        new = [(self._values, pulses.samples), (self._t0, 0.0), (self._dt, pulses.sample_period_ns)]
        new += [(self._data[column], values) for column, values in pulses.columns().items()]
        start, self._n_rows = self._n_rows, self._n_rows + len(pulses)
        for dataset, values in new:
            dataset.resize(self._n_rows, axis=0)
            dataset[start:] = values

    def _check(self, pulses: Pulses) -> None:
        expected = (self._values.shape[1], self._values.dtype, self._columns)
        got = (pulses.n_samples, pulses.samples.dtype, tuple(pulses.columns()))
        if got != expected:
            raise DataError(
                f"{self._name}: all pulses of a channel must be alike: expected {_kind(*expected)}; got {_kind(*got)}; "
                "write them into files of their own"
            )


def _kind(n_samples: int, dtype: np.dtype[Any], columns: tuple[str, ...]) -> str:
    return f"{n_samples} samples of {dtype} with {', '.join(columns) or 'no columns'}"


def _growing(
    group: h5py.Group, name: str, dtype: np.dtype[Any], *, n_samples: int | None = None, unit: str | None = None
) -> h5py.Dataset:
    """Create a data set that grows by rows, in chunks, shuffled and compressed fast."""
    shape: tuple[int, ...] = (0,)
    chunks: tuple[int, ...] = (_COLUMN_CHUNK_ROWS,)
    datatype = "array<1>{real}"
    if n_samples is not None:
        shape = (0, n_samples)
        chunks = (max(1, _CHUNK_BYTES // (n_samples * dtype.itemsize)), n_samples)
        datatype = "array_of_equalsized_arrays<1,1>{real}"
    dataset = group.create_dataset(
        name,
        shape,
        dtype,
        maxshape=(None, *shape[1:]),
        chunks=chunks,
        shuffle=True,
        compression="lzf",
        fletcher32=True,
    )
    dataset.attrs["datatype"] = datatype
    if unit is not None:
        dataset.attrs["units"] = unit
    return dataset


def _by_channel(pulses: Pulses) -> Iterator[tuple[str, Pulses]]:
    """Yield the pulses of each board and channel with the name of their group."""
    if len(pulses) == 0:
        return
    board, channel = (_or_zero(column, len(pulses)) for column in (pulses.board, pulses.channel))
    pairs = np.unique(np.stack([board, channel]), axis=1).T.tolist()
    for one_board, one_channel in pairs:
        name = f"ch{one_board}_{one_channel}" if one_board else f"ch{one_channel}"
        chosen = pulses if len(pairs) == 1 else pulses[(board == one_board) & (channel == one_channel)]
        yield name, chosen


def _or_zero(column: NDArray[np.int32] | None, length: int) -> NDArray[np.int32]:
    return np.zeros(length, dtype=np.int32) if column is None else column


def open_writer(path: Path, settings: DetectorSettings, provenance: Mapping[str, Any] | None = None) -> Lh5Writer:
    """Open a native file for writing."""
    return Lh5Writer(path, settings, provenance)
