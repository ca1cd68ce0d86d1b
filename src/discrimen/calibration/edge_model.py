"""The spectrum around the Compton edges of a source, as a detector of some gain, resolution and size shows it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from discrimen.calibration.compton import DEPTHS, cross_section, scattered_again, scattered_below
from discrimen.calibration.gamma_sources import EdgeGroup
from discrimen.errors import require_module

_LOWEST, _STEP = 0.2, 1 / 200
"""Of the energies that are smeared, relative to the edge, which lies between two cells."""

_LEAST_PHOTON_KEV = 5.0


class EdgeShape(NamedTuple):
    """What a spectrum around an edge depends on beside its contents.

    Parameters
    ----------
    position : float
        Of the edge, in the unit of the spectrum.
    resolution : float
        Standard deviation over mean at the edge; below and above, the deviation goes with the root of the energy.
    depth : float
        Of repeated scattering, see :mod:`discrimen.calibration.compton`.
    """

    position: float
    resolution: float
    depth: float


@dataclass(frozen=True, slots=True, eq=False)
class Deposits:
    """Energy that a group of lines leaves, on a grid relative to its edge.

    Parameters
    ----------
    at : ndarray of float64, shape (point,)
        Energy over that of the edge.
    once : ndarray of float64, shape (line, point)
        Share of the gammas that scatter once, by cells around the points.
    again : ndarray of float64, shape (line, point)
        Cross section of the scattered photon over that of the gamma.
    repeated : ndarray of float64, shape (depth, point)
        Share of the gammas that scatter more than once.
    """

    at: NDArray[np.float64]
    once: NDArray[np.float64]
    again: NDArray[np.float64]
    repeated: NDArray[np.float64]

    def shares(self, depth: float) -> NDArray[np.float64]:
        """Return the share of all gammas that leaves each energy, shape (point,)."""
        place = int(np.clip(np.searchsorted(DEPTHS, depth) - 1, 0, len(DEPTHS) - 2))
        x = (depth - DEPTHS[place]) / (DEPTHS[place + 1] - DEPTHS[place])
        single: NDArray[np.float64] = (self.once * np.exp(-depth * self.again)).sum(axis=0)
        single += (1 - x) * self.repeated[place] + x * self.repeated[place + 1]
        return single


@lru_cache(maxsize=64)
def deposits(group: EdgeGroup) -> Deposits:
    """Return what a group of lines leaves; the shares of all its lines add up to one."""
    edge = group.edge_kev
    at = np.arange(_LOWEST, max(group.lines_kev) / edge, _STEP) + _STEP / 2
    cells = np.append(at - _STEP / 2, at[-1] + _STEP / 2) * edge
    shares = np.array(group.intensities) * [float(cross_section(line)) for line in group.lines_kev]
    shares /= shares.sum()
    once, again, repeated = [], [], np.zeros((len(DEPTHS), len(at)))
    for line, share in zip(group.lines_kev, shares, strict=True):
        once.append(share * np.diff(scattered_below(cells, line)))
        again.append(cross_section(np.maximum(line - at * edge, _LEAST_PHOTON_KEV)) / cross_section(line))
        energy, density = scattered_again(line)
        repeated += [share * _STEP * edge * np.interp(at * edge, energy, each, right=0.0) for each in density]
    return Deposits(at, np.array(once), np.array(again), repeated)


def smeared(group: EdgeGroup, shape: EdgeShape, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the gammas that a detector shows between each two edges.

    Parameters
    ----------
    group : EdgeGroup
        The lines.
    shape : EdgeShape
        Of the detector.
    edges : ndarray of float64, shape (bin + 1,)
        In the unit of `shape.position`.

    Returns
    -------
    ndarray of float64, shape (bin,)
    """
    special = require_module("scipy.special", extra="analysis")
    left = deposits(group)
    sigma = shape.resolution * np.sqrt(left.at)
    below = special.ndtr((edges[:, np.newaxis] / shape.position - left.at) / sigma)
    shares: NDArray[np.float64] = np.diff(below @ left.shares(shape.depth))
    return shares


def falling(slope: float, position: float, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a background that falls as exp(-slope x / position), one in a bin as wide as the position at the edge."""
    x = edges / position - 1
    if slope == 0:
        return np.diff(x)
    bins: NDArray[np.float64] = -np.diff(np.exp(-slope * x)) / slope
    return bins
