"""Compiled arithmetic of :mod:`discrimen.simulation.germanium.grid`."""

from __future__ import annotations

import numpy as np

from discrimen.simulation.germanium.shape_kernels import compiled, contact_at, depth_mm

_LEAST_ARM = 0.02


@compiled
def free_nodes(origin, counts, spacing, shape):
    """Tell which nodes lie inside the crystal, the back included."""
    free = np.zeros((counts[0], counts[1], counts[2]), np.bool_)
    for i in range(counts[0]):
        for j in range(counts[1]):
            for k in range(counts[2]):
                x, y, z = origin[0] + i * spacing, origin[1] + j * spacing, origin[2] + k * spacing
                if z <= shape.length + 1e-9 and depth_mm(x, y, z, shape) > _LEAST_ARM * spacing:
                    free[i, j, k] = True
    return free


@compiled
def _cut(x, y, z, dx, dy, dz, shape):
    """Share of a step at which the surface is crossed, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        if depth_mm(x + middle * dx, y + middle * dy, z + middle * dz, shape) > 0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@compiled
def links(nodes, row, origin, spacing, shape):
    """Rows of the six neighbours of each free node, and how far they are in spacings; the back mirrors."""
    n = len(nodes)
    neighbour = np.empty((n, 6), np.int32)
    arm = np.ones((n, 6), np.float32)
    for r in range(n):
        i, j, k = nodes[r]
        x, y, z = origin[0] + i * spacing, origin[1] + j * spacing, origin[2] + k * spacing
        for d in range(6):
            di, dj, dk = 0, 0, 0
            step = 2 * (d % 2) - 1
            if d < 2:
                di = step
            elif d < 4:
                dj = step
            else:
                dk = step
            other = row[i + di, j + dj, k + dk]
            if other >= 0:
                neighbour[r, d] = other
            elif dk == 1 and z + 0.5 * spacing > shape.length:
                neighbour[r, d] = -1
            else:
                share = _cut(x, y, z, di * spacing, dj * spacing, dk * spacing, shape)
                place = contact_at(x + share * di * spacing, y + share * dj * spacing, z + share * dk * spacing, shape)
                neighbour[r, d] = n + place
                arm[r, d] = max(share, _LEAST_ARM)
        if neighbour[r, 5] == -1:
            neighbour[r, 5] = neighbour[r, 4]
            arm[r, 5] = arm[r, 4]
    return neighbour, arm
