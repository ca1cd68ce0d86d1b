"""The native file, and files from elsewhere in LEGEND's LH5 layout: read in slices of rows.

Files of this package give back all columns and the detector settings. Of other files come the waveforms, their sampling
period, and the columns whose meaning is certain. LEGEND's `timestamp` is Unix time in seconds, beyond the range of
64-bit picoseconds, and as a double good to about 0.2 us: `timestamp_ps` counts from the earliest first row of all
tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo
from discrimen.formats.lh5.codecs import read_samples, require_readable
from discrimen.formats.lh5.in_order import in_order
from discrimen.formats.lh5.layout import (
    H5_ERRORS,
    PS_PER_UNIT,
    SETTINGS_ATTRIBUTE,
    PulseTable,
    child,
    find_tables,
    text_attribute,
)
from discrimen.formats.lh5.writer import open_writer
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings, validate_settings

NAME = "lh5"

_CHUNK_CACHE_BYTES = 32 * 2**20
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class Lh5Reader:
    """Reader of one LH5 file; its tables are read one after the other.

    Parameters
    ----------
    path : Path
    options : ReadOptions
        `branches` may name the waveforms ("samples") and columns as they are called in the tables.

    Raises
    ------
    FormatError
        If the file is no HDF5, has no table with waveforms, or contradicts itself.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._options = options
        self.report = ReadReport()
        with _opened(path) as file:
            self._tables = find_tables(file, path, options.branches)
            filled = [table for table in self._tables if table.n_rows]
            for table in filled:
                require_readable(file[table.name], table, path)
            stored = _stored_settings(file, path)
            periods = {_periods_ns(file[table.name], table, slice(0, 1)).tolist()[0] for table in filled}
            self._origin = _earliest(file, filled)
        period_ns = next(iter(periods)) if len(periods) == 1 else np.nan
        found = stored.model_copy(update={"sample_period_ns": period_ns if period_ns > 0 else None})
        settings, source = merge_settings(options.settings, found, found_in="file")
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=_describe(self._tables),
            settings=settings,
            settings_source=source,
            n_entries=sum(table.n_rows for table in self._tables),
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`."""
        return self.chunks_between(0, None)

    def seams(self) -> Sequence[int]:
        """Return the numbers of the slices of all tables, one after the other; see the protocol."""
        with _opened(self.info.path) as file:
            return range(len(list(self._slices(file))) + 1)

    def chunks_between(self, start: int, stop: int | None) -> Iterator[Pulses]:
        """Read some of the slices; see the protocol."""
        self.report = ReadReport()
        with _opened(self.info.path) as file:
            for table, rows, first_entry in islice(self._slices(file), start, stop):
                for pulses in self._pulses(file[table.name], table, rows, first_entry):
                    self.report.n_read += len(pulses)
                    yield pulses

    def chunks_in_order(self) -> Iterator[Pulses]:
        """Read the tables side by side; see :class:`~discrimen.formats.base.OrderedReader`.

        Raises
        ------
        DataError
            If the entries of a table do not ascend.
        """
        self.report = ReadReport()
        n_tables = max(1, len(self._tables))
        with _opened(self.info.path, cache_bytes=_CHUNK_CACHE_BYTES // n_tables) as file:
            for pulses in in_order([self._of_table(file, number, n_tables) for number in range(n_tables)]):
                self.report.n_read += len(pulses)
                yield pulses

    def _of_table(self, file: h5py.File, number: int, n_tables: int) -> Iterator[Pulses]:
        """Yield one table in smaller chunks."""
        table, first_entry = self._tables[number], sum(table.n_rows for table in self._tables[:number])
        for rows in _slices(file[table.name], table, self._options.chunk_bytes // n_tables):
            yield from self._pulses(file[table.name], table, rows, first_entry)

    def _slices(self, file: h5py.File) -> Iterator[tuple[PulseTable, slice, int]]:
        """Yield slices of all tables, each with the entry of its table's first row."""
        first_entry = 0
        for table in self._tables:
            for rows in _slices(file[table.name], table, self._options.chunk_bytes):
                yield table, rows, first_entry
            first_entry += table.n_rows

    def _pulses(self, group: h5py.Group, table: PulseTable, rows: slice, first_entry: int) -> Iterator[Pulses]:
        """Make one chunk of the rows of each sampling period; rows that HDF5 cannot give are damaged."""
        try:
            samples = read_samples(group, table, rows)
            columns = {column: group[name][rows] for column, name in table.columns.items()}
            if self._origin is not None and table.timestamp_unit is not None:
                columns["timestamp_ps"] = _since(group["timestamp"][rows], self._origin, table.timestamp_unit)
            periods_ns = _periods_ns(group, table, rows)
        except H5_ERRORS:
            self.report.add_damage("unreadable rows", offset=None, count=rows.stop - rows.start)
            return
        if table.channel is not None and "channel" not in columns:
            columns["channel"] = np.full(len(samples), table.channel, dtype=np.int32)
        if "entry" not in columns:
            columns["entry"] = np.arange(first_entry + rows.start, first_entry + rows.stop)
        given_ns = self._options.settings.sample_period_ns
        if given_ns is not None:
            periods_ns = np.full(len(samples), given_ns)
        good = self._good_rows(samples, periods_ns)
        for period_ns in np.unique(periods_ns[good]).tolist():
            chosen = good & ((periods_ns == period_ns) | (np.isnan(period_ns) & np.isnan(periods_ns)))
            selected = {name: values[chosen] for name, values in columns.items()}
            period = None if np.isnan(period_ns) else period_ns
            kept = samples if chosen.all() else samples[chosen]
            yield self._checked(table, samples=kept, sample_period_ns=period, **selected)

    def _good_rows(self, samples: NDArray[Any], periods_ns: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which rows hold numbers and a positive sampling period, or none; count the others as damage."""
        numbers = np.isfinite(samples).all(axis=1) if samples.dtype.kind == "f" else np.ones(len(samples), dtype=bool)
        timed: NDArray[np.bool_] = np.isnan(periods_ns) | (np.isfinite(periods_ns) & (periods_ns > 0))
        for kind, fine in (("NaN or infinite samples", numbers), ("sampling period not positive", timed)):
            if not fine.all():
                self.report.add_damage(kind, offset=None, count=int((~fine).sum()))
        return numbers & timed

    def _checked(self, table: PulseTable, **fields: Any) -> Pulses:
        try:
            return Pulses(**fields)
        except DataError as error:
            raise FormatError(f"{table.name}: {error}", self.info.path) from error


def _slices(group: h5py.Group, table: PulseTable, chunk_bytes: int) -> Iterator[slice]:
    """Cut a table into slices of about so many bytes, along the chunks of the file where they are smaller."""
    itemsize = 4 if table.dtype is None else table.dtype.itemsize
    n_rows = max(1, chunk_bytes // (table.n_samples * itemsize))
    stored = getattr(group[table.values], "chunks", None)
    if stored and 1 < stored[0] <= n_rows:
        n_rows -= n_rows % stored[0]
    for start in range(0, table.n_rows, n_rows):
        yield slice(start, min(start + n_rows, table.n_rows))


def _periods_ns(group: h5py.Group, table: PulseTable, rows: slice) -> NDArray[np.float64]:
    """Return the sampling period of each row in ns, NaN where the file does not tell it with a unit."""
    unknown = np.full(rows.stop - rows.start, np.nan)
    data = child(group, f"{table.waveform}/dt") if table.values != table.waveform else None
    if not isinstance(data, h5py.Dataset) or data.shape not in ((), (table.n_rows,)) or data.dtype.kind not in "iuf":
        return unknown
    unit = text_attribute(data, "units")
    if unit is None or unit not in PS_PER_UNIT:
        return unknown
    values = data[rows] if data.shape else np.full(len(unknown), data[()])
    if values.dtype.kind == "f":
        # The shortest decimal that means this number: 0.4 stored as float32 is 0.4 ns, not 0.4000000059604645.
        decimal = {value: float(str(value)) for value in np.unique(values)}
        values = np.array([decimal.get(value, np.nan) for value in values])
    periods_ns: NDArray[np.float64] = values.astype(np.float64) * (PS_PER_UNIT[unit] / 1000)
    return periods_ns


def _earliest(file: h5py.File, tables: list[PulseTable]) -> Any:
    """Return the earliest time stamp among the first rows, None where the tables' units differ or there are none."""
    units = {table.timestamp_unit for table in tables}
    if len(units) != 1 or None in units:
        return None
    first = [file[table.name]["timestamp"][0] for table in tables]
    return min(first)


def _since(values: NDArray[Any], origin: Any, unit: str) -> NDArray[np.int64]:
    """Return times since the origin in ps.

    Raises
    ------
    ValueError
        If one is no number or beyond 64 bits.
    """
    exact = np.int64 if values.dtype.kind in "iu" else np.float64
    since_ps = (values.astype(exact) - exact(origin)).astype(np.float64) * PS_PER_UNIT[unit]
    if not (np.isfinite(since_ps) & (np.abs(since_ps) < 2.0**63)).all():
        raise ValueError("time stamps out of range")
    return np.rint(since_ps).astype(np.int64)


def _stored_settings(file: h5py.File, path: Path) -> DetectorSettings:
    text = text_attribute(file, SETTINGS_ATTRIBUTE)
    if text is None:
        return DetectorSettings()
    try:
        return validate_settings(json.loads(text), source=SETTINGS_ATTRIBUTE)
    except (json.JSONDecodeError, SettingsError) as error:
        raise FormatError(f"the detector settings in the file cannot be read: {error}", path) from error


def _describe(tables: list[PulseTable]) -> str:
    names = ", ".join(table.name.strip("/") or "/" for table in tables[:4]) + (", ..." if len(tables) > 4 else "")
    first = tables[0]
    kind = str(first.dtype) if first.codec is None else f"encoded with {first.codec}"
    plural = "s" if len(tables) > 1 else ""
    return f"LH5: {len(tables)} table{plural} ({names}), {first.waveform} of {first.n_samples} samples, {kind}"


@contextmanager
def _opened(path: Path, *, cache_bytes: int = _CHUNK_CACHE_BYTES) -> Iterator[h5py.File]:
    """Open a file and give what HDF5 says of a damaged one its place in the exception tree."""
    try:
        with h5py.File(path, "r", rdcc_nbytes=cache_bytes) as file:
            yield file
    except H5_ERRORS as error:
        reason = " ".join(str(error).split())
        raise FormatError(f"cannot be read as HDF5 ({reason}); was its writer stopped before the end?", path) from error


def recognises(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the signature is enough
    """Whether the file is HDF5, with or without a user block in front."""
    return any(head[offset : offset + len(_SIGNATURE)] == _SIGNATURE for offset in (0, 512, 1024, 2048))


FORMAT = Format(
    name=NAME,
    description="native file: HDF5 in LEGEND's LH5 layout",
    suffixes=(".lh5", ".h5", ".hdf5"),
    recognises=recognises,
    open_reader=Lh5Reader,
    open_writer=open_writer,
    takes=("branches",),
    keeps_provenance=True,
)
