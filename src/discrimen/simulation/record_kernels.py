"""Compiled arithmetic of :mod:`discrimen.simulation.record_likelihood`; importing this module needs numba."""

from __future__ import annotations

import math

import numba
import numpy as np

_STEPS = 40
_CLOSE = 1e-3
_NEAREST_POLE = 0.25
_FAR_BELOW = 8.0
_MOST_ONSETS = 64
_LEAST_PROBABILITY = 1e-30

_compiled = numba.njit(cache=True, nogil=True, fastmath={"nsz", "contract", "arcp", "reassoc"})


@_compiled
def _moment(x, shape, order):
    """Return a derivative of the moment generating function of one charge: a gamma distribution with unit mean."""
    if shape == np.inf:
        return math.exp(x)
    factor = 1.0
    for m in range(order):
        factor *= (shape + m) / shape
    return factor * math.exp(-(shape + order) * math.log1p(-x / shape))


@_compiled
def _factor(band):
    """Cholesky factor of a symmetric band matrix, in place: band[i, d] is element (i, i - d)."""
    n, width = band.shape
    for i in range(n):
        for d in range(min(width - 1, i), -1, -1):
            j = i - d
            total = band[i, d]
            for m in range(1, width - d):
                if j - m < 0:
                    break
                total -= band[i, d + m] * band[j, m]
            band[i, d] = math.sqrt(total) if d == 0 else total / band[j, 0]


@_compiled
def _solve(band, vector, out):
    """Solve with the factor of :func:`_factor`."""
    n, width = band.shape
    for i in range(n):
        total = vector[i]
        for d in range(1, min(width, i + 1)):
            total -= band[i, d] * out[i - d]
        out[i] = total / band[i, 0]
    for i in range(n - 1, -1, -1):
        total = out[i]
        for d in range(1, min(width, n - i)):
            total -= band[i + d, d] * out[i + d]
        out[i] = total / band[i, 0]


@_compiled
def _project(tilt, starts, responses, begin, x):
    """Tilt of each cell: the response of one photoelectron times the tilt of the samples."""
    n = len(tilt)
    for c in range(len(starts)):
        first, total = starts[c] - begin, 0.0
        for b in range(responses.shape[1]):
            i = first + b
            if 0 <= i < n:
                total += responses[c, b] * tilt[i]
        x[c] = total


@_compiled
def _descend(wave, tilt, x, rates, shape, variance, offset_variance, starts, responses, begin, gradient, band):
    """Value, gradient and the banded part of the curvature of K(t) - t . wave."""
    n, width = band.shape
    total, square, cross = 0.0, 0.0, 0.0
    for i in range(n):
        total += tilt[i]
        square += tilt[i] * tilt[i]
        cross += tilt[i] * wave[i]
    for i in range(n):
        gradient[i] = variance * tilt[i] + offset_variance * total - wave[i]
    value = 0.5 * (variance * square + offset_variance * total * total) - cross
    band[:] = 0.0
    band[:, 0] = variance
    for c in range(len(x)):
        first = starts[c] - begin
        grown = _moment(x[c], shape, 0)
        value += rates[c] * (grown - 1.0)
        near = 1.0 if shape == np.inf else 1.0 / (1.0 - x[c] / shape)
        slope = rates[c] * grown * near
        curvature = slope * near if shape == np.inf else slope * near * (shape + 1.0) / shape
        for b in range(max(0, -first), min(width, n - first)):
            i, response = first + b, responses[c, b]
            gradient[i] += slope * response
            scaled = curvature * response
            for d in range(min(b, i) + 1):
                band[i, d] += scaled * responses[c, b - d]
    return value


@_compiled
def _saddlepoint(wave, tilt, rates, shape, variance, offset_variance, starts, responses, begin, work):
    """Return the log density of a record by the saddlepoint; `tilt` starts the search and ends as its place."""
    x, moved, gradient, step, ones, band = work
    n = len(tilt)
    value = np.inf
    size = 1.0
    for _ in range(_STEPS):
        _project(tilt, starts, responses, begin, x)
        now = _descend(wave, tilt, x, rates, shape, variance, offset_variance, starts, responses, begin, gradient, band)
        if now > value + 1e-9:
            # Too far: back to half of the last step.
            size *= 0.5
            for i in range(n):
                tilt[i] -= size * step[i]
            continue
        value = now
        _factor(band)
        for i in range(n):
            ones[i] = 1.0
        _solve(band, ones, ones)
        _solve(band, gradient, step)
        share = offset_variance * step.sum() / (1.0 + offset_variance * ones.sum())
        decrement = 0.0
        for i in range(n):
            step[i] = -(step[i] - share * ones[i])
            decrement -= gradient[i] * step[i]
        if decrement < _CLOSE:
            break
        size = 1.0
        if shape != np.inf:
            _project(step, starts, responses, begin, moved)
            for c in range(len(x)):
                if moved[c] > 0:
                    size = min(size, (1 - _NEAREST_POLE) * (shape - x[c]) / moved[c])
        for i in range(n):
            tilt[i] += size * step[i]
    log_determinant = math.log(1.0 + offset_variance * ones.sum())
    for i in range(n):
        log_determinant += 2.0 * math.log(band[i, 0])
    return value - 0.5 * decrement - 0.5 * log_determinant - 0.5 * n * math.log(2 * math.pi)


