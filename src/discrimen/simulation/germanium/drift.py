"""Drift velocities of electrons and holes in germanium at 78 K, which depend on the direction in the lattice.

Along <100> and <111> the velocity is mu0 E / (1 + (E/E0)^b)^(1/b) - mu_n E (D. M. Caughey and R. E. Thomas, Proc. IEEE
55 (1967) 2192; L. Mihailescu et al., NIM A 447 (2000) 350), with what B. Bruyneel, P. Reiter and G. Pascovici measured
(NIM A 569 (2006) 764). Between these directions electrons follow the four valleys of the conduction band (Mihailescu),
holes the polynomials of Bruyneel's paper. The constants were checked against those of SolidStateDetectors.jl
(I. Abt et al., JINST 16 (2021) P08007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MM_PER_NS = 1e-8
"""One cm/s in mm/ns."""

LONGITUDINAL_MASS, TRANSVERSE_MASS = 1.64, 0.0819
"""Effective masses in a valley, in electron masses."""

_OMEGA = (-0.29711, -1.12082, 3.83929, 4.80825)


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisMobility:
    """Velocity along one direction of the lattice.

    Parameters
    ----------
    mu0_cm2_per_vs, saturation_v_per_cm, exponent, mun_cm2_per_vs : float
        mu0, E0, b and mu_n of the formula above.
    """

    mu0_cm2_per_vs: float
    exponent: float
    saturation_v_per_cm: float
    mun_cm2_per_vs: float = 0.0

    def velocity_mm_per_ns(self, field_v_per_cm: Floats) -> Floats:
        """Return the velocity at field strengths in V/cm."""
        bent = (1 + (field_v_per_cm / self.saturation_v_per_cm) ** self.exponent) ** (1 / self.exponent)
        return np.asarray((self.mu0_cm2_per_vs / bent - self.mun_cm2_per_vs) * field_v_per_cm * _MM_PER_NS)


ELECTRONS_100 = AxisMobility(mu0_cm2_per_vs=38609, exponent=0.805, saturation_v_per_cm=511, mun_cm2_per_vs=-171)
ELECTRONS_111 = AxisMobility(mu0_cm2_per_vs=38536, exponent=0.641, saturation_v_per_cm=538, mun_cm2_per_vs=510)
HOLES_100 = AxisMobility(mu0_cm2_per_vs=61824, exponent=0.942, saturation_v_per_cm=185)
HOLES_111 = AxisMobility(mu0_cm2_per_vs=61215, exponent=0.662, saturation_v_per_cm=182)


def electron_velocities(field_v_per_mm: NDArray[np.floating], *, lattice_angle_deg: float) -> Floats:
    """Return drift velocities of electrons.

    Parameters
    ----------
    field_v_per_mm : ndarray, shape (n, 3)
        Electric field.
    lattice_angle_deg : float
        Angle from the x axis to <100>; <001> is along z.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        In mm/ns; zero where there is no field.
    """
    strength, direction = _in_lattice(field_v_per_mm, lattice_angle_deg)
    along_100 = ELECTRONS_100.velocity_mm_per_ns(strength)
    along_111 = ELECTRONS_111.velocity_mm_per_ns(strength)
    light, heavy = 1 / TRANSVERSE_MASS, 1 / LONGITUDINAL_MASS
    scale = along_100 / np.sqrt((2 * light + heavy) / 3)
    # Along <111> one valley is heavy and three are alike; their populations follow from the velocity there.
    alike = np.sqrt((8 * light + heavy) / 9)
    share = np.divide(along_111, scale, out=np.full_like(scale, alike), where=scale > 0)
    share = (share - alike) / (np.sqrt(heavy) - alike)
    equal_mobility_share = (1 / np.sqrt(heavy)) / (1 / np.sqrt(heavy) + 3 / alike)
    repopulation = (share - 0.25) / (equal_mobility_share - 0.25)
    inverse_masses = [
        _valley(axis, light=light, heavy=heavy) for axis in ((1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1))
    ]
    pulls = [direction @ inverse for inverse in inverse_masses]
    speeds = [np.sqrt(np.einsum("ni,ni->n", pull, direction)) for pull in pulls]
    total = sum(1 / np.maximum(speed, 1e-12) for speed in speeds)
    velocity = np.zeros_like(direction)
    for pull, speed in zip(pulls, speeds, strict=True):
        slow = np.maximum(speed, 1e-12)
        population = repopulation * (1 / slow / total - 0.25) + 0.25
        velocity -= (scale * population / slow)[:, np.newaxis] * pull
    return _out_of_lattice(velocity, lattice_angle_deg)


def hole_velocities(field_v_per_mm: NDArray[np.floating], *, lattice_angle_deg: float) -> Floats:
    """Return drift velocities of holes; see :func:`electron_velocities`."""
    strength, direction = _in_lattice(field_v_per_mm, lattice_angle_deg)
    along_100 = HOLES_100.velocity_mm_per_ns(strength)
    along_111 = HOLES_111.velocity_mm_per_ns(strength)
    slower = 1 - np.divide(along_111, along_100, out=np.ones_like(strength), where=along_100 > 0)
    omega = sum(p * slower ** (n + 1) for n, p in enumerate(_OMEGA))
    cos_t = direction[:, 2]
    sin_t = np.hypot(direction[:, 0], direction[:, 1])
    phi = np.arctan2(direction[:, 1], direction[:, 0])
    sin_2t, cos_2t = 2 * sin_t * cos_t, cos_t**2 - sin_t**2
    sin_2p, cos_2p = np.sin(2 * phi), np.cos(2 * phi)
    radial = along_100 * (1 - 0.75 * slower * (sin_t**4 * sin_2p**2 + sin_2t**2))
    polar = along_100 * omega * (2 * sin_t**3 * cos_t * sin_2p**2 + 2 * sin_2t * cos_2t)
    azimuthal = along_100 * omega * 2 * sin_t**3 * sin_2p * cos_2p
    e_t = np.stack([cos_t * np.cos(phi), cos_t * np.sin(phi), -sin_t], axis=1)
    e_p = np.stack([-np.sin(phi), np.cos(phi), np.zeros_like(phi)], axis=1)
    velocity = radial[:, np.newaxis] * direction + polar[:, np.newaxis] * e_t + azimuthal[:, np.newaxis] * e_p
    return _out_of_lattice(velocity, lattice_angle_deg)


def _valley(axis: tuple[int, int, int], *, light: float, heavy: float) -> Floats:
    """Return the tensor of inverse masses of the valley along an axis."""
    unit = np.array(axis) / np.sqrt(3)
    return np.asarray(light * np.eye(3) + (heavy - light) * np.outer(unit, unit))


def _in_lattice(field_v_per_mm: NDArray[np.floating], angle_deg: float) -> tuple[Floats, Floats]:
    """Return field strengths in V/cm and directions in the axes of the lattice."""
    field = _turned(np.asarray(field_v_per_mm, dtype=np.float64), -angle_deg)
    strength = np.linalg.norm(field, axis=1)
    direction = np.divide(field, strength[:, np.newaxis], out=np.zeros_like(field), where=strength[:, np.newaxis] > 0)
    return 10 * strength, direction


def _out_of_lattice(velocity: Floats, angle_deg: float) -> Floats:
    return _turned(velocity, angle_deg)


def _turned(vectors: Floats, angle_deg: float) -> Floats:
    """Turn vectors about z."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.stack(
        [c * vectors[:, 0] - s * vectors[:, 1], s * vectors[:, 0] + c * vectors[:, 1], vectors[:, 2]], axis=1
    )
