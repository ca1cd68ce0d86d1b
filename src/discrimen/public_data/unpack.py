"""Unpack the archives of a data set beside them, once."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from discrimen.errors import FormatError, OutputError

UNPACKED = "unpacked"


def data_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a data set in a fixed order, archives unpacked.

    Parameters
    ----------
    folder : Path
        As fetched; what is in an archive NAME appears in ``unpacked/NAME/``.

    Raises
    ------
    FormatError
        If an archive is damaged, or holds names that lead out of its folder.
    OutputError
        If there is no room for what it holds, or the folder cannot be written.
    """
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith("."):
            continue
        if zipfile.is_zipfile(path) or tarfile.is_tarfile(path):
            inside = _unpacked(path)
            yield from (
                found for found in sorted(inside.rglob("*")) if found.is_file() and not _is_hidden(found, inside)
            )
        else:
            yield path


def _is_hidden(path: Path, folder: Path) -> bool:
    """Whether a file is what an operating system left in an archive."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(folder).parts)


def _unpacked(archive: Path) -> Path:
    place = archive.parent / UNPACKED / archive.name
    if place.is_dir():
        return place
    part = place.with_name(f".{place.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        _extract(archive, part)
        part.rename(place)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, RuntimeError) as error:
        raise FormatError(f"cannot be unpacked: {' '.join(str(error).split())}", archive) from error
    except OSError as error:
        raise OutputError(f"{place}: cannot unpack here: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return place


def _extract(archive: Path, place: Path) -> None:
    free = shutil.disk_usage(place).free
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            _require_room(archive, sum(entry.file_size for entry in packed.infolist()), free)
            packed.extractall(place)  # leaves out what would lead out of the folder: drives, "..", leading slashes
        return
    with tarfile.open(archive) as packed_tar:
        _require_room(archive, sum(entry.size for entry in packed_tar.getmembers()), free)
        packed_tar.extractall(place, filter="data")


def _require_room(archive: Path, needed: int, free: int) -> None:
    if needed > free:
        raise OutputError(f"{archive}: holds {needed / 1e9:.1f} GB, there is room for {free / 1e9:.1f} GB")
