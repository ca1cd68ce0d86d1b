"""The quick way through a ROOT tree: entries of one length, unpacked by several threads while others are computed with.

Each thread unpacks baskets, or blocks of large ones, and puts their numbers straight into the array that is handed out,
in native byte order. Whatever is not as expected (entries of several lengths, damage, baskets inside the tree's own
description) raises, and the careful way reads that range again: both give the same arrays.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.records import n_processors
from discrimen.formats.root.baskets import (
    BLOCK_HEAD_BYTES,
    Basket,
    Block,
    IrregularBasketError,
    Place,
    describe_basket,
    is_zlib,
    read_exactly,
    unpack,
)
from discrimen.formats.root.branches import Entries

_MOST_THREADS = 8
_GROUP_BYTES = 2**18
_LARGE_BASKET_BYTES = 2**22
_PEEK_BYTES = 4096
_MOST_PACKING = 1100
"""Zlib packs a byte to at least a 1032nd; what claims more is not worth the memory it asks for."""

_Piece = tuple[int, NDArray[np.uint8]]


class _Rows:
    """The numbers of a range of entries, filled by baskets in any order; shape (entry, number)."""

    def __init__(self, entries: Entries, n_numbers: int, start: int, stop: int) -> None:
        self._header_bytes = entries.header_bytes
        self._stored = entries.dtype.newbyteorder(">")
        self._n_numbers, self._start, self._stop = n_numbers, start, stop
        self._row_bytes = entries.header_bytes + n_numbers * entries.dtype.itemsize
        self.numbers = np.empty((stop - start, n_numbers), entries.dtype)
        self._known: tuple[tuple[int, int], bytes] = (-1, -1), b""

    def check(self, basket: Basket) -> None:
        n_entries = basket.place.n_entries
        beginnings = 4 * (n_entries + 2) if self._header_bytes else 0
        if not n_entries or basket.border != n_entries * self._row_bytes:
            raise IrregularBasketError("entries of another length")
        if basket.unpacked != basket.border + beginnings:
            raise IrregularBasketError("beginnings of other entries")

    def fill(self, basket: Basket, lowest: int, data: NDArray[np.uint8]) -> list[_Piece]:
        """Take the entries that lie whole in bytes of the basket, and return what is left before and behind them."""
        size = self._row_bytes
        first, stop = -(-lowest // size), min(lowest + len(data), basket.border) // size
        if stop <= first:
            return [(lowest, data)]
        rows = data[first * size - lowest : stop * size - lowest].reshape(-1, size)
        head = self._header_bytes
        if head and (np.ascontiguousarray(rows[:, head - 4 : head]).view(">i4") != self._n_numbers).any():
            raise IrregularBasketError("a count contradicts the room of its entry")
        offset = basket.place.first + first
        at, end = max(offset, self._start), min(basket.place.first + stop, self._stop)
        if at < end:
            self.numbers[at - self._start : end - self._start] = rows[at - offset : end - offset, head:].view(
                self._stored
            )
        before, behind = data[: first * size - lowest], data[stop * size - lowest :]
        return [piece for piece in ((lowest, before), (stop * size, behind)) if len(piece[1])]

    def finish(self, basket: Basket, pieces: Sequence[_Piece]) -> None:
        """Put together the pieces left over at the ends of blocks, and check where entries begin."""
        left = [piece for run in _joined(pieces) for piece in self.fill(basket, *run)] if len(pieces) > 1 else pieces
        if [place for place, _ in left] != ([basket.border] if self._header_bytes else []):
            raise IrregularBasketError("blocks that do not add up to entries")
        # The first and the last of these numbers count them, and say nothing of entries.
        if left and left[0][1][4:-4].tobytes() != self._beginnings(basket.key_bytes, basket.place.n_entries):
            raise IrregularBasketError("entries that begin elsewhere")

    def _beginnings(self, key_bytes: int, n_entries: int) -> bytes:
        """Return where entries must begin, as ROOT writes it; baskets of one size follow each other."""
        known_of, known = self._known
        if known_of != (key_bytes, n_entries):
            known = (key_bytes + self._row_bytes * np.arange(n_entries)).astype(">i4").tobytes()
            self._known = (key_bytes, n_entries), known
        return known


def _joined(pieces: Sequence[_Piece]) -> Iterator[_Piece]:
    runs: list[tuple[int, list[NDArray[np.uint8]]]] = []
    end = -1
    for place, data in sorted(pieces, key=lambda piece: piece[0]):
        if place == end:
            runs[-1][1].append(data)
        else:
            runs.append((place, [data]))
        end = place + len(data)
    return ((place, np.concatenate(parts)) for place, parts in runs)


class PendingRows:
    """A range of a branch that threads are reading."""

    def __init__(self, rows: _Rows, groups: Sequence[Future[None]]) -> None:
        self._rows = rows
        self._groups = list(groups)
        self._large: list[tuple[Basket, Future[list[_Piece]]]] = []

    def add_block(self, basket: Basket, pieces: Future[list[_Piece]]) -> None:
        """Wait for a block of a large basket too."""
        self._large.append((basket, pieces))

    def result(self) -> NDArray[Any]:
        """Wait, and return the numbers, shape (entry, number).

        Raises
        ------
        IrregularBasketError
            If anything is not as the tree says.
        Exception
            Whatever a codec raises on damage.
        """
        try:
            for group in self._groups:
                group.result()
            pieces: dict[Basket, list[_Piece]] = defaultdict(list)
            for basket, block in self._large:
                pieces[basket] += block.result()
        finally:
            self.cancel()
        for basket, left in pieces.items():
            self._rows.finish(basket, left)
        return self._rows.numbers

    def cancel(self) -> None:
        """Give up what has not begun."""
        for group in self._groups:
            group.cancel()
        for _, block in self._large:
            block.cancel()


class RegularReader:
    """Threads that unpack the baskets of one file; a context manager.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._pool = ThreadPoolExecutor(min(_MOST_THREADS, n_processors()), thread_name_prefix="baskets")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._file.close()

    def begin(self, places: Sequence[Place], entries: Entries, start: int, stop: int) -> PendingRows:
        """Begin to read entries `start` to `stop`, which these baskets hold.

        Raises
        ------
        IrregularBasketError
            If the baskets are not all of one kind, as far as can be told at once.
        Exception
            Whatever a codec raises on damage.
        """
        n_numbers = self._count(places[0], entries) if entries.n_numbers is None else entries.n_numbers
        row_bytes = entries.header_bytes + n_numbers * entries.dtype.itemsize
        if n_numbers < 1 or (stop - start) * row_bytes > _MOST_PACKING * sum(place.n_bytes for place in places):
            raise IrregularBasketError("more than the baskets can hold")
        rows = _Rows(entries, n_numbers, start, stop)
        large = [place for place in places if place.n_bytes > _LARGE_BASKET_BYTES]
        groups = _grouped([place for place in places if place.n_bytes <= _LARGE_BASKET_BYTES])
        baskets = [describe_basket(self._file.fileno(), place) for place in large]
        for basket in baskets:
            rows.check(basket)
        pending = PendingRows(rows, [self._pool.submit(self._read_group, rows, group) for group in groups])
        for basket in baskets:
            for block in basket.blocks:
                pending.add_block(basket, self._pool.submit(self._read_block, rows, basket, block))
        return pending

    def _count(self, place: Place, entries: Entries) -> int:
        """Return how many numbers the first entry of a basket has."""
        basket = describe_basket(self._file.fileno(), place)
        block = basket.blocks[0]
        data = memoryview(read_exactly(self._file.fileno(), block.seek, min(block.n_bytes, _PEEK_BYTES)))
        if block.packed and is_zlib(data):
            head = zlib.decompressobj().decompress(data[BLOCK_HEAD_BYTES:], entries.header_bytes)
        elif block.packed:
            head = unpack(block, memoryview(read_exactly(self._file.fileno(), block.seek, block.n_bytes))).tobytes()
        else:
            head = bytes(data)
        if len(head) < entries.header_bytes:
            raise IrregularBasketError("a block that ends within the first header")
        return int.from_bytes(head[entries.header_bytes - 4 : entries.header_bytes], "big", signed=True)

    def _read_group(self, rows: _Rows, places: Sequence[Place]) -> None:
        for place in places:
            content = read_exactly(self._file.fileno(), place.seek, place.n_bytes)
            basket = describe_basket(self._file.fileno(), place, content)
            rows.check(basket)
            pieces: list[_Piece] = []
            for block in basket.blocks:
                at = block.seek - place.seek
                pieces += rows.fill(basket, block.start, unpack(block, memoryview(content)[at : at + block.n_bytes]))
            rows.finish(basket, pieces)

    def _read_block(self, rows: _Rows, basket: Basket, block: Block) -> list[_Piece]:
        data = memoryview(read_exactly(self._file.fileno(), block.seek, block.n_bytes))
        pieces = rows.fill(basket, block.start, unpack(block, data))
        # Copied, so that they do not keep the block.
        return [(place, left.copy()) for place, left in pieces]


def _grouped(places: Sequence[Place]) -> list[list[Place]]:
    """Put small baskets together, so that a thread has something to do."""
    groups: list[list[Place]] = []
    room = 0
    for place in places:
        if not groups or room < place.n_bytes:
            groups.append([])
            room = _GROUP_BYTES
        groups[-1].append(place)
        room -= place.n_bytes
    return groups
