"""Numbers out of rows of text, a block at a time: digits are looked up and summed with NumPy, not line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.records import regular_records

_NEWLINE, _RETURN, _SEMICOLON = 10, 13, 59
_NO_DIGIT = 255
_FEW_ROWS = 8
_INT64_DIGITS = 19


def _digit_table(base: int) -> NDArray[np.uint8]:
    table = np.full(256, _NO_DIGIT, np.uint8)
    for value, digit in enumerate(b"0123456789abcdef"[:base]):
        table[digit] = value
        table[ord(chr(digit).upper())] = value
    return table


_DIGITS = {base: _digit_table(base) for base in (10, 16)}


@dataclass(frozen=True, slots=True)
class Rows:
    """The tokens of a block of whole lines.

    Parameters
    ----------
    text : ndarray of uint8
        The block.
    starts, ends : ndarray of int64, shape (token,)
        Where each token lies in it.
    first, n_tokens : ndarray of int64, shape (row,)
        Each row's first token and how many it has; blank lines are no rows.
    values : ndarray of int64, shape (token,), optional
        Of the tokens that are plain whole numbers of up to 18 digits, else -1; where they are known.
    samples : ndarray of uint16, shape (row, sample), optional
        Of regular rows, whose other tokens alone are in `starts` and `ends`.
    """

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    first: NDArray[np.int64]
    n_tokens: NDArray[np.int64]
    values: NDArray[np.int64] | None = None
    samples: NDArray[np.uint16] | None = None

    def token(self, index: int) -> bytes:
        """Return one token without spaces around it."""
        return self.text[self.starts[index] : self.ends[index]].tobytes().strip()


class UsualLengths:
    """Which numbers of samples rows may have: a length met once among many rows of others is a damaged row.

    Parameters
    ----------
    lengths : sequence of int
        Numbers of samples of the first rows of the file.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        counts = Counter(lengths)
        few = len(lengths) < _FEW_ROWS
        self._usual = {length for length, count in counts.items() if few or count > 1 or length == 0}
        self._met_once: set[int] = set()

    def __contains__(self, length: object) -> bool:
        return length in self._usual

    def unusual(self, lengths: NDArray[np.int64]) -> list[int]:
        """Return which of these rows, the next ones of the file, have a length met here for the first time."""
        rows = []
        for length in set(np.unique(lengths[lengths > 0]).tolist()) - self._usual:
            at = np.flatnonzero(lengths == length).tolist()
            if length not in self._met_once:
                self._met_once.add(length)
                rows.append(at.pop(0))
            if at:
                self._usual.add(length)
        return rows


def regular_rows(text: bytes, *, n_columns: int) -> Rows | None:
    """Read rows of one length whose samples are all plain numbers up to 65535; None if any row is otherwise."""
    line = text[: text.find(b"\n")].rstrip(b"\r").removesuffix(b";")
    n_samples = line.count(b";") + 1 - n_columns
    columns = [b""] * n_columns
    most = 2 * len(text) // max(1, len(line)) + 2
    found = regular_records(text, prefixes=columns, field_end=";", separator=";", n_numbers=n_samples, most=most)
    if found is None:
        return None
    starts, stops, values = (part.flatten() for part in (found.starts, found.stops, found.values))
    first = n_columns * np.arange(len(found))
    n_tokens = np.full(len(found), n_columns + n_samples)
    return Rows(np.frombuffer(text, np.uint8), starts, stops, first, n_tokens, values, found.numbers)


def split_rows(text: NDArray[np.uint8]) -> Rows:
    """Split a block of lines, the last one ended by a newline, at every ``;``."""
    newline = text == _NEWLINE
    ends = np.flatnonzero(newline | (text == _SEMICOLON))
    starts = np.concatenate(([0], ends[:-1] + 1))
    last = np.flatnonzero(newline[ends])
    first = np.concatenate(([0], last[:-1] + 1))
    ended = (ends[last] > starts[last]) & (text[ends[last] - 1] == _RETURN)
    ends[last] -= ended
    # A semicolon at the end of a line starts no further column.
    n_tokens = last - first + 1
    n_tokens -= (ends[last] == starts[last]) & (n_tokens > 1)
    row = (n_tokens > 1) | (ends[first] > starts[first])
    return Rows(text, starts, ends, first[row], n_tokens[row])


def whole_numbers(
    rows: Rows, tokens: NDArray[np.int64], *, base: int = 10, most_digits: int = _INT64_DIGITS, skip: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the value of each token and whether it is no plain whole number without sign.

    Parameters
    ----------
    rows : Rows
        The block.
    tokens : ndarray of int64
        Which tokens, in any shape.
    base : int
        10 or 16.
    most_digits : int
        More digits than these are no valid number.
    skip : int
        Characters in front of the digits that are not looked at.
    """
    if rows.values is not None and (base, skip) == (10, 0) and most_digits == _INT64_DIGITS:
        known = rows.values[tokens]
        if (known >= 0).all():
            return known, np.zeros(known.shape, np.bool_)
    starts = rows.starts[tokens] + skip
    lengths = rows.ends[tokens] - starts
    bad = (lengths < 1) | (lengths > most_digits)
    values = np.zeros(tokens.shape, np.int64)
    table = _DIGITS[base]
    longest = min(int(lengths.max(initial=0)), most_digits)
    shortest = max(int(lengths.min(initial=longest)), 0)
    for place in range(longest):
        digit = table[rows.text.take(starts + place, mode="clip")]
        if place < shortest:
            bad |= digit == _NO_DIGIT
            values *= base
            values += digit
            continue
        inside = place < lengths
        bad |= inside & (digit == _NO_DIGIT)
        values = np.where(inside, values * base + digit, values)
    # 19 digits may pass the largest int64, and then come out negative.
    return values, bad | (values < 0)


def numbers(rows: Rows, tokens: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the value of each token, one a row, as a float, and whether it is no finite number."""
    whole, bad = whole_numbers(rows, tokens)
    values = whole.astype(np.float64)
    for index in np.flatnonzero(bad):
        value = finite_number(rows.token(tokens[index]))
        values[index] = np.nan if value is None else value
    return values, ~np.isfinite(values)


def finite_number(token: bytes) -> float | None:
    """Return the value of a decimal number, or None if it is none."""
    try:
        value = float(token)
    except ValueError:
        return None
    # Python reads 1_000 as a number; in a run file it is damage.
    return value if abs(value) < float("inf") and b"_" not in token else None


def hexadecimals(rows: Rows, tokens: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the value of each token such as ``0x4000``, one a row, and whether it is none."""
    starts = rows.starts[tokens]
    prefixed = (rows.text.take(starts, mode="clip") == ord("0")) & (
        rows.text.take(starts + 1, mode="clip") | 0x20 == ord("x")
    )
    values, bad = whole_numbers(rows, tokens, base=16, most_digits=8, skip=2)
    return values, bad | ~prefixed
