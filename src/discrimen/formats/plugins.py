"""Formats of other packages, which offer them by the entry point group ``discrimen.formats``.

They are looked for when a file is opened that no format of the package itself is made for, never at import. What is
wrong with one of them is said in one line, and costs neither the others nor the formats of the package.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from discrimen.errors import DiscrimenError, FormatError
from discrimen.formats.base import Format, ListModeReader, Reader, ReadOptions, ReadReport, RunInfo
from discrimen.pulses import Pulses
from discrimen.pulses.list_mode import ListModeEvents

GROUP = "discrimen.formats"
"""The group of entry points; each names a :class:`~discrimen.formats.base.Format`."""

_log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def plugin_formats(taken: frozenset[str]) -> tuple[Format, ...]:
    """Load the formats of other packages, once; each fault is logged as one line.

    Parameters
    ----------
    taken : frozenset of str
        Names of formats that no plug-in may have.
    """
    found: dict[str, Format] = {}
    for entry_point in _offered():
        try:
            known = _loaded(entry_point, taken=taken | found.keys())
        except Exception as error:  # noqa: BLE001 - the code of others may fail in any way
            reason = " ".join(str(error).split()) or "no reason given"
            _log.warning(
                "WARNING: the format of the plug-in %s is left out: %s: %s",
                _origin(entry_point),
                type(error).__name__,
                reason,
            )
        else:
            found[known.name] = known
    return tuple(found.values())


def _offered() -> list[EntryPoint]:
    """Return the entry points of all packages, in order; none, and a line, if what is installed cannot be listed."""
    try:
        return sorted(entry_points(group=GROUP), key=_origin)
    except Exception as error:  # noqa: BLE001 - one package with broken metadata may stop the list
        _log.warning("WARNING: no format of any plug-in is used, the installed packages cannot be listed: %s", error)
        return []


def _origin(entry_point: EntryPoint) -> str:
    """Say for people which entry point of which package this is."""
    origin = f"{entry_point.name} = {entry_point.value}"
    try:
        package = None if entry_point.dist is None else f"{entry_point.dist.name} {entry_point.dist.version}"
    except Exception:  # noqa: BLE001 - a package whose metadata are broken has no name
        package = None
    return origin if package is None else f"{origin} of {package}"


def _loaded(entry_point: EntryPoint, *, taken: Collection[str]) -> Format:
    """Load one format, so that whatever fails in it is an error of the format.

    Raises
    ------
    TypeError
        If it is no format.
    ValueError
        If there is a format of this name.
    """
    known = entry_point.load()
    if not isinstance(known, Format):
        raise TypeError(f"expected a discrimen.formats.base.Format, got {type(known).__name__}")
    if not (isinstance(known.name, str) and known.name):
        raise TypeError(f"expected a name, got {known.name!r}")
    if not (isinstance(known.suffixes, tuple) and all(isinstance(each, str) and each for each in known.suffixes)):
        raise TypeError(f"suffixes: expected a tuple of endings like ('.abc',), got {known.suffixes!r}")
    if not (callable(known.recognises) and callable(known.open_reader)):
        raise TypeError("recognises and open_reader must be functions")
    if known.name in taken:
        raise ValueError(f"there is a format named '{known.name}' already, which stays; choose another name")
    origin = _origin(entry_point)
    return replace(known, recognises=_guarded_recogniser(known, origin), open_reader=_guarded_opener(known, origin))


def _guarded_recogniser(known: Format, origin: str) -> Callable[[Path, bytes], bool]:
    def recognises(path: Path, head: bytes) -> bool:
        try:
            return bool(known.recognises(path, head))
        except Exception as error:  # noqa: BLE001 - see above
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            _log.warning("WARNING: the plug-in %s cannot tell whether %s is its own: %s", origin, path, reason)
            return False

    return recognises


def _guarded_opener(known: Format, origin: str) -> Callable[[Path, ReadOptions], Reader]:
    def open_reader(path: Path, options: ReadOptions) -> Reader:
        with _blamed(origin, path):
            reader = known.open_reader(path, options)
        kind = PluginListReader if isinstance(reader, ListModeReader) else PluginReader
        return kind(reader, path, origin)

    return open_reader


@contextmanager
def _blamed(origin: str, path: Path) -> Iterator[None]:
    """Let what a plug-in raises be an error that names it; errors of this package are passed on."""
    try:
        yield
    except DiscrimenError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise FormatError(f"the plug-in {origin} failed: {reason}; tell its authors", path) from error


class PluginReader:
    """A reader of a plug-in, of which every fault is one clear error; a :class:`~discrimen.formats.base.Reader`.

    Parameters
    ----------
    reader : Reader
        Of the plug-in.
    path : Path
        The run file.
    origin : str
        Which plug-in, for people.
    """

    def __init__(self, reader: Reader, path: Path, origin: str) -> None:
        self._reader, self._path, self._origin = reader, path, origin

    @property
    def info(self) -> RunInfo:
        """What is known before reading."""
        with _blamed(self._origin, self._path):
            return self._reader.info

    @property
    def report(self) -> ReadReport:
        """What the latest pass met."""
        with _blamed(self._origin, self._path):
            return self._reader.report

    def chunks(self) -> Iterator[Pulses]:
        """Read the file; see :meth:`discrimen.formats.base.Reader.chunks`.

        Raises
        ------
        FormatError
            If the plug-in fails or hands out pulses without the column `entry`.
        """
        with _blamed(self._origin, self._path):
            for pulses in self._reader.chunks():
                if pulses.entry is None:
                    fault = f"the plug-in {self._origin} failed: pulses without the column entry; tell its authors"
                    raise FormatError(fault, self._path)
                yield pulses


class PluginListReader(PluginReader):
    """A reader of list mode of a plug-in; a :class:`~discrimen.formats.base.ListModeReader`."""

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file; see :meth:`discrimen.formats.base.ListModeReader.event_chunks`."""
        assert isinstance(self._reader, ListModeReader)
        with _blamed(self._origin, self._path):
            yield from self._reader.event_chunks()
