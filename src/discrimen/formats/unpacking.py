"""Packed files unpacked onto the disk: gzip, bzip2, xz and Zstandard, of one part or of several behind each other."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import shutil
import zlib
from collections.abc import Callable
from importlib import import_module
from io import BufferedReader
from pathlib import Path
from types import ModuleType
from typing import Any

from discrimen.errors import FormatError, require_module

_COPY_BYTES = 2**20
_LOOK_BYTES = 16 * 2**20
_ZSTD_CUT_OFF = "Truncated compressed stream"


def _open_gzip(packed: BufferedReader) -> Any:
    """Open with ISA-L where it is installed: it unpacks at least twice as fast as zlib."""
    opened = getattr(_isal("igzip"), "IGzipFile", gzip.GzipFile)
    return opened(fileobj=packed, mode="rb")


def _isal(module: str) -> ModuleType | None:
    try:
        return import_module(f"isal.{module}")
    except ImportError:
        return None


def _faults() -> tuple[type[Exception], ...]:
    """Return what libraries raise on damage."""
    of_isal = getattr(_isal("isal_zlib"), "error", zlib.error)
    return (OSError, ValueError, zlib.error, lzma.LZMAError, of_isal)


def _open_zstd(packed: BufferedReader) -> Any:
    return require_module("pyarrow", extra="parquet").input_stream(packed, compression="zstd")


PACKINGS: tuple[tuple[bytes, str, Callable[[BufferedReader], Any]], ...] = (
    (b"\x1f\x8b", ".gz", _open_gzip),
    (b"BZh", ".bz2", bz2.BZ2File),
    (b"\xfd7zXZ\x00", ".xz", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", ".zst", _open_zstd),
)
"""How a packed file begins, the ending that its name loses, and what opens it."""


def unpack(path: Path, opened: Callable[[BufferedReader], Any], unpacked: Path) -> bool:
    """Unpack a file, and return whether it ends early; what came before its end is kept then.

    Parameters
    ----------
    path : Path
        The packed file.
    opened : callable
        One of :data:`PACKINGS`.
    unpacked : Path
        A new file.

    Raises
    ------
    FormatError
        If it is damaged, holds nothing, or there is or will be no room for what is in it.
    MissingExtraError
        If the library that unpacks it is not installed.
    """
    room = _Room(path, unpacked.parent)
    try:
        with path.open("rb") as packed, opened(packed) as stream, unpacked.open("wb") as output:
            room.require(packed.tell(), 0)
            return _copy(stream, output, lambda n_bytes: room.require(packed.tell(), n_bytes))
    except _faults() as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise room.missing(unpacked.stat().st_size) from error
        raise FormatError(f"cannot be unpacked: {error}; unpack or fetch it again", path) from error


def _copy(stream: Any, output: Any, look: Callable[[int], None]) -> bool:
    """Copy until the end, looking from time to time whether there is room; return whether the end comes early."""
    n_bytes, next_look = 0, _LOOK_BYTES
    try:
        while content := stream.read1(_COPY_BYTES):
            n_bytes += output.write(content)
            if n_bytes >= next_look:
                look(n_bytes)
                next_look += _LOOK_BYTES
    except (EOFError, OSError) as error:
        if isinstance(error, OSError) and _ZSTD_CUT_OFF not in str(error):
            raise
        if not n_bytes:
            raise ValueError("it ends before any of its content") from error
        return True
    return False


class _Room:
    """Looks whether a file will fit where it is unpacked: it is taken to be packed alike from begin to end."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._folder = path, folder
        self._packed_bytes = path.stat().st_size

    def require(self, read_bytes: int, written_bytes: int) -> None:
        """Refuse the file if what is to come is more than what is free."""
        rest = max(0, self._packed_bytes - read_bytes)
        to_come = rest * written_bytes / read_bytes if written_bytes and read_bytes else rest
        if to_come > shutil.disk_usage(self._folder).free:
            raise self.missing(written_bytes + int(to_come))

    def missing(self, needed_bytes: int) -> FormatError:
        """Return the error that there is too little room."""
        free = shutil.disk_usage(self._folder).free
        return FormatError(
            f"cannot be unpacked: needs at least {needed_bytes / 1e9:.2g} GB for a copy below {self._folder}, where "
            f"{free / 1e9:.2g} GB are left; TMPDIR names a folder with more room",
            self._path,
        )
