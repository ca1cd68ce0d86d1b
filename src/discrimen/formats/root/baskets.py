"""Baskets of a ROOT tree as they lie in the file: checked against what the tree says, and unpacked block by block.

A basket is a key, the description of its entries, and their bytes, packed in blocks; behind the bytes of entries with a
header stands where each begins (ROOT's TBasket; "ROOT file format" in the reference guide).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module

_KEY = struct.Struct(">ihiIhh")
_DESCRIPTION = struct.Struct(">Hiiii")
_MOST_HEAD_BYTES = 4096
BLOCK_HEAD_BYTES = 9
_ZLIB_MARK = b"ZL"

_Inflate = Callable[[memoryview, int], bytes | bytearray]


class IrregularBasketError(ValueError):
    """A basket is not as the quick way expects it; what it holds is left to the careful way."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a basket lies, and what the tree says of it.

    Parameters
    ----------
    seek, n_bytes : int
        Its place in the file and its size there, in bytes.
    first : int
        Number of its first entry in the tree.
    n_entries : int
    """

    seek: int
    n_bytes: int
    first: int
    n_entries: int


@dataclass(frozen=True, slots=True)
class Block:
    """A packed piece of a basket: where it lies in the file with its head, and in the unpacked basket."""

    seek: int
    n_bytes: int
    start: int
    size: int
    packed: bool = True


@dataclass(frozen=True, slots=True)
class Basket:
    """One basket.

    Parameters
    ----------
    place : Place
    blocks : tuple of Block
    border : int
        Bytes of its entries; what follows says where they begin.
    key_bytes : int
        The beginnings of entries count from so far in front of them.
    unpacked : int
        Bytes of entries and beginnings.
    """

    place: Place
    blocks: tuple[Block, ...]
    border: int
    key_bytes: int
    unpacked: int


def read_exactly(descriptor: int, seek: int, size: int) -> bytes:
    """Read bytes of a file from any thread; refuse a file that ends before."""
    data = os.pread(descriptor, size, seek) if size > 0 else b""
    if len(data) != size:
        raise IrregularBasketError("the file ends within a basket")
    return data


def describe_basket(descriptor: int, place: Place, content: bytes | None = None) -> Basket:
    """Read the head of a basket and find its blocks; `content` is the whole basket where it is already read.

    Raises
    ------
    IrregularBasketError
        If the basket contradicts the tree or itself.
    """
    head = content or read_exactly(descriptor, place.seek, min(place.n_bytes, _MOST_HEAD_BYTES))
    if len(head) < _KEY.size:
        raise IrregularBasketError("a basket without key")
    on_disk, _, unpacked, _, key_bytes, _ = _KEY.unpack_from(head)
    if on_disk != place.n_bytes or not _KEY.size + _DESCRIPTION.size < key_bytes <= len(head):
        raise IrregularBasketError("a key contradicts the tree")
    _, _, _, n_entries, last = _DESCRIPTION.unpack_from(head, key_bytes - _DESCRIPTION.size - 1)
    if n_entries != place.n_entries or not 0 <= last - key_bytes <= unpacked:
        raise IrregularBasketError("a basket contradicts the tree")
    start, packed = place.seek + key_bytes, on_disk - key_bytes
    if packed == unpacked:
        blocks = [Block(start, packed, 0, unpacked, packed=False)]
    else:
        blocks = _blocks(descriptor, start, packed, head[key_bytes:])
    if sum(block.n_bytes for block in blocks) != packed or sum(block.size for block in blocks) != unpacked:
        raise IrregularBasketError("a key contradicts the blocks that follow")
    return Basket(place, tuple(blocks), last - key_bytes, key_bytes, unpacked)


def _blocks(descriptor: int, seek: int, packed: int, known: bytes) -> list[Block]:
    blocks: list[Block] = []
    at = start = 0
    while at < packed:
        head = known[at : at + BLOCK_HEAD_BYTES]
        if len(head) < BLOCK_HEAD_BYTES:
            head = read_exactly(descriptor, seek + at, BLOCK_HEAD_BYTES)
        n_bytes = BLOCK_HEAD_BYTES + int.from_bytes(head[3:6], "little")
        size = int.from_bytes(head[6:9], "little")
        blocks.append(Block(seek + at, n_bytes, start, size))
        at, start = at + n_bytes, start + size
    return blocks


def unpack(block: Block, data: memoryview) -> NDArray[np.uint8]:
    """Unpack the bytes of one block, its head included.

    Raises
    ------
    IrregularBasketError
        If it holds another number of bytes than it says.
    Exception
        Whatever the codec raises on damage.
    """
    if not block.packed:
        return np.frombuffer(data, np.uint8)
    if is_zlib(data):
        unpacked = np.frombuffer(_inflate()(data[BLOCK_HEAD_BYTES:], block.size), np.uint8)
    else:
        unpacked = _by_uproot(data, block.size)
    if len(unpacked) != block.size:
        raise IrregularBasketError("a block holds another number of bytes than it says")
    return unpacked


def is_zlib(block: memoryview) -> bool:
    """Whether a block is packed by zlib."""
    return block[: len(_ZLIB_MARK)].tobytes() == _ZLIB_MARK


@cache
def _inflate() -> _Inflate:
    """Return libdeflate where it is installed, else Python's zlib, which takes twice as long for the same bytes."""
    try:
        import deflate
    except ModuleNotFoundError:
        return lambda data, size: zlib.decompress(data, bufsize=max(1, size))
    inflate: _Inflate = deflate.zlib_decompress
    return inflate


def codec_errors() -> tuple[type[Exception], ...]:
    """Return what the library that inflates raises beside the usual exceptions."""
    try:
        import deflate
    except ModuleNotFoundError:
        return ()
    return (deflate.DeflateError,)


def _by_uproot(data: memoryview, size: int) -> NDArray[Any]:
    """Unpack LZ4, ZSTD and LZMA with uproot, which checks LZ4's checksum."""
    uproot = require_module("uproot", extra="root")
    chunk = uproot.source.chunk.Chunk.wrap(None, np.frombuffer(data, np.uint8))
    cursor = uproot.source.cursor.Cursor(0)
    unpacked = uproot.compression.decompress(chunk, cursor, {}, len(data), size)
    return np.asarray(unpacked.get(0, size, uproot.source.cursor.Cursor(0), {}))
