"""Records of regular text as arrays: a few fields, then whole numbers up to 65535, equally many in each record."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DiscrimenError
from discrimen.formats._records import read_records

_MOST_THREADS = 2
_Block = TypeVar("_Block")
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Records:
    """Records of a text.

    Parameters
    ----------
    starts, stops : ndarray of int64, shape (record, field)
        Where each field lies in the text, in bytes.
    values : ndarray of int64, shape (record, field)
        Of the fields that are plain whole numbers of up to 18 digits, else -1.
    numbers : ndarray of uint16, shape (record, number)
        The numbers behind the fields.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    values: NDArray[np.int64]
    numbers: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.numbers)


def regular_records(
    text: bytes, *, prefixes: Sequence[bytes], field_end: str, separator: str, n_numbers: int, most: int
) -> Records | None:
    r"""Read a text of records without blanks, of which each ends its last line, or return None if anything differs.

    Lines end with ``\n`` or ``\r\n``, before which another separator may stand.

    Parameters
    ----------
    text : bytes
        Whole records.
    prefixes : sequence of bytes
        What stands before the value of each field.
    field_end, separator : str
        The characters behind a field and between numbers.
    n_numbers : int
        How many numbers a record has.
    most : int
        No more records are expected.
    """
    if n_numbers < 1 or most * n_numbers > 4 * len(text):
        return None
    fields = np.empty((most, len(prefixes), 3), np.int64)
    numbers = np.empty((most, n_numbers), np.uint16)
    found = read_records(text, list(prefixes), field_end, separator, fields, numbers)
    if found < 1:
        return None
    starts, stops, values = np.moveaxis(fields[:found], 2, 0)
    return Records(starts, stops, values, numbers[:found])


def read_by_threads(blocks: Iterable[_Block], read: Callable[[_Block], _Found]) -> Iterator[tuple[_Block, _Found]]:
    """Read blocks of text by threads, and yield each with what was found, in order; a few are read ahead.

    An error of the blocks is raised behind those before it.
    """
    n_threads = min(_MOST_THREADS, n_processors())
    found: deque[tuple[_Block, Future[_Found]]] = deque()
    with ThreadPoolExecutor(n_threads, thread_name_prefix="text") as pool:
        try:
            for block in blocks:
                found.append((block, pool.submit(read, block)))
                if len(found) > n_threads:
                    first, result = found.popleft()
                    yield first, result.result()
        except DiscrimenError:
            yield from ((block, result.result()) for block, result in found)
            raise
        yield from ((block, result.result()) for block, result in found)


def n_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
