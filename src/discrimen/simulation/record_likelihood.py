"""The likelihood ratio of a record: what the samples of a digitizer say of the particle, and no classifier can beat.

The photon-level ratio (:mod:`discrimen.simulation.photons`) knows when every photoelectron came. A record does not:
the response of the front end, the clock and the noise lose a part. Its own ratio is
p(record | neutron) / p(record | gamma), with everything that is not known integrated out: number, times and charges of
the photoelectrons, the light (its prior is the spectrum), the onset, the baseline.

For a given light and onset a record is a sum of charges at the times of a Poisson process, each with the response of
the front end, and Gaussian noise. Its density has no closed form, but its cumulant generating function has (S. O. Rice,
Bell Syst. Tech. J. 23 (1944) 282, for shot noise)

    K(t) = sum_c rate_c (M(t . r_c) - 1) + t . V t / 2,

with the rate of time cell c, its response r_c in all samples, the moment generating function M of one charge, and the
covariance V of noise and baseline. The saddlepoint approximation (H. E. Daniels, Ann. Math. Stat. 25 (1954) 631; in
several dimensions and to second order P. McCullagh, Tensor Methods in Statistics (1987), ch. 6) turns it into the
density at the record x: with t such that K'(t) = x,

    log p(x) = K(t) - t . x - log det(2 pi K''(t)) / 2 + second order.

It is exact for Gaussian sums and nearly so for sums of many photons, and where there are few the noise hides that they
are few: one photoelectron is about as high as the noise of a sample. Light is integrated by Gauss-Legendre quadrature,
the onset by a sum. The trigger, which fires on the true pulse, is uniform in one period of the clock: each onset counts
with the probability, given the record, that the trigger falls into that period.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.network.prepare import constant_fraction_crossing
from discrimen.simulation.digitizer import CROSSING_FRACTION
from discrimen.simulation.pulse_model import N_PHASES
from discrimen.simulation.record_model import RecordModel

_CHARGE_NS, _BEFORE_NS = 200.0, 30.0
_LIGHT_IN_CHARGE = 0.97
_LIGHT_NODES, _LIGHT_SIGMAS = 5, 3.5
_ONSET_SIGMA_NS = 4.0
"""Of a single photoelectron: about the decay time of the prompt light."""
_ONSETS_PER_SIGMA = 0.75


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RecordLikelihoodRatio:
    """Log-likelihood ratios of records.

    Parameters
    ----------
    log_ratio : ndarray of float64, shape (pulse,)
        log p(record | neutron) - log p(record | gamma); NaN for a record that touches a rail.
    second_order : ndarray of float64, shape (pulse,)
        What the second order of the saddlepoint has added to it.
    """

    log_ratio: NDArray[np.float64]
    second_order: NDArray[np.float64]


def record_log_ratio(model: RecordModel, samples: NDArray[Any], *, second_order: bool = True) -> RecordLikelihoodRatio:
    """Return the log-likelihood ratio of records; some 10 ms a pulse of one core.

    Parameters
    ----------
    model : RecordModel
        Of the configuration that the records come from.
    samples : ndarray of int, shape (pulse, sample)
        As digitised.
    second_order : bool
        Whether to go to the second order of the saddlepoint.

    Raises
    ------
    MissingExtraError
        If numba is not installed.
    """
    kernels = _kernels()
    usable = np.flatnonzero(_between_rails(model, samples))
    records = samples[usable]
    waves = waves_above_baseline(model, records)
    light, log_weights = _light_nodes(model, waves)
    found = np.full((2, 2, len(samples)), np.nan)
    for kind in range(2):
        found[kind][:, usable] = kernels.log_evidences(
            waves,
            guessed_onsets(model, records),
            _strides(model, light),
            model.rates(light, neutron=bool(kind)),
            log_weights[kind],
            (model.starts, model.responses, model.model.onset_sample, model.begin),
            (_charge_shape(model), model.sample_variance, model.baseline_variance),
            model.trigger_kernel,
            _trigger(model),
            second_order,
        )
    gamma, neutron = found
    second = neutron[1] - gamma[1]
    return RecordLikelihoodRatio(log_ratio=neutron[0] - gamma[0] + second, second_order=second)


def _between_rails(model: RecordModel, samples: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray((samples.min(axis=1) > 0) & (samples.max(axis=1) < model.model.digitizer.highest_code))


def waves_above_baseline(model: RecordModel, samples: NDArray[Any]) -> NDArray[np.float64]:
    """Return upright records above the baseline that is expected once the samples before the light are known."""
    digitizer = model.model.digitizer
    above = digitizer.sign * (samples.astype(np.float64) - digitizer.baseline_adc)
    before, rest = above[:, : model.begin], above[:, model.begin :]
    return np.ascontiguousarray(rest - model.baseline_share * before.sum(axis=1, keepdims=True))


def _light_nodes(model: RecordModel, waves: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return light around what the charge says, shape (pulse, node), and log prior times weight of both classes."""
    digitizer, scintillator = model.model.digitizer, model.model.scintillator
    n_samples = round(_CHARGE_NS / digitizer.sample_period_ns)
    first = round((digitizer.pretrigger_ns - _BEFORE_NS) / digitizer.sample_period_ns) - model.begin
    per_kevee = _LIGHT_IN_CHARGE * model.mean_gamma_waves().sum(axis=1).mean()
    span = model.spectra[0].light_kevee[0], model.spectra[0].light_kevee[-1]
    guess = np.clip(waves[:, first : first + n_samples].sum(axis=1) / per_kevee, *span)
    noise = np.sqrt(n_samples * model.sample_variance + n_samples**2 * model.baseline_variance) / per_kevee
    counted = np.sqrt((1 + model.model.sensor.charge_spread**2) * guess / scintillator.photoelectrons_per_kev)
    low, high = (np.clip(guess + sign * _LIGHT_SIGMAS * np.hypot(counted, noise), *span) for sign in (-1, 1))
    places, weights = np.polynomial.legendre.leggauss(_LIGHT_NODES)
    light = ((low + high)[:, np.newaxis] + (high - low)[:, np.newaxis] * places) / 2
    weight = weights * (high - low)[:, np.newaxis] / 2
    return light, np.stack([np.log(spectrum.density(light) * weight) for spectrum in model.spectra])


