"""Keys of a ROOT file: what they claim of the size of their objects, checked before anything of that size is allocated.

A key begins with its size on disk, its version, the size of the unpacked object, a date and its own length; a packed
object is a chain of blocks, each with a header of nine bytes that holds its packed and unpacked size (ROOT's TFile and
RZip, "ROOT file format" in the reference guide).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from discrimen.errors import FormatError

_HEAD = struct.Struct(">ihiIh")
_BLOCK_HEAD_BYTES = 9


def check_key(stream: BinaryIO, seek: int, path: Path, *, n_bytes: int | None = None) -> None:
    """Check that a key's sizes agree with the blocks of its object and with each other.

    Parameters
    ----------
    stream : binary file
        The ROOT file.
    seek : int
        Where the key begins, in bytes.
    path : Path
        Of the file, for messages.
    n_bytes : int, optional
        Size of key and object on disk, as told elsewhere.

    Raises
    ------
    FormatError
        If they do not agree.
    """
    stream.seek(seek)
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise FormatError("expected a key, got the end of the file", path, seek)
    on_disk, _, unpacked, _, key_bytes = _HEAD.unpack(head)
    check_object(stream, seek + key_bytes, path, packed=on_disk - key_bytes, unpacked=unpacked)
    if n_bytes is not None and n_bytes != on_disk:
        raise FormatError(f"a key claims {on_disk} bytes, what points to it {n_bytes}", path, seek)


def check_object(stream: BinaryIO, seek: int, path: Path, *, packed: int, unpacked: int) -> None:
    """Check the claimed sizes of an object against the blocks that it is packed in.

    Raises
    ------
    FormatError
        If they do not add up.
    """
    if packed == unpacked:
        return
    at, total = seek, 0
    while 0 <= at - seek < packed:
        stream.seek(at)
        head = stream.read(_BLOCK_HEAD_BYTES)
        if len(head) < _BLOCK_HEAD_BYTES:
            break
        at += _BLOCK_HEAD_BYTES + int.from_bytes(head[3:6], "little")
        total += int.from_bytes(head[6:9], "little")
    if at - seek != packed or total != unpacked:
        claim = f"{packed} bytes packed and {unpacked} unpacked"
        raise FormatError(f"an object claims {claim}, its blocks add up to {at - seek} and {total}", path, seek)
