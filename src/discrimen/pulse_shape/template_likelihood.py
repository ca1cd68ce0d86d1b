"""Likelihood ratio of two pulse templates: a Gaussian density around the mean pulse of each class.

A pulse x of class k is taken for normally distributed around that class' mean pulse m with a covariance C,

    log p(x | k) = -((x - m)^T C^-1 (x - m) + log det C) / 2 + const,

and the score is log p(x | neutron) - log p(x | gamma). C holds all that moves the samples together: photon statistics,
which differ between the classes, noise of the ADC and, to first order, what amplitude, time and baseline of a single
pulse do, so that these need not be fitted one by one (fitting them with Gaussian priors, or integrating them out, gives
the same). With one C for both classes it is the linear discriminant of R. A. Fisher (Ann. Eugen. 7 (1936) 179); a C for
each is the quadratic one.

Both depend on the height of the pulse: templates and covariances are those of bins of charge, and the ratio is
interpolated between their centres. Many samples and few pulses make covariances that fit noise; they are shrunk towards
their diagonal (as J. H. Friedman, J. Am. Stat. Assoc. 84 (1989) 165, in another way). Length, number of bins and
shrinkage are tuned on scores that each half of the pulses gets from the other half.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.pulse_shape.base import Merit, Waveforms, best_of, steps_up_to

SHRINKAGES = (0.001, 0.03, 0.3)
NUMBERS_OF_BINS = (1, 4, 12)
"""What is tried."""

_FEWEST_SAMPLES = 6
_LENGTH_RATIO = 1.4
_FEWEST_IN_BIN = 50
"""Pulses of a class: below it there is no covariance to speak of."""

_ROUNDING_VARIANCE = 1 / 12
"""In squared ADC counts: of samples that never change, too, there is a covariance."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TemplateLikelihood:
    """The templates with their covariances.

    Parameters
    ----------
    log_charge : ndarray of float64, shape (bin,)
        Centres of the bins: logarithm of the charge in ADC counts x samples.
    means : ndarray of float64, shape (bin, class, sample)
        Mean pulses of gammas and neutrons, in ADC counts.
    whiteners : ndarray of float64, shape (bin, class, sample, sample)
        Inverse Cholesky factors of the covariances, lower triangles.
    charge_samples : int
        So many samples of an aligned waveform make its charge.
    shrinkage : float
        Share by which covariances between samples were reduced.
    sample_period_ns : float
        Time between samples in ns.
    """

    log_charge: NDArray[np.float64]
    means: NDArray[np.float64]
    whiteners: NDArray[np.float64]
    charge_samples: int
    shrinkage: float
    sample_period_ns: float

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What was tuned; the templates themselves are :attr:`means`."""
        return {
            "length_ns": self.n_samples * self.sample_period_ns,
            "charge_length_ns": self.charge_samples * self.sample_period_ns,
            "shrinkage": self.shrinkage,
            "charge_adc_ns": np.exp(self.log_charge) * self.sample_period_ns,
        }

    @property
    def n_samples(self) -> int:
        """Samples of the templates."""
        return int(self.means.shape[2])

    def score(self, waveforms: Waveforms) -> NDArray[np.float64]:
        """Return the log-likelihood ratio; see :class:`discrimen.pulse_shape.base.Method`."""
        return self.scores_by_length(waveforms)[:, -1]

    def scores_by_length(self, waveforms: Waveforms) -> NDArray[np.float64]:
        """Return what shorter templates of 1, 2, ... samples would score: shape (pulse, length).

        The Cholesky factor of the first samples is the corner of that of all, so that one pass serves all lengths.
        """
        log_charge = _log_charge(waveforms, self.charge_samples)
        scores = np.where(np.isnan(log_charge), np.nan, 0.0)[:, np.newaxis].repeat(self.n_samples, axis=1)
        for number, weight in enumerate(_weights(log_charge, self.log_charge)):
            near = np.flatnonzero(weight > 0)
            scores[near] += weight[near, np.newaxis] * self._ratios(waveforms[near], number)
        return scores

    def _ratios(self, waveforms: Waveforms, number: int) -> NDArray[np.float64]:
        """Log-likelihood ratios by the templates of one bin."""
        logs = []
        for mean, whitener in zip(self.means[number], self.whiteners[number], strict=True):
            white = (waveforms[:, : self.n_samples] - mean) @ whitener.T
            logs.append(np.cumsum(np.log(np.diag(whitener)) - white**2 / 2, axis=1))
        ratios: NDArray[np.float64] = logs[1] - logs[0]
        return ratios


def tune_template_likelihood(
    waveforms: Waveforms, is_neutron: NDArray[np.bool_], *, sample_period_ns: float, merit: Merit
) -> TemplateLikelihood:
    """Make templates and covariances from pulses of known class, with the options of the highest merit.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, sample)
        Aligned; see :mod:`discrimen.pulse_shape.base`.
    is_neutron : ndarray of bool, shape (pulse,)
        The class of each.
    sample_period_ns : float
        Time between samples in ns.
    merit : callable
        Judges the scores.

    Raises
    ------
    DataError
        If a class has too few pulses with a positive charge, or the records are too short.
    """

    def made(chosen: NDArray[np.bool_], options: _Options) -> TemplateLikelihood:
        return _templates(waveforms[chosen], is_neutron[chosen], options=options, sample_period_ns=sample_period_ns)

    half, n_samples = _halves(is_neutron), waveforms.shape[1]

    def tried() -> Iterator[tuple[_Options, NDArray[np.float64]]]:
        for n_bins, shrinkage in product(_numbers_of_bins(waveforms, is_neutron), SHRINKAGES):
            scores = np.empty(waveforms.shape)
            for part in (half, ~half):
                other = made(~part, _Options(n_bins=n_bins, shrinkage=shrinkage, length=n_samples))
                scores[part] = other.scores_by_length(waveforms[part])
            for length in steps_up_to(n_samples, first=_FEWEST_SAMPLES, ratio=_LENGTH_RATIO):
                yield _Options(n_bins=n_bins, shrinkage=shrinkage, length=length), scores[:, length - 1]

    return made(np.ones_like(is_neutron), best_of(tried(), merit))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What is tuned."""

    n_bins: int
    shrinkage: float
    length: int