def guessed_onsets(model: RecordModel, samples: NDArray[Any]) -> NDArray[np.int64]:
    """Guess the onset of each record from its own crossing, in steps of the phase."""
    digitizer = model.model.digitizer
    mean = constant_fraction_crossing(model.mean_gamma_waves().astype(np.float32), fraction=CROSSING_FRACTION)
    late = np.mean(mean - np.arange(N_PHASES) / N_PHASES) - model.model.onset_sample
    above = digitizer.sign * (samples[:, model.begin :].astype(np.float32) - digitizer.baseline_adc)
    crossing = constant_fraction_crossing(above, fraction=CROSSING_FRACTION) + model.begin
    usual = digitizer.pretrigger_ns / digitizer.sample_period_ns + 0.5
    return np.asarray(np.rint((np.where(np.isfinite(crossing), crossing, usual) - late) * N_PHASES), dtype=np.int64)


def _strides(model: RecordModel, light: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return steps of the onset that are fine enough for what the photons of a pulse know of it."""
    photons = model.model.scintillator.photoelectrons_per_kev * light.mean(axis=1)
    steps = _ONSET_SIGMA_NS / np.sqrt(photons) / model.model.phase_step_ns / _ONSETS_PER_SIGMA
    return np.asarray(np.maximum(1, steps), dtype=np.int64)


def _charge_shape(model: RecordModel) -> float:
    spread = model.model.sensor.charge_spread
    return float("inf") if spread == 0 else 1 / spread**2


def _trigger(model: RecordModel) -> tuple[float, ...]:
    digitizer, times_ns = model.model.digitizer, model.model.trigger_times_ns
    earliest_ns = digitizer.pretrigger_ns
    latest_ns = earliest_ns + digitizer.sample_period_ns
    step_ns = float(times_ns[1] - times_ns[0])
    return step_ns, float(times_ns[0]), CROSSING_FRACTION, earliest_ns, latest_ns, model.model.phase_step_ns


def _kernels() -> ModuleType:
    require_module("numba", extra="bound")
    from discrimen.simulation import record_kernels

    return record_kernels
