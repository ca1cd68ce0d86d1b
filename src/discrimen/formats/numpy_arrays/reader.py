"""NumPy arrays: `.npy` with waveforms, and `.npz` with waveforms and columns beside them.

A `.npy` file is mapped and copied in blocks; a `.npz` archive is unpacked as it is read, all its arrays in step, so
that memory stays constant even if it is compressed (an array stored column by column excepted: it is read whole).
Arrays of 64 bits are read twice, first for the range of their values. Nothing is ever unpickled.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo
from discrimen.formats.numpy_arrays.samples import direct_type, finite_rows, needs_scan, scanned_type, whole_numbers
from discrimen.formats.numpy_arrays.stream import (
    ARCHIVE_ERRORS,
    ArrayHeader,
    file_rows,
    member_rows,
    opened_archive,
    read_header,
)
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import COLUMNS, Pulses
from discrimen.pulses.detector import DetectorSettings, validate_settings

Block = dict[str, NDArray[Any]]
"""Some rows of the samples and of each column, under their names as in pulses."""

_SAMPLES = "samples"
_PERIOD = "sample_period_ns"


class _ArrayReader:
    """What both readers share: from blocks of rows to pulses.

    Parameters
    ----------
    path : Path
    options : ReadOptions
    name : str
        Of the format.
    header : ArrayHeader
        Of the samples.
    found : DetectorSettings
        What the file itself says.
    columns : tuple of str
        The columns it has.
    unused : tuple of str
        Other arrays of the file.
    """

    def __init__(
        self,
        path: Path,
        options: ReadOptions,
        *,
        name: str,
        header: ArrayHeader,
        found: DetectorSettings,
        columns: tuple[str, ...] = (),
        unused: tuple[str, ...] = (),
    ) -> None:
        if len(header.shape) != 2 or header.shape[1] == 0:
            raise FormatError(
                f"expected waveforms of shape (pulse, sample), got an array of shape {header.shape}; "
                "save it with two dimensions, one pulse a row",
                path,
            )
        settings, source = merge_settings(options.settings, found, found_in="file")
        self._n_rows = max(1, options.chunk_bytes // header.row_bytes)
        self._header = header
        self.report = ReadReport()
        beside = f" and {', '.join(columns)}" if columns else ""
        if unused:
            beside += f"; not used: {', '.join(unused)} (--branch FIELD=NAME)"
        self.info = RunInfo(
            path=path,
            format=name,
            layout=f"NumPy array {header.shape} of {header.dtype}{beside}",
            settings=settings,
            settings_source=source,
            n_entries=header.n_rows,
        )
        self._dtype = direct_type(header.dtype)
        if needs_scan(header.dtype):
            self._dtype = self._scanned_type()

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`."""
        self.report = ReadReport()
        first = yield from self._read(self._blocks(self._n_rows), 0)
        if first < self._header.n_rows:
            offset = self._header.offset + first * self._header.row_bytes if self.info.format == "npy" else None
            self.report.add_damage(
                "missing or unreadable rows at the end", offset=offset, count=self._header.n_rows - first
            )

    def _read(self, blocks: Iterator[Block], first: int) -> Generator[Pulses, None, int]:
        """Yield the pulses of blocks of which the first begins at a row; return the row after the last."""
        for block in blocks:
            count = len(block[_SAMPLES])
            block.setdefault("entry", np.arange(first, first + count))
            first += count
            finite = finite_rows(block[_SAMPLES])
            if not finite.all():
                self.report.add_damage("NaN or infinite samples", offset=None, count=int((~finite).sum()))
                block = {name: values[finite] for name, values in block.items()}
            if finite.any():
                yield self._pulses(block)
        return first

    def _blocks(self, n_rows: int) -> Iterator[Block]:
        raise NotImplementedError

    def _scanned_type(self) -> np.dtype[Any]:
        try:
            return scanned_type(block[_SAMPLES] for block in self._blocks(self._n_rows))
        except DataError as error:
            raise FormatError(str(error), self.info.path) from error

    def _pulses(self, block: Block) -> Pulses:
        samples = block.pop(_SAMPLES).astype(self._dtype, copy=False)
        columns = {name: whole_numbers(values, COLUMNS[name]) for name, values in block.items()}
        try:
            pulses = Pulses(samples=samples, sample_period_ns=self.info.settings.sample_period_ns, **columns)
        except DataError as error:
            raise FormatError(str(error), self.info.path) from error
        self.report.n_read += len(pulses)
        return pulses


