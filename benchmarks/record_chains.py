"""The likelihood ratio of a record by Markov chains: every photoelectron with its time and charge, onset, light.

Thermodynamic integration from one class to the other (A. Gelman, X.-L. Meng, Stat. Sci. 13 (1998) 163): with rates
r(s) = (1 - s) gamma + s neutron of the photoelectrons,

    log p(record | neutron) - log p(record | gamma) = integral from s = 0 to 1 of E[d log p(photoelectrons | s) / ds],

the mean over photoelectrons that explain the record at this s. Moves are relocation, birth and death of photoelectrons
(P. J. Green, Biometrika 82 (1995) 711), new charges, steps of the onset and of the light; the baseline is integrated
out. The cells are the simulation's own. One chain climbs from s = 0, another descends from 1: their difference tells
how far they have forgotten where they began.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from discrimen.simulation.digitizer import CROSSING_FRACTION
from discrimen.simulation.record_likelihood import guessed_onsets, waves_above_baseline
from discrimen.simulation.record_model import RecordModel, short_responses

_STEPS_OF_RATES = 5
_BURN_IN_SHARE = 0.2
_MOST_PHOTONS = 4000

_compiled = numba.njit(cache=True, nogil=True)


def chain_log_ratios(model: RecordModel, samples: NDArray[Any], *, n_sweeps: int, seed: int) -> NDArray[np.float64]:
    """Return the log-likelihood ratio of records by two chains each: shape (chain, pulse)."""
    tables = _tables(model)
    places, weights = np.polynomial.legendre.leggauss(_STEPS_OF_RATES)
    waves, onsets = waves_above_baseline(model, samples), guessed_onsets(model, samples)
    found = np.empty((2, len(samples)))
    for p, (wave, onset) in enumerate(zip(waves, onsets, strict=True)):
        for chain, order in enumerate((slice(None), slice(None, None, -1))):
            rng = np.random.default_rng([seed, p, chain])
            means, _ = _chain(wave, onset, ((places + 1) / 2)[order].copy(), *tables, n_sweeps, rng)
            found[chain, p] = means @ weights[order] / 2
    return found


def chain_clean_records(model: RecordModel, samples: NDArray[Any], *, n_sweeps: int, seed: int) -> NDArray[np.float64]:
    """Return the mean of all pulses that explain a record, by two chains for gammas and two for neutrons.

    Returns
    -------
    ndarray of float64, shape (class, chain, pulse, sample)
        Above the expected baseline, upwards, ADC counts, from sample `model.begin` on. It is the mean of the clean
        record where the class is known.
    """
    tables = _tables(model)
    waves, onsets = waves_above_baseline(model, samples), guessed_onsets(model, samples)
    found = np.empty((2, 2, *waves.shape))
    for p, (wave, onset) in enumerate(zip(waves, onsets, strict=True)):
        for kind in range(2):
            for chain in range(2):
                rng = np.random.default_rng([seed, p, kind, chain])
                _, clean = _chain(wave, onset, np.array([float(kind)]), *tables, n_sweeps, rng)
                found[kind, chain, p] = clean[0]
    return found


def _tables(model: RecordModel) -> tuple[Any, ...]:
    """Return what the chains need beside the record."""
    pulse_model, scintillator = model.model, model.model.scintillator
    photons, digitizer = pulse_model.photons, pulse_model.digitizer
    starts, responses = short_responses(pulse_model.kernels.astype(np.float64))
    shares = scintillator.neutron.normalised_shares()
    prompt = photons.neutron_cells[0]
    delayed = shares[1:] @ photons.neutron_cells[1:] - shares[1:].sum() * prompt
    light = np.linspace(model.spectra[0].light_kevee[0], model.spectra[0].light_kevee[-1], 400)
    tail = (1 - scintillator.neutron_shares(light)[:, 0]) / shares[1:].sum()
    prior = np.log(np.maximum(model.spectra[0].density(light), 1e-300))
    return (
        (scintillator.gamma_shares() @ photons.gamma_cells, prompt, delayed),
        (light, tail, prior, scintillator.photoelectrons_per_kev),
        (starts, responses, pulse_model.onset_sample, model.begin),
        (1 / pulse_model.sensor.charge_spread**2, model.sample_variance, model.baseline_variance),
        pulse_model.trigger_kernel.astype(np.float64),
        (
            float(pulse_model.trigger_times_ns[0]),
            float(np.diff(pulse_model.trigger_times_ns)[0]),
            digitizer.pretrigger_ns,
            digitizer.sample_period_ns,
            pulse_model.phase_step_ns,
        ),
    )


@_compiled
def _rate(cell, light, tail, s, photons_per_kev, densities):
    gamma, prompt, delayed = densities
    return photons_per_kev * light * ((1 - s) * gamma[cell] + s * (prompt[cell] + tail * delayed[cell]))


@_compiled
def _slope(cells, n, light, tail, s, photons_per_kev, densities, totals):
    """Derivative of the log density of the photoelectrons with respect to s."""
    gamma, prompt, delayed = densities
    value = -photons_per_kev * light * (totals[1] + tail * totals[2] - totals[0])
    for j in range(n):
        c = cells[j]
        neutron = prompt[c] + tail * delayed[c]
        value += (neutron - gamma[c]) / ((1 - s) * gamma[c] + s * neutron)
    return value


@_compiled
def _add(wave, cell, charge, starts, responses, first):
    for b in range(responses.shape[1]):
        i = starts[cell] - first + b
        if 0 <= i < len(wave):
            wave[i] -= charge * responses[cell, b]


@_compiled
def _log_likelihood(rest, variance, offset_variance):
    total, square = 0.0, 0.0
    for value in rest:
        total += value
        square += value * value
    return -0.5 / variance * (square - offset_variance * total * total / (variance + len(rest) * offset_variance))


@_compiled
def _trigger_ns(leading, onset, trigger):
    """When the trigger fires, after the begin of the period that it must fire in."""
    first_ns, step_ns, earliest_ns, _, onset_step_ns = trigger
    threshold = CROSSING_FRACTION * leading.max()
    after = 0
    while leading[after] < threshold:
        after += 1
    at_ns = first_ns + step_ns * after
    if after > 0:
        at_ns -= step_ns * (leading[after] - threshold) / (leading[after] - leading[after - 1])
    return at_ns + onset * onset_step_ns - earliest_ns


@_compiled
def _log_window(leading, onset, trigger):
    """Log of the share of the onset's step that comes from a trigger within its period."""
    period_ns, onset_step_ns = trigger[3], trigger[4]
    at_ns = _trigger_ns(leading, onset, trigger)
    inside = min(at_ns + onset_step_ns / 2, period_ns) - max(at_ns - onset_step_ns / 2, 0.0)
    return math.log(inside / onset_step_ns) if inside > 0 else -np.inf


