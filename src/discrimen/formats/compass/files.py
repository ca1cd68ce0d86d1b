"""Names and opening of the files of a CoMPASS run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from discrimen.errors import FormatError

_CONTINUATION = re.compile(r"(?P<run>.+)_(?P<number>\d+)")
_CHANNEL_AND_BOARD = re.compile(r"(?:^|_)CH(?P<channel>\d+)@[^@]*?_(?P<serial>\d+)(?:_|$)")


def open_run_file(path: Path) -> BinaryIO:
    """Open a run file for unbuffered reading.

    Raises
    ------
    FormatError
        If it cannot be opened (absent, a folder, no permission) or is empty.
    """
    try:
        stream = path.open("rb", buffering=0)
    except IsADirectoryError as error:
        raise FormatError("expected a file, got a folder; name the run file inside it", path) from error
    except OSError as error:
        raise FormatError(f"cannot open: {error.strerror or error}; check its name and permissions", path) from error
    if stream.seek(0, 2) == 0:
        stream.close()
        raise FormatError("the file is empty (0 bytes); was the run stopped before its first event?", path)
    stream.seek(0)
    return stream


def read_exactly(stream: BinaryIO, offset: int, into: memoryview, path: Path) -> int:
    """Fill `into` from `offset` of the file; return how many bytes came, fewer only at the end of the file.

    Raises
    ------
    FormatError
        If the operating system reports a read error.
    """
    got = 0
    try:
        stream.seek(offset)
        while got < len(into):
            count = stream.readinto(into[got:])  # type: ignore[attr-defined]
            if not count:
                break
            got += count
    except OSError as error:
        raise FormatError(f"cannot read: {error.strerror or error}", path, offset + got) from error
    return got


def run_name(path: Path) -> str:
    """Return the name of the run: the file's stem without the number of a continuation file (``run_2`` -> ``run``)."""
    match = _CONTINUATION.fullmatch(path.stem)
    return path.stem if match is None else match["run"]


def earlier_files(path: Path) -> list[Path]:
    """Return the files beside `path` that may be the first of its run, by name, the likeliest first.

    CoMPASS splits a long run into ``run.BIN``, ``run_1.BIN``, ``run_2.BIN`` and so on; only the first has a header.
    """
    match = _CONTINUATION.fullmatch(path.stem)
    if match is None:
        return []
    names = [match["run"], *(f"{match['run']}_{number}" for number in range(min(int(match["number"]), 2)))]
    candidates = [path.with_name(name + path.suffix) for name in names]
    return [candidate for candidate in candidates if candidate != path and candidate.is_file()]


def channel_and_serial(path: Path) -> tuple[int, str] | None:
    """Return channel and board serial number where the name tells them (``DataR_CH3@DT5730_1463_run.BIN``)."""
    match = _CHANNEL_AND_BOARD.search(path.stem)
    return None if match is None else (int(match["channel"]), match["serial"])
