"""The table of formats, and how the format of a file is recognised.

A new format is a module with a ``FORMAT`` and one line in :data:`FORMATS`, or a package of its own that offers it as a
plug-in (:mod:`discrimen.formats.plugins`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from discrimen.errors import FormatError, OutputError, SettingsError
from discrimen.formats.abcd import events as abcd_events
from discrimen.formats.abcd import waveform_files as abcd_waveforms
from discrimen.formats.adf import reader as adf
from discrimen.formats.base import Format, Reader, ReadOptions, Writer
from discrimen.formats.compass import binary as compass_binary
from discrimen.formats.compass import csv_file as compass_csv
from discrimen.formats.compass import root_file as compass_root
from discrimen.formats.drs4 import reader as drs4
from discrimen.formats.faster import file as faster
from discrimen.formats.foreign import name_foreign
from discrimen.formats.geb import file as geb
from discrimen.formats.ggp import reader as ggp
from discrimen.formats.lh5 import reader as lh5
from discrimen.formats.mfm import files as mfm
from discrimen.formats.ntof import reader as ntof
from discrimen.formats.numpy_arrays import reader as numpy_arrays
from discrimen.formats.packed import is_packed, open_packed
from discrimen.formats.pile_up_text import reader as pile_up_text
from discrimen.formats.plugins import plugin_formats
from discrimen.formats.root import tree as root_tree
from discrimen.formats.text_matrix import reader as text_matrix
from discrimen.formats.text_table import reader as text_table
from discrimen.formats.wavedump import binary as wavedump_binary
from discrimen.formats.wavedump import text as wavedump_text
from discrimen.formats.wavedump import wavedump2
from discrimen.pulses import COLUMNS
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.list_mode import LIST_ONLY

FORMATS: tuple[Format, ...] = (
    compass_binary.FORMAT,
    mfm.FORMAT,
    compass_csv.FORMAT,
    compass_root.FORMAT,
    root_tree.FORMAT,
    wavedump_binary.FORMAT,
    wavedump_text.FORMAT,
    wavedump2.FORMAT,
    drs4.FORMAT,
    faster.FORMAT,
    geb.FORMAT,
    adf.FORMAT,
    ggp.FORMAT,
    lh5.FORMAT,
    abcd_events.FORMAT,
    abcd_waveforms.WAVEFORMS_FORMAT,
    abcd_waveforms.RAW_FORMAT,
    ntof.FORMAT,
    numpy_arrays.NPY_FORMAT,
    numpy_arrays.NPZ_FORMAT,
    pile_up_text.FORMAT,
    text_matrix.FORMAT,
    text_table.FORMAT,
)
"""Every format of the package, in the order in which they are tried on a file of unknown kind."""

_HEAD_BYTES = 4096

_PACKED = {
    b"7z\xbc\xaf\x27\x1c": "7z (7z x FILE)",
    b"PK\x03\x04": "zip (unzip FILE)",
}
"""How other packed files begin, and what unpacks them."""


def known_formats() -> tuple[Format, ...]:
    """Return every format, those of plug-ins last."""
    return tuple(_in_turn())


def _in_turn() -> Iterator[Format]:
    """Yield every format; plug-ins are loaded only where none of the package was the last one wanted."""
    yield from FORMATS
    yield from plugin_formats(frozenset(known.name for known in FORMATS))


def find_format(path: Path | str, name: str | None = None) -> Format:
    """Tell the format of a run file: by name if given, else by content, its suffix deciding between several.

    Plug-ins are asked where no format of the package fits both content and suffix.

    Raises
    ------
    FormatError
        If the file cannot be opened, is empty, or is of no known format.
    """
    if name is not None:
        return _format_named(name, Path(path))
    path = Path(path)
    head = _read_head(path)
    fitting = _fitting(FORMATS, path, head)
    by_suffix, by_content = fitting if _both(*fitting) else _fitting(known_formats(), path, head)
    if not by_content:
        _refuse_packed(path, head)
        if (foreign := name_foreign(head)) is not None:
            raise FormatError(foreign, path)
    for candidates in (_both(by_suffix, by_content), by_content, by_suffix):
        if candidates:
            return candidates[0]
    raise FormatError(f"of no known format; name it with --format, one of: {_names()}", path)


def _fitting(formats: tuple[Format, ...], path: Path, head: bytes) -> tuple[list[Format], list[Format]]:
    """Return the formats that fit the name of a file, and those that fit its content."""
    by_suffix = [known for known in formats if path.name.lower().endswith(known.suffixes)]
    return by_suffix, [known for known in formats if known.recognises(path, head)]


def _both(by_suffix: list[Format], by_content: list[Format]) -> list[Format]:
    return [known for known in by_content if known in by_suffix]


def open_reader(path: Path | str, options: ReadOptions | None = None, *, format_name: str | None = None) -> Reader:
    """Open a run file for streaming.

    Parameters
    ----------
    path : Path or str
        The file; it is never modified.
    options : ReadOptions, optional
        Settings that the file does not hold, chunk size, branch names.
    format_name : str, optional
        One of the names of :func:`known_formats`; found out if not given.

    Raises
    ------
    FormatError
        If the file cannot be opened or is not of the format.
    SettingsError
        If the options contradict the file, mean nothing to its format, or name a field that pulses do not have.
    """
    options = options or ReadOptions()
    for field in options.branches:
        if field not in ("samples", *COLUMNS, *LIST_ONLY):
            known = ", ".join(("samples", *COLUMNS, *LIST_ONLY))
            raise SettingsError(
                f"--branch {field}={options.branches[field]}: there is no field '{field}'; fields: {known}"
            )
    path = Path(path)
    head = _read_head(path)
    if is_packed(head) and not any(known.recognises(path, head) for known in _in_turn()):
        return open_packed(path, head, lambda unpacked: open_reader(unpacked, options, format_name=format_name))
    found = find_format(path, format_name)
    _refuse_idle(options, found, path)
    return found.open_reader(path, options)


def _refuse_idle(options: ReadOptions, found: Format, path: Path) -> None:
    """Refuse an option that the format has no use for."""
    names = {
        "branches": "--branch",
        "tree": "--tree",
        "companion": "--companion",
        "sample_bytes": "--sample-bytes",
        "growth": "--follow",
        "tick_ps": "--tick-ps",
        "board_bit": "--board-bit",
    }
    for option, name in names.items():
        if getattr(options, option) and option not in found.takes:
            takers = ", ".join(known.name for known in known_formats() if option in known.takes)
            raise SettingsError(f"{path}: {name} does nothing for {found.name}, only for {takers}: leave it out")


def open_writer(
    path: Path | str,
    settings: DetectorSettings | None = None,
    *,
    format_name: str | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Writer:
    """Open a run file for writing; its format is given by name or by the file's suffix.

    Where the pulses come from is stored by formats that have a place for it (`Format.keeps_provenance`).

    Raises
    ------
    OutputError
        If no format that can be written has this suffix or name.
    """
    known = find_writable(path, format_name)
    assert known.open_writer is not None
    more = (provenance,) if known.keeps_provenance else ()
    return known.open_writer(Path(path), settings or DetectorSettings(), *more)


def find_writable(path: Path | str, format_name: str | None = None) -> Format:
    """Return the format that a file to be written will have, by name or by the file's suffix.

    Raises
    ------
    OutputError
        If no format that can be written has this suffix or name.
    """
    for known in _in_turn():
        fits = known.name == format_name or (format_name is None and str(path).lower().endswith(known.suffixes))
        if fits and known.open_writer is not None:
            return known
    writable = [known for known in known_formats() if known.open_writer is not None]
    choices = ", ".join(f"{known.name} ({' '.join(known.suffixes)})" for known in writable)
    raise OutputError(f"{path}: cannot write this kind of file; choose the suffix or --format of one of: {choices}")


def _format_named(name: str, path: Path) -> Format:
    for known in _in_turn():
        if known.name == name:
            return known
    raise FormatError(f"there is no format named '{name}'; choose one of: {_names()}", path)


def _names() -> str:
    return ", ".join(known.name for known in known_formats())


def _read_head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise FormatError("this is a folder; give the run files in it", path)
        if path.exists() and not path.is_file():
            # Opening a pipe would wait for its writer, and readers go back and forth in the file.
            raise FormatError("this is a pipe or a device; write its content to a file first", path)
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except FileNotFoundError as error:
        raise FormatError("there is no such file", path) from error
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}", path) from error
    if not head:
        raise FormatError("the file is empty; was the run stopped before the first event?", path)
    return head


def _refuse_packed(path: Path, head: bytes) -> None:
    for magic, kind in _PACKED.items():
        if head.startswith(magic):
            raise FormatError(f"this file is packed with {kind}; unpack it first", path)
    if head[257:262] == b"ustar":
        raise FormatError("this is a tar archive (tar xf FILE); unpack it first", path)
