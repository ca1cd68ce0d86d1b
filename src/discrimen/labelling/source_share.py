"""The share of neutrons in a mixed run, from a pure gamma run and no label of any pulse.

One number describes the shape of each pulse. In the gamma run its distribution is that of gammas, whatever form it has;
what the mixed run holds beyond that is taken for one Gaussian of neutrons. Without any assumption on the neutrons only
a lower limit of their share could be had (G. Blanchard, G. Lee and C. Scott, J. Mach. Learn. Res. 11 (2010) 2973).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, require_module

LEAST_SEPARATION = 3.0
"""Distance of the classes in widths of the gammas: closer together, the share and the place of neutrons trade off."""

_BIN_WIDTH = 0.3  # of the gammas: finer ones add noise of the template, which looks like a second class
_FEWEST_BINS, _MOST_BINS = 20, 300
_START_QUANTILES = (0.5, 0.8, 0.95, 0.99)
_N_STEPS = 400
_N_STEPS_OF_DRAWS = 100
_EMPTY_BIN = 1e-3
_LEAST_WIDTH = 0.3
_MIRRORED_SIGMA = 1.4826  # of a Gaussian, over the median distance from its centre


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ShareFit:
    """Neutrons in the mixed pulses of one slice of energy.

    Parameters
    ----------
    share : float
        Of the mixed pulses.
    separation : float
        Distance of the neutrons from the gammas, in widths of the gammas.
    drawn : ndarray of float64, shape (draw,)
        The share, as far as it is known: its quantiles are the limits of an interval.
    """

    share: float
    separation: float
    drawn: NDArray[np.float64]


def shape_direction(gamma: NDArray[np.float64], mixed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the direction in which the classes part best, learned without labels.

    The mean of the mixed run differs from that of the gamma run by the share of neutrons times the difference of the
    classes: the direction of Fisher's discriminant (Ann. Eugen. 7 (1936) 179) is the same, whatever the share (E. M.
    Metodiev, B. Nachman and J. Thaler, J. High Energy Phys. 10 (2017) 174, for any classifier).

    Parameters
    ----------
    gamma, mixed : ndarray of float64, shape (pulse, feature)
        RunShapes of pulses of similar energy.

    Returns
    -------
    ndarray of float64, shape (feature,)
        Neutrons lie towards larger products.
    """
    # The charges of one pulse add up to 1: the covariance has no inverse, but a least-squares solution.
    difference = mixed.mean(axis=0) - gamma.mean(axis=0)
    direction: NDArray[np.float64] = np.linalg.lstsq(np.cov(gamma.T), difference, rcond=1e-6)[0]
    return direction


def fit_neutron_share(
    gamma: NDArray[np.float64], mixed: NDArray[np.float64], *, n_draws: int, rng: np.random.Generator
) -> ShareFit:
    """Fit the share of neutrons by the greatest likelihood (expectation maximisation).

    Parameters
    ----------
    gamma, mixed : ndarray of float64, shape (pulse,)
        Larger for neutrons; of pulses that the direction was not learned from.
    n_draws : int
        Repetitions behind intervals.
    rng : numpy.random.Generator
        Draws them.

    Raises
    ------
    DataError
        If all gammas are alike.
    """
    centre = float(np.median(gamma))
    width = _MIRRORED_SIGMA * float(np.median(np.abs(gamma - centre)))
    if not width > 0:
        raise DataError(f"{len(gamma)} pulses of the gamma run have one and the same shape: check polarity and window")
    low, high = (np.quantile(np.concatenate([gamma, mixed]), [0.0005, 0.9995]) - centre) / width
    n_bins = int(np.clip(np.ceil((high - low) / _BIN_WIDTH), _FEWEST_BINS, _MOST_BINS))
    scale = _Scale(np.linspace(float(low), float(high), n_bins + 1))
    n_gamma, n_mixed = (
        np.histogram((values - centre) / width, scale.edges)[0].astype(np.float64) for values in (gamma, mixed)
    )
    best = max(
        (_climb(scale, n_gamma, n_mixed, start=start, n_steps=_N_STEPS) for start in _starts(scale, n_gamma, n_mixed)),
        key=lambda found: float(found.log_likelihood[0]),
    )
    drawn = _climb(
        scale,
        rng.poisson(n_gamma, (n_draws, n_bins)).astype(np.float64),
        rng.poisson(n_mixed, (n_draws, n_bins)).astype(np.float64),
        start=(float(best.share[0]), float(best.mean[0]), float(best.width[0])),
        n_steps=_N_STEPS_OF_DRAWS,
    )
    # Where the classes overlap, noise of the counts looks like neutrons; in the repetitions it does so once more, and
    # what that adds is taken off (the basic bootstrap).
    turned = np.clip(2 * best.share[0] - drawn.share, 0.0, 1.0)
    return ShareFit(share=float(turned.mean()), separation=float(best.mean[0]), drawn=turned)


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """Edges of bins in widths of the gammas, counted from their centre."""

    edges: NDArray[np.float64]

    @property
    def centres(self) -> NDArray[np.float64]:
        centres: NDArray[np.float64] = (self.edges[1:] + self.edges[:-1]) / 2
        return centres


