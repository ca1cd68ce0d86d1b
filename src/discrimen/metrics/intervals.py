"""Intervals of a share that was counted."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from discrimen.errors import DataError


@dataclass(frozen=True, slots=True)
class Share:
    """A share of pulses with its interval.

    Parameters
    ----------
    value, low, high : float
        Between 0 and 1.
    n_counted, n_total : int
        The counts behind it.
    """

    value: float
    low: float
    high: float
    n_counted: int
    n_total: int


def normal_quantile(confidence: float) -> float:
    """Return the half width, in standard deviations, of a central interval of that confidence.

    Raises
    ------
    DataError
        If the confidence does not lie between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise DataError(f"confidence must lie between 0 and 1, got {confidence}")
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson_interval(n_counted: int, n_total: int, *, confidence: float = 0.95) -> Share:
    """Return a binomial share with its score interval (Wilson, J. Am. Stat. Assoc. 22 (1927) 209).

    Parameters
    ----------
    n_counted, n_total : int
        How many of how many.
    confidence : float
        Of the interval.

    Raises
    ------
    DataError
        If the counts are no share, or the confidence does not lie between 0 and 1.
    """
    if not 0 <= n_counted <= n_total or n_total == 0:
        raise DataError(f"expected a count among at least one, got {n_counted} of {n_total}")
    z = normal_quantile(confidence)
    share = n_counted / n_total
    centre = (share + z**2 / (2 * n_total)) / (1 + z**2 / n_total)
    half = z * sqrt(share * (1 - share) / n_total + z**2 / (4 * n_total**2)) / (1 + z**2 / n_total)
    low = 0.0 if n_counted == 0 else max(0.0, centre - half)
    high = 1.0 if n_counted == n_total else min(1.0, centre + half)
    return Share(share, low, high, n_counted, n_total)
