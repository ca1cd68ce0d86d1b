"""Sums over blocks of pulses that are drawn at random from a pool, as fast as memory gives them."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


def drawn_blocks(rows: NDArray[np.float32], n_blocks: int, block: int, *, seed: int) -> NDArray[np.float64]:
    """Return sums of rows drawn with replacement, shape (block, column)."""
    sums: NDArray[np.float64] = _drawn(rows, n_blocks, block, seed)
    return sums


@numba.njit(cache=True)
def _drawn(rows, n_blocks, block, seed):  # type: ignore[no-untyped-def]
    np.random.seed(seed)  # noqa: NPY002 - the generator that numba knows
    sums = np.zeros((n_blocks, rows.shape[1]))
    for number in range(n_blocks):
        for _ in range(block):
            at = np.random.randint(0, len(rows))  # noqa: NPY002
            for column in range(rows.shape[1]):
                sums[number, column] += rows[at, column]
    return sums
