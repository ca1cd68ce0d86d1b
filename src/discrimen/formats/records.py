"""Records of regular text as arrays: a few fields, then whole numbers up to 65535, equally many in each record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.formats._records import read_records


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
