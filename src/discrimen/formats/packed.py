"""Run files packed with gzip, bzip2, xz or Zstandard: unpacked into a temporary folder, and read there.

Readers go back and forth in a file, and many commands read it several times, so it is unpacked as a whole first. The
temporary folder lives as long as its readers (``TMPDIR`` says where); the settings of the digitizer beside the packed
file are found as ever.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from weakref import WeakValueDictionary, finalize

from discrimen.errors import DiscrimenError
from discrimen.formats.base import ListModeReader, Reader, ReadReport, RunInfo
from discrimen.formats.unpacking import PACKINGS, unpack
from discrimen.pulses import Pulses
from discrimen.pulses.list_mode import ListModeEvents

_CUT_OFF = "packed file ends early: what follows is missing, and what came is not checked"


def is_packed(head: bytes) -> bool:
    """Whether a file that begins with these bytes is packed in a way that can be unpacked here."""
    return any(head.startswith(magic) for magic, *_ in PACKINGS)


class _Unpacked:
    """A packed file's content in a temporary folder, which goes with the last reader of it.

    Attributes
    ----------
    path : Path
        The unpacked file.
    ends_early : bool
        Whether the packed file is cut off.
    """

    def __init__(self, path: Path, head: bytes) -> None:
        folder = Path(mkdtemp(prefix="discrimen-"))
        finalize(self, shutil.rmtree, folder, ignore_errors=True)
        suffix, opened = next((suffix, opened) for magic, suffix, opened in PACKINGS if head.startswith(magic))
        # As deep as the original, so that settings are found beside it and one folder up.
        beside = folder / "run" / path.absolute().parent.name
        beside.mkdir(parents=True)
        _link_settings(path.absolute().parent, beside)
        _link_settings(path.absolute().parent.parent, beside.parent)
        self.path = beside / (path.name[: -len(suffix)] if path.name.lower().endswith(suffix) else path.name)
        self.ends_early = unpack(path, opened, self.path)


_UNPACKED: WeakValueDictionary[tuple[Path, int, int], _Unpacked] = WeakValueDictionary()
"""What is unpacked now, by the path, size and time of the packed file: opened twice, it is unpacked once."""


class PackedReader:
    """Reads a run file that was packed; a :class:`~discrimen.formats.base.Reader`.

    Parameters
    ----------
    path : Path
        The packed file.
    unpacked : _Unpacked
        Its content.
    reader : Reader
        Of that.
    """

    def __init__(self, path: Path, unpacked: _Unpacked, reader: Reader) -> None:
        self._path, self._unpacked, self._reader = path, unpacked, reader

    @property
    def info(self) -> RunInfo:
        """What is known before reading; the path is that of the packed file."""
        return replace(self._reader.info, path=self._path)

    @property
    def report(self) -> ReadReport:
        """What the latest pass met; offsets are those of the unpacked file."""
        report = self._reader.report
        if self._unpacked.ends_early:
            report = replace(report, damaged=dict(report.damaged))
            report.add_damage(_CUT_OFF, offset=self._unpacked.path.stat().st_size)
        return report

    def chunks(self) -> Iterator[Pulses]:
        """Read the unpacked file; see :meth:`discrimen.formats.base.Reader.chunks`."""
        with _told_of(self._path, self._unpacked):
            yield from self._reader.chunks()


class PackedListReader(PackedReader):
    """Reads a packed file without waveforms; a :class:`~discrimen.formats.base.ListModeReader`."""

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the unpacked file; see :meth:`discrimen.formats.base.ListModeReader.event_chunks`."""
        assert isinstance(self._reader, ListModeReader)
        with _told_of(self._path, self._unpacked):
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
        If it is damaged, there is no room to unpack it, or `open_reader` refuses what is in it. A file that only ends
        early is read as far as it goes, and the report counts it.
    MissingExtraError
        If the library that unpacks it is not installed.
    """
    status = path.stat()
    key = (path.absolute(), status.st_size, status.st_mtime_ns)
    unpacked = _UNPACKED.get(key)
    if unpacked is None:
        unpacked = _UNPACKED[key] = _Unpacked(path, head)
    with _told_of(path, unpacked):
        reader = open_reader(unpacked.path)
    kind = PackedListReader if isinstance(reader, ListModeReader) else PackedReader
    return kind(path, unpacked, reader)


def _link_settings(original: Path, copy: Path) -> None:
    for pattern in ("*.xml", "*.txt"):
        for path in original.glob(pattern):
            (copy / path.name).symlink_to(path)


@contextmanager
def _told_of(path: Path, unpacked: _Unpacked) -> Iterator[None]:
    """Let errors of the unpacked file name the packed one, and say if that is cut off."""
    try:
        yield
    except DiscrimenError as error:
        cut_off = "; the packed file ends early" if unpacked.ends_early else ""
        error.args = (str(error).replace(str(unpacked.path), str(path)) + cut_off,)
        raise
