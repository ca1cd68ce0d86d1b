"""The shape of pulses: a few samples of the window, their mean, and the leading components of what is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_ROWS = 12
N_COMPONENTS = 2

_SMALLEST_STD = 0.2
"""Of the median over the samples: one that hardly varies must not decide alone."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Shape:
    """How pulses look, in units of their height.

    Parameters
    ----------
    rows : tuple of int
        Samples of the window.
    mean, weight : ndarray of float64, shape (row,)
        What is subtracted from each sample, and what is multiplied by then.
    components : ndarray of float64, shape (component, row)
        Orthonormal directions in which pulses differ most, behind mean and weight.
    """

    rows: tuple[int, ...]
    mean: NDArray[np.float64]
    weight: NDArray[np.float64]
    components: NDArray[np.float64]


def shape_of(pulses: NDArray[np.float64], *, n_rows: int = N_ROWS, n_components: int = N_COMPONENTS) -> Shape:
    """Choose samples of the window, and describe how they vary together.

    Half of the samples lie where the pulses have their area, half are spread evenly. Each is weighted by the inverse of
    what the components leave of it, so that the steep edge, which the sampling phase moves, does not drown the tail.

    Parameters
    ----------
    pulses : ndarray of float64, shape (pulse, window sample)
        Windows in units of their height; two or more.
    n_rows, n_components : int
        How many samples and components, at most.
    """
    rows = _rows_of(np.abs(pulses).mean(axis=0), n_rows)
    chosen = pulses[:, rows]
    mean = chosen.mean(axis=0)
    off = chosen - mean
    n_components = max(1, min(n_components, len(rows) - 1))
    left = off - off @ (first := _leading(off, n_components)).T @ first
    std = left.std(axis=0)
    weight = 1 / np.maximum(std, max(_SMALLEST_STD * float(np.median(std)), 1e-6))
    return Shape(rows=tuple(map(int, rows)), mean=mean, weight=weight, components=_leading(off * weight, n_components))


def _rows_of(area: NDArray[np.float64], n_rows: int) -> NDArray[np.int64]:
    share = area / max(float(area.sum()), np.finfo(np.float64).tiny)
    reached = np.cumsum(share + 1 / len(area)) / 2
    wanted = (np.arange(n_rows) + 0.5) / n_rows
    return np.unique(np.minimum(np.searchsorted(reached, wanted), len(area) - 1))


def _leading(off: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    _, vectors = np.linalg.eigh(off.T @ off)
    leading: NDArray[np.float64] = vectors[:, ::-1][:, :count].T
    return leading
