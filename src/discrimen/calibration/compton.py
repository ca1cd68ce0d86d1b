"""Energy that gammas leave in a scintillator by Compton scattering, once and several times.

O. Klein and Y. Nishina, Z. Phys. 52 (1929) 853, for each single scattering. A scattered photon may scatter again on
its way out, and what both electrons leave is one pulse: the continuum above the edge. How often this happens depends
on the size of the detector, here one number, the *depth*: path through the detector that a scattered photon sees, in
mean free paths of the gamma before it scattered. Each further scattering sees the same path, divided by the mean free
path of its own energy. Directions are not followed; absorption without scattering counts below 20 keV only, which
holds for carbon and hydrogen.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

ELECTRON_MASS_KEV = 510.999
"""Particle Data Group, Prog. Theor. Exp. Phys. 2022, 083C01."""

DEPTHS = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 0.9, 1.2, 1.6, 2.2, 3.0])
"""For which repeated scattering is tabulated; linear in between."""

_ABSORBED_BELOW_KEV = 20.0
_CELLS = 300


def compton_edge_kev(gamma_kev: float) -> float:
    """Return the most energy that a gamma gives to an electron in one scattering."""
    return 2 * gamma_kev**2 / (ELECTRON_MASS_KEV + 2 * gamma_kev)


def scattered_below(electron_kev: ArrayLike, gamma_kev: float) -> NDArray[np.float64]:
    """Return the share of single scatterings that give an electron less than this energy; same shape.

    The integral of dsigma/dT = 2 + s^2 / (a (1 - s))^2 + s / (1 - s) (s - 2 / a), with s = T/E and a = E/mc2.
    """
    edge = compton_edge_kev(gamma_kev)
    electron = np.clip(np.asarray(electron_kev, np.float64), 0.0, edge)
    share: NDArray[np.float64] = _integral(electron, gamma_kev) / _integral(np.float64(edge), gamma_kev)
    return share


def _integral(electron_kev: NDArray[np.float64] | np.float64, gamma_kev: float) -> NDArray[np.float64]:
    a, s = gamma_kev / ELECTRON_MASS_KEV, electron_kev / gamma_kev
    log = -np.log1p(-s)
    value: NDArray[np.float64] = 2 * s + (1 / (1 - s) - 1 + s - 2 * log) / a**2 + log - s - s**2 / 2 + 2 * (s - log) / a
    return value


def cross_section(gamma_kev: ArrayLike) -> NDArray[np.float64]:
    """Return the total cross section of Klein and Nishina for one electron, in units of pi r_e^2; same shape."""
    a = np.asarray(gamma_kev, np.float64) / ELECTRON_MASS_KEV
    log = np.log1p(2 * a)
    value: NDArray[np.float64] = 2 * (
        (1 + a) / a**2 * (2 * (1 + a) / (1 + 2 * a) - log / a) + log / (2 * a) - (1 + 3 * a) / (1 + 2 * a) ** 2
    )
    return value


@lru_cache(maxsize=64)
def scattered_again(gamma_kev: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the density of the energy left by gammas that scatter twice or more, per gamma that scatters.

    Returns
    -------
    energy_kev : ndarray of float64, shape (point,)
        From 0 to the whole energy.
    density_per_kev : ndarray of float64, shape (depth, point)
        For each of :data:`DEPTHS`.
    """
    energy = np.linspace(0.0, gamma_kev, _CELLS + 1)
    lost = np.zeros((len(energy), len(energy)))
    # Cell by cell: a photon of energy number i scatters down to number r.
    for i in range(1, len(energy)):
        edges = (np.arange(i + 2) - 0.5) * energy[1]
        lost[i, i::-1] = np.diff(scattered_below(edges, float(energy[i])))
    relative = np.ones(len(energy))
    relative[1:] = cross_section(energy[1:]) / cross_section(gamma_kev)
    cells = [_left_by_repeated(lost, 1 - np.exp(-depth * relative), energy) for depth in DEPTHS]
    return energy, np.array(cells) / energy[1]


def _left_by_repeated(
    lost: NDArray[np.float64], again: NDArray[np.float64], energy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the shares of the energies left by two scatterings and more, one a cell.

    `lost[i, r]` is the share of scatterings from energy i to r, `again[r]` the probability of another one.
    """
    absorbed = energy < _ABSORBED_BELOW_KEV
    again = np.where(absorbed, 1.0, again)
    # escaping[i, c]: probability that of a photon that scattered at energy i, energy c leaves the detector.
    escaping = np.zeros_like(lost)
    escaping[absorbed, 0] = 1.0
    repeated = escaping[0]
    for i in np.flatnonzero(~absorbed):
        repeated = (lost[i, :i] * again[:i]) @ escaping[:i]
        escaping[i] = (lost[i] * (1 - again) + repeated) / (1 - lost[i, i] * again[i])
    left: NDArray[np.float64] = repeated[::-1]
    return left
