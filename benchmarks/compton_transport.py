"""Photons through a cylinder of BC501A, scattering by scattering: what they leave, from nothing that the fit knows.

Compton scattering after Klein and Nishina by rejection, directions followed; below 15 keV all is absorbed. The source
is a point on the axis. Electrons per cm3: data sheet of EJ-301 (Eljen).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ELECTRON_MASS_KEV = 510.999
ELECTRONS_PER_CM3 = 2.87e23
ELECTRON_RADIUS_CM = 2.8179e-13
ABSORBED_BELOW_KEV = 15.0


def deposits_kev(
    gamma_kev: float, n_gammas: int, *, radius_cm: float, length_cm: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the energy that each gamma which scatters in the cylinder leaves there, shape (gamma that scatters,)."""
    distance_cm = 20.0
    energy, left = np.full(n_gammas, gamma_kev), np.zeros(n_gammas)
    position, direction = _aimed(n_gammas, radius_cm, distance_cm, rng)
    alive = np.arange(n_gammas)
    while len(alive):
        path_cm = rng.exponential(1 / (ELECTRONS_PER_CM3 * _cross_section_cm2(energy[alive])))
        position[alive] += direction[alive] * path_cm[:, np.newaxis]
        x, y, z = position[alive].T
        alive = alive[(x**2 + y**2 < radius_cm**2) & (z > 0) & (z < length_cm)]
        before = energy[alive]
        after = before * _kept_share(before, rng)
        energy[alive] = after
        left[alive] += before - after
        cosine = 1 - ELECTRON_MASS_KEV * (1 / after - 1 / before)
        direction[alive] = _turned(direction[alive], cosine, rng)
        slow = after < ABSORBED_BELOW_KEV
        left[alive[slow]] += after[slow]
        alive = alive[~slow]
    return left[left > 0]


def _aimed(
    n_gammas: int, radius_cm: float, distance_cm: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where gammas of a point source enter the front face, and their directions."""
    smallest = distance_cm / np.hypot(distance_cm, radius_cm)
    cosine = smallest + (1 - smallest) * rng.random(n_gammas)
    azimuth, sine = 2 * np.pi * rng.random(n_gammas), np.sqrt(1 - cosine**2)
    direction = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)
    position = direction * (distance_cm / cosine)[:, np.newaxis]
    position[:, 2] = 0.0
    return position, direction


def _cross_section_cm2(gamma_kev: NDArray[np.float64]) -> NDArray[np.float64]:
    a = gamma_kev / ELECTRON_MASS_KEV
    wide = 1 + 2 * a
    first = (1 + a) / a**2 * (2 * (1 + a) / wide - np.log(wide) / a)
    return 2 * np.pi * ELECTRON_RADIUS_CM**2 * (first + np.log(wide) / (2 * a) - (1 + 3 * a) / wide**2)


def _kept_share(gamma_kev: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the energy of scattered photons over that before, by rejection from 1/e + e."""
    kept = np.empty(len(gamma_kev))
    open_ = np.arange(len(gamma_kev))
    while len(open_):
        a = gamma_kev[open_] / ELECTRON_MASS_KEV
        least = 1 / (1 + 2 * a)
        by_log, by_square = np.log(1 / least), (1 - least**2) / 2
        which, where, accept = rng.random((3, len(open_)))
        share = np.where(
            which < by_log / (by_log + by_square),
            np.exp(-by_log * where),
            np.sqrt(least**2 + (1 - least**2) * where),
        )
        t = (1 - share) / (a * share)
        good = accept < 1 - share * t * (2 - t) / (1 + share**2)
        kept[open_[good]] = share[good]
        open_ = open_[~good]
    return kept


def _turned(
    direction: NDArray[np.float64], cosine: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    sine, azimuth = np.sqrt(np.maximum(0, 1 - cosine**2)), 2 * np.pi * rng.random(len(cosine))
    helper = np.where(np.abs(direction[:, 2:]) < 0.99, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    across = np.cross(direction, helper)
    across /= np.linalg.norm(across, axis=1)[:, np.newaxis]
    other = np.cross(direction, across)
    return (
        cosine[:, np.newaxis] * direction
        + (sine * np.cos(azimuth))[:, np.newaxis] * across
        + (sine * np.sin(azimuth))[:, np.newaxis] * other
    )
