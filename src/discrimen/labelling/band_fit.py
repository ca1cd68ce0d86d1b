"""The two bands of the charge-comparison plane: a fit per energy slice, and smooth curves through the slices."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.metrics import FigureOfMerit, figure_of_merit

SLICE_RATIO = 1.25
"""Upper over lower edge of an energy slice."""

FEWEST_IN_SLICE = 500
"""Pulses; a slice with fewer is joined to its neighbour towards the middle of the spectrum."""

HIGHEST_ORDER = 4
"""Of the polynomials in the logarithm of the energy."""

_SMALLEST_RELATIVE_ERROR = 1e-3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SliceFit:
    """Two Gaussians in one slice of energy.

    Parameters
    ----------
    low, high : float
        Edges of the slice in the unit of the energy.
    centre : float
        Geometric mean of the energies in it.
    n_pulses : int
        With a PSD.
    merit : FigureOfMerit or None
        The fit; None where it failed.
    problem : str
        Why there is no fit; empty where there is one.
    """

    low: float
    high: float
    centre: float
    n_pulses: int
    merit: FigureOfMerit | None
    problem: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Curve:
    """A polynomial in the logarithm of the energy, straight beyond the slices that it was fitted to.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (order + 1,)
        Lowest power first, of (ln E - middle) / half_width.
    covariance : ndarray of float64, shape (order + 1, order + 1)
        Of the coefficients, widened where the points scatter more than their errors.
    middle, half_width : float
        Of the fitted range in ln E.
    """

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    middle: float
    half_width: float

    def __call__(self, energy: NDArray[Any]) -> NDArray[np.float64]:
        """Return the curve at some energies."""
        value: NDArray[np.float64] = self._powers(energy) @ self.coefficients
        return value

    def drawn(self, energy: NDArray[Any], *, n_draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the curve at some energies for coefficients drawn from their covariance, shape (draw, energy)."""
        drawn = rng.multivariate_normal(self.coefficients, self.covariance, n_draws, method="eigh")
        value: NDArray[np.float64] = drawn @ self._powers(energy).T
        return value

    def _powers(self, energy: NDArray[Any]) -> NDArray[np.float64]:
        x = (np.log(energy) - self.middle) / self.half_width
        inside = np.clip(x, -1.0, 1.0)
        order = np.arange(len(self.coefficients))
        slope = order * inside[:, np.newaxis] ** np.maximum(order - 1, 0)
        powers: NDArray[np.float64] = inside[:, np.newaxis] ** order + (x - inside)[:, np.newaxis] * slope
        return powers


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Centre and width of both bands against energy.

    Parameters
    ----------
    gamma_mean, neutron_mean : Curve
        Of the PSD.
    gamma_log_sigma, neutron_log_sigma : Curve
        Natural logarithm of the standard deviation, so that no width is negative.
    """

    gamma_mean: Curve
    neutron_mean: Curve
    gamma_log_sigma: Curve
    neutron_log_sigma: Curve

    def at(self, energy: NDArray[Any]) -> NDArray[np.float64]:
        """Return mean and sigma of gammas, then of neutrons: shape (4, pulse)."""
        return np.stack(
            [
                self.gamma_mean(energy),
                np.exp(self.gamma_log_sigma(energy)),
                self.neutron_mean(energy),
                np.exp(self.neutron_log_sigma(energy)),
            ]
        )

    def drawn(self, energy: NDArray[Any], *, n_draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the same for curves drawn from their covariance: shape (4, draw, energy)."""
        curves = (self.gamma_mean, self.gamma_log_sigma, self.neutron_mean, self.neutron_log_sigma)
        drawn = np.stack([curve.drawn(energy, n_draws=n_draws, rng=rng) for curve in curves])
        drawn[1::2] = np.exp(drawn[1::2])
        return drawn

    def place(self, energy: NDArray[Any], psd: NDArray[Any]) -> NDArray[np.float64]:
        """Return where each pulse lies between the centres of the bands at its energy: 0 for gammas, 1 for neutrons."""
        gamma, neutron = self.gamma_mean(energy), self.neutron_mean(energy)
        place: NDArray[np.float64] = (psd - gamma) / (neutron - gamma)
        return place


def slice_edges(energy: NDArray[Any], *, low: float, high: float, fewest: int = FEWEST_IN_SLICE) -> NDArray[np.float64]:
    """Return edges of slices of about equal ratio, joined at the ends of the spectrum where pulses are few.

    Parameters
    ----------
    energy : ndarray of float, shape (pulse,)
        Of the pulses that have a PSD.
    low, high : float
        Range to slice.
    fewest : int
        Pulses in each.

    Raises
    ------
    DataError
        If the range holds too few pulses.
    """
    if not 0 < low < high:
        raise DataError(f"the energy range must be positive and ascending, got {low:g} to {high:g}")
    n_slices = max(1, round(np.log(high / low) / np.log(SLICE_RATIO)))
    edges = list(np.geomspace(low, high, n_slices + 1))
    counts = [int(count) for count in np.histogram(energy, edges)[0]]
    if sum(counts) < fewest:
        raise DataError(
            f"{sum(counts)} pulses with a PSD between {low:g} and {high:g}, at least {fewest} are needed "
            "to tell two bands"
        )
    while min(counts) < fewest:
        poorest = int(np.argmin(counts))
        lower = poorest if poorest < len(counts) // 2 else poorest - 1
        counts[lower : lower + 2] = [counts[lower] + counts[lower + 1]]
        del edges[lower + 1]
    return np.array(edges)