class NpyReader(_ArrayReader):
    """Reader of a `.npy` file with an array of shape (pulse, sample).

    Raises
    ------
    FormatError
        If it cannot be read, or holds anything but numbers in two dimensions.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        try:
            with path.open("rb") as stream:
                header = read_header(stream, path)
                surplus = os.fstat(stream.fileno()).st_size - header.offset - header.n_rows * header.row_bytes
        except OSError as error:
            raise FormatError(f"cannot be read: {error.strerror}", path) from error
        if surplus > 0:
            raise FormatError(f"{surplus} bytes follow the array of shape {header.shape} of {header.dtype}", path)
        super().__init__(path, options, name="npy", header=header, found=DetectorSettings())

    def seams(self) -> Sequence[int]:
        """Return the rows where chunks begin, and the number of rows; see the protocol."""
        return [*range(0, self._header.n_rows, self._n_rows), self._header.n_rows]

    def chunks_between(self, start: int, stop: int) -> Iterator[Pulses]:
        """Read a range of rows; see the protocol.

        Raises
        ------
        FormatError
            If the file ends before.
        """
        self.report = ReadReport()
        last = yield from self._read(self._rows(start, stop), start)
        if last < stop:
            raise FormatError(f"the file ends before row {stop}", self.info.path)

    def _blocks(self, n_rows: int) -> Iterator[Block]:  # noqa: ARG002 - always that of the chunks
        return self._rows(0, self._header.n_rows)

    def _rows(self, start: int, stop: int) -> Iterator[Block]:
        try:
            for rows in file_rows(self.info.path, self._header, self._n_rows, between=(start, stop)):
                yield {_SAMPLES: rows}
        except OSError as error:
            raise FormatError(f"cannot be read: {error.strerror}", self.info.path) from error


class NpzReader(_ArrayReader):
    """Reader of a `.npz` archive with the waveforms and columns beside them.

    The waveforms are the array that `branches` names for "samples", else that called ``samples``, else the only one of
    two dimensions. Columns are found under their names in pulses, or under those that `branches` gives;
    ``sample_period_ns`` may be there as a single number.

    Raises
    ------
    FormatError
        If it cannot be read, the waveforms are not told, or a column does not fit them.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        with opened_archive(path) as archive:
            headers, others = _headers(archive, path)
            samples = _samples_name(headers, path, options.branches)
            columns = _column_names(headers, others, headers[samples], path, options.branches)
            found = _stored_period(archive, headers, path)
        self._members = {_SAMPLES: samples} | columns
        used = {_PERIOD, *self._members.values()}
        unused = tuple(name for name in (*headers, *others) if name not in used)
        super().__init__(
            path, options, name="npz", header=headers[samples], found=found, columns=tuple(columns), unused=unused
        )

    def _blocks(self, n_rows: int) -> Iterator[Block]:
        with opened_archive(self.info.path) as archive:
            sources = {
                name: member_rows(archive, f"{member}.npy", self.info.path, n_rows)
                for name, member in self._members.items()
            }
            while True:
                try:
                    block = {name: next(source, None) for name, source in sources.items()}
                except ARCHIVE_ERRORS:
                    # Counted by who asked for the blocks: the rows that do not come are missing.
                    return
                there = {name: rows for name, rows in block.items() if rows is not None}
                if len(there) < len(block):
                    return
                shortest = min(map(len, there.values()))
                yield {name: rows[:shortest] for name, rows in there.items()}
                if shortest < max(map(len, there.values())):
                    return


