"""Grid search: the position whose calculated signals are most like the measured ones.

The square of the difference in noise that is white, over all points of the hit segment and all times (full), or over a
coarse part of them and then around the best (adaptive; R. Venturelli and D. Bazzacco, LNL Annual Report 2004, p. 220).
Between the points the signals are taken as of second order in position and linear in time: least-squares steps from
each of the best points, of which the best is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.grid_search.segment_library import SegmentLibrary, second_order

_CHUNK_VALUES = 2**25
_LONGEST_STEP = 1.0
"""Of a grid step, in each coordinate."""
_ITERATIONS = 3
_COARSE_STEPS = 3
_FINE_REACH = 2.6


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """How to search.

    Parameters
    ----------
    adaptive : bool
        Coarse points first.
    interpolate : bool
        Take a step off the grid.
    n_best : int
        From how many of the best points.
    """

    adaptive: bool = False
    interpolate: bool = True
    n_best: int = 4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Found:
    """What a search found.

    Parameters
    ----------
    positions_mm : ndarray of float64, shape (hit, 3)
        Where.
    offset_ns : ndarray of float64, shape (hit,)
        How much later than the basis.
    chi_square : ndarray of float64, shape (hit,)
        Square of the difference in units of the noise.
    n_values : int
        How many samples were compared.
    """

    positions_mm: NDArray[np.float64]
    offset_ns: NDArray[np.float64]
    chi_square: NDArray[np.float64]
    n_values: int


def search(
    library: SegmentLibrary,
    measured: NDArray[np.float32],
    energy: NDArray[np.floating],
    *,
    options: SearchOptions | None = None,
) -> Found:
    """Find single interactions in one segment.

    Parameters
    ----------
    library : SegmentLibrary
        Of the segment.
    measured : ndarray of float32, shape (hit, value)
        White traces, see :meth:`~discrimen.grid_search.noise.Noise.whitened`.
    energy : ndarray of float, shape (hit,)
        Of each hit.
    options : SearchOptions, optional
        How.
    """
    how = options or SearchOptions()
    n_values = measured.shape[1]
    measured, outside = library.compared(measured)
    n_cells = len(library) * len(library.offsets_ns)
    rows = max(1, _CHUNK_VALUES // max(n_cells, 4 * how.n_best * measured.shape[1]))
    parts = [
        _search(library, measured[start : start + rows], np.asarray(energy)[start : start + rows], how)
        for start in range(0, len(measured), rows)
    ]
    empty = (np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    positions, offsets, chi_square = (np.concatenate(each) for each in zip(*(parts or [empty]), strict=True))
    return Found(positions_mm=positions, offset_ns=offsets, chi_square=chi_square + outside, n_values=n_values)


def chi_squares(
    signals: NDArray[np.float32], measured: NDArray[np.float32], energy: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return the square of the difference of each hit and each signal, shape (hit, signal).

    Parameters
    ----------
    signals : ndarray of float32, shape (signal, value)
        Of unit energy.
    measured : ndarray of float32, shape (hit, value)
        White traces, in the same form.
    energy : ndarray of float, shape (hit,)
        Of each hit.
    """
    energy = np.asarray(energy, dtype=np.float32)[:, None]
    norms = np.einsum("sv,sv->s", signals, signals)
    own = np.einsum("hv,hv->h", measured, measured)[:, None]
    crossed: NDArray[np.float32] = own + energy * (energy * norms - 2 * (measured @ signals.T))
    return crossed


