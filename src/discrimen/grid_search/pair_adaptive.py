"""Two interactions in one segment, between the points of the grid: pairs of a coarse grid first, then least squares.

The sum of two signals is compared at every second point of the grid in each direction; from the best of these pairs
damped least-squares steps (D. W. Marquardt, J. SIAM 11 (1963) 431) lead on, in both places, the share of the energy and
the time, with signals that are of second order around the nearest point of the whole grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from discrimen.grid_search.pair import FoundPairs
from discrimen.grid_search.segment_library import SegmentLibrary, second_order

_COARSE_STEPS = 2
_N_BEST = 6
_N_STEPS = 15
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-6, 1e6
_REACH = 1.0
"""How far from its nearest point a place may lie, in steps of the grid in each coordinate: signals end at walls."""
_CHUNK = 64
_LONGEST_BEFORE_MM, _LONGEST_BEFORE_NS = 30.0, 30.0
"""Spread of places and times that are as likely beforehand: directions that the signal does not tell stay put."""

Values = NDArray[np.float32]
Exact = NDArray[np.float64]


def search_pairs_adaptive(
    library: SegmentLibrary,
    measured: Values,
    energy: NDArray[np.floating],
    *,
    least_share: float = 0.05,
    n_best: int = _N_BEST,
) -> FoundPairs:
    """Find two interactions in one segment, off the points of the grid.

    Parameters
    ----------
    library : SegmentLibrary
        Of the segment.
    measured : ndarray of float32, shape (hit, value)
        White traces.
    energy : ndarray of float, shape (hit,)
        Of each hit, of both interactions together.
    least_share : float
        Of the energy in the smaller one.
    n_best : int
        From how many pairs of the coarse grid steps are tried.
    """
    energies: Exact = np.asarray(energy, dtype=np.float64)
    measured, outside = library.compared(measured)
    tree = cKDTree(library.positions_mm)
    parts = []
    for start in range(0, len(measured), _CHUNK):
        rows = slice(start, start + _CHUNK)
        begun = _coarse_pairs(library, measured[rows], energies[rows], least_share, n_best)
        n_rows = len(measured[rows])
        many = np.repeat(np.arange(n_rows), n_best)
        found, square = _stepped(library, tree, measured[rows][many], energies[rows][many], begun, least_share)
        best = square.reshape(n_rows, n_best).argmin(axis=1) + n_best * np.arange(n_rows)
        parts.append((found[best], square[best]))
    values, squares = (np.concatenate(each) for each in zip(*parts, strict=True))
    return _larger_first(values, squares + outside)


def _larger_first(values: Exact, square: Exact) -> FoundPairs:
    swapped = values[:, 6] < 0.5
    positions = values[:, :6].reshape(-1, 2, 3).copy()
    positions[swapped] = positions[swapped, ::-1]
    return FoundPairs(
        positions_mm=positions,
        share=np.where(swapped, 1 - values[:, 6], values[:, 6]),
        offset_ns=values[:, 7],
        chi_square=square,
    )


def _coarse_pairs(library: SegmentLibrary, measured: Values, energy: Exact, least_share: float, n_best: int) -> Exact:
    """Return the best pairs of a coarse grid: two places, share and time, shape (hit * n_best, 8)."""
    grid = np.rint((library.positions_mm - library.positions_mm.min(axis=0)) / library.step_mm).astype(int)
    coarse = np.flatnonzero((grid % _COARSE_STEPS == 0).all(axis=1))
    coarse = coarse if len(coarse) > n_best else np.arange(len(library))
    i, j = np.triu_indices(len(coarse), k=1)
    squares, shares = [], []
    for number in range(len(library.offsets_ns)):
        signals = library.signals[coarse, number]
        gram, norms = signals @ signals.T, np.einsum("sv,sv->s", signals, signals)
        projected = (measured @ signals.T) / energy[:, None].astype(np.float32)
        # The signal f a + (1 - f) b = b + f (a - b) is linear in the share f; the traces' own square is left out.
        apart = norms[i] + norms[j] - 2 * gram[i, j]
        along = projected[:, i] - projected[:, j] - (gram[i, j] - norms[j])
        share = np.clip(along / np.maximum(apart, np.float32(1e-30)), least_share, 1 - least_share)
        squares.append(norms[j] - 2 * projected[:, j] + share * (share * apart - 2 * along))
        shares.append(share)
    square, all_shares = np.concatenate(squares, axis=1), np.concatenate(shares, axis=1)
    cells = np.argpartition(square, n_best, axis=1)[:, :n_best]
    pair, offset = cells % len(i), cells // len(i)
    values = np.empty((len(measured), n_best, 8))
    values[:, :, :3] = library.positions_mm[coarse[i[pair]]]
    values[:, :, 3:6] = library.positions_mm[coarse[j[pair]]]
    values[:, :, 6] = np.take_along_axis(all_shares, cells, axis=1)
    values[:, :, 7] = library.offsets_ns[offset]
    return values.reshape(-1, 8)


@dataclass(slots=True, eq=False)
class _At:
    """A place of each hit: nearest point and offset, and how far from these (hit, 3) and (hit,)."""

    point: NDArray[np.int64]
    offset: NDArray[np.int64]
    apart: Values
    later: Values

    def signal_and_slopes(self, library: SegmentLibrary) -> tuple[Values, Values, Values]:
        """Return the signal of unit energy (hit, value), its slopes with place (hit, 3, value) and time."""
        curvature = library.curvatures[self.point]
        slopes = library.slopes[self.point, self.offset]
        in_time = library.time_slopes[self.point, self.offset]
        signal = library.signals[self.point, self.offset] + np.einsum("ha,hav->hv", self.apart, slopes)
        signal += np.einsum("ha,hav->hv", second_order(self.apart), curvature) + self.later[:, None] * in_time
        x, y, z = self.apart.T[:, :, None]
        xx, yy, zz, xy, xz, yz = np.moveaxis(curvature, 1, 0)
        bent = [2 * x * xx + y * xy + z * xz, 2 * y * yy + x * xy + z * yz, 2 * z * zz + x * xz + y * yz]
        return signal, slopes + np.stack(bent, axis=1), in_time


def _at(library: SegmentLibrary, tree: cKDTree, places: Exact, offset_ns: Exact) -> _At:
    point = np.asarray(tree.query(places)[1])
    offset = np.abs(offset_ns[:, None] - library.offsets_ns).argmin(axis=1)
    return _At(
        point,
        offset,
        (places - library.positions_mm[point]).astype(np.float32),
        (offset_ns - library.offsets_ns[offset]).astype(np.float32),
    )


def _model(library: SegmentLibrary, tree: cKDTree, values: Exact, energy: Exact) -> tuple[Values, Values]:
    """Return the signals of pairs (hit, value), and their slopes (hit, 8, value)."""
    share, scale = values[:, 6:7].astype(np.float32), energy[:, None].astype(np.float32)
    first, by_first, first_later = _at(library, tree, values[:, :3], values[:, 7]).signal_and_slopes(library)
    second, by_second, second_later = _at(library, tree, values[:, 3:6], values[:, 7]).signal_and_slopes(library)
    signal = scale * (share * first + (1 - share) * second)
    in_time = share * first_later + (1 - share) * second_later
    parts = [share[:, None] * by_first, (1 - share)[:, None] * by_second, (first - second)[:, None], in_time[:, None]]
    return signal, scale[:, None] * np.concatenate(parts, axis=1)


def _stepped(
    library: SegmentLibrary, tree: cKDTree, measured: Values, energy: Exact, values: Exact, least_share: float
) -> tuple[Exact, Exact]:
    """Step to the least square; return the pairs (hit, 8) and their squares (hit,)."""
    loose = np.array([1 / _LONGEST_BEFORE_MM**2] * 6 + [1.0, 1 / _LONGEST_BEFORE_NS**2])
    damping = np.full(len(values), _FIRST_DAMPING)
    signal, slopes = _model(library, tree, values, energy)
    square = _squares(measured - signal)
    for _ in range(_N_STEPS):
        normal = np.einsum("hav,hbv->hab", slopes, slopes, optimize=True).astype(np.float64)
        pull = np.einsum("hav,hv->ha", slopes, measured - signal).astype(np.float64)
        diagonal = np.einsum("haa->ha", normal) * damping[:, None] + loose
        step = np.linalg.solve(normal + diagonal[:, :, None] * np.eye(8), pull[..., None])[..., 0]
        tried = _within(library, tree, values + step, least_share)
        new_signal, new_slopes = _model(library, tree, tried, energy)
        new_square = _squares(measured - new_signal)
        better = new_square < square
        values = np.where(better[:, None], tried, values)
        signal = np.where(better[:, None], new_signal, signal)
        slopes = np.where(better[:, None, None], new_slopes, slopes)
        square = np.where(better, new_square, square)
        damping = np.clip(np.where(better, damping / 5, damping * 5), _LEAST_DAMPING, _MOST_DAMPING)
    return values, square


def _within(library: SegmentLibrary, tree: cKDTree, values: Exact, least_share: float) -> Exact:
    """Keep places near points of the grid, shares and times within their limits."""
    kept = values.copy()
    reach = _REACH * library.step_mm
    for places in (slice(0, 3), slice(3, 6)):
        nearest = library.positions_mm[np.asarray(tree.query(values[:, places])[1])]
        kept[:, places] = nearest + np.clip(values[:, places] - nearest, -reach, reach)
    kept[:, 6] = np.clip(values[:, 6], least_share, 1 - least_share)
    step_ns = float(np.diff(library.offsets_ns).max()) if len(library.offsets_ns) > 1 else 5.0
    kept[:, 7] = np.clip(values[:, 7], library.offsets_ns[0] - step_ns, library.offsets_ns[-1] + step_ns)
    return kept


def _squares(rest: Values) -> Exact:
    squares: Exact = np.einsum("hv,hv->h", rest, rest).astype(np.float64)
    return squares
