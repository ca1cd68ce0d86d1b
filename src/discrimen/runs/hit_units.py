"""Which traces belong to one hit: those of one crystal and one time, as they come in the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOLD = 4096
"""Traces of a hit lie no farther apart in the file than so many events."""

MOST_HELD = 8 * HOLD
"""A hit is waited for no longer than for so many events."""

_Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Traces sorted into hits.

    Parameters
    ----------
    of_trace : ndarray of int64, shape (trace,)
        Number of the hit of each trace.
    is_repeated : ndarray of bool, shape (trace,)
        Whether its channel was in the hit before.
    first, last : ndarray of int64, shape (hit,)
        Entries of the first and the last trace of each hit; hits are in the order of the first.
    """

    of_trace: _Int
    is_repeated: NDArray[np.bool_]
    first: _Int
    last: _Int

    def closed(self, newest: int) -> int:
        """Return how many hits, from the first on, can get no more traces once this entry was read."""
        is_open = (self.last >= newest - HOLD) & (self.first >= newest - MOST_HELD)
        return int(is_open.argmax()) if is_open.any() else len(self.first)


def sort_into_units(
    *, board: _Int, time_ps: _Int, entry: _Int, row: _Int, window_ps: int, is_required: NDArray[np.bool_]
) -> Units:
    """Sort traces into hits.

    Traces of one crystal whose times lie within the window from the first one are together. If every channel came
    several times, these are as many hits at one time, taken in the order of the file. A rest of less than half of the
    channels is not a hit of its own, but channels that came twice.

    Parameters
    ----------
    board, time_ps, entry, row : ndarray of int64, shape (trace,)
        Crystal, time, place in the file, and channel, counted from 0, of each trace.
    window_ps : int
        Largest distance from the first time of a hit.
    is_required : ndarray of bool, shape (channel,)
        Channels that a whole hit has.
    """
    group = _groups(board, time_ps, entry, window_ps)
    rank = _ranks(group, row, entry)
    n_ranks = int(rank.max(initial=-1)) + 1
    n_groups = int(group.max(initial=-1)) + 1
    place = group * n_ranks + rank
    counts = np.bincount(place, weights=is_required[row], minlength=n_groups * n_ranks).reshape(n_groups, n_ranks)
    n_required = int(is_required.sum())
    n_whole = (counts == n_required).cumprod(axis=1).sum(axis=1).astype(np.int64)
    of_rest = np.take_along_axis(counts, np.minimum(n_whole, n_ranks - 1)[:, np.newaxis], axis=1)[:, 0]
    is_own = (n_whole == 0) | (2 * of_rest >= n_required)
    latest = np.where(is_own, n_whole, n_whole - 1)[group]
    unit = group * n_ranks + np.minimum(rank, latest)
    return _in_order(unit, entry, is_repeated=rank > latest)


def _in_order(unit: _Int, entry: _Int, *, is_repeated: NDArray[np.bool_]) -> Units:
    """Give hits numbers in the order of their first entries."""
    kinds, number = np.unique(unit, return_inverse=True)
    n_units = len(kinds)
    first = np.full(n_units, np.iinfo(np.int64).max)
    last = np.full(n_units, -1, np.int64)
    np.minimum.at(first, number, entry)
    np.maximum.at(last, number, entry)
    order = np.argsort(first, kind="stable")
    place = np.empty(n_units, np.int64)
    place[order] = np.arange(n_units)
    return Units(place[number], is_repeated, first[order], last[order])


def _groups(board: _Int, time_ps: _Int, entry: _Int, window_ps: int) -> _Int:
    """Return a number for each trace, the same for those of one crystal and time that lie near each other."""
    order = np.lexsort((entry, time_ps, board))
    is_new = np.zeros(len(order), np.bool_)
    is_new[:1] = True
    is_new[1:] = (np.diff(board[order]) != 0) | (np.diff(time_ps[order]) > window_ps)
    if window_ps:
        _split_wide(is_new, time_ps[order], window_ps)
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(is_new)
    order = np.lexsort((entry, group))
    is_new[1:] = (np.diff(group[order]) != 0) | (np.diff(entry[order]) > HOLD)
    is_new[:1] = True
    group[order] = np.cumsum(is_new) - 1
    return group


def _split_wide(is_new: NDArray[np.bool_], time_ps: _Int, window_ps: int) -> None:
    """Let a new group begin where a time lies farther from the first one than the window."""
    begins = np.flatnonzero(is_new)
    ends = np.append(begins[1:], len(time_ps))
    for begin, end in zip(begins, ends, strict=True):
        while time_ps[end - 1] - time_ps[begin] > window_ps:
            begin += int(np.searchsorted(time_ps[begin:end], time_ps[begin] + window_ps, side="right"))
            is_new[begin] = True


def _ranks(group: _Int, row: _Int, entry: _Int) -> _Int:
    """Return how many traces of the same channel come before each one in its group."""
    order = np.lexsort((entry, row, group))
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (np.diff(group[order]) != 0) | (np.diff(row[order]) != 0)
    begins = np.flatnonzero(is_first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    return rank
