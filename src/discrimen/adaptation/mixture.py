"""Two smooth bands of the logit against pulse height, fitted to unlabelled pulses.

At each height the logits of a class follow a sinh-arcsinh distribution (Jones and Pewsey, Biometrika 96 (2009) 761):
a Gaussian with a skewness and a weight of its tails. Its four parameters and the share of neutrons are polynomials in
the logarithm of the height, so that heights where the bands merge learn from those where they stand apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.adaptation.slices import LogitSlices
from discrimen.errors import DataError, require_module

_PRIOR_SKEWNESS, _PRIOR_TAIL = 0.3, 0.2
_MOST_STEPS = 200
_MANY = 20
_DOUBT = 0.02


@dataclass(frozen=True, slots=True)
class Family:
    """Orders of the polynomials: of centre and width, of the share of neutrons, of skewness, of the tails."""

    band: int
    share: int
    skewness: int
    tail: int

    def within(self, n_slices: int) -> Family:
        """Return the family with no more freedom than so many slices determine."""
        most = max(1, n_slices - 2)
        return Family(*(min(order, most) for order in (self.band, self.share, self.skewness, self.tail)))

    @property
    def orders(self) -> tuple[int, ...]:
        """Of the nine curves: centre and log width of gammas, of neutrons, log odds of neutrons, skewness, tails."""
        return (self.band,) * 4 + (self.share,) + (self.skewness,) * 2 + (self.tail,) * 2


@dataclass(frozen=True, slots=True, eq=False)
class BandShapes:
    """What a family says of each slice.

    Parameters
    ----------
    gamma, neutron : ndarray of float64, shape (slice, point)
        Share of each class below some logits.
    neutron_share : ndarray of float64, shape (slice,)
        Share of neutrons among the pulses.
    """

    gamma: NDArray[np.float64]
    neutron: NDArray[np.float64]
    neutron_share: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Mixture:
    """A fitted family.

    Parameters
    ----------
    family : Family
        Which one.
    slices : LogitSlices
        What it was fitted to.
    bases : tuple of ndarray of float64, shape (slice, order + 1)
        The polynomials of each curve at the slices.
    coefficients : ndarray of float64, shape (coefficient,)
        Of all curves, one after the other, in Legendre polynomials.
    covariance : ndarray of float64, shape (coefficient, coefficient)
        Of the coefficients, widened where the fit is worse than chance.
    deviance, n_degrees : float, int
        Twice the logarithm of the likelihood ratio to the histogram itself, and bins less coefficients.
    misfit : float
        Root mean square difference between the true density and the fitted one, relative to the latter, as far as the
        deviance exceeds what chance makes of it.
    n_doubtful : float
        How many pulses may be of the other class than the fit says, by the misfit of the bins that hold both.
    """

    family: Family
    slices: LogitSlices
    bases: tuple[NDArray[np.float64], ...]
    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    deviance: float
    n_degrees: int
    misfit: float
    n_doubtful: float

    @property
    def deviance_per_degree(self) -> float:
        """About 1, or less where bins are nearly empty, for a family that describes the pulses."""
        return self.deviance / max(1, self.n_degrees)

    def shapes(self, logits: NDArray[Any], coefficients: NDArray[np.float64] | None = None) -> BandShapes:
        """Return the shares below some logits, for the fitted or other coefficients."""
        chosen = self.coefficients if coefficients is None else coefficients
        return _shapes(_curves(self.bases, chosen), logits)

    def drawn(self, n_draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw coefficients from their covariance, shape (draw, coefficient)."""
        return rng.multivariate_normal(self.coefficients, self.covariance, n_draws, method="eigh")


