"""Figure of merit of a pulse shape parameter: separation over the sum of the widths of its two bands.

FoM = (mean_n - mean_g) / (FWHM_n + FWHM_g), after Winyard, Lutkin and McBeth, Nucl. Instrum. Methods 95 (1971) 141.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, require_module
from discrimen.metrics.intervals import normal_quantile

FIGURE_OF_MERIT_DEFINITION = "(mean_n - mean_g) / (FWHM_n + FWHM_g)"
"""What the figure of merit is, to be printed beside its values."""

FWHM_PER_SIGMA = 2 * sqrt(2 * log(2))

MINIMUM_PULSES = 200
"""Fewer pulses make no histogram worth six parameters."""

MINIMUM_SHARE = 0.01
"""A band with a smaller share of the pulses is taken for a tail of the other."""

MAXIMUM_AREA_ERROR = 0.2
"""Relative; a band whose area is known less well does not stand out from the other."""

POOR_PROBABILITY = 0.001
"""Of a chi-square at least as large, below which a fit is said to miss what it was fitted to."""

POOR_FIT_REMARK = "* two Gaussians do not fit (chi-square, p < 0.001): rough, its error too small"
"""What a star at a figure of merit says, to be printed below the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One Gaussian of the fit, with the standard error of each parameter.

    Parameters
    ----------
    n_pulses, mean, sigma : float
        Area in pulses, centre and standard deviation in units of the parameter.
    n_pulses_error, mean_error, sigma_error : float
        From the covariance of the fit.
    """

    n_pulses: float
    mean: float
    sigma: float
    n_pulses_error: float
    mean_error: float
    sigma_error: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FigureOfMerit:
    """Two Gaussians fitted to a histogram, and what follows.

    Parameters
    ----------
    value, error : float
        Figure of merit and its standard error, propagated from the covariance of the fit.
    low, high : float
        Its interval.
    gamma, neutron : Band
        The band with the lower and with the higher mean.
    chi2, n_degrees : float, int
        Pearson's chi-square of the fit over the bins that expect at least five pulses, and its degrees of freedom.
    probability : float
        Of a chi-square at least as large if the bands are two Gaussians; 1 without a degree of freedom.
    edges : ndarray of float64, shape (bin + 1,)
        Of the histogram.
    counts : ndarray of int64, shape (bin,)
        The histogram that was fitted.
    n_outside : int
        Pulses beyond the histogram or with NaN.
    """

    value: float
    error: float
    low: float
    high: float
    gamma: Band
    neutron: Band
    chi2: float
    n_degrees: int
    probability: float
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    n_outside: int

    @property
    def misses(self) -> bool:
        """Whether chi-square says that the bands are not two Gaussians, so that the figure is that of no fit."""
        return self.probability < POOR_PROBABILITY

    @property
    def mark(self) -> str:
        """What stands behind the figure where it is printed: a star where the fit misses, else nothing."""
        return "*" if self.misses else ""

    def expected_counts(self, at: NDArray[np.float64], band: Band) -> NDArray[np.float64]:
        """Return the fitted density of one band at some values, in pulses per bin of the histogram."""
        width = self.edges[1] - self.edges[0]
        expected: NDArray[np.float64] = _gaussian(at, band.n_pulses * width, band.mean, band.sigma)
        return expected


def figure_of_merit(psd: NDArray[Any], *, n_bins: int | None = None, confidence: float = 0.95) -> FigureOfMerit:
    """Fit two Gaussians to the histogram of a pulse shape parameter.

    The classes need not be known: start values come from a two-component mixture. The fit is that of the greatest
    Poisson likelihood, by MINUIT (F. James and M. Roos, Comput. Phys. Commun. 10 (1975) 343), its errors from the
    second derivatives.

    Parameters
    ----------
    psd : ndarray of float, shape (pulse,)
        The parameter, larger for neutrons; NaN is left out and counted.
    n_bins : int, optional
        Of the histogram; by default as in :func:`psd_edges`.
    confidence : float
        Of the interval.

    Raises
    ------
    DataError
        If there is no fit, with the reason: too few pulses, no convergence, no second band, or bands that merge.
    """
    known = np.asarray(psd, dtype=np.float64)
    known = known[np.isfinite(known)]
    if len(known) < MINIMUM_PULSES:
        raise DataError(f"no fit: {len(known)} pulses with a PSD, at least {MINIMUM_PULSES} are needed")
    counts, edges = np.histogram(known, bins=psd_edges(known, n_bins=n_bins))
    start = _mixture_start(counts, edges)
    parameters, covariance = _fit(counts, edges, start)
    _check(parameters, covariance, edges, n_counted=int(counts.sum()))
    value, error = _merit(parameters, covariance)
    reach = normal_quantile(confidence) * error
    chi2, n_degrees = _chi_square(counts, edges, parameters)
    gamma, neutron = (_band(parameters, covariance, first) for first in (0, 3))
    return FigureOfMerit(
        value=value,
        error=error,
        low=value - reach,
        high=value + reach,
        gamma=gamma,
        neutron=neutron,
        chi2=chi2,
        n_degrees=n_degrees,
        probability=_probability(chi2, n_degrees),
        edges=edges,
        counts=counts.astype(np.int64),
        n_outside=len(psd) - int(counts.sum()),
    )


def two_gaussians(psd: NDArray[Any], *, n_bins: int = 50, n_steps: int = 30) -> float:
    """Return how far apart two Gaussians lie, as a figure of merit, by a few steps of expectation maximisation.

    Quick and rough, for comparing many pulse shape parameters of the same pulses: one band alone gives about 0.5.

    Parameters
    ----------
    psd : ndarray of float, shape (pulse,)
        The parameter; NaN is left out.
    n_bins, n_steps : int
        Of the histogram, and of the maximisation.

    Returns
    -------
    float
        NaN where nearly all pulses have the same value, or there are none.
    """
    known = np.asarray(psd, dtype=np.float64)
    known = known[np.isfinite(known)]
    try:
        counts, edges = np.histogram(known, bins=psd_edges(known, n_bins=n_bins))
    except DataError:
        return float("nan")
    _, lower, lower_sigma, _, upper, upper_sigma = _mixture_start(counts, edges, n_steps)
    return float(abs(upper - lower) / (FWHM_PER_SIGMA * (lower_sigma + upper_sigma)))


def psd_edges(psd: NDArray[Any], *, n_bins: int | None = None) -> NDArray[np.float64]:
    """Return histogram edges that hold nearly all pulses: the central 99.6 % and a margin of a tenth on each side.

    Parameters
    ----------
    psd : ndarray of float, shape (pulse,)
        The parameter; NaN is left out.
    n_bins : int, optional
        By default 40 to 400, more with more pulses and with longer tails.

    Raises
    ------
    DataError
        If there is no pulse, or nearly all have the same PSD.
    """
    known = psd[np.isfinite(psd)]
    low, high = np.quantile(known, [0.002, 0.998]) if len(known) else (0.0, 0.0)
    if not high > low:
        raise DataError(f"no fit: nearly all of {len(known)} pulses have the same PSD, {low:g}")
    margin = 0.1 * (high - low)
    if n_bins is None:
        # Freedman and Diaconis' rule follows the core where tails are long, the other two bands that lie far apart.
        core = np.subtract(*np.quantile(known, [0.75, 0.25]))
        by_core = (high - low) / (2 * core) * len(known) ** (1 / 3) if core > 0 else 0.0
        n_bins = int(np.clip(max(by_core, 2 * len(known) ** 0.4), 40, 400))
    edges: NDArray[np.float64] = np.linspace(low - margin, high + margin, n_bins + 1)
    return edges


def _mixture_start(counts: NDArray[np.int64], edges: NDArray[np.float64], n_steps: int = 300) -> NDArray[np.float64]:
    """Find two Gaussians by expectation maximisation, from halves of the histogram with as many pulses each."""
    centres, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    upper = np.cumsum(counts) > counts.sum() / 2
    share = np.stack([np.where(upper, 0.0, 1.0), np.where(upper, 1.0, 0.0)])
    parameters = np.empty((2, 3))
    for _ in range(n_steps):
        weight = share * counts
        area = np.maximum(weight.sum(axis=1), 1e-9)
        mean = weight @ centres / area
        variance = (weight * (centres - mean[:, np.newaxis]) ** 2).sum(axis=1) / area
        parameters = np.stack([area, mean, np.sqrt(variance + width**2 / 12)], axis=1)
        density = np.stack([_gaussian(centres, *row) for row in parameters])
        share = density / np.maximum(density.sum(axis=0), 1e-300)
    return parameters.ravel()


def _fit(
    counts: NDArray[np.int64], edges: NDArray[np.float64], start: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    iminuit = require_module("iminuit", extra="analysis")
    special = require_module("scipy.special", extra="analysis")

    # Not iminuit.cost, which takes seconds to compile where numba is installed.
    def deviance(parameters: NDArray[np.float64]) -> float:
        expected = np.maximum(_expected(edges, parameters), 1e-30)
        return float((special.kl_div(counts, expected)).sum())

    minuit = iminuit.Minuit(deviance, start)
    minuit.errordef = iminuit.Minuit.LIKELIHOOD
    # An area or a width of nothing or less has no meaning in the model.
    least_sigma = 1e-4 * (edges[-1] - edges[0])
    minuit.limits = [(0.0, None), (None, None), (least_sigma, None)] * 2
    minuit.migrad()
    if not minuit.valid:
        raise DataError(f"no fit: two Gaussians do not converge in {minuit.nfcn} steps")
    minuit.hesse()
    if not minuit.accurate:
        raise DataError("no fit: the covariance of the parameters is not known")
    parameters, covariance = np.array(minuit.values), np.array(minuit.covariance)
    # The order of the bands has no meaning in the model either: gammas first.
    order = np.arange(6) if parameters[1] <= parameters[4] else np.array([3, 4, 5, 0, 1, 2])
    return parameters[order], covariance[np.ix_(order, order)]


def _check(
    parameters: NDArray[np.float64], covariance: NDArray[np.float64], edges: NDArray[np.float64], *, n_counted: int
) -> None:
    bands, errors = parameters.reshape(2, 3), np.sqrt(np.diag(covariance)).reshape(2, 3)
    span, width = edges[-1] - edges[0], edges[1] - edges[0]
    for (area, mean, sigma), (area_error, _, _) in zip(bands, errors, strict=True):
        found = f"{area:.0f} +- {area_error:.0f} pulses, mean {mean:.3g}, sigma {sigma:.3g}"
        if not (edges[0] < mean < edges[-1] and width / 4 < sigma < span):
            raise DataError(f"no fit: one band lies outside the histogram or has no width ({found})")
        if not (area > MINIMUM_SHARE * n_counted and area_error < MAXIMUM_AREA_ERROR * area):
            raise DataError(f"no fit: the histogram does not show two bands, one would hold {found}")
    if bands[1, 1] - bands[0, 1] < bands[:, 2].max():
        raise DataError(
            "no fit: the bands merge or have long tails, the Gaussians are closer than the wider one is wide"
        )


def _merit(parameters: NDArray[np.float64], covariance: NDArray[np.float64]) -> tuple[float, float]:
    widths = FWHM_PER_SIGMA * (parameters[2] + parameters[5])
    value = (parameters[4] - parameters[1]) / widths
    by_width = -value * FWHM_PER_SIGMA / widths
    gradient = np.array([0.0, -1 / widths, by_width, 0.0, 1 / widths, by_width])
    return float(value), float(sqrt(gradient @ covariance @ gradient))


def _chi_square(
    counts: NDArray[np.int64], edges: NDArray[np.float64], parameters: NDArray[np.float64]
) -> tuple[float, int]:
    expected = _expected(edges, parameters)
    enough = expected >= 5
    chi2 = ((counts[enough] - expected[enough]) ** 2 / expected[enough]).sum()
    return float(chi2), max(0, int(enough.sum()) - 6)


def _probability(chi2: float, n_degrees: int) -> float:
    special = require_module("scipy.special", extra="analysis")
    return float(special.chdtrc(n_degrees, chi2)) if n_degrees else 1.0


def _band(parameters: NDArray[np.float64], covariance: NDArray[np.float64], first: int) -> Band:
    area, mean, sigma = (float(value) for value in parameters[first : first + 3])
    errors = [float(value) for value in np.sqrt(np.diag(covariance)[first : first + 3])]
    return Band(
        n_pulses=area,
        mean=mean,
        sigma=sigma,
        n_pulses_error=errors[0],
        mean_error=errors[1],
        sigma_error=errors[2],
    )


def _expected(edges: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many pulses of both bands fall between the edges: the integral, since bins may be wide."""
    return np.diff(_below(edges, parameters))


def _below(at: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many pulses of both bands lie below some values."""
    special = require_module("scipy.special", extra="analysis")
    areas, means, sigmas = parameters.reshape(2, 3).T
    below: NDArray[np.float64] = special.ndtr((at[:, np.newaxis] - means) / sigmas) @ areas
    return below


def _gaussian(at: Any, area: float, mean: float, sigma: float) -> Any:
    return area / (sqrt(2 * np.pi) * sigma) * np.exp(-0.5 * ((at - mean) / sigma) ** 2)