def _search(
    library: SegmentLibrary, measured: NDArray[np.float32], energy: NDArray[np.floating], how: SearchOptions
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    cells = (
        _adaptive_cells(library, measured, energy, how) if how.adaptive else _full_cells(library, measured, energy, how)
    )
    n_offsets = len(library.offsets_ns)
    tried = [_step(library, measured, energy, cell // n_offsets, cell % n_offsets, how) for cell in cells.T]
    positions, offsets, chi_square = (np.stack(each, axis=1) for each in zip(*tried, strict=True))
    best = chi_square.argmin(axis=1)
    rows = np.arange(len(measured))
    return positions[rows, best], offsets[rows, best], chi_square[rows, best]


def _full_cells(
    library: SegmentLibrary, measured: NDArray[np.float32], energy: NDArray[np.floating], how: SearchOptions
) -> NDArray[np.int64]:
    """Return the best cells of points and offsets of each hit, each of another point, shape (hit, n_best)."""
    n_points, n_offsets, n_values = library.signals.shape
    found = chi_squares(library.signals.reshape(-1, n_values), measured, energy).reshape(-1, n_points, n_offsets)
    offset = found.argmin(axis=2)
    least = found.min(axis=2)
    n_best = min(how.n_best if how.interpolate else 1, n_points)
    points = np.argpartition(least, n_best - 1, axis=1)[:, :n_best]
    cells: NDArray[np.int64] = points * n_offsets + np.take_along_axis(offset, points, axis=1)
    return cells


def _adaptive_cells(
    library: SegmentLibrary, measured: NDArray[np.float32], energy: NDArray[np.floating], how: SearchOptions
) -> NDArray[np.int64]:
    """Look at a coarse grid at the middle offset, then at what lies around its best point at all offsets."""
    middle, n_offsets = len(library.offsets_ns) // 2, len(library.offsets_ns)
    grid = np.rint((library.positions_mm - library.positions_mm.min(axis=0)) / library.step_mm).astype(int)
    coarse = np.flatnonzero((grid % _COARSE_STEPS == 0).all(axis=1))
    coarse = coarse if len(coarse) else np.arange(len(library))
    nearest = coarse[chi_squares(library.signals[coarse, middle], measured, energy).argmin(axis=1)]
    n_best = min(how.n_best if how.interpolate else 1, len(library))
    cells = np.empty((len(measured), n_best), np.int64)
    for point in np.unique(nearest):
        rows = np.flatnonzero(nearest == point)
        apart = np.linalg.norm(library.positions_mm - library.positions_mm[point], axis=1)
        around = np.argsort(apart)[: max(n_best, int((apart <= _FINE_REACH * library.step_mm).sum()))]
        signals = library.signals[around].reshape(len(around) * n_offsets, -1)
        found = chi_squares(signals, measured[rows], energy[rows]).reshape(len(rows), len(around), n_offsets)
        points = np.argpartition(found.min(axis=2), n_best - 1, axis=1)[:, :n_best]
        offset = np.take_along_axis(found.argmin(axis=2), points, axis=1)
        cells[rows] = around[points] * n_offsets + offset
    return cells


def _step(
    library: SegmentLibrary,
    measured: NDArray[np.float32],
    energy: NDArray[np.floating],
    point: NDArray[np.int64],
    offset: NDArray[np.int64],
    how: SearchOptions,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Step from a cell of each hit to the least square of the linearised signal."""
    scale = np.asarray(energy, dtype=np.float32)[:, None]
    rest = measured - scale * library.signals[point, offset]
    step = np.zeros((len(measured), 4))
    for _ in range(_ITERATIONS if how.interpolate else 0):
        step = _improved(library, rest, scale, point, offset, step)
    left = rest - scale * _change(library, point, offset, step)
    places = library.positions_mm[point].astype(np.float64) + step[:, :3]
    return places, library.offsets_ns[offset] + step[:, 3], np.einsum("hv,hv->h", left, left).astype(np.float64)


def _change(
    library: SegmentLibrary, point: NDArray[np.int64], offset: NDArray[np.int64], step: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return how the signal of unit energy differs a step away from its cell, shape (hit, value)."""
    apart = step.astype(np.float32)
    change: NDArray[np.float32] = (
        np.einsum("ha,hav->hv", apart[:, :3], library.slopes[point, offset])
        + np.einsum("ha,hav->hv", second_order(apart[:, :3]), library.curvatures[point])
        + apart[:, 3:] * library.time_slopes[point, offset]
    )
    return change


def _improved(
    library: SegmentLibrary,
    rest: NDArray[np.float32],
    scale: NDArray[np.float32],
    point: NDArray[np.int64],
    offset: NDArray[np.int64],
    step: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the step to the least square of the signal that is linear around a step."""
    x, y, z = step[:, :3].astype(np.float32).T[:, :, None]
    xx, yy, zz, xy, xz, yz = np.moveaxis(library.curvatures[point], 1, 0)
    by_x, by_y, by_z = np.moveaxis(library.slopes[point, offset], 1, 0)
    slopes = np.stack(
        [
            by_x + 2 * x * xx + y * xy + z * xz,
            by_y + 2 * y * yy + x * xy + z * yz,
            by_z + 2 * z * zz + x * xz + y * yz,
            library.time_slopes[point, offset],
        ],
        axis=1,
    )
    slopes *= scale[:, :, None]
    normal = np.einsum("hav,hbv->hab", slopes, slopes, optimize=True).astype(np.float64)
    # As if each coordinate were known to a few steps beforehand: a direction that the signal does not tell stays put.
    longest = np.array([*[_LONGEST_STEP * library.step_mm] * 3, _time_step(library)])
    loose = 1 / np.square(4 * longest)
    left = rest - scale * _change(library, point, offset, step)
    pull = np.einsum("hav,hv->ha", slopes, left).astype(np.float64) - loose * step
    more = np.linalg.solve(normal + np.diag(loose), pull[..., None])[..., 0]
    stepped: NDArray[np.float64] = np.clip(step + more, -longest, longest)
    return stepped


def _time_step(library: SegmentLibrary) -> float:
    offsets = library.offsets_ns
    return float(np.diff(offsets).max()) if len(offsets) > 1 else 5.0
