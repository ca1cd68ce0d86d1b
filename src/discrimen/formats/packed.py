"""Run files packed with gzip, bzip2, xz or Zstandard: unpacked into a temporary folder, and read there.

Readers go back and forth in a file, so it is unpacked as a whole before it is read. The temporary folder lives as long
as the reader (``TMPDIR`` says where); the settings of the digitizer beside the packed file are found as ever.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any
from weakref import finalize

from discrimen.errors import DiscrimenError, FormatError, require_module
from discrimen.formats.base import ListModeReader, Reader, ReadReport, RunInfo
from discrimen.pulses import Pulses
from discrimen.pulses.list_mode import ListModeEvents

_COPY_BYTES = 2**20


def _open_zstd(path: Path, _mode: str) -> Any:
    return require_module("pyarrow", extra="parquet").input_stream(str(path), compression="zstd")


_UNPACK: tuple[tuple[bytes, str, Callable[[Path, str], Any]], ...] = (
    (b"\x1f\x8b", ".gz", gzip.open),
    (b"BZh", ".bz2", bz2.open),
    (b"\xfd7zXZ\x00", ".xz", lzma.open),
    (b"\x28\xb5\x2f\xfd", ".zst", _open_zstd),
)
"""How a packed file begins, the ending that its name loses, and what opens it."""


def is_packed(head: bytes) -> bool:
    """Whether a file that begins with these bytes is packed in a way that can be unpacked here."""
    return any(head.startswith(magic) for magic, *_ in _UNPACK)


class PackedReader:
    """Reads a run file that was packed; a :class:`~discrimen.formats.base.Reader`.

    Parameters
    ----------
    path : Path
        The packed file.
    folder : Path
        Holds the file that was unpacked; removed when the reader is.
    reader : Reader
        Of that file.
    """

    def __init__(self, path: Path, folder: Path, reader: Reader) -> None:
        self._path = path
        self._reader = reader
        finalize(self, shutil.rmtree, folder, ignore_errors=True)

    @property
    def info(self) -> RunInfo:
        """What is known before reading; the path is that of the packed file."""
        return replace(self._reader.info, path=self._path)

    @property
    def report(self) -> ReadReport:
        """What the latest pass met; offsets are those of the unpacked file."""
        return self._reader.report

    def chunks(self) -> Iterator[Pulses]:
        """Read the unpacked file; see :meth:`discrimen.formats.base.Reader.chunks`."""
        with _told_of(self._path, self._reader.info.path):
            yield from self._reader.chunks()


class PackedListReader(PackedReader):
    """Reads a packed file without waveforms; a :class:`~discrimen.formats.base.ListModeReader`."""

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the unpacked file; see :meth:`discrimen.formats.base.ListModeReader.event_chunks`."""
        assert isinstance(self._reader, ListModeReader)
        with _told_of(self._path, self._reader.info.path):
            yield from self._reader.event_chunks()


def open_packed(path: Path, head: bytes, open_reader: Callable[[Path], Reader]) -> PackedReader:
    """Unpack a run file and open it.

    Parameters
    ----------
    path : Path
        The packed file; it is never modified.
    head : bytes
        How it begins.
    open_reader : callable
        Opens the unpacked file.

    Raises
    ------
    FormatError
        If it is damaged, there is no room to unpack it, or `open_reader` refuses what is in it.
    MissingExtraError
        If the library that unpacks it is not installed.
    """
    folder = Path(mkdtemp(prefix="discrimen-"))
    try:
        reader = _unpacked_reader(path, head, folder, open_reader)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    kind = PackedListReader if isinstance(reader, ListModeReader) else PackedReader
    return kind(path, folder, reader)


def _unpacked_reader(path: Path, head: bytes, folder: Path, open_reader: Callable[[Path], Reader]) -> Reader:
    suffix, open_stream = next((suffix, unpack) for magic, suffix, unpack in _UNPACK if head.startswith(magic))
    # As deep as the original, so that settings are found beside it and one folder up.
    beside = folder / "run" / path.absolute().parent.name
    beside.mkdir(parents=True)
    _link_settings(path.absolute().parent, beside)
    _link_settings(path.absolute().parent.parent, beside.parent)
    unpacked = beside / (path.name[: -len(suffix)] if path.name.lower().endswith(suffix) else path.name)
    _unpack(path, open_stream, unpacked)
    with _told_of(path, unpacked):
        return open_reader(unpacked)


def _unpack(path: Path, open_stream: Callable[[Path, str], Any], unpacked: Path) -> None:
    stream: IO[bytes]
    try:
        with open_stream(path, "rb") as stream, unpacked.open("wb") as output:
            shutil.copyfileobj(stream, output, _COPY_BYTES)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise FormatError(f"cannot be unpacked: {error}; TMPDIR names a folder with more room", path) from error


def _link_settings(original: Path, copy: Path) -> None:
    for pattern in ("*.xml", "*.txt"):
        for path in original.glob(pattern):
            (copy / path.name).symlink_to(path)


@contextmanager
def _told_of(path: Path, unpacked: Path) -> Iterator[None]:
    """Let errors of the unpacked file name the packed one."""
    try:
        yield
    except DiscrimenError as error:
        error.args = (str(error).replace(str(unpacked), str(path)),)
        raise
