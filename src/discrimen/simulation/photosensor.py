"""Photosensor: arrival times and charges of photoelectrons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.simulation.response import Response

FINEST_CELL_NS = 0.25
CELL_GROWTH = 0.02
_LEADING_SIGMAS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Photosensor:
    """A photomultiplier.

    Parameters
    ----------
    transit_time_spread_ns : float
        Standard deviation of the transit time in ns.
    single_electron_sigma_ns : float
        Width of the anode pulse of one photoelectron, a Gaussian, in ns.
    charge_spread : float
        Relative standard deviation of the charge of one photoelectron; the charge is gamma distributed with unit mean.
    """

    transit_time_spread_ns: float
    single_electron_sigma_ns: float
    charge_spread: float

    def charges(self, counts: NDArray[np.int64], *, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw the charge of each cell, in units of the mean single-electron charge.

        The sum of n gamma-distributed charges of shape k is gamma distributed with shape n k, so one draw a cell is
        exact, however many photoelectrons it holds.

        Parameters
        ----------
        counts : ndarray of int, any shape
            Photoelectrons in each cell.
        rng : numpy.random.Generator
            Source of the charges.
        """
        if self.charge_spread == 0:
            return counts.astype(np.float32)
        shape = 1 / self.charge_spread**2
        charges = np.zeros(counts.shape, dtype=np.float32)
        occupied = np.nonzero(counts)
        drawn = rng.standard_gamma((shape * counts[occupied]).astype(np.float32), dtype=np.float32)
        charges[occupied] = drawn / np.float32(shape)
        return charges


PHOTOMULTIPLIER = Photosensor(transit_time_spread_ns=0.8, single_electron_sigma_ns=1.5, charge_spread=0.4)
"""A fast photomultiplier as used with these scintillators; typical values, chosen, from no particular data sheet."""


def arrival_cell_edges(
    *, stop_ns: float, transit_time_spread_ns: float, coarsest_cell_ns: float
) -> NDArray[np.float64]:
    """Return the edges of the time cells that photoelectrons are counted in.

    Cells are 0.25 ns wide around the onset and grow with time to 2 % of it, where light comes slowly.

    Parameters
    ----------
    stop_ns : float
        Where the last cell ends, in ns after the onset of light.
    transit_time_spread_ns : float
        The first cell starts five of these before the onset.
    coarsest_cell_ns : float
        Upper limit of the width.

    Returns
    -------
    ndarray of float64, shape (cell + 1,)
        In ns after the onset.
    """
    if stop_ns <= 0:
        raise SettingsError(f"the record must go on after the trigger, got {stop_ns} ns; lower pretrigger_ns")
    edges = [-_LEADING_SIGMAS * transit_time_spread_ns - FINEST_CELL_NS]
    while edges[-1] < stop_ns:
        edges.append(edges[-1] + min(max(FINEST_CELL_NS, CELL_GROWTH * edges[-1]), coarsest_cell_ns))
    return np.array(edges)


def arrival_probabilities(
    edges_ns: NDArray[np.float64], decay_times_ns: tuple[float, ...], *, transit_time_spread_ns: float
) -> NDArray[np.float64]:
    """Return the probability that a photoelectron of each decay component arrives in each cell.

    Returns
    -------
    ndarray of float64, shape (component, cell)
        Rows sum to the share that arrives before the last edge; every value is positive.
    """
    rows = []
    for decay_time_ns in decay_times_ns:
        emission = Response.low_pass(decay_time_ns, sigma_ns=max(transit_time_spread_ns, 1e-3))
        rows.append(np.diff(emission.integrated().at(edges_ns)))
    return np.clip(np.array(rows), 1e-12, None)
