"""Files appear under their final name only when they are complete."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from discrimen.errors import OutputError


@contextmanager
def complete_or_absent(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `path`, renamed to it when the block ends well and removed when it does not.

    The temporary name ends in ``.part``, so that a process killed in between leaves no file under the final name; two
    machines that share the folder never have the same one.

    Parameters
    ----------
    path : Path
        The final name. Its folder is made if need be.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OutputError
        If the file system refuses (no permission, no space, a folder in the way). Code in the block that reads turns
        its own `OSError` into a :class:`~discrimen.errors.FormatError` first.
    """
    final = Path(path)
    part = final.with_name(f".{final.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        if final.is_dir():
            raise OutputError(f"{final}: a folder has this name; choose another output")
        final.parent.mkdir(parents=True, exist_ok=True)
        yield part
        if part.exists():
            part.replace(final)
    except OSError as error:
        raise OutputError(f"{final}: cannot write: {_reason(error)}") from error
    finally:
        # What cannot be removed could not be written either: that error is on its way already.
        with suppress(OSError):
            part.unlink()


def write_files(folder: Path | str, contents: Mapping[str, str | bytes]) -> tuple[Path, ...]:
    """Write files into a folder, each complete or absent.

    Parameters
    ----------
    folder : Path
        Made if need be; files of the same names are replaced.
    contents : mapping of str to str or bytes
        By name; text is written as UTF-8.

    Returns
    -------
    tuple of Path
        The files, in their order.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    for name, content in contents.items():
        with complete_or_absent(Path(folder) / name) as part:
            part.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tuple(Path(folder) / name for name in contents)


def refuse_inputs(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that is one of the inputs, under whatever name.

    Raises
    ------
    OutputError
        If it is.
    """
    refuse_all_inputs([output], inputs)


def refuse_all_inputs(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse outputs among which is one of the inputs, under whatever name; each path is looked at once.

    Raises
    ------
    OutputError
        If there is one.
    """
    known = {identity for path in inputs for identity in _identities(path)}
    for output in outputs:
        if not known.isdisjoint(_identities(output)):
            raise OutputError(f"{output}: this is an input; inputs are never written to, choose another output")


def _identities(path: Path) -> tuple[object, ...]:
    """Return what tells a file: its resolved name and, where it is there, its place on the disk, which links share."""
    try:
        found = path.stat()
    except OSError:
        return (path.resolve(),)
    return path.resolve(), (found.st_dev, found.st_ino)


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; free some space or choose another folder"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "no permission; choose a folder you may write to"
    return error.strerror or str(error)