@_compiled
def _chain(wave, onset, steps, densities, lights, tables, physics, trigger_kernel, trigger, n_sweeps, rng):
    light_grid, tail_grid, prior_grid, photons_per_kev = lights
    all_starts, all_responses, onset_sample, begin = tables
    shape, variance, offset_variance = physics
    gamma, prompt, delayed = densities
    n_cells, n_early, phases = len(gamma), len(trigger_kernel), len(all_starts)
    totals = gamma.sum(), prompt.sum(), delayed.sum()
    proposal = 0.5 * (gamma + prompt + 0.9 * delayed)
    proposal /= proposal.sum()
    cumulative = np.cumsum(proposal)
    starts, responses = all_starts[onset % phases], all_responses[onset % phases]
    first = begin - onset // phases + onset_sample
    cells, charges = np.zeros(_MOST_PHOTONS, np.int64), np.ones(_MOST_PHOTONS)
    light = min(max(wave.sum() / 5.5, light_grid[0] * 1.01), light_grid[-1] * 0.99)
    tail = np.interp(light, light_grid, tail_grid)
    n = int(photons_per_kev * light)
    rest, leading = wave.copy(), np.zeros(trigger_kernel.shape[1])
    for j in range(n):
        cells[j] = min(np.searchsorted(cumulative, rng.random()), n_cells - 1)
        _add(rest, cells[j], 1.0, starts, responses, first)
        if cells[j] < n_early:
            leading += trigger_kernel[cells[j]]
    # A pulse that the period does not allow is moved until it is.
    while _log_window(leading, onset, trigger) == -np.inf:
        onset += 1 if _trigger_ns(leading, onset, trigger) < trigger[3] / 2 else -1
        starts, responses = all_starts[onset % phases], all_responses[onset % phases]
        first = begin - onset // phases + onset_sample
        rest[:] = wave
        for j in range(n):
            _add(rest, cells[j], charges[j], starts, responses, first)
    fit, window = _log_likelihood(rest, variance, offset_variance), _log_window(leading, onset, trigger)
    means, explained = np.zeros(len(steps)), np.zeros((len(steps), len(wave)))
    pull = offset_variance / (variance + len(wave) * offset_variance)
    new_rest, new_leading = rest.copy(), leading.copy()
    burn_in = int(_BURN_IN_SHARE * n_sweeps)
    for number, s in enumerate(steps):
        for sweep in range(n_sweeps + burn_in):
            for _ in range(n + 1):
                kind = rng.random()
                if n == 0 and kind < 0.75:
                    continue
                j = rng.integers(0, max(n, 1))
                old_cell, old_charge, cell, charge = cells[j], charges[j], cells[j], charges[j]
                log_ratio = 0.0
                if kind < 0.4:
                    cell = rng.integers(0, n_cells) if rng.random() < 0.25 else old_cell + rng.integers(-6, 7)
                    if cell < 0 or cell >= n_cells or cell == old_cell:
                        continue
                    log_ratio = math.log(
                        _rate(cell, light, tail, s, photons_per_kev, densities)
                        / _rate(old_cell, light, tail, s, photons_per_kev, densities)
                    )
                elif kind < 0.5:
                    charge = rng.standard_gamma(shape) / shape
                elif kind < 0.75:
                    charge = 0.0
                    rate = _rate(old_cell, light, tail, s, photons_per_kev, densities)
                    log_ratio = math.log(proposal[old_cell] * n / rate)
                else:
                    old_charge = 0.0
                    cell = min(np.searchsorted(cumulative, rng.random()), n_cells - 1)
                    charge = rng.standard_gamma(shape) / shape
                    rate = _rate(cell, light, tail, s, photons_per_kev, densities)
                    log_ratio = math.log(rate / (proposal[cell] * (n + 1)))
                new_rest[:] = rest
                if old_charge > 0:
                    _add(new_rest, old_cell, -old_charge, starts, responses, first)
                if charge > 0:
                    _add(new_rest, cell, charge, starts, responses, first)
                new_fit, new_window = _log_likelihood(new_rest, variance, offset_variance), window
                early = (old_charge > 0 and old_cell < n_early) or (charge > 0 and cell < n_early)
                if math.log(rng.random()) >= new_fit - fit + log_ratio:
                    continue
                if early:
                    new_leading[:] = leading
                    if old_charge > 0 and old_cell < n_early:
                        new_leading -= old_charge * trigger_kernel[old_cell]
                    if charge > 0 and cell < n_early:
                        new_leading += charge * trigger_kernel[cell]
                    new_window = _log_window(new_leading, onset, trigger)
                    # Accepted in two steps, each with its own ratio: still reversible.
                    if math.log(rng.random()) >= new_window - window:
                        continue
                    leading[:] = new_leading
                rest[:] = new_rest
                fit, window = new_fit, new_window
                if kind < 0.5:
                    cells[j], charges[j] = cell, charge
                elif kind < 0.75:
                    n -= 1
                    cells[j], charges[j] = cells[n], charges[n]
                else:
                    cells[n], charges[n] = cell, charge
                    n += 1
            for _ in range(4):
                new_onset = onset + rng.integers(-2, 3)
                new_starts, new_responses = all_starts[new_onset % phases], all_responses[new_onset % phases]
                new_first = begin - new_onset // phases + onset_sample
                new_rest[:] = wave
                for j in range(n):
                    _add(new_rest, cells[j], charges[j], new_starts, new_responses, new_first)
                new_fit = _log_likelihood(new_rest, variance, offset_variance)
                new_window = _log_window(leading, new_onset, trigger)
                if math.log(rng.random()) < new_fit - fit + new_window - window:
                    onset, starts, responses, first = new_onset, new_starts, new_responses, new_first
                    rest[:] = new_rest
                    fit, window = new_fit, new_window
            for _ in range(2):
                new_light = light * math.exp(0.12 * rng.standard_normal())
                if new_light <= light_grid[0] or new_light >= light_grid[-1]:
                    continue
                new_tail = np.interp(new_light, light_grid, tail_grid)
                log_ratio = np.interp(new_light, light_grid, prior_grid) - np.interp(light, light_grid, prior_grid)
                log_ratio += math.log(new_light / light)
                for sign, of_light, of_tail in ((1, new_light, new_tail), (-1, light, tail)):
                    expected = (1 - s) * totals[0] + s * (totals[1] + of_tail * totals[2])
                    log_ratio -= sign * photons_per_kev * of_light * expected
                    for j in range(n):
                        log_ratio += sign * math.log(_rate(cells[j], of_light, of_tail, s, photons_per_kev, densities))
                if math.log(rng.random()) < log_ratio:
                    light, tail = new_light, new_tail
            if sweep >= burn_in:
                slope = _slope(cells, n, light, tail, s, photons_per_kev, densities, totals)
                means[number] += slope / n_sweeps
                # What the rest says of the baseline belongs to the clean record.
                explained[number] += (wave - rest + pull * rest.sum()) / n_sweeps
    return means, explained