def _templates(
    waveforms: Waveforms, is_neutron: NDArray[np.bool_], *, options: _Options, sample_period_ns: float
) -> TemplateLikelihood:
    """Make templates and covariances in overlapping bins that hold about equally many pulses."""
    n_bins, length = options.n_bins, options.length
    log_charge = _log_charge(waveforms, waveforms.shape[1])
    # A bin begins and ends halfway in its neighbours: the ratio is interpolated between their centres.
    edges = np.nanquantile(log_charge, np.clip(np.arange(-0.5, n_bins + 1) / n_bins, 0, 1))
    means, whiteners = np.empty((n_bins, 2, length)), np.empty((n_bins, 2, length, length))
    for number in range(n_bins):
        within = (log_charge >= edges[number]) & (log_charge <= edges[number + 2])
        for kind, of_kind in enumerate((~is_neutron, is_neutron)):
            pulses = waveforms[within & of_kind, :length].astype(np.float64)
            means[number, kind] = pulses.mean(axis=0)
            whiteners[number, kind] = _whitener(np.cov(pulses, rowvar=False), shrinkage=options.shrinkage)
    return TemplateLikelihood(
        log_charge=np.nanquantile(log_charge, (np.arange(n_bins) + 0.5) / n_bins),
        means=means,
        whiteners=whiteners,
        charge_samples=waveforms.shape[1],
        shrinkage=options.shrinkage,
        sample_period_ns=sample_period_ns,
    )


def _whitener(covariance: NDArray[np.float64], *, shrinkage: float) -> NDArray[np.float64]:
    """Return the inverse Cholesky factor of a covariance that is shrunk and holds the rounding of the ADC at least."""
    variance = np.diag(np.diag(covariance))
    shrunk = (1 - shrinkage) * covariance + shrinkage * variance + _ROUNDING_VARIANCE * np.eye(len(covariance))
    inverse: NDArray[np.float64] = np.linalg.inv(np.linalg.cholesky(shrunk))
    return inverse


def _log_charge(waveforms: Waveforms, n_samples: int) -> NDArray[np.float64]:
    """Logarithm of the sum of the first samples; NaN where it is not positive."""
    charge = waveforms[:, :n_samples].sum(axis=1, dtype=np.float64)
    return np.asarray(np.log(charge, out=np.full(len(charge), np.nan), where=charge > 0))


def _weights(log_charge: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each bin counts for each pulse, linear between centres: shape (bin, pulse); 0 without a charge."""
    known = np.nan_to_num(log_charge, nan=centres[0])
    weights = np.stack([np.interp(known, centres, unit) for unit in np.eye(len(centres))])
    return np.where(np.isnan(log_charge), 0.0, weights)


def _numbers_of_bins(waveforms: Waveforms, is_neutron: NDArray[np.bool_]) -> list[int]:
    """Return the numbers of bins to try: half of the pulses must fill each of them."""
    charged = waveforms.sum(axis=1, dtype=np.float64) > 0
    fewest = min(int(np.count_nonzero(charged & of_kind)) for of_kind in (is_neutron, ~is_neutron))
    if fewest < 2 * _FEWEST_IN_BIN:
        raise DataError(
            f"templates need {2 * _FEWEST_IN_BIN} pulses of each class with a positive charge, got {fewest}"
        )
    return [number for number in NUMBERS_OF_BINS if fewest >= 2 * _FEWEST_IN_BIN * number]


def _halves(is_neutron: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark every second pulse of each class."""
    half = np.zeros(len(is_neutron), dtype=np.bool_)
    for of_kind in (is_neutron, ~is_neutron):
        half[np.flatnonzero(of_kind)[::2]] = True
    return half
