"""What no method can beat: the Cramér-Rao bound, and near walls the error of the posterior mean.

The bound is that of an unbiased estimate from signals that are linear in position and time; the time is not known. At
low energy it exceeds the size of a segment and bounds nothing: there the mean over the posterior, with the basis as
what was known before, has the least mean square of all estimates.

Two interactions are told from one by the square of the difference that is left between their signals and those of the
single interaction most like them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from discrimen.grid_search.search import chi_squares, search
from discrimen.grid_search.segment_library import SegmentLibrary

_DRAWS = 400
_CRYSTAL_MM, _RECORD_NS, _WHOLE = 100.0, 1000.0, 1.0
_MORE_FREE = 4
"""What two interactions have more than one: three coordinates and a share."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CramerRao:
    """Bound at each point of a library.

    Parameters
    ----------
    covariance_mm2 : ndarray of float64, shape (point, 3, 3)
        Least covariance of x, y, z.
    """

    covariance_mm2: NDArray[np.float64]

    @property
    def rms_mm(self) -> NDArray[np.float64]:
        """Least standard deviation of each coordinate, shape (point, 3)."""
        return np.sqrt(np.diagonal(self.covariance_mm2, axis1=1, axis2=2))

    def distances_mm(self, *, seed: int = 0, draws: int = _DRAWS) -> NDArray[np.float64]:
        """Draw distances from the true position as the bound has them, shape (point, draw)."""
        roots = np.linalg.cholesky(self.covariance_mm2)
        normal = np.random.default_rng(seed).normal(size=(len(roots), 3, draws))
        distances: NDArray[np.float64] = np.linalg.norm(roots @ normal, axis=1)
        return distances


def cramer_rao(library: SegmentLibrary, energy: float) -> CramerRao:
    """Compute the bound for one interaction of an energy, position and time unknown.

    Parameters
    ----------
    library : SegmentLibrary
        Of a segment; its middle offset.
    energy : float
        Known.
    """
    middle = len(library.offsets_ns) // 2
    slopes = np.concatenate([library.slopes[:, middle], library.time_slopes[:, middle, None]], axis=1).astype(
        np.float64
    )
    information = energy**2 * (slopes @ slopes.transpose(0, 2, 1))
    # A point without neighbours tells no slope: nothing is known there beyond the size of a crystal.
    information += np.diag([1 / _CRYSTAL_MM**2] * 3 + [1 / _RECORD_NS**2])
    covariance = np.linalg.inv(information)[:, :3, :3].astype(np.float64)
    return CramerRao(covariance_mm2=covariance)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PairBound:
    """Bound of pairs in one segment.

    Parameters
    ----------
    covariance_mm2 : ndarray of float64, shape (pair, 2, 3, 3)
        Least covariance of x, y, z of each of the two.
    share : ndarray of float64, shape (pair,)
        Least standard deviation of the share of the energy.
    unlike_one : ndarray of float64, shape (pair,)
        Square of the difference from the single interaction most like the pair, in units of the noise.
    """

    covariance_mm2: NDArray[np.float64]
    share: NDArray[np.float64]
    unlike_one: NDArray[np.float64]

    def distances_mm(self, *, seed: int = 0, draws: int = _DRAWS) -> NDArray[np.float64]:
        """Draw distances of both from their true positions, shape (pair, 2, draw)."""
        both = CramerRao(covariance_mm2=self.covariance_mm2.reshape(-1, 3, 3))
        return both.distances_mm(seed=seed, draws=draws).reshape(-1, 2, draws)


