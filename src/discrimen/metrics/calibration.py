"""Whether a score may be read as a probability: reliability curve and temperature.

Reliability curves: M. P. Naeini, G. F. Cooper and M. Hauskrecht, AAAI (2015) 2901;
temperature scaling: C. Guo et al., Proc. Mach. Learn. Res. 70 (2017) 1321.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, require_module
from discrimen.metrics.intervals import Share, normal_quantile, wilson_interval
from discrimen.pulses import Label

DEFAULT_BINS = 15
_LOWEST_PROBABILITY = 1e-38
_LOG_TEMPERATURE_LIMIT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Pulses of similar neutron score.

    Parameters
    ----------
    low, high : float
        Lowest and highest score.
    mean_score : float
        What share of neutrons the scores promise.
    neutrons : Share
        What share there is, with its interval.
    """

    low: float
    high: float
    mean_score: float
    neutrons: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """By how much the logits must be divided to become the likeliest.

    Parameters
    ----------
    value, low, high : float
        Above 1 where the scores are too sure of themselves, with its interval.
    log_loss_before, log_loss_after : float
        Mean negative log-likelihood of a pulse, natural logarithm.
    n_pulses : int
        How many it was fitted to.
    """

    value: float
    low: float
    high: float
    log_loss_before: float
    log_loss_after: float
    n_pulses: int


def reliability_curve(
    scores: NDArray[Any], labels: NDArray[Any], *, n_bins: int = DEFAULT_BINS, confidence: float = 0.95
) -> tuple[ReliabilityBin, ...]:
    """Compare promised and true shares of neutrons, in bins of about equally many pulses.

    Equal scores share a bin, so that the order of the pulses does not matter and there may be fewer bins.

    Parameters
    ----------
    scores : ndarray of float, shape (pulse,)
        Neutron scores between 0 and 1; NaN is left out.
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron.
    n_bins : int
        At most so many bins.
    confidence : float
        Of the Wilson intervals.

    Raises
    ------
    DataError
        If scores are no probabilities, labels do not fit them, or nothing is left.
    """
    probability, is_neutron = usable_scores(scores, labels)
    place = score_bins(probability, n_bins)
    curve = []
    for number in np.unique(place):
        inside = place == number
        curve.append(
            ReliabilityBin(
                low=float(probability[inside].min()),
                high=float(probability[inside].max()),
                mean_score=float(probability[inside].mean()),
                neutrons=wilson_interval(
                    int(np.count_nonzero(is_neutron[inside])), int(np.count_nonzero(inside)), confidence=confidence
                ),
            )
        )
    return tuple(curve)


def fit_temperature(
    logits: NDArray[Any], labels: NDArray[Any], *, run: NDArray[Any] | None = None, confidence: float = 0.95
) -> Temperature:
    """Fit the temperature of the greatest likelihood.

    Parameters
    ----------
    logits : ndarray of float, shape (pulse,)
        log(p / (1 - p)) of the neutron class; NaN is left out.
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron, of pulses that the network was not trained on.
    run : ndarray of int, shape (pulse,), optional
        Number of each pulse's run, where runs should count and not pulses.
    confidence : float
        Of the interval in log T. Its standard error is the robust one of P. J. Huber, Proc. 5th Berkeley Symp. 1
        (1967) 221, since no single temperature need be right for all pulses; clustered where runs are given, with
        Student's quantile.

    Raises
    ------
    DataError
        If labels do not fit the logits, a class is missing, or no temperature is likeliest: the classes part
        completely, or the logits say nothing.
    """
    optimize = require_module("scipy.optimize", extra="analysis")
    known = ~np.isnan(np.asarray(logits, np.float64))
    signed = _signed_logits(logits, labels)
    if signed.min() > 0:
        raise DataError("no temperature is the likeliest: the classes part completely; take more pulses")

    def log_loss(log_temperature: float) -> float:
        return float(np.logaddexp(0.0, -signed * exp(-log_temperature)).mean())

    found = optimize.minimize_scalar(
        log_loss,
        bounds=(-_LOG_TEMPERATURE_LIMIT, _LOG_TEMPERATURE_LIMIT),
        method="bounded",
        options={"xatol": 1e-6},
    )
    if abs(found.x) > _LOG_TEMPERATURE_LIMIT - 0.01:
        raise DataError(
            f"no temperature between {exp(-_LOG_TEMPERATURE_LIMIT):.2g} and {exp(_LOG_TEMPERATURE_LIMIT):.3g} is the "
            "likeliest: the classes part completely, or the scores say nothing; take more pulses"
        )
    reach = _reach(signed * exp(-found.x), None if run is None else np.asarray(run)[known], confidence)
    return Temperature(
        value=exp(found.x),
        low=exp(found.x - reach),
        high=exp(found.x + reach),
        log_loss_before=log_loss(0.0),
        log_loss_after=log_loss(found.x),
        n_pulses=len(signed),
    )


