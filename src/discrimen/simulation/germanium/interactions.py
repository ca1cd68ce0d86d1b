"""Where gamma rays leave their energy in a crystal: photoelectric absorption, Compton scattering and pairs.

A gamma ray flies from a point on the axis before the front, as from AGATA's target (235 mm), is followed from one
interaction to the next by Woodcock's method (E. Woodcock et al., ANL-7050 (1965) 557), and what leaves the crystal is
lost. Electrons are stopped where they are freed; of a positron the two quanta of 511 keV are followed. Electrons of the
atom are taken as free and at rest: no Doppler broadening.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.simulation.germanium.attenuation import (
    ELECTRON_KEV,
    compton_cm2_per_g,
    pair_cm2_per_g,
    photoelectric_cm2_per_g,
)
from discrimen.simulation.germanium.cloud import DENSITY_G_PER_CM3
from discrimen.simulation.germanium.crystal import Crystal
from discrimen.simulation.germanium.signals import Field

Floats = NDArray[np.float64]

TARGET_MM = 235.0
"""From the source to the front."""

_LEAST_KEV = 10.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Interactions:
    """What gamma rays left in a crystal, in the order of the gamma rays.

    Parameters
    ----------
    gamma : ndarray of int64, shape (interaction,)
        Which gamma ray.
    points_mm : ndarray, shape (interaction, 3)
        Where.
    energy_kev : ndarray, shape (interaction,)
        How much.
    lost_kev : ndarray, shape (gamma,)
        Energy that left the crystal, or never entered it.
    """

    gamma: NDArray[np.int64]
    points_mm: Floats
    energy_kev: Floats
    lost_kev: Floats


@dataclass(slots=True, eq=False)
class _Photons:
    """Quanta on their way."""

    gamma: NDArray[np.int64]
    energy: Floats
    place: Floats
    direction: Floats

    def taken(self, which: NDArray[np.bool_]) -> _Photons:
        return _Photons(self.gamma[which], self.energy[which], self.place[which], self.direction[which])


def follow(field: Field, energy_kev: Floats, *, rng: np.random.Generator) -> Interactions:
    """Follow gamma rays of these energies until they are absorbed or have left.

    Parameters
    ----------
    field : Field
        The crystal.
    energy_kev : ndarray, shape (gamma,)
        Of each gamma ray.
    rng : numpy.random.Generator
        Draws all.
    """
    crystal, n = field.crystal, len(energy_kev)
    place, direction = _beam(crystal, n, rng)
    photons = _Photons(np.arange(n), np.asarray(energy_kev, dtype=np.float64).copy(), place, direction)
    lost = np.zeros(n)
    deposits: list[tuple[NDArray[np.int64], Floats, Floats]] = []
    while len(photons.gamma):
        mu = _attenuation_per_mm(photons.energy)
        photons.place += photons.direction * rng.exponential(1 / mu.sum(axis=0))[:, np.newaxis]
        gone = _beyond(crystal, photons)
        np.add.at(lost, photons.gamma[gone], photons.energy[gone])
        photons, mu = photons.taken(~gone), mu[:, ~gone]
        hit = field.depths_and_segments(photons.place)[0] > 0
        between, struck, mu = photons.taken(~hit), photons.taken(hit), mu[:, hit]
        followed = _interact(struck, mu, deposits, rng)
        photons = _joined([between, *followed])
    gamma = np.concatenate([d[0] for d in deposits] or [np.zeros(0, np.int64)])
    points = np.concatenate([d[1] for d in deposits] or [np.zeros((0, 3))])
    energies = np.concatenate([d[2] for d in deposits] or [np.zeros(0)])
    order = np.argsort(gamma, kind="stable")
    return Interactions(gamma=gamma[order], points_mm=points[order], energy_kev=energies[order], lost_kev=lost)


def _interact(
    photons: _Photons, mu: Floats, deposits: list[tuple[NDArray[np.int64], Floats, Floats]], rng: np.random.Generator
) -> list[_Photons]:
    """Let photons interact where they are; return what flies on."""
    choice = rng.random(len(photons.gamma)) * mu.sum(axis=0)
    scatters = choice < mu[0]
    makes_pair = ~scatters & (choice < mu[0] + mu[1])
    after = photons.taken(scatters)
    before_kev = after.energy.copy()
    _scatter(after, rng)
    stopped = after.energy < _LEAST_KEV
    left = np.where(stopped, before_kev, before_kev - after.energy)
    deposits.append((after.gamma, after.place.copy(), left))
    pairs = photons.taken(makes_pair)
    deposits.append((pairs.gamma, pairs.place.copy(), pairs.energy - 2 * ELECTRON_KEV))
    absorbed = photons.taken(~scatters & ~makes_pair)
    deposits.append((absorbed.gamma, absorbed.place.copy(), absorbed.energy))
    one_way = _isotropic(len(pairs.gamma), rng)
    quanta = [
        _Photons(pairs.gamma, np.full(len(pairs.gamma), ELECTRON_KEV), pairs.place.copy(), way)
        for way in (one_way, -one_way)
    ]
    return [after.taken(~stopped), *quanta]


def _scatter(photons: _Photons, rng: np.random.Generator) -> None:
    """Turn photons and lower their energies as the formula of Klein and Nishina says, in place."""
    k = photons.energy / ELECTRON_KEV
    ratio = np.ones(len(k))
    todo = np.arange(len(k))
    while len(todo):
        low = 1 / (1 + 2 * k[todo])
        trial = low + (1 - low) * rng.random(len(todo))
        cosine = 1 - (1 / trial - 1) / k[todo]
        density = trial + 1 / trial - (1 - cosine**2)
        taken = rng.random(len(todo)) * (low + 1 / low) < density
        ratio[todo[taken]] = trial[taken]
        todo = todo[~taken]
    cosine = np.clip(1 - (1 / ratio - 1) / k, -1, 1)
    photons.energy *= ratio
    photons.direction[:] = _turned(photons.direction, cosine, 2 * np.pi * rng.random(len(k)))


def _turned(direction: Floats, cosine: Floats, azimuth: Floats) -> Floats:
    """Return directions turned by an angle about a random azimuth."""
    helper = np.where(np.abs(direction[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    first = np.cross(direction, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(direction, first)
    sine = np.sqrt(1 - cosine**2)
    across = np.cos(azimuth)[:, np.newaxis] * first + np.sin(azimuth)[:, np.newaxis] * second
    return np.asarray(cosine[:, np.newaxis] * direction + sine[:, np.newaxis] * across)


def _attenuation_per_mm(energy_kev: Floats) -> Floats:
    """Return the attenuation by Compton scattering, pairs and absorption, shape (3, photon)."""
    parts = (compton_cm2_per_g(energy_kev), pair_cm2_per_g(energy_kev), photoelectric_cm2_per_g(energy_kev))
    return np.stack(parts) * DENSITY_G_PER_CM3 / 10


def _beam(crystal: Crystal, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return where gamma rays reach the plane of the front, and their directions, over all that sees the crystal."""
    source = np.array([0.0, 0.0, -TARGET_MM])
    reach = crystal.radius_mm
    radius, phi = reach * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    place = np.stack([radius * np.cos(phi), radius * np.sin(phi), np.zeros(n)], axis=1)
    direction = place - source
    return place, direction / np.linalg.norm(direction, axis=1, keepdims=True)


def _beyond(crystal: Crystal, photons: _Photons) -> NDArray[np.bool_]:
    """Return which photons can meet the crystal no more: outside a box around it, or so far that it is behind them."""
    low = np.array([-crystal.radius_mm, -crystal.radius_mm, 0.0])
    high = np.array([crystal.radius_mm, crystal.radius_mm, crystal.length_mm])
    away = ((photons.place < low) & (photons.direction <= 0)) | ((photons.place > high) & (photons.direction >= 0))
    return np.asarray(away.any(axis=1))


def _isotropic(n: int, rng: np.random.Generator) -> Floats:
    way = rng.standard_normal((n, 3))
    return np.asarray(way / np.linalg.norm(way, axis=1, keepdims=True))


def _joined(parts: list[_Photons]) -> _Photons:
    return _Photons(
        np.concatenate([p.gamma for p in parts]),
        np.concatenate([p.energy for p in parts]),
        np.concatenate([p.place for p in parts]),
        np.concatenate([p.direction for p in parts]),
    )
