"""What a stream has given, as it grows on disk: whole messages one behind the other, and a torn end that is cut off.

Each record is 20 bytes of head (4 bytes ``DSCR``, u32 number of parts, u32 bytes that follow, u32 CRC-32 of these, u32
CRC-32 of the 16 bytes before), then the length of each part as u32, then the parts. A record that is written stays when
the program is killed; one that was being written is found by its length or checksum, and the next program writes over
it. A crash of the whole machine may take what the operating system had not yet brought to the disk.
"""

from __future__ import annotations

import errno
import fcntl
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from discrimen.errors import DataError, FormatError, OutputError
from discrimen.online.message import Message, unpack

_MAGIC = b"DSCR"
_HEAD = struct.Struct("<4sIII")
_CHECK = struct.Struct("<I")
_HEAD_BYTES = _HEAD.size + _CHECK.size
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_DAMAGED = "the log is damaged here, and goes on behind: keep a copy, and cut it here to go on from this place"


class ResultLog:
    """A file of messages that grows; a :class:`~discrimen.online.delivery.Store`.

    Parameters
    ----------
    file : binary file
        Open for reading and writing; its own log so far, or empty.
    path : Path
        Its name, for messages.

    Raises
    ------
    FormatError
        If it holds something else.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._last = file, dict[int, Message]()
        self._end = 0
        for message, self._end in records(file, path):
            self._last[message.head.source] = message
        self.n_cut_bytes = file.seek(0, 2) - self._end
        self._forget_the_rest()

    @classmethod
    def open(cls, path: Path) -> ResultLog:
        """Open a log, new or to go on with.

        Raises
        ------
        FormatError
            If the file holds something else.
        OutputError
            If another program has it open.
        OSError
            If the file system refuses.
        """
        file = path.open("r+b" if path.exists() else "w+b", buffering=0)
        try:
            _lock(file, path)
            return cls(file, path)
        except BaseException:
            file.close()
            raise

    def n_kept(self, source: int) -> int:
        """Return one more than the sequence number of the last message of a source."""
        last = self._last.get(source)
        return 0 if last is None else last.head.sequence + 1

    def last(self, source: int) -> Message | None:
        """Return the last message of a source; None if it has none."""
        return self._last.get(source)

    def append(self, message: Message) -> None:
        """Write a message; when this returns, it outlives the program.

        Raises
        ------
        OSError
            If the file system refuses; nothing is kept of the message then, and it may be tried again.
        """
        content = _packed(message)
        try:
            written = self._file.write(content)
            while written < len(content):
                written += self._file.write(content[written:])
        except OSError:
            self._forget_the_rest()
            raise
        self._end += len(content)
        self._last[message.head.source] = message

    def _forget_the_rest(self) -> None:
        self._file.truncate(self._end)
        self._file.seek(self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def _lock(file: BinaryIO, path: Path) -> None:
    """Keep other programs out until the file is closed or the program killed; not where the disk knows no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(f"{path} is being written by another stream: end that one, or give another name") from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def is_full(error: OSError) -> bool:
    """Tell whether a write failed because the disk, or the user's share of it, is full: it may succeed later."""
    return error.errno in _FULL


def messages_in(path: Path) -> Iterator[Message]:
    """Yield the messages of a log, without its torn end.

    Raises
    ------
    FormatError
        If the file holds something else.
    """
    with path.open("rb") as file:
        for message, _ in records(file, path):
            yield message


def _packed(message: Message) -> bytes:
    parts = [bytes(part) for part in message.frames()]
    body = b"".join([struct.pack(f"<{len(parts)}I", *map(len, parts)), *parts])
    head = _HEAD.pack(_MAGIC, len(parts), len(body), zlib.crc32(body))
    return head + _CHECK.pack(zlib.crc32(head)) + body


def records(file: BinaryIO, path: Path) -> Iterator[tuple[Message, int]]:
    """Yield each whole message of an open log, and the place in the file behind it.

    Raises
    ------
    FormatError
        If it is something else, or damaged elsewhere than at its end.
    """
    file.seek(0)
    end = 0
    while len(head := file.read(_HEAD_BYTES)) == _HEAD_BYTES:
        magic, n_parts, n_bytes, checksum = _HEAD.unpack_from(head)
        if magic != _MAGIC or _CHECK.unpack_from(head, _HEAD.size) != (zlib.crc32(head[: _HEAD.size]),):
            if end == 0:
                raise FormatError("expected the log of a stream: move it away, or give another name", path, 0)
            raise FormatError(_DAMAGED, path, end)
        body = file.read(n_bytes)
        if len(body) < n_bytes:
            return
        if zlib.crc32(body) != checksum:
            if file.read(1):
                raise FormatError(_DAMAGED, path, end)
            return
        end += _HEAD_BYTES + n_bytes
        yield _unpacked(body, n_parts, path, end), end
    if end == 0 and head and not _MAGIC.startswith(head[: len(_MAGIC)]):
        raise FormatError("expected the log of a stream: move it away, or give another name", path, 0)


def _unpacked(body: bytes, n_parts: int, path: Path, end: int) -> Message:
    lengths = struct.unpack_from(f"<{n_parts}I", body)
    frames, at = [], 4 * n_parts
    for length in lengths:
        frames.append(body[at : at + length])
        at += length
    try:
        return unpack(frames)
    except DataError as error:
        raise FormatError(f"a message of the log cannot be read: {error}", path, end) from error
