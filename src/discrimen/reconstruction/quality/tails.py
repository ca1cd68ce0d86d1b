"""How far the mean of n values may lie from what is expected, once in so many windows: tails that are not Gaussian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module

N_BINS = 100
_N_TILTS = 240
_GREATEST_TILT = 30.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Values:
    """The distribution of a bounded value.

    Parameters
    ----------
    at, share : ndarray of float64, shape (bin,)
        Where its values lie, and which share of them.
    """

    at: NDArray[np.float64]
    share: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Values:
        """Count values in bins, each of which stands for the mean of its own."""
        low, high = float(values.min()), float(values.max())
        width = (high - low) / N_BINS or 1.0
        number = np.minimum(((values - low) / width).astype(np.int64), N_BINS - 1)
        counts = np.bincount(number, minlength=N_BINS)
        means = np.bincount(number, weights=values, minlength=N_BINS) / np.maximum(counts, 1)
        there = counts > 0
        return cls(at=means[there], share=counts[there] / len(values))

    @property
    def mean(self) -> float:
        """Of all values."""
        return float(self.share @ self.at)

    @property
    def spread(self) -> float:
        """Standard deviation; 0 for a value that never changes."""
        return float(np.sqrt(self.share @ (self.at - self.mean) ** 2))

    def as_dict(self) -> dict[str, list[float]]:
        """Return plain data, ready for JSON."""
        return {"at": np.round(self.at, 5).tolist(), "share": self.share.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Values:
        """Build from what :meth:`as_dict` returned."""
        return cls(at=np.array(values["at"], float), share=np.array(values["share"], float))

    def limits(self, n_values: int, p_value: float) -> tuple[float, float]:
        """Return how far the mean of some values lies below and above what is expected, with a probability each.

        The saddlepoint approximation of Lugannani and Rice (Adv. Appl. Probab. 12 (1980) 475): its *relative* error
        stays small far out, where a Gaussian would be wrong by factors, because values are not Gaussian.

        Parameters
        ----------
        n_values : int
            That the mean is of.
        p_value : float
            Of each side.

        Returns
        -------
        tuple of float
            Both in units of the standard deviation of the mean, positive.
        """
        if not self.spread > 0:
            return np.inf, np.inf
        standard = (self.at - self.mean) / self.spread
        return _upper_limit(-standard, self.share, n_values, p_value), _upper_limit(
            standard, self.share, n_values, p_value
        )


def _upper_limit(at: NDArray[np.float64], share: NDArray[np.float64], n_values: int, p_value: float) -> float:
    special = require_module("scipy.special", extra="analysis")
    gaussian = -float(special.ndtri(p_value))
    tilt = np.geomspace(0.2, _GREATEST_TILT, _N_TILTS) * gaussian / np.sqrt(n_values)
    exponent = tilt[:, np.newaxis] * at
    cumulant = special.logsumexp(exponent, b=share, axis=1)
    weight = share * np.exp(exponent - cumulant[:, np.newaxis])
    mean = weight @ at
    variance = np.maximum((weight * (at - mean[:, np.newaxis]) ** 2).sum(axis=1), 1e-12)
    root = np.sqrt(np.maximum(2 * n_values * (tilt * mean - cumulant), 1e-12))
    slope = tilt * np.sqrt(n_values * variance)
    # log of the tail, written so that it does not underflow: sf(w) + pdf(w) (1/u - 1/w)
    log_density = -(root**2) / 2 - np.log(2 * np.pi) / 2
    mills = np.exp(special.log_ndtr(-root) - log_density)
    log_p = log_density + np.log(np.maximum(mills + 1 / slope - 1 / root, 1e-300))
    beyond = np.flatnonzero(log_p < np.log(p_value))
    if not len(beyond):
        return float("inf")
    first = int(beyond[0])
    if first == 0:
        return gaussian
    share_of_step = (log_p[first - 1] - np.log(p_value)) / (log_p[first - 1] - log_p[first])
    found = mean[first - 1] + share_of_step * (mean[first] - mean[first - 1])
    return float(found * np.sqrt(n_values))


def most_marked(n_reference: int, n_marked: int, n_pulses: int, p_value: float) -> int:
    """Return the largest number of marked pulses in a window that is no alarm, from the number in the reference.

    Beta-binomial with Jeffreys' prior: what a finite reference does not know of a rare mark is part of it.

    Parameters
    ----------
    n_reference, n_marked : int
        Pulses of the reference, and those of them that are marked.
    n_pulses : int
        Of the window.
    p_value : float
        Probability of more than that.
    """
    special = require_module("scipy.special", extra="analysis")
    number = np.arange(n_pulses + 1)
    first, second = n_marked + 0.5, n_reference - n_marked + 0.5
    ways = special.gammaln(n_pulses + 1) - special.gammaln(number + 1) - special.gammaln(n_pulses - number + 1)
    log_p = ways + special.betaln(number + first, n_pulses - number + second) - special.betaln(first, second)
    at_least = np.cumsum(np.exp(log_p)[::-1])[::-1]
    allowed = np.flatnonzero(np.append(at_least[1:], 0.0) < p_value)
    return int(allowed[0])
