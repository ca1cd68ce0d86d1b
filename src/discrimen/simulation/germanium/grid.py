"""The nodes inside a crystal and how they are linked: neighbours, or contacts at the true distance of their surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError, require_module
from discrimen.simulation.germanium.crystal import Crystal


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Grid:
    """Rows of the tables of potentials: free nodes, red ones first, then 37 contacts, then nodes outside the surface.

    Parameters
    ----------
    crystal : Crystal
        What lies on the grid.
    shape : Shape
        The same for kernels.
    spacing_mm : float
        Between nodes.
    origin_mm : ndarray, shape (3,)
        Place of node (0, 0, 0).
    row : ndarray of int32, shape (x, y, z)
        Row of each node; -1 where none is needed.
    nodes : ndarray of int32, shape (free, 3)
        Indices of the free nodes.
    n_red : int
        How many of them are red: no red one is linked with another.
    neighbour : ndarray of int32, shape (free, 6)
        Rows towards -x, +x, -y, +y, -z, +z.
    arm : ndarray of float32, shape (free, 6)
        Distances to these in spacings: below 1 where a contact cuts the link.
    outside : ndarray of int32, shape (outside, 3)
        Indices of the nodes beyond the surface that cells at the surface need.
    """

    crystal: Crystal
    shape: Any
    spacing_mm: float
    origin_mm: NDArray[np.float64]
    row: NDArray[np.int32]
    nodes: NDArray[np.int32]
    n_red: int
    neighbour: NDArray[np.int32]
    arm: NDArray[np.float32]
    outside: NDArray[np.int32]

    @property
    def n_free(self) -> int:
        """Number of nodes whose potentials are sought."""
        return len(self.nodes)

    @property
    def n_rows(self) -> int:
        """Number of rows of a table."""
        return len(self.nodes) + 37 + len(self.outside)

    @property
    def z_mm(self) -> NDArray[np.float64]:
        """Depth behind the front of the free nodes, shape (free,)."""
        return np.asarray(self.origin_mm[2] + self.spacing_mm * self.nodes[:, 2])


def build_grid(crystal: Crystal, *, spacing_mm: float = 1.0) -> Grid:
    """Lay a grid over a crystal; its last plane is the back.

    Parameters
    ----------
    crystal : Crystal
        To be laid on the grid.
    spacing_mm : float
        Between nodes.

    Raises
    ------
    SettingsError
        If the spacing is not positive, or so wide that no node lies between bore and outside.
    MissingExtraError
        If numba is not installed.
    """
    require_module("numba", extra="germanium")
    from discrimen.simulation.germanium import grid_kernels, shape_kernels

    if not 0.2 <= spacing_mm <= 5:
        raise SettingsError(f"expected a grid of 0.2 to 5 mm, got {spacing_mm:g} mm")
    shape = shape_kernels.shape_of(crystal)
    origin, counts = _box(crystal, spacing_mm)
    free = grid_kernels.free_nodes(origin, counts, spacing_mm, shape)
    nodes = np.argwhere(free).astype(np.int32)
    black = nodes.sum(axis=1) % 2
    nodes = nodes[np.argsort(black, kind="stable")]
    row = np.full(free.shape, -1, dtype=np.int32)
    row[tuple(nodes.T)] = np.arange(len(nodes))
    neighbour, arm = grid_kernels.links(nodes, row, origin, spacing_mm, shape)
    outside = np.argwhere(_dilated(free) & ~free).astype(np.int32)
    row[tuple(outside.T)] = len(nodes) + 37 + np.arange(len(outside))
    return Grid(
        crystal=crystal,
        shape=shape,
        spacing_mm=spacing_mm,
        origin_mm=origin,
        row=row,
        nodes=nodes,
        n_red=int((black == 0).sum()),
        neighbour=neighbour,
        arm=arm,
        outside=outside,
    )


def _box(crystal: Crystal, spacing_mm: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the first node and the numbers of nodes along x, y, z, two beyond the crystal on each side."""
    corners = np.concatenate([crystal.front_corners_mm, crystal.back_corners_mm])
    low = np.floor(np.maximum(corners.min(axis=0), -crystal.radius_mm) / spacing_mm) - 2
    high = np.ceil(np.minimum(corners.max(axis=0), crystal.radius_mm) / spacing_mm) + 2
    n_z = int(np.ceil(crystal.length_mm / spacing_mm)) + 3
    origin = np.array([*(low * spacing_mm), crystal.length_mm - (n_z - 2) * spacing_mm])
    return origin, np.array([*(high - low + 1), n_z]).astype(np.int64)


def _dilated(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask grown by one node in all directions, corners too."""
    grown = mask.copy()
    for axis in range(3):
        before = grown.copy()
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        grown[tuple(low)] |= before[tuple(high)]
        grown[tuple(high)] |= before[tuple(low)]
    return grown
