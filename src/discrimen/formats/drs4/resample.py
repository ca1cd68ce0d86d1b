"""Samples of uneven cells brought to an even sampling period.

A DRS4 chip samples with 1024 cells in a ring, and no cell is as wide as the next one. A record begins at the trigger
cell, so each record has times of its own: t(i) is the sum of the widths of the i cells from the trigger cell on. The
channels of a board share the time at which cell 0 samples (DRS4 Evaluation Board User's Manual, PSI), which gives the
shift between them.

Between two samples goes a cubic polynomial whose slope at each sample is that of the parabola through it and its two
neighbours. Beside a very narrow cell, where that would raise the noise, it is the slope from one neighbour to the
other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.drs4.layout import N_CELLS, Board

_LARGEST = 0xFFFF
_BLOCK = 128
_NARROW = 0.3
"""Of the mean width: beside narrower cells no parabola is laid."""


def even_period_ns(board: Board) -> float:
    """Return the sampling period that the records of a board are brought to: the mean width of its cells, in whole ps.

    Boards of one setting differ in the mean by parts of a ps, and what learned from one must take the other. Nothing
    is lost by whole ps: the samples are computed at these very times.
    """
    return max(1.0, round(float(board.widths_ns.mean()) * 1e3)) / 1e3


class Resampler:
    """Brings the records of one channel to even times.

    What belongs to a trigger cell is computed when the first record begins there, and kept: 18 MiB for all 1024 cells.

    Parameters
    ----------
    board : Board
        Its cells.
    row : int
        Which of its channels, by position.
    """

    def __init__(self, board: Board, row: int) -> None:
        self._period_ns = even_period_ns(board)
        self._slopes = _slope_weights(board.widths_ns[row])
        self._elapsed_ns = np.concatenate([[0.0], np.cumsum(np.tile(board.widths_ns[row], 2))])
        self._until_cell_0_ns = _until_cell_0(board.widths_ns[0]) - _until_cell_0(board.widths_ns[row])
        self._is_known = np.zeros(N_CELLS, np.bool_)
        self._left = np.empty((N_CELLS, N_CELLS), np.int16)
        self._weights = np.empty((4, N_CELLS, N_CELLS), np.float32)

    def __call__(self, samples: NDArray[np.uint16], trigger_cell: NDArray[np.integer]) -> NDArray[np.uint16]:
        """Return the records at even times, from the first sample of the board's first channel on.

        Parameters
        ----------
        samples : ndarray of uint16, shape (record, cell)
            As in the file: the trigger cell first.
        trigger_cell : ndarray of int, shape (record,)
            0 to 1023.

        Returns
        -------
        ndarray of uint16, shape (record, sample)
            Rounded. Times before the first sample of a record, or behind its last one, hold that sample. A time between
            two samples of which one lies at an end of the range (0 or 65535) gets that end.
        """
        self._learn(np.unique(trigger_cell))
        even = np.empty_like(samples)
        for start in range(0, len(samples), _BLOCK):
            block = slice(start, start + _BLOCK)
            cells = trigger_cell[block]
            even[block] = _weighted(samples[block], self._left[cells], self._weights[:, cells])
        return even

    def _learn(self, cells: NDArray[np.integer]) -> None:
        """Compute, for each new trigger cell and even time, the sample to its left and the weights of four samples."""
        new = cells[~self._is_known[cells]].astype(np.int64)
        for start in range(0, len(new), _BLOCK):
            block = new[start : start + _BLOCK]
            self._left[block], self._weights[:, block] = self._cubic(block[:, None])
        self._is_known[new] = True

    def _cubic(self, first: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        elapsed = self._elapsed_ns
        time = np.arange(N_CELLS) * self._period_ns - self._until_cell_0_ns[first]
        left = np.searchsorted(elapsed, elapsed[first] + time, side="right") - 1 - first
        left = np.clip(left, 0, N_CELLS - 2)
        width = elapsed[first + left + 1] - elapsed[first + left]
        u = np.clip((time - elapsed[first + left] + elapsed[first]) / width, 0.0, 1.0)
        inner = (left > 0) & (left < N_CELLS - 2)
        slope_0, slope_1 = inner * width * u * (1 - u) ** 2, inner * width * u**2 * (u - 1)
        risen = np.where(inner, u**2 * (3 - 2 * u), u)
        before_0, at_0, behind_0 = self._slopes[:, (first + left) % N_CELLS]
        before_1, at_1, behind_1 = self._slopes[:, (first + left + 1) % N_CELLS]
        weights = (
            slope_0 * before_0,
            1 - risen + slope_0 * at_0 + slope_1 * before_1,
            risen + slope_0 * behind_0 + slope_1 * at_1,
            slope_1 * behind_1,
        )
        return left, np.stack(weights)


def _slope_weights(widths_ns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how the slope at each cell follows from the sample before it, its own and the one behind it.

    Parameters
    ----------
    widths_ns : ndarray, shape (cell,)
        From each cell to the next one, in a ring.

    Returns
    -------
    ndarray, shape (3, cell)
        In 1/ns.
    """
    before, behind = np.roll(widths_ns, 1), widths_ns
    both = before + behind
    parabola = np.stack([-behind / (before * both), (behind - before) / (before * behind), before / (behind * both)])
    across = np.stack([-1 / both, np.zeros_like(both), 1 / both])
    return np.where(np.minimum(before, behind) < _NARROW * widths_ns.mean(), across, parabola)


def _weighted(samples: NDArray[np.uint16], left: NDArray[np.int16], weights: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return the weighted sums of four neighbours, rounded; an end of the range stays one."""
    padded = np.pad(samples, ((0, 0), (1, 2)), mode="edge")
    where = left + np.arange(len(samples), dtype=np.int32)[:, None] * padded.shape[1]
    flat, value = padded.ravel(), np.full(samples.shape, 0.5, np.float32)
    for step, weight in enumerate(weights):
        value += flat.take(where + step, mode="clip") * weight
    even = np.clip(value, 0, _LARGEST, out=value).astype(np.uint16)
    for end in (0, _LARGEST):
        if (samples == end).any():
            even[(flat.take(where + 1) == end) | (flat.take(where + 2) == end)] = end
    return even


def _until_cell_0(widths_ns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the time from the start of a record to its cell 0, for each trigger cell."""
    to_the_end = np.cumsum(widths_ns[::-1])[::-1]
    return np.concatenate([[0.0], to_the_end[1:]])
