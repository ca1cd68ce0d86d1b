"""Clouds of charge: the range of the electron that the gamma ray frees, diffusion and repulsion.

An electron of energy E leaves its charge over a part of its range, 412 E^(1.265 - 0.0954 ln E) mg/cm2 with E in MeV
(L. Katz and A. S. Penfold, Rev. Mod. Phys. 24 (1952) 28). Its track is so curled in germanium that the charge is taken
for a ball with a normal profile whose standard deviation along each axis is a quarter of the range: an assumption.
Charges of a sign repel each other (E. Gatti et al., NIM A 253 (1987) 393) and diffuse as A. Einstein's relation
D = mu k T / e says for the lattice at 78 K; hot carriers diffuse somewhat more.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.simulation.germanium.drift import ELECTRONS_100, HOLES_100, AxisMobility
from discrimen.simulation.germanium.potentials import PERMITTIVITY
from discrimen.simulation.germanium.signals import Charges, Field

PAIR_ENERGY_KEV = 2.96e-3
"""Energy of a pair of electron and hole in germanium at 77 K (R. H. Pehl et al., NIM 59 (1968) 45)."""

DENSITY_G_PER_CM3 = 5.323
"""Of germanium."""

_RANGE_SHARE = 0.25
_TYPICAL_FIELD_V_PER_CM = 1500.0
_THERMAL_V = 8.617333e-5 * 78
_CHARGE_V_MM = 1.602176634e-19 / (4 * math.pi * 8.8541878128e-12 * PERMITTIVITY) * 1e3
_LEAST_DEPTH_MM = 1e-3


def electron_range_mm(energy_kev: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the range of electrons in germanium in mm; energies in keV."""
    mev = np.maximum(np.asarray(energy_kev, dtype=np.float64), 1.0) / 1000
    return np.asarray(0.412 * mev ** (1.265 - 0.0954 * np.log(mev)) / DENSITY_G_PER_CM3 * 10)


def clouds(
    field: Field,
    points_mm: NDArray[np.float64],
    energies_kev: NDArray[np.float64],
    first_point: NDArray[np.int64],
    *,
    n_parts: int,
    rng: np.random.Generator,
) -> Charges:
    """Return each interaction as a cloud of equal parts.

    Parameters
    ----------
    field : Field
        The crystal; parts that would lie outside of it stay at the centre.
    points_mm : ndarray, shape (interaction, 3)
        Centres.
    energies_kev : ndarray, shape (interaction,)
        Energies, which become the amounts.
    first_point : ndarray of int64, shape (event + 1,)
        Event e holds the interactions first_point[e] to first_point[e + 1].
    n_parts : int
        Of each cloud.
    rng : numpy.random.Generator
        For the parts.

    Returns
    -------
    Charges
    """
    n = len(points_mm)
    sigma = _RANGE_SHARE * electron_range_mm(energies_kev)[:, np.newaxis]
    offset = rng.standard_normal((n, n_parts, 3))
    offset -= offset.mean(axis=1, keepdims=True)
    offset *= sigma[..., np.newaxis]
    places = points_mm[:, np.newaxis] + offset
    depths, _ = field.depths_and_segments(places.reshape(-1, 3))
    outside = depths.reshape(n, n_parts) < _LEAST_DEPTH_MM
    places[outside] = np.broadcast_to(points_mm[:, np.newaxis], places.shape)[outside]
    offset[outside] = 0
    radius = np.linalg.norm(offset, axis=2)
    direction = np.divide(offset, radius[..., np.newaxis], out=np.zeros_like(offset), where=radius[..., np.newaxis] > 0)
    within_kev = _share_within(radius / sigma) * energies_kev[:, np.newaxis]
    spreads = np.zeros((n, n_parts, 2, 6))
    for sign, mobility in enumerate((HOLES_100, ELECTRONS_100)):
        spreads[..., sign, :3] = direction
        spreads[..., sign, 3] = radius
        spreads[..., sign, 4] = np.where(radius > 0, _growth_mm3_per_ns(within_kev, mobility), 0)
        spreads[..., sign, 5] = _mobility_mm2_per_v_ns(mobility) * _THERMAL_V
    return Charges(
        points_mm=np.ascontiguousarray(places.reshape(-1, 3)),
        amounts=np.repeat(energies_kev / n_parts, n_parts),
        first_point=first_point * n_parts,
        spreads=spreads.reshape(-1, 2, 6),
        seeds=rng.integers(2**31, size=len(first_point) - 1),
    )


def _share_within(radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of a normal ball within radii in standard deviations."""
    special = require_module("scipy.special", extra="germanium")
    return np.asarray(special.erf(radius / math.sqrt(2)) - math.sqrt(2 / math.pi) * radius * np.exp(-(radius**2) / 2))


def _mobility_mm2_per_v_ns(mobility: AxisMobility) -> float:
    """Return velocity over field at a field as it is in most of a crystal."""
    field = np.array([_TYPICAL_FIELD_V_PER_CM])
    return float(mobility.velocity_mm_per_ns(field)[0] / (field[0] / 10))


def _growth_mm3_per_ns(within_kev: NDArray[np.float64], mobility: AxisMobility) -> NDArray[np.float64]:
    """Return how fast the cube of a radius grows that the charge within it drives outwards."""
    return np.asarray(3 * _mobility_mm2_per_v_ns(mobility) * _CHARGE_V_MM * within_kev / PAIR_ENERGY_KEV)
