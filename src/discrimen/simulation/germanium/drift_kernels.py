"""Compiled drift and induced charge of :mod:`discrimen.simulation.germanium.signals`."""

from __future__ import annotations

import math

import numpy as np

from discrimen.simulation.germanium.shape_kernels import compiled, contact_at, depth_mm

STEP_NS = 1.0
_BELOW_BACK_MM = 1e-3


@compiled
def _cell(x, y, z, row, origin, spacing, rows, shares):
    """Find the eight nodes around a point and their shares in it; return whether the tables have them all."""
    u, v, w = (x - origin[0]) / spacing, (y - origin[1]) / spacing, (z - origin[2]) / spacing
    i, j, k = math.floor(u), math.floor(v), math.floor(w)
    if i < 0 or j < 0 or k < 0 or i + 1 >= row.shape[0] or j + 1 >= row.shape[1] or k + 1 >= row.shape[2]:
        return False
    fx, fy, fz = u - i, v - j, w - k
    for corner in range(8):
        a, b, c = corner & 1, (corner >> 1) & 1, corner >> 2
        r = row[i + a, j + b, k + c]
        if r < 0:
            return False
        rows[corner] = r
        shares[corner] = (fx if a else 1 - fx) * (fy if b else 1 - fy) * (fz if c else 1 - fz)
    return True


@compiled
def _velocity(rows, shares, velocities, first, out):
    """Interpolate three of the columns of velocities."""
    out[0], out[1], out[2] = 0.0, 0.0, 0.0
    for corner in range(8):
        share = shares[corner]
        for axis in range(3):
            out[axis] += share * velocities[rows[corner], first + axis]


@compiled
def _midpoint_velocity(x, y, z, first, rows, shares, velocity, row, velocities, origin, spacing, shape):
    """Find the velocity half a step on; `rows` and `shares` are those of the point."""
    _velocity(rows, shares, velocities, first, velocity)
    mx, my, mz = (x + 0.5 * STEP_NS * velocity[0], y + 0.5 * STEP_NS * velocity[1], z + 0.5 * STEP_NS * velocity[2])
    if _cell(mx, my, min(mz, shape.length - _BELOW_BACK_MM), row, origin, spacing, rows, shares):
        _velocity(rows, shares, velocities, first, velocity)


@compiled
def _add_weighting(rows, shares, weighting, amount, charge):
    """Add a charge's induced charges on all contacts."""
    r0, r1, r2, r3, r4, r5, r6, r7 = rows
    s0, s1, s2, s3 = amount * shares[0], amount * shares[1], amount * shares[2], amount * shares[3]
    s4, s5, s6, s7 = amount * shares[4], amount * shares[5], amount * shares[6], amount * shares[7]
    for c in range(charge.shape[0]):
        total = s0 * weighting[r0, c] + s1 * weighting[r1, c] + s2 * weighting[r2, c] + s3 * weighting[r3, c]
        total += s4 * weighting[r4, c] + s5 * weighting[r5, c] + s6 * weighting[r6, c] + s7 * weighting[r7, c]
        charge[c] += total


@compiled
def _collected(x, y, z, first, amount, charge, shape):
    """Leave a charge on the contact next to a point from a ns on; return the contact."""
    contact = contact_at(x, y, z, shape)
    for later in range(first, len(charge)):
        charge[later, contact] += amount
    return contact


@compiled
def _drift(start, first, sign, amount, spread, charge, row, velocities, weighting, origin, spacing, shape):
    """Drift one charge to its contact, adding what it induces at every ns to charge (ns, contact); return the contact.

    The contact is -1 where the window ends first. `spread` holds the direction in the cloud, the radius, the growth
    of its cube by repulsion in mm3/ns, and the diffusion in mm2/ns.
    """
    rows, shares = np.empty(8, np.int64), np.empty(8, np.float32)
    velocity = np.empty(3)
    x, y, z = start[0], start[1], start[2]
    radius, growth, diffusion = spread[3], spread[4], math.sqrt(2 * spread[5] * STEP_NS)
    n_steps = len(charge)
    for step in range(n_steps):
        if not _cell(x, y, z, row, origin, spacing, rows, shares):
            return _collected(x, y, z, step, sign * amount, charge, shape)
        _add_weighting(rows, shares, weighting, np.float32(sign * amount), charge[step])
        _midpoint_velocity(x, y, z, first, rows, shares, velocity, row, velocities, origin, spacing, shape)
        x, y, z = x + STEP_NS * velocity[0], y + STEP_NS * velocity[1], z + STEP_NS * velocity[2]
        if growth > 0:
            larger = (radius**3 + growth * STEP_NS) ** (1 / 3)
            x, y, z = (
                x + spread[0] * (larger - radius),
                y + spread[1] * (larger - radius),
                z + spread[2] * (larger - radius),
            )
            radius = larger
        if diffusion > 0:
            x += diffusion * np.random.standard_normal()
            y += diffusion * np.random.standard_normal()
            z += diffusion * np.random.standard_normal()
        z = min(z, shape.length - _BELOW_BACK_MM)
        if depth_mm(x, y, z, shape) <= 0:
            return _collected(x, y, z, step + 1, sign * amount, charge, shape)
    return -1


