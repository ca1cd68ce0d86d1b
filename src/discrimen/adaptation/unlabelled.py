"""Thresholds and a scale for the score from unlabelled pulses, each with what it is not sure of.

Several families of bands are fitted. Those that describe the pulses about equally well count equally: where they
disagree, mostly at heights where the bands merge, the pulses alone do not tell, and the interval is as wide as that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.adaptation.mixture import BandShapes, Family, Mixture, fit_mixture
from discrimen.adaptation.slices import LogitSlices
from discrimen.errors import DataError, require_module

FAMILIES = (
    Family(band=3, share=3, skewness=1, tail=0),
    Family(band=4, share=3, skewness=1, tail=0),
    Family(band=4, share=3, skewness=2, tail=1),
    Family(band=5, share=3, skewness=2, tail=1),
    Family(band=4, share=4, skewness=2, tail=2),
    Family(band=4, share=2, skewness=2, tail=1),
    Family(band=4, share=1, skewness=1, tail=1),
    Family(band=5, share=5, skewness=3, tail=2),
)

WORST_DEVIANCE = 1.2
"""Times that of the best family: one that describes the pulses worse does not count."""

SHAPE_ERROR = 0.005
"""Added to both ends of every interval: no family of curves has the very tails of real bands. Chosen after a comparison
with simulated truth, see docs/transfer.md."""

LARGEST_MISFIT = 0.25
"""Root mean square relative difference of densities: above, there is something else in the run than two bands."""

N_DRAWS = 100
"""Of the coefficients of each family."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A share that was not counted, but concluded, with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TwoBands:
    """What unlabelled pulses tell of two classes.

    Parameters
    ----------
    slices : LogitSlices
        The pulses.
    mixtures : tuple of Mixture
        The families that count.
    draws : tuple of ndarray, shape (draw, coefficient)
        Of each family.
    confidence : float
        Of the intervals.
    """

    slices: LogitSlices
    mixtures: tuple[Mixture, ...]
    draws: tuple[NDArray[np.float64], ...]
    confidence: float

    def passing(self, logit: float) -> tuple[Estimate, Estimate]:
        """Return the shares of neutrons and of gammas with this logit or more.

        Where bins that hold both classes do not fit, as many pulses may be of the other class.
        """
        share, n_pulses = self._mean(_neutron_share, 0.0), float(self.slices.n_pulses.sum())
        return (
            self._estimate(_efficiency, logit, error=self._n_doubtful / (share * n_pulses)),
            self._estimate(_leakage, logit, error=self._n_doubtful / ((1 - share) * n_pulses)),
        )

    @property
    def _n_doubtful(self) -> float:
        return min(mixture.n_doubtful for mixture in self.mixtures)

    def neutron_share(self) -> Estimate:
        """Return the share of neutrons among the pulses."""
        return self._estimate(_neutron_share, 0.0, error=self._n_doubtful / float(self.slices.n_pulses.sum()))

    def logit_for_efficiency(self, efficiency: float) -> float:
        """Return the logit that this share of the neutrons reaches, by the mean of the families."""
        return self._search(_efficiency, efficiency)

    def logit_for_leakage(self, leakage: float) -> float:
        """Return the logit that this share of the gammas reaches, by the mean of the families."""
        return self._search(_leakage, leakage)

    def neutron_probability(self) -> NDArray[np.float64]:
        """Return how likely a pulse of each slice and bin is a neutron, shape (slice, bin), by the mean."""
        total = np.zeros(self.slices.counts.shape)
        for mixture in self.mixtures:
            shapes = mixture.shapes(self.slices.logit_edges)
            neutron = shapes.neutron_share[:, np.newaxis] * np.diff(shapes.neutron)
            gamma = (1 - shapes.neutron_share[:, np.newaxis]) * np.diff(shapes.gamma)
            total += neutron / np.maximum(neutron + gamma, 1e-300)
        return total / len(self.mixtures)

    def _mean(self, figure: _Figure, logit: float) -> float:
        at = np.array([logit])
        return float(np.mean([figure(mixture.shapes(at), self.slices.n_pulses) for mixture in self.mixtures]))

    def _estimate(self, figure: _Figure, logit: float, *, error: float) -> Estimate:
        at, n_pulses = np.array([logit]), self.slices.n_pulses
        drawn = [
            figure(mixture.shapes(at, coefficients), n_pulses)
            for mixture, draws in zip(self.mixtures, self.draws, strict=True)
            for coefficients in draws
        ]
        low, high = np.quantile(drawn, [(1 - self.confidence) / 2, (1 + self.confidence) / 2])
        value = self._mean(figure, logit)
        beyond = error + SHAPE_ERROR
        return Estimate(
            value=value,
            low=max(0.0, min(float(low), value) - beyond),
            high=min(1.0, max(float(high), value) + beyond),
        )

    def _search(self, figure: _Figure, share: float) -> float:
        edges = self.slices.logit_edges
        low, high = float(2 * edges[0] - edges[-1]), float(2 * edges[-1] - edges[0])
        for _ in range(60):
            middle = (low + high) / 2
            if self._mean(figure, middle) > share:
                low = middle
            else:
                high = middle
        return (low + high) / 2


