"""Compiled geometry of a crystal: how deep a point lies, and which contact covers a place of the surface."""

from __future__ import annotations

import math
from collections import namedtuple

import numba
import numpy as np

from discrimen.simulation.germanium.crystal import Crystal

compiled = numba.njit(cache=True, nogil=True, fastmath={"nsz", "contract", "arcp", "reassoc"})
"""How the kernels of this package are compiled."""

Shape = namedtuple(
    "Shape", ["corners", "rings", "sense", "length", "radius", "bore", "bore_start", "rounding", "first"]
)
"""A crystal for the kernels: corners (end, corner, xy), edges of rings, and numbers; lengths in mm."""


def shape_of(crystal: Crystal) -> Shape:
    """Return the shape of a :class:`~discrimen.simulation.germanium.crystal.Crystal`."""
    corners = np.array([crystal.front_corners_mm, crystal.back_corners_mm], dtype=np.float64)
    front = corners[0]
    following = np.roll(front, -1, axis=0)
    area = np.sum(front[:, 0] * following[:, 1] - front[:, 1] * following[:, 0])
    return Shape(
        corners,
        crystal.ring_edges_mm,
        float(np.sign(area)),
        float(crystal.length_mm),
        float(crystal.radius_mm),
        float(crystal.bore_radius_mm),
        float(crystal.bore_start_mm),
        float(crystal.bore_rounding_mm),
        int(crystal.first_sector),
    )


@compiled
def bore_depth(x, y, z, shape):
    """Distance in mm from the bore, negative in it."""
    out = math.sqrt(x * x + y * y) - (shape.bore - shape.rounding)
    below = shape.bore_start + shape.rounding - z
    beyond = math.sqrt(max(out, 0.0) ** 2 + max(below, 0.0) ** 2)
    return beyond + min(max(out, below), 0.0) - shape.rounding


@compiled
def outer_depth(x, y, z, shape):
    """Distance in mm from front, sides and cylinder, negative outside of one."""
    depth = min(z, shape.radius - math.sqrt(x * x + y * y))
    t = z / shape.length
    for k in range(6):
        m = (k + 1) % 6
        ax = (1 - t) * shape.corners[0, k, 0] + t * shape.corners[1, k, 0]
        ay = (1 - t) * shape.corners[0, k, 1] + t * shape.corners[1, k, 1]
        bx = (1 - t) * shape.corners[0, m, 0] + t * shape.corners[1, m, 0] - ax
        by = (1 - t) * shape.corners[0, m, 1] + t * shape.corners[1, m, 1] - ay
        side = shape.sense * (bx * (y - ay) - by * (x - ax)) / math.sqrt(bx * bx + by * by)
        depth = min(depth, side)
    return depth


@compiled
def depth_mm(x, y, z, shape):
    """Distance in mm from the nearest contact, negative outside; the passivated back is none."""
    return min(outer_depth(x, y, z, shape), bore_depth(x, y, z, shape))


@compiled
def segment_at(x, y, z, shape):
    """Segment whose ring and sector hold a point."""
    ring = 0
    while ring < 5 and z >= shape.rings[ring + 1]:
        ring += 1
    t = min(max(z / shape.length, 0.0), 1.0)
    sector = 0
    for k in range(6):
        p, n = (k + 5) % 6, (k + 1) % 6
        cx = (1 - t) * shape.corners[0, k, 0] + t * shape.corners[1, k, 0]
        cy = (1 - t) * shape.corners[0, k, 1] + t * shape.corners[1, k, 1]
        fx = cx + (1 - t) * shape.corners[0, p, 0] + t * shape.corners[1, p, 0]
        fy = cy + (1 - t) * shape.corners[0, p, 1] + t * shape.corners[1, p, 1]
        lx = cx + (1 - t) * shape.corners[0, n, 0] + t * shape.corners[1, n, 0]
        ly = cy + (1 - t) * shape.corners[0, n, 1] + t * shape.corners[1, n, 1]
        if shape.sense * (fx * y - fy * x) >= 0 and shape.sense * (lx * y - ly * x) < 0:
            sector = k
    return (sector + shape.first) % 6 + 6 * ring


@compiled
def contact_at(x, y, z, shape):
    """Contact that covers the surface nearest to a point: a segment, or 36 for the core."""
    if bore_depth(x, y, z, shape) < outer_depth(x, y, z, shape):
        return 36
    return segment_at(x, y, z, shape)


@compiled
def depths_and_segments(points, shape):
    """Depths in mm and segments of points, shape (n, 3)."""
    depths = np.empty(len(points))
    segments = np.empty(len(points), np.int16)
    for i in range(len(points)):
        x, y, z = points[i]
        depths[i] = min(depth_mm(x, y, z, shape), shape.length - z)
        segments[i] = segment_at(x, y, z, shape)
    return depths, segments