def _headers(archive: zipfile.ZipFile, path: Path) -> tuple[dict[str, ArrayHeader], list[str]]:
    """Return the header of each array of numbers in an archive, and the names of its other arrays."""
    headers, others = {}, []
    for member in archive.namelist():
        if member.endswith(".npy"):
            with archive.open(member) as stream:
                try:
                    headers[member.removesuffix(".npy")] = read_header(stream, path, member)
                except FormatError:
                    # Text, objects, damage: no waveforms, and an error only where a column should be.
                    others.append(member.removesuffix(".npy"))
    return headers, others


def _samples_name(headers: Mapping[str, ArrayHeader], path: Path, branches: Mapping[str, str]) -> str:
    wanted = branches.get(_SAMPLES, _SAMPLES)
    if wanted in headers:
        return wanted
    flat = [name for name, header in headers.items() if len(header.shape) == 2]
    if _SAMPLES not in branches and len(flat) == 1:
        return flat[0]
    arrays = ", ".join(f"{name} {header.shape}" for name, header in headers.items()) or "no arrays of numbers"
    raise FormatError(
        f"expected waveforms in an array '{wanted}' or a single one of two dimensions, got {arrays}; "
        "name it with --branch samples=NAME",
        path,
    )


def _column_names(
    headers: Mapping[str, ArrayHeader],
    others: Sequence[str],
    samples: ArrayHeader,
    path: Path,
    branches: Mapping[str, str],
) -> dict[str, str]:
    """Return the array of each column that the archive has.

    Raises
    ------
    FormatError
        If one that the user named is not there, or one does not fit the waveforms.
    """
    asked = {column: name for column, name in branches.items() if column in COLUMNS}
    names = {column: column for column in COLUMNS if column in headers or column in others} | asked
    for column, name in names.items():
        if name in others:
            hint = "; labels are 0 (gamma), 1 (neutron) or -1 (unknown)" if column == "label" else ""
            raise FormatError(f"expected numbers for '{column}' in the array '{name}', got none{hint}", path)
        shape = headers[name].shape if name in headers else None
        if shape != (samples.n_rows,):
            got = "no such array" if shape is None else f"shape {shape}"
            raise FormatError(f"expected {samples.n_rows} values of '{column}' in the array '{name}', got {got}", path)
    return names


def _stored_period(archive: zipfile.ZipFile, headers: Mapping[str, ArrayHeader], path: Path) -> DetectorSettings:
    header = headers.get(_PERIOD)
    if header is None or header.shape not in ((), (1,)):
        return DetectorSettings()
    with archive.open(f"{_PERIOD}.npy") as stream:
        read_header(stream, path, _PERIOD)
        value = np.frombuffer(stream.read(header.dtype.itemsize), header.dtype)
    try:
        return validate_settings({_PERIOD: float(value.sum())}, source=_PERIOD)
    except SettingsError as error:
        raise FormatError(str(error), path) from error


def _recognises_npy(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the magic string is enough
    return head.startswith(b"\x93NUMPY")


def _recognises_npz(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the first member's name is enough
    name_length = int.from_bytes(head[26:28], "little")
    return head.startswith(b"PK\x03\x04") and head[30 : 30 + name_length].endswith(b".npy")


NPY_FORMAT = Format(
    name="npy",
    description="NumPy array of shape (pulse, sample)",
    suffixes=(".npy",),
    recognises=_recognises_npy,
    open_reader=NpyReader,
)
NPZ_FORMAT = Format(
    name="npz",
    description="NumPy archive with waveforms and columns",
    suffixes=(".npz",),
    recognises=_recognises_npz,
    open_reader=NpzReader,
    takes=("branches",),
)
