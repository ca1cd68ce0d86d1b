"""Flight of neutrons and photons: relativistic times and energies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

LIGHT_M_PER_NS = 0.299792458
NEUTRON_MASS_MEV = 939.56542
"""Particle Data Group, Prog. Theor. Exp. Phys. 2022, 083C01."""


def light_flight_time_ns(flight_path_m: float) -> float:
    """Return how long a photon flies, in ns."""
    return flight_path_m / LIGHT_M_PER_NS


def neutron_flight_time_ns(energy_mev: ArrayLike, *, flight_path_m: float) -> NDArray[np.float64]:
    """Return how long neutrons of some kinetic energies (MeV, positive) fly, in ns; same shape.

    L / (beta c) with beta^2 = 1 - 1 / (1 + E / m c2)^2.
    """
    share = np.asarray(energy_mev, np.float64) / NEUTRON_MASS_MEV
    # As a product: 1 - 1 / (1 + share)^2 loses the digits of slow neutrons.
    beta = np.sqrt(share * (2 + share)) / (1 + share)
    return np.asarray(light_flight_time_ns(flight_path_m) / beta)


def neutron_energy_mev(flight_time_ns: NDArray[Any], *, flight_path_m: float) -> NDArray[np.float64]:
    """Return the relativistic kinetic energy, (gamma - 1) m c2, of neutrons; NaN where faster than light."""
    time = np.asarray(flight_time_ns, np.float64)
    slower = time > light_flight_time_ns(flight_path_m)
    beta = light_flight_time_ns(flight_path_m) / np.where(slower, time, np.inf)
    energy = NEUTRON_MASS_MEV * (1 / np.sqrt(1 - beta**2) - 1)
    return np.where(slower, energy, np.nan)
