"""Read NumPy arrays row by row, from a `.npy` file or from a member of a `.npz` archive, in constant memory."""

from __future__ import annotations

import math
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError

HEADER_ERRORS = (
    ValueError,
    SyntaxError,
    TypeError,
    OverflowError,
    EOFError,
    KeyError,
    RecursionError,
    tokenize.TokenError,
)
"""What NumPy raises on a damaged array header."""

ARCHIVE_ERRORS = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What reading from a damaged archive raises."""

_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,
}
_LARGEST_ROW_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayHeader:
    """What stands before the values of an array.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
    column_major : bool
        Stored column by column (Fortran order).
    offset : int
        Where the values start, in bytes.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    column_major: bool
    offset: int

    @property
    def n_rows(self) -> int:
        """Length of the first axis."""
        return self.shape[0] if self.shape else 1

    @property
    def row_bytes(self) -> int:
        """Size of one row."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize


def read_header(stream: IO[bytes], path: Path, name: str = "") -> ArrayHeader:
    """Read the header of an array; the stream then stands at the values.

    Raises
    ------
    FormatError
        If it is no header of a plain numeric array. Arrays of Python objects are refused: they could hold code.
    """
    where = f"array '{name}': " if name else ""
    try:
        with warnings.catch_warnings(action="ignore"):
            # NumPy warns of headers written by Python 2, and reads them all the same.
            shape, column_major, dtype = _HEADER_READERS[np.lib.format.read_magic(stream)](stream)
    except HEADER_ERRORS as error:
        reason = " ".join(str(error).split())[:200]
        raise FormatError(f"{where}expected a NumPy array, its header cannot be read ({reason})", path, 0) from error
    if dtype.kind not in "iufb":
        raise FormatError(
            f"{where}expected an array of numbers, got {dtype}; save it as plain integers or floats", path
        )
    header = ArrayHeader(shape=shape, dtype=dtype, column_major=column_major and len(shape) > 1, offset=stream.tell())
    if any(length < 0 for length in shape) or header.row_bytes > _LARGEST_ROW_BYTES:
        raise FormatError(f"{where}an array of shape {shape} cannot be waveforms", path, 0)
    return header


def file_rows(path: Path, header: ArrayHeader, n_rows: int, *, between: tuple[int, int]) -> Iterator[NDArray[Any]]:
    """Yield blocks of a range of rows of a `.npy` file, as far as they are there, mapped from the file and copied."""
    there = path.stat().st_size - header.offset
    available = min(header.n_rows, max(there, 0) // max(header.row_bytes, 1))
    if header.column_major and available < header.n_rows:
        expected = header.n_rows * header.row_bytes
        raise FormatError(
            f"the file ends before its array: {expected} bytes expected, {there} there; an array stored column by "
            "column cannot be read in part",
            path,
            header.offset,
        )
    if available == 0:
        return
    shape = (available, *header.shape[1:])
    order: Literal["F", "C"] = "F" if header.column_major else "C"
    mapped: NDArray[Any] = np.memmap(path, dtype=header.dtype, mode="r", offset=header.offset, shape=shape, order=order)
    first, last = between
    for start in range(first, min(last, available), n_rows):
        yield np.array(mapped[start : min(start + n_rows, last)], order="C")


def member_rows(archive: zipfile.ZipFile, member: str, path: Path, n_rows: int) -> Iterator[NDArray[Any]]:
    """Yield blocks of rows of a member of an archive, as far as they can be read, without unpacking all of it.

    An array stored column by column is the exception: it is read whole.
    """
    with archive.open(member) as stream:
        header = read_header(stream, path, member)
        if header.column_major:
            values = stream.read()
            if len(values) == math.prod(header.shape) * header.dtype.itemsize:
                whole = np.frombuffer(values, header.dtype).reshape(header.shape, order="F")
                for start in range(0, header.n_rows, n_rows):
                    yield np.ascontiguousarray(whole[start : start + n_rows])
            return
        left = header.n_rows
        while left and header.row_bytes:
            wanted = min(n_rows, left)
            values = stream.read(wanted * header.row_bytes)
            rows = len(values) // header.row_bytes
            if rows:
                yield np.frombuffer(values, header.dtype, rows * math.prod(header.shape[1:])).reshape(
                    (rows, *header.shape[1:])
                )
            if rows < wanted:
                return
            left -= rows


@contextmanager
def opened_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a `.npz` file.

    Raises
    ------
    FormatError
        If it is no archive, or is damaged where it is read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except ARCHIVE_ERRORS as error:
        reason = " ".join(str(error).split())[:200]
        raise FormatError(f"cannot be read as a .npz archive ({reason}); was it written to the end?", path) from error
