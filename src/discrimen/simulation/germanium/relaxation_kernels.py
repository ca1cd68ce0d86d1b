"""Compiled arithmetic of :mod:`discrimen.simulation.germanium.potentials`; those of a node lie side by side."""

from __future__ import annotations

import numpy as np

from discrimen.simulation.germanium.shape_kernels import compiled


@compiled
def link_weights(arm):
    """Weights of the six neighbours in the mean that a potential is, and what space charge counts in it."""
    n = len(arm)
    weights = np.empty((n, 6), np.float32)
    reach = np.empty(n, np.float32)
    for r in range(n):
        total = 0.0
        for axis in range(3):
            a, b = arm[r, 2 * axis], arm[r, 2 * axis + 1]
            total += 2 / (a * b)
        for axis in range(3):
            a, b = arm[r, 2 * axis], arm[r, 2 * axis + 1]
            weights[r, 2 * axis] = 2 / (a * (a + b)) / total
            weights[r, 2 * axis + 1] = 2 / (b * (a + b)) / total
        reach[r] = 1 / total
    return weights, reach


@compiled
def relax_rows(table, neighbour, weights, source, omega, start, stop):
    """Over-relax some rows; return the largest change."""
    electric = table.shape[1] - 1
    most = np.zeros(electric + 1, np.float32)
    for r in range(start, stop):
        n0, n1, n2, n3, n4, n5 = neighbour[r]
        w0, w1, w2, w3, w4, w5 = weights[r]
        for c in range(electric + 1):
            mean = w0 * table[n0, c] + w1 * table[n1, c] + w2 * table[n2, c]
            mean += w3 * table[n3, c] + w4 * table[n4, c] + w5 * table[n5, c]
            change = omega * (mean - table[r, c])
            table[r, c] += change
            most[c] = max(most[c], abs(change))
        table[r, electric] += omega * source[r]
    return most[:electric].max()


@compiled
def residuals(table, neighbour, weights):
    """Largest distance of each potential from the mean of its neighbours."""
    most = np.zeros(table.shape[1])
    for r in range(len(neighbour)):
        for c in range(table.shape[1]):
            mean = 0.0
            for d in range(6):
                mean += weights[r, d] * table[neighbour[r, d], c]
            most[c] = max(most[c], abs(mean - table[r, c]))
    return most


@compiled
def _beyond(table, r, d, c, neighbour, arm, n_free):
    """Value one spacing from a free node in a direction: of the neighbour, or continued through the contact."""
    other = neighbour[r, d]
    a = arm[r, d]
    if other < n_free or a >= 1:
        return table[other, c]
    back = neighbour[r, d ^ 1]
    if a < 0.5 and back < n_free:
        return table[back, c] + (table[other, c] - table[back, c]) * 2 / (1 + a)
    return table[r, c] + (table[other, c] - table[r, c]) / a


@compiled
def fill_outside(table, outside, row, neighbour, arm, n_free):
    """Continue potentials to the nodes beyond the surface, such that interpolation meets the contacts there."""
    for o in range(len(outside)):
        i, j, k = outside[o]
        target = n_free + 37 + o
        for order in range(1, 4):
            count = 0
            table[target, :] = 0
            for di in range(-1, 2):
                for dj in range(-1, 2):
                    for dk in range(-1, 2):
                        if abs(di) + abs(dj) + abs(dk) != order:
                            continue
                        a, b, g = i - di, j - dj, k - dk
                        if a < 0 or b < 0 or g < 0:
                            continue
                        if a >= row.shape[0] or b >= row.shape[1] or g >= row.shape[2]:
                            continue
                        r = row[a, b, g]
                        if r < 0 or r >= n_free:
                            continue
                        count += 1
                        for c in range(table.shape[1]):
                            value = table[r, c]
                            if di != 0:
                                value += _beyond(table, r, (di + 1) // 2, c, neighbour, arm, n_free) - table[r, c]
                            if dj != 0:
                                value += _beyond(table, r, 2 + (dj + 1) // 2, c, neighbour, arm, n_free) - table[r, c]
                            if dk != 0:
                                value += _beyond(table, r, 4 + (dk + 1) // 2, c, neighbour, arm, n_free) - table[r, c]
                            table[target, c] += value
            if count:
                for c in range(table.shape[1]):
                    table[target, c] /= count
                break


@compiled
def field_at_nodes(electric, neighbour, arm, spacing, n_rows):
    """Electric field at the free nodes, of second order where arms differ; rows beyond are zero."""
    field = np.zeros((n_rows, 3), np.float32)
    for r in range(len(neighbour)):
        for axis in range(3):
            low, high = neighbour[r, 2 * axis], neighbour[r, 2 * axis + 1]
            a, b = arm[r, 2 * axis], arm[r, 2 * axis + 1]
            if axis == 2 and low == high:
                continue
            here = electric[r]
            slope = ((electric[high] - here) * a / b + (here - electric[low]) * b / a) / (a + b)
            field[r, axis] = -slope / spacing
    return field


@compiled
def extend_field(field, outside, row, n_free):
    """Continue the field to the nodes beyond the surface, linearly from the two nodes within."""
    for o in range(len(outside)):
        i, j, k = outside[o]
        target = n_free + 37 + o
        for order in range(1, 4):
            count = 0
            field[target, :] = 0
            for di in range(-1, 2):
                for dj in range(-1, 2):
                    for dk in range(-1, 2):
                        if abs(di) + abs(dj) + abs(dk) != order:
                            continue
                        a, b, g = i - di, j - dj, k - dk
                        if a < 0 or b < 0 or g < 0:
                            continue
                        if a >= row.shape[0] or b >= row.shape[1] or g >= row.shape[2]:
                            continue
                        r = row[a, b, g]
                        if r < 0 or r >= n_free:
                            continue
                        count += 1
                        back = _row(row, a - di, b - dj, g - dk)
                        for c in range(3):
                            if 0 <= back < n_free:
                                field[target, c] += 2 * field[r, c] - field[back, c]
                            else:
                                field[target, c] += field[r, c]
            if count:
                for c in range(3):
                    field[target, c] /= count
                break


@compiled
def _row(row, i, j, k):
    """Row of a node, -1 beyond the grid."""
    if i < 0 or j < 0 or k < 0 or i >= row.shape[0] or j >= row.shape[1] or k >= row.shape[2]:
        return -1
    return row[i, j, k]
