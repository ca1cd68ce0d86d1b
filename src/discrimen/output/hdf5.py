"""HDF5 files for writing, such that a full disk is an error and not a crash.

HDF5 cannot close a file whose writes fail: h5py prints a traceback for every object that is still open, and the process
dies in the end. So the file stands behind one that never fails: it keeps the first failure and drops what comes later.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from discrimen.output.provenance import command_line

COMMAND_LINE = "command_line"
"""Attribute of the root of every file."""


@dataclass(frozen=True, slots=True, eq=False)
class Hdf5Output:
    """An HDF5 file that is being written.

    Parameters
    ----------
    file : h5py.File
        To write to.
    storage : FailureKeeper
        The file under it.
    """

    file: h5py.File
    storage: FailureKeeper

    def check(self) -> None:
        """Raise the failure of an earlier write; call it after each chunk, so that nobody writes into the void."""
        self.storage.check()


class FailureKeeper(io.RawIOBase):
    """A file whose writes never fail: the first failure is kept, and what is written after it is dropped."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._failure: OSError | None = None

    def check(self) -> None:
        """Raise the first failure, if there was one."""
        if self._failure is not None:
            raise self._failure

    def write(self, data: Any) -> int:
        """Write all of it, or keep the failure."""
        rest = memoryview(data).cast("B")
        n_bytes = len(rest)
        try:
            while self._failure is None and len(rest):
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._failure = error
        return n_bytes

    def truncate(self, size: int | None = None) -> int:
        """Set the size, or keep the failure."""
        if self._failure is None:
            try:
                return self._file.truncate(size)
            except OSError as error:
                self._failure = error
        return self._file.tell() if size is None else size

    def readinto(self, buffer: Any) -> int:
        """Read; what was dropped reads as zeros."""
        view = memoryview(buffer).cast("B")
        n_read = self._file.readinto(view)
        view[n_read:] = bytes(len(view) - n_read)
        return len(view)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


@contextmanager
def hdf5_output(path: Path, **options: Any) -> Iterator[Hdf5Output]:
    """Open an HDF5 file for writing; the command line is an attribute of its root.

    Parameters
    ----------
    path : Path
        Replaced if it exists.
    **options
        Further arguments of `h5py.File`.

    Raises
    ------
    OSError
        If the file system refuses, at the latest when the block ends.
    """
    with FailureKeeper(path) as storage:
        with h5py.File(storage, "w", **options) as file:
            file.attrs[COMMAND_LINE] = command_line()
            yield Hdf5Output(file, storage)
        storage.check()
