"""Ranges of energy, radius, depth and distance to a wall, for figures against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

ENERGY_EDGES_KEV = (0.0, 75.0, 150.0, 250.0, 400.0, 700.0, 1200.0, 2000.0, 4000.0)
WALL_EDGES_MM = (0.0, 1.0, 2.0, 4.0, 8.0, 1000.0)
_STEP_MM = 5.0
_MOST_LINES = 12
_MOST_BINS = 8
_LINE_KEV = 1.0

Values = NDArray[np.float64]


def ranges_of(
    *,
    truth_mm: Values,
    energy_kev: Values | None,
    wall_mm: Values | None,
    n_interactions: NDArray[np.int64] | None = None,
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield the group, the name and the members of each range.

    Parameters
    ----------
    truth_mm : ndarray of float64, shape (hit, 3)
        Ranges of radius need x and y, those of depth z.
    energy_kev : ndarray of float64, shape (hit,), or None
        A few different values are ranges of their own.
    wall_mm : ndarray of float64, shape (hit,), or None
        Distance to the nearest wall of a segment.
    n_interactions : ndarray of int64, shape (hit,), or None
        How many there are in each hit; ranges of their own where hits differ in it.
    """
    if n_interactions is not None and len(np.unique(n_interactions)) > 1:
        for name, inside in (("one", n_interactions == 1), ("two", n_interactions == 2), ("more", n_interactions > 2)):
            yield "interactions", name, inside
    if energy_kev is not None:
        for name, inside in energy_ranges(energy_kev):
            yield "energy", name, inside
    for group, values in {"radius": np.hypot(truth_mm[:, 0], truth_mm[:, 1]), "depth": truth_mm[:, 2]}.items():
        for low, high in pairwise(_even_edges(values)):
            yield group, f"{low:g}-{high:g} mm", (values >= low) & (values < high)
    if wall_mm is not None:
        for low, high in pairwise(WALL_EDGES_MM):
            name = f"{low:g}-{high:g} mm" if high < WALL_EDGES_MM[-1] else f"over {low:g} mm"
            yield "distance to a wall", name, (wall_mm >= low) & (wall_mm < high)


def in_groups(found: Sequence[tuple[str, str, NDArray[np.bool_]]]) -> Mapping[str, list[tuple[str, NDArray[np.bool_]]]]:
    """Return the ranges that have members, by their group."""
    groups: dict[str, list[tuple[str, NDArray[np.bool_]]]] = {}
    for group, name, inside in found:
        if inside.any():
            groups.setdefault(group, []).append((name, inside))
    return groups


def energy_ranges(energy_kev: Values) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the name and the members of each range of energy; a few different values are ranges of their own."""
    known = energy_kev[np.isfinite(energy_kev)]
    lines = np.unique(np.round(known / _LINE_KEV) * _LINE_KEV)
    if len(lines) <= _MOST_LINES:
        for line in lines:
            yield f"{line:g} keV", np.abs(energy_kev - line) <= _LINE_KEV / 2
        return
    for low, high in pairwise(ENERGY_EDGES_KEV):
        yield f"{low:g}-{high:g} keV", (energy_kev >= low) & (energy_kev < high)


def _even_edges(values: Values) -> Values:
    known = values[np.isfinite(values)]
    if not len(known):
        return np.empty(0)
    low, high = float(np.floor(known.min() / _STEP_MM)), float(np.floor(known.max() / _STEP_MM)) + 1
    steps = max(1.0, np.ceil((high - low) / _MOST_BINS))
    return _STEP_MM * np.arange(low, high + steps, steps)