@compiled
def _respond(charge, time_constants_ns):
    """Let each channel follow its charge with a time constant, in place; the charge is straight within a ns."""
    for c in range(charge.shape[1]):
        tau = time_constants_ns[c]
        if tau <= 0:
            continue
        keep = math.exp(-STEP_NS / tau)
        rest = 1 - keep
        slope_part = STEP_NS - tau * rest
        before, follows = charge[0, c], 0.0
        for k in range(1, len(charge)):
            now = charge[k, c]
            follows = follows * keep + before * rest + (now - before) / STEP_NS * slope_part
            before = now
            charge[k, c] = follows
        charge[0, c] = 0.0


@compiled
def signals(
    points,
    amounts,
    spreads,
    first_point,
    seeds,
    onsets_ns,
    polarity,
    time_constants_ns,
    period_ns,
    row,
    velocities,
    weighting,
    origin,
    spacing,
    shape,
    traces,
    contacts,
):
    """Fill the traces (event, channel, sample) of events, each of the points first_point[e] to first_point[e + 1].

    `contacts` gets where holes and electrons of each point end, shape (point, 2).
    """
    n_channels, n_samples = traces.shape[1], traces.shape[2]
    longest = math.ceil(n_samples * period_ns) + 2
    charge = np.empty((longest, n_channels), np.float32)
    for e in range(len(first_point) - 1):
        if seeds[e] >= 0:
            np.random.seed(seeds[e])
        charge[:] = 0
        for p in range(first_point[e], first_point[e + 1]):
            contacts[p, 0] = _drift(
                points[p], 0, 1.0, amounts[p], spreads[p, 0], charge, row, velocities, weighting, origin, spacing, shape
            )
            contacts[p, 1] = _drift(
                points[p],
                3,
                -1.0,
                amounts[p],
                spreads[p, 1],
                charge,
                row,
                velocities,
                weighting,
                origin,
                spacing,
                shape,
            )
        charge[0, :] = 0
        _respond(charge, time_constants_ns)
        for s in range(n_samples):
            time = s * period_ns - onsets_ns[e]
            if time <= 0:
                traces[e, :, s] = 0
                continue
            k = min(int(time), longest - 2)
            share = np.float32(min(time - k, 1.0))
            for c in range(n_channels):
                traces[e, c, s] = polarity[c] * ((1 - share) * charge[k, c] + share * charge[k + 1, c])


@compiled
def ends(points, longest_ns, row, velocities, origin, spacing, shape, contacts):
    """Fill the contacts (point, 2) that holes and electrons of points end on, -1 after the longest time."""
    rows, shares, velocity = np.empty(8, np.int64), np.empty(8, np.float32), np.empty(3)
    for p in range(len(points)):
        for carrier in range(2):
            x, y, z = points[p, 0], points[p, 1], points[p, 2]
            contacts[p, carrier] = -1
            for _ in range(math.ceil(longest_ns / STEP_NS)):
                first = 3 * carrier
                inside = _cell(x, y, z, row, origin, spacing, rows, shares)
                if inside:
                    _midpoint_velocity(x, y, z, first, rows, shares, velocity, row, velocities, origin, spacing, shape)
                    x, y, z = x + STEP_NS * velocity[0], y + STEP_NS * velocity[1], z + STEP_NS * velocity[2]
                    z = min(z, shape.length - _BELOW_BACK_MM)
                if not inside or depth_mm(x, y, z, shape) <= 0:
                    contacts[p, carrier] = contact_at(x, y, z, shape)
                    break
