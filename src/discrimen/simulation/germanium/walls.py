"""How far positions lie from the walls of their segment: planes of rings and of sectors, the surface and the bore."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.simulation.germanium.crystal import Crystal

_STEP_MM = 1e-3
Values = NDArray[np.float64]


def wall_distances_mm(crystal: Crystal, positions_mm: NDArray[np.floating]) -> Values:
    """Return the distance of positions to the nearest wall of the segment around them.

    Parameters
    ----------
    crystal : Crystal
        Whose walls these are. Its back, where no contact is, counts as a wall.
    positions_mm : ndarray of float, shape (hit, 3)
        In the coordinates of the crystal.

    Returns
    -------
    ndarray of float64, shape (hit,)
        Negative outside of the crystal; NaN where a coordinate is not known.

    Raises
    ------
    DataError
        If the positions have another shape.
    """
    points = np.asarray(positions_mm, np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise DataError(f"expected positions of shape (hit, 3), got {points.shape}")
    x, y, z = points.T
    rings = np.abs(z[:, np.newaxis] - crystal.ring_edges_mm).min(axis=1)
    surface = np.minimum(np.minimum(z, crystal.length_mm - z), crystal.radius_mm - np.hypot(x, y))
    for depth in (_sides_mm(crystal, x, y, z), _bore_mm(crystal, x, y, z)):
        surface = np.minimum(surface, depth)
    between = np.minimum(rings, _sectors_mm(crystal, x, y, z))
    # What lies outside is told by how far it is from the surface, not by planes that go on there.
    nearest: Values = np.where(surface < 0, surface, np.minimum(surface, between))
    return nearest


def _corners_at(crystal: Crystal, z: Values) -> Values:
    """Return the corners of the hexagon at a depth, shape (hit, 6, 2)."""
    front, back = np.asarray(crystal.front_corners_mm), np.asarray(crystal.back_corners_mm)
    share = (z / crystal.length_mm)[:, np.newaxis, np.newaxis]
    corners: Values = front + share * (back - front)
    return corners


def _sides_mm(crystal: Crystal, x: Values, y: Values, z: Values) -> Values:
    """Return the distance to the nearest side, negative outside; sides lean, since the hexagon grows with z."""
    level, deeper = (_in_plane_mm(_corners_at(crystal, at), x, y) for at in (z, z + _STEP_MM))
    lean = (deeper - level) / _STEP_MM
    nearest: Values = (level / np.sqrt(1 + np.square(lean))).min(axis=1)
    return nearest


def _in_plane_mm(corners: Values, x: Values, y: Values) -> Values:
    """Return the distance to each side of hexagons, positive inside, shape (hit, 6)."""
    along = np.roll(corners, -1, axis=1) - corners
    across = along[..., 0] * (y[:, np.newaxis] - corners[..., 1]) - along[..., 1] * (x[:, np.newaxis] - corners[..., 0])
    centre = along[..., 1] * corners[..., 0] - along[..., 0] * corners[..., 1]
    distance: Values = np.sign(centre) * across / np.hypot(along[..., 0], along[..., 1])
    return distance


def _sectors_mm(crystal: Crystal, x: Values, y: Values, z: Values) -> Values:
    """Return the distance to the nearest half plane from the axis through the middle of a side."""
    corners = _corners_at(crystal, z)
    middles = (corners + np.roll(corners, -1, axis=1)) / 2
    ways = middles / np.linalg.norm(middles, axis=2, keepdims=True)
    along = ways[..., 0] * x[:, np.newaxis] + ways[..., 1] * y[:, np.newaxis]
    across = ways[..., 0] * y[:, np.newaxis] - ways[..., 1] * x[:, np.newaxis]
    distance: Values = np.where(along > 0, np.abs(across), np.hypot(x, y)[:, np.newaxis]).min(axis=1)
    return distance


def _bore_mm(crystal: Crystal, x: Values, y: Values, z: Values) -> Values:
    """Return the distance to the bore with its rounded end, negative in it."""
    rounding = crystal.bore_rounding_mm
    beside = np.hypot(x, y) - (crystal.bore_radius_mm - rounding)
    before = crystal.bore_start_mm + rounding - z
    outside = np.hypot(np.maximum(beside, 0), np.maximum(before, 0))
    distance: Values = outside + np.minimum(np.maximum(beside, before), 0) - rounding
    return distance
