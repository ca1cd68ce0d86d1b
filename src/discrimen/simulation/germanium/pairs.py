"""Two interactions in one segment, at a known distance and share of the energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.simulation.germanium.signals import Field

LEAST_DEPTH_MM = 0.05
"""So deep under the surface an interaction lies at least."""

_MOST_TRIES = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Hits of two interactions whose charge one segment collects.

    Parameters
    ----------
    share_of_hits : float
        Share of the hits that are such; the others have one interaction.
    second_share : tuple of float
        Least and largest share of the energy that the second interaction has, even between them; half at most.
    distance_mm : tuple of float
        Least and largest distance of the two, even between them.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    share_of_hits: float = 1.0
    second_share: tuple[float, float] = (0.1, 0.5)
    distance_mm: tuple[float, float] = (2.0, 20.0)

    def __post_init__(self) -> None:
        if not 0 < self.share_of_hits <= 1:
            raise SettingsError(f"the share of pairs must be above 0 and at most 1, got {self.share_of_hits:g}")
        low, high = self.second_share
        if not 0 < low <= high <= 0.5:
            raise SettingsError(
                f"the second interaction has a share above 0 and at most 0.5 of the energy, got {low:g} to {high:g}"
            )
        low, high = self.distance_mm
        if not 0 < low <= high < np.inf:
            raise SettingsError(f"distances of pairs must be above 0 and rise, got {low:g} to {high:g} mm")


def places_inside(electric: Field, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw places, even in the volume of a crystal, shape (place, 3)."""
    crystal = electric.crystal
    box = np.array([crystal.radius_mm, crystal.radius_mm, crystal.length_mm])
    found = np.zeros((0, 3))
    while len(found) < n:
        trial = (rng.random((2 * n + 64, 3)) - [0.5, 0.5, 0]) * box * [2, 2, 1]
        depths, _ = electric.depths_and_segments(trial)
        found = np.concatenate([found, trial[depths > LEAST_DEPTH_MM]])
    return found[:n]


def places_of_pairs(
    electric: Field, n: int, pairs: Pairs, rng: np.random.Generator, *, longest_ns: float, n_threads: int = 2
) -> NDArray[np.float64]:
    """Draw both places of pairs in one segment.

    The distance is drawn first; then places even in the volume and directions even in the sphere, until one segment
    collects both.

    Parameters
    ----------
    electric : Field
        The crystal.
    n : int
        How many.
    pairs : Pairs
        Their distances.
    rng : Generator
        Draws.
    longest_ns : float
        By when the charge must have arrived.
    n_threads : int
        Threads to use.

    Returns
    -------
    ndarray of float64, shape (pair, 2, 3)

    Raises
    ------
    SettingsError
        If a distance has no place in a segment.
    """
    low, high = pairs.distance_mm
    distance = low + (high - low) * rng.random(n)
    places = np.empty((n, 2, 3))
    left = np.arange(n)
    for _ in range(_MOST_TRIES):
        first = places_inside(electric, len(left), rng)
        direction = rng.standard_normal((len(left), 3))
        second = first + (distance[left] / np.linalg.norm(direction, axis=1))[:, None] * direction
        at = np.flatnonzero(electric.depths_and_segments(second)[0] > LEAST_DEPTH_MM)
        both = np.stack([first[at], second[at]], axis=1)
        segments = electric.collecting_segments(both.reshape(-1, 3), longest_ns=longest_ns, n_threads=n_threads)
        one, other = segments.reshape(-1, 2).T
        alike = (one == other) & (one >= 0)
        places[left[at[alike]]] = both[alike]
        left = np.delete(left, at[alike])
        if not len(left):
            return places
    raise SettingsError(
        f"two interactions {distance[left].max():.3g} mm apart found no place in one segment of "
        f"{electric.crystal.name} in {_MOST_TRIES} tries: give smaller distances"
    )