@dataclass(frozen=True, slots=True, eq=False)
class _Climbed:
    """Where the likelihood is greatest, for each draw."""

    share: NDArray[np.float64]
    mean: NDArray[np.float64]
    width: NDArray[np.float64]
    log_likelihood: NDArray[np.float64]


def _starts(
    scale: _Scale, n_gamma: NDArray[np.float64], n_mixed: NDArray[np.float64]
) -> list[tuple[float, float, float]]:
    """Guess the neutrons from what the mixed run holds beyond several quantiles of the gamma run."""
    cumulative = np.cumsum(n_gamma) / n_gamma.sum()
    starts = []
    for quantile in _START_QUANTILES:
        beyond = np.where(cumulative > quantile, n_mixed, 0.0)
        excess = beyond.sum() / n_mixed.sum() - (1 - quantile)
        weight = beyond.sum()
        mean = float((beyond * scale.centres).sum() / weight) if weight else float(scale.edges[-1])
        spread = float(np.sqrt((beyond * (scale.centres - mean) ** 2).sum() / weight)) if weight else 1.0
        starts.append((float(np.clip(excess, 0.01, 0.9)), mean, max(spread, 1.0)))
    return starts


def _climb(
    scale: _Scale,
    n_gamma: NDArray[np.float64],
    n_mixed: NDArray[np.float64],
    *,
    start: tuple[float, float, float],
    n_steps: int,
) -> _Climbed:
    special = require_module("scipy.special", extra="analysis")
    n_gamma, n_mixed = np.atleast_2d(n_gamma), np.atleast_2d(n_mixed)
    of_gamma = (n_gamma + _EMPTY_BIN) / (n_gamma + _EMPTY_BIN).sum(axis=1, keepdims=True)
    share, mean, width = (np.full((len(n_mixed), 1), value) for value in start)
    total = np.maximum(n_mixed.sum(axis=1, keepdims=True), 1.0)
    density = of_gamma
    for _ in range(n_steps):
        of_neutron = np.maximum(np.diff(special.ndtr((scale.edges - mean) / width), axis=1), 1e-12)
        density = share * of_neutron + (1 - share) * of_gamma
        neutrons = n_mixed * share * of_neutron / density
        sum_neutrons = np.maximum(neutrons.sum(axis=1, keepdims=True), 1e-9)
        share = sum_neutrons / total
        mean = (neutrons * scale.centres).sum(axis=1, keepdims=True) / sum_neutrons
        spread = (neutrons * (scale.centres - mean) ** 2).sum(axis=1, keepdims=True) / sum_neutrons
        width = np.sqrt(np.maximum(spread, _LEAST_WIDTH**2))
    likelihood = (n_mixed * np.log(density)).sum(axis=1)
    return _Climbed(share[:, 0], mean[:, 0], width[:, 0], likelihood)