def cramer_rao_pairs(library: SegmentLibrary, energy: float, points: NDArray[np.int64], share: float) -> PairBound:
    """Compute the bound for pairs of points: places, share of the energy and the common time unknown.

    Parameters
    ----------
    library : SegmentLibrary
        Of a segment; its middle offset.
    energy : float
        Of both together, known.
    points : ndarray of int64, shape (pair, 2)
        Of the library.
    share : float
        Of the energy in the first.
    """
    middle = len(library.offsets_ns) // 2
    first, second = library.signals[points[:, 0], middle], library.signals[points[:, 1], middle]
    in_time = library.time_slopes[points, middle]
    slopes = np.concatenate(
        [
            share * library.slopes[points[:, 0], middle],
            (1 - share) * library.slopes[points[:, 1], middle],
            (first - second)[:, None],
            (share * in_time[:, 0] + (1 - share) * in_time[:, 1])[:, None],
        ],
        axis=1,
    ).astype(np.float64)
    information = energy**2 * (slopes @ slopes.transpose(0, 2, 1))
    information += np.diag([1 / _CRYSTAL_MM**2] * 6 + [1 / _WHOLE**2, 1 / _RECORD_NS**2])
    covariance = np.linalg.inv(information)
    mixed = energy * (share * first + (1 - share) * second)
    white = mixed if library.components is None else mixed @ library.components.T
    return PairBound(
        covariance_mm2=np.stack([covariance[:, :3, :3], covariance[:, 3:6, 3:6]], axis=1),
        share=np.sqrt(covariance[:, 6, 6]),
        unlike_one=search(library, white, np.full(len(points), energy)).chi_square,
    )


def parting_efficiency(unlike_one: NDArray[np.float64], *, false_share: float = 0.05) -> NDArray[np.float64]:
    """Return what share of pairs a likelihood ratio takes for two, where so many singles are taken for two as well.

    The difference of the least squares of one and of two interactions follows the chi-square distribution of what two
    have more, non-central for pairs (S. S. Wilks, Ann. Math. Statist. 9 (1938) 60; A. Wald, Trans. AMS 54 (1943) 426).

    Parameters
    ----------
    unlike_one : ndarray of float64, shape (pair,)
        See :class:`PairBound`.
    false_share : float
        Of single interactions.
    """
    limit = stats.chi2.ppf(1 - false_share, _MORE_FREE)
    return np.asarray(stats.ncx2.sf(limit, _MORE_FREE, np.maximum(unlike_one, 1e-9)), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Posterior:
    """Mean and spread of the position, given the traces.

    Parameters
    ----------
    mean_mm : ndarray of float64, shape (hit, 3)
        The estimate with the least mean square error.
    rms_mm : ndarray of float64, shape (hit, 3)
        Its standard deviation in each coordinate; each point stands for a cell of the grid around it.
    """

    mean_mm: NDArray[np.float64]
    rms_mm: NDArray[np.float64]


def posterior(
    library: SegmentLibrary, measured: NDArray[np.float32], energy: NDArray[np.floating], *, rows: int = 512
) -> Posterior:
    """Average over the points and times of a library, all as likely beforehand, weighted by the likelihood.

    Parameters
    ----------
    library : SegmentLibrary
        Of the segment; where errors come out smaller than its grid, the mean is not the best estimate.
    measured : ndarray of float32, shape (hit, value)
        White traces.
    energy : ndarray of float, shape (hit,)
        Of each hit.
    rows : int
        Hits at a time.
    """
    n_points, n_offsets, n_values = library.signals.shape
    signals = library.signals.reshape(-1, n_values)
    positions = library.positions_mm.astype(np.float64)
    means, spreads = [], []
    of_cell = library.step_mm**2 / 12
    measured, _ = library.compared(measured)
    for start in range(0, len(measured), rows):
        found = chi_squares(signals, measured[start : start + rows], energy[start : start + rows])
        weights = np.exp(-0.5 * (found - found.min(axis=1, keepdims=True)).astype(np.float64))
        of_point = weights.reshape(-1, n_points, n_offsets).sum(axis=2)
        of_point /= of_point.sum(axis=1, keepdims=True)
        mean = of_point @ positions
        means.append(mean)
        spreads.append(np.sqrt(np.maximum(of_point @ np.square(positions) - np.square(mean), 0) + of_cell))
    return Posterior(mean_mm=np.concatenate(means), rms_mm=np.concatenate(spreads))