_Figure = Callable[[BandShapes, NDArray[np.float64]], float]


def find_two_bands(
    slices: LogitSlices,
    *,
    rng: np.random.Generator,
    neutron_share: float | None = None,
    confidence: float = 0.95,
) -> TwoBands:
    """Fit the families and keep those that describe the pulses.

    Parameters
    ----------
    slices : LogitSlices
        From :func:`~discrimen.adaptation.slices.slice_logits`.
    rng : Generator
        Draws from the uncertainty of each fit.
    neutron_share : float, optional
        Where it is known, between 0 and 1.
    confidence : float
        Of the intervals.

    Raises
    ------
    DataError
        If no family describes the pulses.
    """
    families = _distinct(len(slices.bands))
    # The matrices are small: threads of the linear algebra would only wait for each other.
    with require_module("threadpoolctl", extra="analysis").threadpool_limits(1, user_api="blas"):
        mixtures = [fit_mixture(slices, family, neutron_share=neutron_share) for family in families]
    misfit = min(mixture.misfit for mixture in mixtures)
    if misfit > LARGEST_MISFIT:
        raise DataError(
            f"two bands do not describe these pulses, the densities differ by {misfit:.0%} (at most "
            f"{LARGEST_MISFIT:.0%}): a third kind of pulses (noise, pile-up, saturation), several channels with "
            "different gain, or scores of a strange shape; take one channel, a range of heights (--peak-adc), "
            "or labelled pulses (--labelled)"
        )
    best = min(mixture.deviance_per_degree for mixture in mixtures)
    kept = tuple(mixture for mixture in mixtures if mixture.deviance_per_degree <= WORST_DEVIANCE * best)
    return TwoBands(
        slices=slices,
        mixtures=kept,
        draws=tuple(mixture.drawn(N_DRAWS, rng) for mixture in kept),
        confidence=confidence,
    )


def _distinct(n_slices: int) -> list[Family]:
    return list(dict.fromkeys(family.within(n_slices) for family in FAMILIES))


def _efficiency(shapes: BandShapes, n_pulses: NDArray[np.float64]) -> float:
    weight: NDArray[Any] = n_pulses * shapes.neutron_share
    return float(weight @ (1 - shapes.neutron[:, 0]) / max(weight.sum(), 1e-300))


def _leakage(shapes: BandShapes, n_pulses: NDArray[np.float64]) -> float:
    weight: NDArray[Any] = n_pulses * (1 - shapes.neutron_share)
    return float(weight @ (1 - shapes.gamma[:, 0]) / max(weight.sum(), 1e-300))


def _neutron_share(shapes: BandShapes, n_pulses: NDArray[np.float64]) -> float:
    return float(n_pulses @ shapes.neutron_share / n_pulses.sum())
