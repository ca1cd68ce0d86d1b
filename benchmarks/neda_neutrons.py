"""Neutrons of Cf-252 in one NEDA cell: every scattering on hydrogen and carbon, what light it gives and when.

The cell is a cylinder of BC501A with the base of the hexagon (146 mm from side to side; Valiente-Dobon et al., NIM A
927 (2019) 81) and 205 mm deep; neutrons enter its front face along the axis. Hydrogen scatters isotropically in the
centre of mass with the cross section of the effective-range formula of Gammel (in Marion and Fowler, Fast Neutron
Physics II, 1963); carbon with a rough table without resonances, isotropically too. A carbon gives 1 % of its energy as
light, with the tail of the slowest protons that were measured; above 4.8 MeV one collision with carbon in five leaves
4.44 MeV to a gamma, which leaves the cell. Those numbers of carbon are chosen. Walls are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.simulation.kinematics import LIGHT_M_PER_NS, NEUTRON_MASS_MEV
from discrimen.simulation.scintillator import LightOutput
from discrimen.simulation.sources import cf252_neutron_density

HYDROGEN_PER_BARN_CM, CARBON_PER_BARN_CM = 0.0482, 0.0398
"""Atoms of EJ-301 in 1e24/cm3 (Eljen, data sheet)."""
RADIUS_CM, DEPTH_CM = 14.6 * np.sqrt(np.sqrt(3) / 2 / np.pi), 20.5
_CARBON_MEV = (0.01, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0)
_CARBON_BARN = (4.7, 3.4, 2.6, 2.1, 1.7, 1.5, 1.9, 1.3, 1.2, 1.1, 1.3)
_CARBON_LIGHT, _CARBON_AS_PROTON_MEV = 0.01, 0.57
_INELASTIC_MEV, _INELASTIC_SHARE = 4.8, 0.2
_LOWEST_MEV = 0.05
_KEPT = 6


@dataclass(frozen=True, slots=True, eq=False)
class Recoils:
    """Recoils of neutrons in order of their light, the first of each at time 0.

    Parameters
    ----------
    light_kevee : ndarray of float64, shape (neutron,)
        Of all recoils, rising.
    share : ndarray of float64, shape (neutron, recoil)
        Of the light; 0 where there is none.
    energy_mev : ndarray of float64, shape (neutron, recoil)
        Of the proton; a carbon has that of a proton with its tail.
    time_ns : ndarray of float64, shape (neutron, recoil)
        After the first recoil.
    """

    light_kevee: NDArray[np.float64]
    share: NDArray[np.float64]
    energy_mev: NDArray[np.float64]
    time_ns: NDArray[np.float64]

    def like(self, light_kevee: NDArray[np.float64], *, rng: np.random.Generator) -> Recoils:
        """Draw for each light one neutron of nearly this light (among the nearest 200)."""
        at = np.searchsorted(self.light_kevee, light_kevee) + rng.integers(-100, 100, len(light_kevee))
        at = np.clip(at, 0, len(self.light_kevee) - 1)
        return Recoils(light_kevee, self.share[at], self.energy_mev[at], self.time_ns[at])


def hydrogen_barn(energy_mev: NDArray[np.float64]) -> NDArray[np.float64]:
    triplet = 1.206 * energy_mev + (-1.86 + 0.09415 * energy_mev + 0.0001306 * energy_mev**2) ** 2
    singlet = 1.206 * energy_mev + (0.4223 + 0.13 * energy_mev) ** 2
    return np.asarray(3 * np.pi / triplet + np.pi / singlet)


def recoils_in_a_cell(light_output: LightOutput, *, n_neutrons: int, seed: int) -> Recoils:
    rng = np.random.default_rng(seed)
    grid = np.linspace(0.1, 15, 4000)
    density = np.cumsum(cf252_neutron_density(grid))
    energy = np.interp(rng.random(n_neutrons), density / density[-1], grid)
    radius, angle = RADIUS_CM * np.sqrt(rng.random(n_neutrons)), 2 * np.pi * rng.random(n_neutrons)
    place = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(n_neutrons)], axis=1)
    way = np.tile([0.0, 0.0, 1.0], (n_neutrons, 1))
    time, n_kept = np.zeros(n_neutrons), np.zeros(n_neutrons, np.int64)
    light, proton, when = (np.zeros((n_neutrons, _KEPT)) for _ in range(3))
    alive = np.arange(n_neutrons)
    while len(alive):
        e = energy[alive]
        hydrogen = HYDROGEN_PER_BARN_CM * hydrogen_barn(e)
        carbon = CARBON_PER_BARN_CM * np.interp(e, _CARBON_MEV, _CARBON_BARN)
        step = rng.exponential(1 / (hydrogen + carbon))
        place[alive] += step[:, None] * way[alive]
        time[alive] += step / _speed_cm_per_ns(e)
        there = place[alive]
        inside = (np.hypot(there[:, 0], there[:, 1]) < RADIUS_CM) & (there[:, 2] > 0) & (there[:, 2] < DEPTH_CM)
        alive, e = alive[inside], e[inside]
        on_hydrogen = rng.random(len(alive)) < (hydrogen / (hydrogen + carbon))[inside]
        mass = np.where(on_hydrogen, 1.0, 12.0)
        cosine = 2 * rng.random(len(alive)) - 1
        left = e * (mass**2 + 1 + 2 * mass * cosine) / (mass + 1) ** 2
        inelastic = ~on_hydrogen & (e > _INELASTIC_MEV) & (rng.random(len(alive)) < _INELASTIC_SHARE)
        recoil = np.where(inelastic, 0.0, e - left)
        left = np.where(inelastic, np.maximum(left - 4.44, 0.01), left)
        slot, room = n_kept[alive], n_kept[alive] < _KEPT
        rows, columns = alive[room], slot[room]
        from_proton = np.maximum(light_output.light_kevee(recoil), 0)
        light[rows, columns] = np.where(on_hydrogen, from_proton, 1000 * _CARBON_LIGHT * recoil)[room]
        proton[rows, columns] = np.where(on_hydrogen, np.maximum(recoil, 0.02), _CARBON_AS_PROTON_MEV)[room]
        when[rows, columns] = time[rows]
        n_kept[rows] += 1
        lab = (1 + mass * cosine) / np.sqrt(mass**2 + 1 + 2 * mass * cosine)
        way[alive] = _turned(way[alive], np.clip(lab, -1, 1), 2 * np.pi * rng.random(len(alive)))
        energy[alive] = left
        alive = alive[left > _LOWEST_MEV]
    return _in_order(light, proton, when)


def _in_order(light: NDArray[np.float64], proton: NDArray[np.float64], when: NDArray[np.float64]) -> Recoils:
    total = light.sum(axis=1)
    seen = np.flatnonzero(total > 15)
    order = seen[np.argsort(total[seen])]
    lit = light[order] > 0.5
    first = np.where(lit, when[order], np.inf).min(axis=1, keepdims=True)
    share = np.where(lit, light[order], 0.0)
    share /= share.sum(axis=1, keepdims=True)
    # Those that give light come first, so that the rest can be left out at once.
    places = np.argsort(~lit, axis=1, kind="stable")
    take = [np.take_along_axis(values, places, axis=1) for values in (share, proton[order], when[order] - first)]
    return Recoils(total[order], *take)


def _speed_cm_per_ns(energy_mev: NDArray[np.float64]) -> NDArray[np.float64]:
    share = energy_mev / NEUTRON_MASS_MEV
    return np.asarray(100 * LIGHT_M_PER_NS * np.sqrt(share * (2 + share)) / (1 + share))


def _turned(way: NDArray[np.float64], cosine: NDArray[np.float64], turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn directions by a polar angle of this cosine and any azimuth."""
    other = np.where(np.abs(way[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    across = np.cross(way, other)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    sine = np.sqrt(1 - cosine**2)[:, None]
    up = np.cross(way, across)
    return np.asarray(cosine[:, None] * way + sine * (np.cos(turn)[:, None] * across + np.sin(turn)[:, None] * up))