def neutron_logits(scores: NDArray[Any], *, neutron_class: int) -> NDArray[np.float64]:
    """Return log(p / (1 - p)) of the neutron class from the scores of both classes.

    Parameters
    ----------
    scores : ndarray of float, shape (pulse, 2)
        Probabilities that add up to 1. Both are used, since 1 - p has no digits left where p is nearly 1.
    neutron_class : int
        Which column is the neutron's.

    Raises
    ------
    DataError
        If there are not two classes.
    """
    if scores.ndim != 2 or scores.shape[1] != 2:
        raise DataError(f"expected the scores of two classes, got shape {scores.shape}")
    logs = np.log(np.maximum(scores.astype(np.float64), _LOWEST_PROBABILITY))
    logits: NDArray[np.float64] = logs[:, neutron_class] - logs[:, 1 - neutron_class]
    return logits


def usable_scores(scores: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the scores that are there, and which of them are of neutrons.

    Raises
    ------
    DataError
        If scores are no probabilities, labels do not fit them, or nothing is left.
    """
    probability, truth = _known(scores, labels, "score")
    if not len(probability):
        raise DataError("no pulse has a score")
    if probability.min() < 0 or probability.max() > 1:
        raise DataError(f"scores must lie between 0 and 1, got {probability.min():g} to {probability.max():g}")
    return probability, truth == Label.NEUTRON


def _known(values: NDArray[Any], labels: NDArray[Any], what: str) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return the values that are there, and the labels of their pulses."""
    found, truth = np.asarray(values, np.float64), np.asarray(labels)
    if found.ndim != 1 or found.shape != truth.shape:
        raise DataError(f"expected one label for each {what}, got {what}s {found.shape} and labels {truth.shape}")
    if not np.isin(truth, (Label.GAMMA, Label.NEUTRON)).all():
        raise DataError("every pulse must be gamma or neutron: leave out those of unknown label first")
    known = ~np.isnan(found)
    return found[known], truth[known]


def _signed_logits(logits: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return the logits of the true class of each pulse that has one."""
    values, truth = _known(logits, labels, "logit")
    for label in (Label.GAMMA, Label.NEUTRON):
        if not (truth == label).any():
            raise DataError(f"no {label.name.lower()} with a score among {len(truth)} pulses: both classes are needed")
    return np.where(truth == Label.NEUTRON, values, -values)


def _reach(scaled: NDArray[np.float64], run: NDArray[Any] | None, confidence: float) -> float:
    """Half width of the interval of log T at the likeliest, from the scores and the curvature of the likelihood."""
    right = 1 / (1 + np.exp(-np.clip(scaled, -700, 700)))
    slope = -(1 - right) * scaled
    curvature = float(np.sum(right * (1 - right) * scaled**2 + (1 - right) * scaled))
    if not curvature > 0:
        raise DataError("no temperature is the likeliest: the likelihood is flat; take more pulses")
    quantile = normal_quantile(confidence)
    variance = float(slope @ slope)
    if run is not None:
        stats = require_module("scipy.stats", extra="analysis")
        place = np.unique(run, return_inverse=True)[1]
        n_runs = int(place.max()) + 1
        sums = np.bincount(place, weights=slope)
        clustered = float(sums @ sums) * n_runs / max(1, n_runs - 1)
        by_runs = float(stats.t.ppf(0.5 + confidence / 2, max(1, n_runs - 1))) * sqrt(clustered)
        return max(by_runs, quantile * sqrt(variance)) / curvature
    return quantile * sqrt(variance) / curvature


def score_bins(probability: NDArray[np.float64], n_bins: int) -> NDArray[np.intp]:
    """Return the number of each score's bin; bins hold about equally many, and equal scores share one."""
    inner = np.unique(np.quantile(probability, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.searchsorted(inner, probability, side="right")