@_compiled
def _correction(rates, shape, offset_variance, starts, responses, begin, work):
    """Second order of the saddlepoint approximation at the place where :func:`_saddlepoint` ended."""
    x, _, _, _, ones, band = work
    n, n_cells = len(ones), len(x)
    solved = np.zeros((n_cells, n))
    column = np.zeros(n)
    for c in range(n_cells):
        column[:] = 0.0
        for b in range(responses.shape[1]):
            i = starts[c] - begin + b
            if 0 <= i < n:
                column[i] = responses[c, b]
        _solve(band, column, solved[c])
        share = offset_variance * solved[c].sum() / (1.0 + offset_variance * ones.sum())
        for i in range(n):
            solved[c, i] -= share * ones[i]
    third, own = np.empty(n_cells), np.empty(n_cells)
    fourth_sum = 0.0
    inner = np.empty((n_cells, n_cells))
    for c in range(n_cells):
        _project(solved[c], starts, responses, begin, inner[c])
        own[c] = inner[c, c]
        third[c] = rates[c] * _moment(x[c], shape, 3)
        fourth_sum += rates[c] * _moment(x[c], shape, 4) * own[c] ** 2
    pairs = 0.0
    for c in range(n_cells):
        for d in range(n_cells):
            h = inner[c, d]
            pairs += third[c] * third[d] * (own[c] * h * own[d] / 8 + h * h * h / 12)
    return fourth_sum / 8 - pairs


@_compiled
def _crossing(rates, shape, offset_variance, starts, responses, begin, trigger, step_ns, first_ns, fraction, work):
    """Where the trigger fires after the onset, by the expected charges, and the variance of that time."""
    x, _, gradient, solved, ones, band = work
    n_early, n_points = trigger.shape
    leading = np.zeros(n_points)
    for c in range(n_early):
        charge = rates[c] * _moment(x[c], shape, 1)
        for p in range(n_points):
            leading[p] += charge * trigger[c, p]
    top = leading.argmax()
    threshold = fraction * leading[top]
    after = 0
    while leading[after] < threshold:
        after += 1
    before = max(after - 1, 0)
    slope = (leading[after] - leading[before]) / step_ns
    if slope <= 0:
        return first_ns, 100.0
    place = first_ns + step_ns * (before + (threshold - leading[before]) / (slope * step_ns))
    variance = 0.0
    gradient[:] = 0.0
    for c in range(n_early):
        spread = rates[c] * _moment(x[c], shape, 2)
        share = (threshold - leading[before]) / (slope * step_ns)
        at = (1 - share) * trigger[c, before] + share * trigger[c, after]
        weight = (fraction * trigger[c, top] - at) / slope
        variance += weight * weight * spread
        for b in range(responses.shape[1]):
            i = starts[c] - begin + b
            if 0 <= i < len(gradient):
                gradient[i] += weight * spread * responses[c, b]
    _solve(band, gradient, solved)
    share = offset_variance * solved.sum() / (1.0 + offset_variance * ones.sum())
    for i in range(len(gradient)):
        variance -= gradient[i] * (solved[i] - share * ones[i])
    return place, max(variance, 0.0)


@_compiled
def _normal(value):
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


@_compiled
def _seen_at(onset, tables):
    """Return starts and responses of the cells at an onset, and where the record begins in their count."""
    starts, responses, onset_sample, begin = tables
    shift = onset // starts.shape[0]
    phase = onset - shift * starts.shape[0]
    return starts[phase], responses[phase], begin - shift + onset_sample


@_compiled
def _over_light(wave, rates, log_weights, tilts, seen, physics, work):
    """Log of the integral over the light at one onset, and its highest node, where the work space is left."""
    starts, responses, first = seen
    shape, variance, offset_variance = physics
    logs = np.empty(len(log_weights))
    for node in range(len(logs)):
        logs[node] = log_weights[node] + _saddlepoint(
            wave, tilts[node], rates[node], shape, variance, offset_variance, starts, responses, first, work
        )
    top = logs.argmax()
    # Solved again, the search ends at once.
    _saddlepoint(wave, tilts[top], rates[top], shape, variance, offset_variance, starts, responses, first, work)
    return logs[top] + math.log(np.exp(logs - logs[top]).sum()), top


