"""One figure of a drift reference: its bins, what was counted there, and how new pulses are counted in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_GROUPS = 5
"""Of a figure that is split by another."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Figure:
    """One figure of the reference.

    Parameters
    ----------
    edges : ndarray of float64, shape (group, bin + 1)
        Edges of the bins, ascending; pulses beyond the outermost are counted there.
    counts : ndarray of int64, shape (group, bin + 1)
        Pulses of the reference; the last column counts those without a value (NaN).
    split_by : str or None
        The figure that groups the pulses.
    group_edges : ndarray of float64, shape (group - 1,)
        Of that figure.
    mean : float
        Of the reference.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    split_by: str | None = None
    group_edges: NDArray[np.float64]
    mean: float

    def count(self, values: NDArray[Any], by: NDArray[Any] | None) -> NDArray[np.int64]:
        """Count pulses in the bins, shape (group, bin + 1)."""
        n_groups, n_columns = self.counts.shape
        group = np.zeros(len(values), np.int64) if by is None else np.searchsorted(self.group_edges, by, side="right")
        place = np.full(len(values), n_columns - 1)
        for number in range(n_groups):
            inside = (group == number) & ~np.isnan(values)
            place[inside] = np.searchsorted(self.edges[number, 1:-1], values[inside], side="right")
        flat = np.bincount(group * n_columns + place, minlength=n_groups * n_columns)
        return flat.reshape(n_groups, n_columns).astype(np.int64)


def figure_of(values: NDArray[Any], by: NDArray[Any] | None, split_by: str | None, n_bins: int) -> Figure:
    """Make a figure of the reference, in groups of another figure where one is given."""
    values = np.asarray(values, np.float64)
    group_edges = np.empty(0)
    if by is not None:
        group_edges = np.unique(np.nanquantile(by, np.arange(1, N_GROUPS) / N_GROUPS))
    group = np.zeros(len(values), np.int64) if by is None else np.searchsorted(group_edges, by, side="right")
    edges = np.stack([_quantile_edges(values[group == number], n_bins) for number in range(len(group_edges) + 1)])
    mean = float(np.nanmean(values)) if not np.isnan(values).all() else math.nan
    blank = Figure(
        edges=edges, counts=np.zeros(edges.shape, np.int64), split_by=split_by, group_edges=group_edges, mean=mean
    )
    return replace(blank, counts=blank.count(values, by))


def _quantile_edges(values: NDArray[np.float64], n_bins: int) -> NDArray[np.float64]:
    """Return edges of bins of about equally many pulses; where values repeat, some bins stay empty."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(n_bins + 1)
    edges: NDArray[np.float64] = np.quantile(known, np.linspace(0, 1, n_bins + 1))
    return edges


def figure_from(values: Mapping[str, Any]) -> Figure:
    """Build a figure from plain data.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is none.
    """
    edges, counts = np.array(values["edges"], np.float64), np.array(values["counts"], np.int64)
    group_edges = np.array(values["group_edges"], np.float64)
    if edges.ndim != 2 or edges.shape != counts.shape or edges.shape != (len(group_edges) + 1, edges.shape[1]):
        raise ValueError(f"edges of shape {edges.shape}, counts {counts.shape}, group edges {group_edges.shape}")
    return Figure(
        edges=edges,
        counts=counts,
        split_by=values["split_by"],
        group_edges=group_edges,
        mean=float("nan" if values["mean"] is None else values["mean"]),
    )
