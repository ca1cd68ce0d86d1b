"""Fetch the files of a public data set with pooch, each checked against its checksum."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from discrimen.errors import FetchError, OutputError, require_module
from discrimen.output.provenance import sha256_of_file, utc_now
from discrimen.public_data.lock import LOCK_NAME, Lock, LockedFile, read_lock, write_lock
from discrimen.public_data.record import TIMEOUT_S, ZENODO, read_record, unreachable
from discrimen.public_data.table import PublicSet

_CHUNK_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class Fetched:
    """What lies in the folder now.

    Parameters
    ----------
    folder : Path
        Where.
    lock : Lock
        All files of the record, as ``fetched.json`` holds them.
    downloaded, kept : tuple of str
        Names of the files that were fetched now, and of those that were there already.
    """

    folder: Path
    lock: Lock
    downloaded: tuple[str, ...]
    kept: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "folder": str(self.folder),
            "downloaded": list(self.downloaded),
            "kept": list(self.kept),
            **self.lock.model_dump(),
        }


def fetch_set(
    known: PublicSet,
    folder: Path,
    *,
    only: Sequence[str] = (),
    server: str = ZENODO,
    on_bytes: Callable[[int], None] = lambda _: None,
    on_plan: Callable[[Lock, tuple[str, ...]], None] = lambda _lock, _names: None,
) -> Fetched:
    """Fetch a data set into a folder; files that are there and right are not fetched again.

    The first fetch takes names, sizes and MD5 checksums from the record and writes them to ``fetched.json``, with the
    SHA-256 of each file once it is here. From then on that file counts and not the record: a file that changed at the
    server is refused.

    Parameters
    ----------
    known : PublicSet
        Which one.
    folder : Path
        Made if need be.
    only : sequence of str
        Patterns of names, as in a shell; by default all files.
    server : str
        Another one that answers as Zenodo does.
    on_bytes : callable
        Called with the number of bytes as they come.
    on_plan : callable
        Called with the files that will be fetched, before the first.

    Raises
    ------
    FetchError
        If the server cannot be reached, a download breaks off, or a checksum is wrong; complete files stay.
    OutputError
        If the folder holds another data set, a changed file, or cannot be written.
    """
    lock = read_lock(folder)
    if lock is None:
        lock = _lock_of_record(known, server)
    elif lock.data_set != known.name:
        raise OutputError(f"{folder}: holds the data set '{lock.data_set}'; choose another folder")
    wanted = [file for file in lock.files if not only or any(fnmatch(file.name, pattern) for pattern in only)]
    if not wanted:
        names = ", ".join(file.name for file in lock.files)
        raise FetchError(f"no file of {known.name} matches {' or '.join(only)}; it has {names}")
    missing = [file for file in wanted if not _is_here(file, folder)]
    on_plan(lock, tuple(file.name for file in missing))
    write_lock(lock, folder)
    for file in missing:
        digest = _download(file, folder, on_bytes)
        lock = _with_digest(lock, file.name, digest)
        write_lock(lock, folder)
    gone = tuple(file.name for file in missing)
    return Fetched(folder, lock, gone, tuple(file.name for file in wanted if file.name not in gone))


def _lock_of_record(known: PublicSet, server: str) -> Lock:
    record = read_record(known.record, server=server)
    return Lock(
        data_set=known.name,
        doi=known.doi,
        title=record.title,
        licence=record.licence,
        date_utc=utc_now(),
        files=tuple(
            LockedFile(name=file.name, url=file.url, size=file.size, md5=file.md5)
            for file in record.files
            if file.name != LOCK_NAME
        ),
    )


def _is_here(file: LockedFile, folder: Path) -> bool:
    """Tell whether a file is there and right; a wrong one is not overwritten in silence."""
    path = folder / file.name
    if not path.exists():
        return False
    pooch = require_module("pooch", extra="datasets")
    if file.sha256 is None:
        right = f"md5:{pooch.file_hash(str(path), alg='md5')}" == file.md5
    else:
        right = sha256_of_file(path) == file.sha256
    if not right:
        raise OutputError(f"{path}: this file is not the one of the record (checksum differs): remove it and run again")
    return True


def _download(file: LockedFile, folder: Path, on_bytes: Callable[[int], None]) -> str:
    """Fetch one file under a temporary name, check it, give it its name; return its SHA-256."""
    pooch = require_module("pooch", extra="datasets")
    requests = require_module("requests", extra="datasets")
    pooch.get_logger().setLevel(logging.WARNING)
    downloader = pooch.HTTPDownloader(progressbar=_Bytes(on_bytes), chunk_size=_CHUNK_BYTES, timeout=TIMEOUT_S)
    try:
        path = pooch.retrieve(file.url, known_hash=file.md5, fname=file.name, path=folder, downloader=downloader)
    except requests.exceptions.RequestException as error:
        raise FetchError(unreachable(file.url, error)) from error
    except ValueError as error:  # pooch's word for a wrong checksum; it has removed the file
        raise FetchError(
            f"{file.url}: the checksum of what came is not {file.md5}, as the record says: run the command again; "
            "if that does not help, the file changed at the server"
        ) from error
    except OSError as error:
        raise OutputError(f"{folder / file.name}: cannot write: {error.strerror or error}") from error
    return sha256_of_file(path)


def _with_digest(lock: Lock, name: str, sha256: str) -> Lock:
    files = tuple(file.model_copy(update={"sha256": sha256}) if file.name == name else file for file in lock.files)
    return lock.model_copy(update={"files": files})


class _Bytes:
    """What pooch takes for a progress bar: it is told of the bytes of each chunk."""

    def __init__(self, on_bytes: Callable[[int], None]) -> None:
        self.total = 0
        self._on_bytes = on_bytes
        self._done = 0

    def update(self, n_bytes: int) -> None:
        self._done += n_bytes
        self._on_bytes(n_bytes)

    def reset(self) -> None:
        """Pooch calls this once at the end of a file, and counts all of it again."""
        self._on_bytes(-self._done)
        self._done = 0

    def close(self) -> None:
        pass