@_compiled
def _log_in_period(onset, rates, seen, physics, trigger_kernel, trigger, work):
    """Log probability that the trigger falls into its period, given the record and the onset."""
    starts, responses, first = seen
    step_ns, first_ns, fraction, earliest_ns, latest_ns, onset_step_ns = trigger
    after_ns, spread = _crossing(
        rates, physics[0], physics[2], starts, responses, first, trigger_kernel, step_ns, first_ns, fraction, work
    )
    # An onset is rounded to a step.
    sigma_ns = math.sqrt(spread + onset_step_ns**2 / 12)
    at_ns = onset * onset_step_ns + after_ns
    inside = _normal((latest_ns - at_ns) / sigma_ns) - _normal((earliest_ns - at_ns) / sigma_ns)
    return math.log(max(inside, _LEAST_PROBABILITY))


@_compiled
def _log_evidence(wave, near, stride, rates, log_weights, tables, physics, trigger_kernel, trigger, second_order):
    """Log density of one record: see :func:`log_evidences`."""
    n, n_nodes, n_cells = len(wave), rates.shape[0], rates.shape[1]
    work = (
        np.zeros(n_cells),
        np.zeros(n_cells),
        np.zeros(n),
        np.zeros(n),
        np.zeros(n),
        np.zeros((n, tables[1].shape[2])),
    )
    middle, tilts, best_tilt = np.zeros((n_nodes, n)), np.zeros((n_nodes, n)), np.zeros(n)
    logs = np.full(2 * _MOST_ONSETS + 1, -np.inf)
    best, best_onset, best_node = -np.inf, near, 0
    for side in (1, -1):
        tilts[:] = middle
        for k in range(0 if side == 1 else 1, _MOST_ONSETS + 1):
            onset = near + side * k * stride
            seen = _seen_at(onset, tables)
            value, node = _over_light(wave, rates, log_weights, tilts, seen, physics, work)
            at = _MOST_ONSETS + side * k
            logs[at] = value + _log_in_period(onset, rates[node], seen, physics, trigger_kernel, trigger, work)
            if k == 0:
                middle[:] = tilts
            if logs[at] > best:
                best, best_onset, best_node = logs[at], onset, node
                best_tilt[:] = tilts[node]
            elif value < best - _FAR_BELOW:
                break
    first_order = best + math.log(np.exp(logs - best).sum() * stride)
    if not second_order:
        return first_order, 0.0
    starts, responses, first = _seen_at(best_onset, tables)
    shape, variance, offset_variance = physics
    chosen = rates[best_node]
    _saddlepoint(wave, best_tilt, chosen, shape, variance, offset_variance, starts, responses, first, work)
    return first_order, _correction(chosen, shape, offset_variance, starts, responses, first, work)


@_compiled
def log_evidences(waves, nears, strides, rates, log_weights, tables, physics, trigger_kernel, trigger, second_order):
    """Log densities of records under one class, over light, onset, baseline and all photoelectrons.

    Parameters
    ----------
    waves : ndarray of float64, shape (pulse, sample)
        Upright, above the expected baseline.
    nears, strides : ndarray of int64, shape (pulse,)
        Where the search for the onset starts, and its step, in steps of the phase.
    rates : ndarray of float64, shape (pulse, node, cell)
        Expected photoelectrons at each node of the light.
    log_weights : ndarray of float64, shape (pulse, node)
        Log of the prior times the weight of the quadrature.
    tables : tuple
        Starts (phase, cell) and responses (phase, cell, sample) of a photoelectron, onset sample, first sample.
    physics : tuple of float
        Shape of the distribution of a charge, variance of a sample, variance of the baseline.
    trigger_kernel : ndarray of float64, shape (early cell, point)
        Leading pulse of a photoelectron.
    trigger : tuple of float
        Step and first of its points in ns, fraction, earliest and latest trigger and step of the onset in ns.
    second_order : bool
        Whether to compute the second order of the saddlepoint, at the highest node and onset.

    Returns
    -------
    ndarray of float64, shape (2, pulse)
        First order; what the second adds.
    """
    found = np.empty((2, len(waves)))
    for p in range(len(waves)):
        found[0, p], found[1, p] = _log_evidence(
            waves[p],
            nears[p],
            strides[p],
            rates[p],
            log_weights[p],
            tables,
            physics,
            trigger_kernel,
            trigger,
            second_order,
        )
    return found