def fit_mixture(slices: LogitSlices, family: Family, *, neutron_share: float | None = None) -> Mixture:
    """Fit a family by the greatest Poisson likelihood.

    Parameters
    ----------
    slices : LogitSlices
        In some of which two bands stand apart: the fit starts from these.
    family : Family
        Cut down to what the slices determine.
    neutron_share : float, optional
        The share of neutrons over all slices, where it is known.

    Raises
    ------
    DataError
        If there is no fit.
    """
    optimize = require_module("scipy.optimize", extra="analysis")
    family = family.within(len(slices.bands))
    task = _Task(slices, _bases(family, slices), neutron_share)
    try:
        found = optimize.least_squares(
            task.residuals, task.start(), jac=task.jacobian, x_scale="jac", ftol=1e-6, max_nfev=_MOST_STEPS
        )
    except ValueError as error:
        raise DataError(f"two bands cannot be fitted to the logits: {error}") from error
    squares = (found.fun[: slices.counts.size] ** 2).reshape(slices.counts.shape)
    deviance, n_degrees = float(squares.sum()), slices.counts.size - len(found.x)
    excess, doubtful = _excess(squares, _curves(task.bases, found.x), slices)
    covariance = np.linalg.pinv(found.jac.T @ found.jac) * max(1.0, deviance / max(1, n_degrees))
    return Mixture(
        family=family,
        slices=slices,
        bases=task.bases,
        coefficients=found.x,
        covariance=covariance,
        deviance=deviance,
        n_degrees=n_degrees,
        misfit=sqrt(max(0.0, float(excess.sum()) + len(found.x)) / slices.n_pulses.sum()),
        # Half of the root of chi-square times the pulses is the most that can lie elsewhere (Cauchy and Schwarz).
        n_doubtful=sqrt(max(0.0, float(excess[doubtful].sum())) * float(slices.counts[doubtful].sum())) / 2,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """The least-squares problem of one family: deviance residuals of the bins, then what is known beforehand."""

    slices: LogitSlices
    bases: tuple[NDArray[np.float64], ...]
    neutron_share: float | None

    def start(self) -> NDArray[np.float64]:
        return _start(self.slices, self.bases)

    def residuals(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        curves = _curves(self.bases, coefficients)
        shaped = coefficients[len(coefficients) - len(self._widths()) :] / self._widths()
        return np.concatenate([self._bins(curves).ravel(), shaped, self._share(curves)])

    def jacobian(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivatives: those of a curve's coefficients follow from that of its values, slice by slice."""
        curves, columns = _curves(self.bases, coefficients), []
        bins, share = self._bins(curves), self._share(curves)
        for number, basis in enumerate(self.bases):
            moved = [curve + _STEP if other == number else curve for other, curve in enumerate(curves)]
            slope = (self._bins(moved) - bins) / _STEP
            columns.append((slope[:, :, np.newaxis] * basis[:, np.newaxis, :]).reshape(-1, basis.shape[1]))
        rows = [np.concatenate(columns, axis=1), self._prior_rows(len(coefficients))]
        if len(share):
            rows.append(self._share_row(curves)[np.newaxis])
        return np.concatenate(rows)

    def _bins(self, curves: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return _deviance_residuals(self.slices.counts, _expected(curves, self.slices))

    def _widths(self) -> NDArray[np.float64]:
        return np.concatenate(
            [np.full(basis.shape[1], width) for basis, width in zip(self.bases[5:], _PRIORS, strict=True)]
        )

    def _prior_rows(self, n_coefficients: int) -> NDArray[np.float64]:
        widths = self._widths()
        return np.concatenate([np.zeros((len(widths), n_coefficients - len(widths))), np.diag(1 / widths)], axis=1)

    def _share(self, curves: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        if self.neutron_share is None:
            return np.empty(0)
        weight = self.slices.n_pulses / self.slices.n_pulses.sum()
        return np.array([(weight @ _expit(curves[_SHARE]) - self.neutron_share) / _SHARE_TOLERANCE])

    def _share_row(self, curves: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        weight = self.slices.n_pulses / self.slices.n_pulses.sum()
        share = _expit(curves[_SHARE])
        parts = [np.zeros(basis.shape[1]) for basis in self.bases]
        parts[_SHARE] = (weight * share * (1 - share)) @ self.bases[_SHARE] / _SHARE_TOLERANCE
        return np.concatenate(parts)


_SHARE = 4
"""Number of the curve of the neutron share."""
_STEP = 1e-4
_PRIORS = (_PRIOR_SKEWNESS, _PRIOR_SKEWNESS, _PRIOR_TAIL, _PRIOR_TAIL)
_SHARE_TOLERANCE = 0.002


def _bases(family: Family, slices: LogitSlices) -> tuple[NDArray[np.float64], ...]:
    """Return the Legendre polynomials of each curve at the slices, shape (slice, order + 1)."""
    log = slices.log_peak
    middle, half = (log.max() + log.min()) / 2, (log.max() - log.min()) / 2
    place = (log - middle) / half
    return tuple(np.polynomial.legendre.legvander(place, order) for order in family.orders)


def _curves(
    bases: tuple[NDArray[np.float64], ...], coefficients: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    ends = np.cumsum([basis.shape[1] for basis in bases])
    return tuple(basis @ part for basis, part in zip(bases, np.split(coefficients, ends[:-1]), strict=True))


def _shapes(curves: Sequence[NDArray[np.float64]], logits: NDArray[Any]) -> BandShapes:
    special = require_module("scipy.special", extra="analysis")

    def below(centre: Any, log_width: Any, skewness: Any, tail: Any) -> NDArray[np.float64]:
        place = (logits - centre[:, np.newaxis]) * np.exp(-np.clip(log_width, -20, 20))[:, np.newaxis]
        bent = np.exp(np.clip(tail, -3, 3))[:, np.newaxis] * np.arcsinh(place) - skewness[:, np.newaxis]
        share: NDArray[np.float64] = special.ndtr(np.sinh(np.clip(bent, -50, 50)))
        return share

    return BandShapes(
        gamma=below(curves[0], curves[1], curves[5], curves[7]),
        neutron=below(curves[2], curves[3], curves[6], curves[8]),
        neutron_share=_expit(curves[_SHARE]),
    )


def _expected(curves: Sequence[NDArray[np.float64]], slices: LogitSlices) -> NDArray[np.float64]:
    shapes = _open_ended(_shapes(curves, slices.logit_edges))
    share = shapes.neutron_share[:, np.newaxis]
    density = (1 - share) * np.diff(shapes.gamma) + share * np.diff(shapes.neutron)
    expected: NDArray[np.float64] = slices.n_pulses[:, np.newaxis] * density
    return expected


def _open_ended(shapes: BandShapes) -> BandShapes:
    """Count what lies beyond the bins in the outermost."""
    for below in (shapes.gamma, shapes.neutron):
        below[:, 0], below[:, -1] = 0.0, 1.0
    return shapes


def _expit(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = require_module("scipy.special", extra="analysis").expit(odds)
    return share


def _deviance_residuals(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    special = require_module("scipy.special", extra="analysis")
    deviance = 2 * (special.xlogy(counts, counts / np.maximum(expected, 1e-9)) - (counts - expected))
    residual: NDArray[np.float64] = np.sign(counts - expected) * np.sqrt(np.maximum(deviance, 0) + 1e-12)
    return residual


def _excess(
    squares: NDArray[np.float64], curves: Sequence[NDArray[np.float64]], slices: LogitSlices
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return by how much each bin's deviance exceeds its mean, and which bins hold pulses of both classes."""
    shapes = _open_ended(_shapes(curves, slices.logit_edges))
    share = shapes.neutron_share[:, np.newaxis]
    gamma, neutron = (1 - share) * np.diff(shapes.gamma), share * np.diff(shapes.neutron)
    probability = neutron / np.maximum(gamma + neutron, 1e-300)
    doubtful = (probability > _DOUBT) & (probability < 1 - _DOUBT)
    return squares - _mean_deviance(slices.n_pulses[:, np.newaxis] * (gamma + neutron)), doubtful


def _mean_deviance(expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean deviance of a Poisson count, which is 1 where many are expected, and less where few are."""
    special = require_module("scipy.special", extra="analysis")
    means = np.geomspace(1e-6, _MANY, 200)[:, np.newaxis]
    counts = np.arange(8 * _MANY)
    chance = np.exp(special.xlogy(counts, means) - means - special.gammaln(counts + 1))
    deviance = 2 * (special.xlogy(counts, counts / means) - (counts - means))
    table = (chance * deviance).sum(axis=1)
    known: NDArray[np.float64] = np.interp(expected, means[:, 0], table, right=1.0)
    return known


def _start(slices: LogitSlices, bases: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    """Return straight lines through the Gaussians of the slices that stand apart, without skewness or tails."""
    merits = [part.merit for part, apart in zip(slices.bands, slices.apart, strict=True) if apart and part.merit]
    values = (
        [merit.gamma.mean for merit in merits],
        [np.log(merit.gamma.sigma) for merit in merits],
        [merit.neutron.mean for merit in merits],
        [np.log(merit.neutron.sigma) for merit in merits],
        [np.log(merit.neutron.n_pulses / merit.gamma.n_pulses) for merit in merits],
    )
    parts = []
    for number, basis in enumerate(bases):
        part = np.zeros(basis.shape[1])
        if number < len(values):
            n_terms = min(2, len(part))
            part[:n_terms] = np.linalg.lstsq(basis[slices.apart, :n_terms], np.array(values[number]), rcond=None)[0]
        parts.append(part)
    return np.concatenate(parts)