def fit_slices(energy: NDArray[Any], psd: NDArray[Any], *, edges: NDArray[np.float64]) -> tuple[SliceFit, ...]:
    """Fit two Gaussians to each slice.

    Parameters
    ----------
    energy, psd : ndarray of float, shape (pulse,)
        All finite.
    edges : ndarray of float64, shape (slice + 1,)
        As from :func:`slice_edges`.
    """
    return tuple(
        _fit_slice(energy[inside], psd[inside], low=low, high=high)
        for low, high in pairwise(edges)
        for inside in [(energy >= low) & (energy < high)]
    )


def smooth_bands(slices: tuple[SliceFit, ...]) -> Bands:
    """Draw smooth curves through centres and widths of the slices that have a fit.

    Raises
    ------
    DataError
        If no slice has one.
    """
    fitted = [part for part in slices if part.merit is not None]
    if not fitted:
        raise DataError(
            f"in none of {len(slices)} energy slices do two bands stand apart ({slices[-1].problem}): "
            "band labels need a mixed source, and gates that part the classes"
        )
    energy = np.array([part.centre for part in fitted])
    merits = [part.merit for part in fitted if part.merit is not None]

    def curve(values: list[float], errors: list[float]) -> Curve:
        return fit_curve(energy, np.array(values), np.maximum(errors, _SMALLEST_RELATIVE_ERROR * np.abs(values)))

    return Bands(
        gamma_mean=curve([m.gamma.mean for m in merits], [m.gamma.mean_error for m in merits]),
        neutron_mean=curve([m.neutron.mean for m in merits], [m.neutron.mean_error for m in merits]),
        gamma_log_sigma=curve(
            [float(np.log(m.gamma.sigma)) for m in merits], [m.gamma.sigma_error / m.gamma.sigma for m in merits]
        ),
        neutron_log_sigma=curve(
            [float(np.log(m.neutron.sigma)) for m in merits], [m.neutron.sigma_error / m.neutron.sigma for m in merits]
        ),
    )


def straightened(
    energy: NDArray[Any], psd: NDArray[Any], *, slices: tuple[SliceFit, ...], bands: Bands
) -> NDArray[np.float64]:
    """Return the PSD that each pulse would have at the centre of its slice, so that no band is wide from its slope.

    Pulses outside of all slices keep theirs.
    """
    edges = np.array([*(part.low for part in slices), slices[-1].high])
    number = np.searchsorted(edges, energy, side="right") - 1
    inside = (number >= 0) & (number < len(slices))
    centre = np.array([part.centre for part in slices])[number[inside]]
    gamma, _, neutron, _ = bands.at(centre)
    moved = np.array(psd, dtype=np.float64)
    moved[inside] = gamma + bands.place(energy[inside], psd[inside]) * (neutron - gamma)
    return moved


def _fit_slice(energy: NDArray[Any], psd: NDArray[Any], *, low: float, high: float) -> SliceFit:
    merit, problem = None, ""
    try:
        merit = figure_of_merit(psd)
    except DataError as error:
        problem = str(error).removeprefix("no fit: ")
    centre = float(np.exp(np.log(energy).mean()))
    return SliceFit(low=float(low), high=float(high), centre=centre, n_pulses=len(psd), merit=merit, problem=problem)


def fit_curve(energy: NDArray[np.float64], values: NDArray[np.float64], errors: NDArray[np.float64]) -> Curve:
    """Fit the polynomial with the smallest Bayesian information criterion (Schwarz, Ann. Stat. 6 (1978) 461)."""
    log = np.log(energy)
    middle = float((log.min() + log.max()) / 2)
    half_width = float(max(log.max() - middle, 0.1))
    x = (log - middle) / half_width
    best: tuple[float, Curve] | None = None
    for order in range(min(HIGHEST_ORDER, len(x) - 1) + 1):
        design = x[:, np.newaxis] ** np.arange(order + 1) / errors[:, np.newaxis]
        covariance = np.linalg.inv(design.T @ design).astype(np.float64)
        coefficients = covariance @ (design.T @ (values / errors))
        chi2 = float(((values / errors - design @ coefficients) ** 2).sum())
        n_degrees = len(x) - order - 1
        criterion = chi2 + (order + 1) * np.log(len(x))
        if best is None or criterion < best[0]:
            widened = covariance * max(1.0, chi2 / n_degrees if n_degrees else 1.0)
            curve = Curve(coefficients=coefficients, covariance=widened, middle=middle, half_width=half_width)
            best = criterion, curve
    assert best is not None
    return best[1]
