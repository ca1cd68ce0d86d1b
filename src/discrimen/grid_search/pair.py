"""Two interactions in one segment: the pair of points and the share of energy whose sum is most like the traces.

For a pair the best share follows in closed form, so that a search over pairs and times is all that is left. The inner
products of signals are computed once for a segment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.grid_search.segment_library import SegmentLibrary

_ROWS = 256


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FoundPairs:
    """What a search for two interactions found.

    Parameters
    ----------
    positions_mm : ndarray of float64, shape (hit, 2, 3)
        The one with more energy first.
    share : ndarray of float64, shape (hit,)
        Of the energy in the first, 0.5 to 1.
    offset_ns : ndarray of float64, shape (hit,)
        How much later than the basis.
    chi_square : ndarray of float64, shape (hit,)
        Square of the difference in units of the noise.
    """

    positions_mm: NDArray[np.float64]
    share: NDArray[np.float64]
    offset_ns: NDArray[np.float64]
    chi_square: NDArray[np.float64]


def search_pairs(
    library: SegmentLibrary,
    measured: NDArray[np.float32],
    energy: NDArray[np.floating],
    *,
    least_share: float = 0.1,
) -> FoundPairs:
    """Find two interactions in one segment on the points of the grid.

    Parameters
    ----------
    library : SegmentLibrary
        Of the segment; time grows with the square of its points.
    measured : ndarray of float32, shape (hit, value)
        White traces.
    energy : ndarray of float, shape (hit,)
        Of each hit, of both interactions together.
    least_share : float
        Of the energy in the smaller one.
    """
    energy = np.asarray(energy, dtype=np.float64)
    n_hits = len(measured)
    best = np.full(n_hits, np.inf)
    pair, share, offset = np.zeros((n_hits, 2), np.int64), np.ones(n_hits), np.zeros(n_hits)
    measured, outside = library.compared(measured)
    own = np.einsum("hv,hv->h", measured, measured).astype(np.float64)
    for number, offset_ns in enumerate(library.offsets_ns):
        signals = library.signals[:, number]
        gram = (signals @ signals.T).astype(np.float64)
        projected = (measured @ signals.T).astype(np.float64)
        for hit in range(n_hits):
            least, at, split = _best_pair(gram, projected[hit], own[hit], energy[hit], least_share)
            if least < best[hit]:
                best[hit], pair[hit], share[hit], offset[hit] = least, at, split, offset_ns
    swapped = share < 0.5
    pair[swapped] = pair[swapped, ::-1]
    return FoundPairs(
        positions_mm=library.positions_mm[pair].astype(np.float64),
        share=np.where(swapped, 1 - share, share),
        offset_ns=offset,
        chi_square=best + outside,
    )


def _best_pair(
    gram: NDArray[np.float64], projected: NDArray[np.float64], own: float, energy: float, least_share: float
) -> tuple[float, tuple[int, int], float]:
    """Return the least square over all pairs, the pair, and the share of its first point."""
    n_points, norms = len(gram), np.diag(gram)
    best, at, split = np.inf, (0, 0), 1.0
    for start in range(0, n_points, _ROWS):
        rows = slice(start, min(start + _ROWS, n_points))
        # The signal E (f a + (1 - f) b) = E (b + f (a - b)) is linear in the share f.
        apart = norms[rows, None] + norms - 2 * gram[rows]
        along = (projected[rows, None] - projected) / energy - gram[rows] + norms
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.clip(np.where(apart > 0, along / apart, 0.5), least_share, 1 - least_share)
        square = own - 2 * energy * projected + energy**2 * (norms + share * (share * apart - 2 * along))
        place = int(square.argmin())
        i, j = divmod(place, n_points)
        if square[i, j] < best:
            best, at, split = float(square[i, j]), (start + i, j), float(share[i, j])
    return best, at, split
