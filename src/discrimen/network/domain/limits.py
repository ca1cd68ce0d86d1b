"""Limits that few pulses of the same kind pass, from a finite number of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

ENOUGH_BEYOND = 3
"""A quantile beyond which fewer pulses are expected is not read off, but found from the tail."""

TAIL_SHARE, FEWEST_OF_TAIL = 0.05, 20
"""The tail are the values beyond this quantile, and no fewer than this number."""

MARGIN_SIGMA = 2.0


def upper_limit(values: NDArray[Any], share: float) -> float:
    """Return what at most a share of further values lies above.

    Of many values it is one of the highest: so many are left above it as are surely fewer than the share, two standard
    deviations of their number allowed for. Of few values the tail is taken for an exponential one, which is longer than
    that of noise, and its mean is raised by its uncertainty (two standard deviations): limits of few pulses are wider.

    Parameters
    ----------
    values : ndarray, shape (n,)
        The values.
    share : float
        Of further values that may lie above.
    """
    ordered = np.sort(values.astype(np.float64))
    if (beyond_it := _surely_beyond(len(ordered), share)) is not None:
        return float(ordered[len(ordered) - 1 - beyond_it])
    tail = min(1.0, max(TAIL_SHARE, FEWEST_OF_TAIL / len(ordered)))
    start = float(np.quantile(ordered, 1 - tail))
    beyond = ordered[ordered > start]
    if not len(beyond):
        return float(ordered[-1])
    excess = float((beyond - start).mean()) * (1 + MARGIN_SIGMA / math.sqrt(len(beyond)))
    return max(float(ordered[-1]), start + excess * math.log(tail / share))


def lower_limit(values: NDArray[Any], share: float) -> float:
    """Return what at most a share of further values lies below; 0 where values of 0 are more than that.

    Of few values the tail is taken for an exponential one in the values or in their logarithms, whichever is shorter.

    Parameters
    ----------
    values, share
        As of :func:`upper_limit`.
    """
    positive = values[values > 0].astype(np.float64)
    if not len(positive) or len(positive) < (1 - share) * len(values):
        return 0.0
    return max(-upper_limit(-positive, share), math.exp(-upper_limit(-np.log(positive), share)))


def edge_limits(edges: NDArray[np.int64], share: float) -> tuple[int, int]:
    """Return the samples between which all but a share of further edges lie; one more on each side for a few edges.

    Parameters
    ----------
    edges : ndarray of int64, shape (n,)
        In samples.
    share : float
        That may lie beyond each of the two.
    """
    ordered = np.sort(edges)
    beyond = _surely_beyond(len(edges), share)
    if beyond is None:
        return int(ordered[0]) - 1, int(ordered[-1]) + 1
    return int(ordered[beyond]), int(ordered[len(ordered) - 1 - beyond])


def _surely_beyond(count: int, share: float) -> int | None:
    """Return how many of the values lie beyond the limit at least, None where that is too few to read it off."""
    expected = share * count
    fewest = expected - MARGIN_SIGMA * math.sqrt(expected)
    return int(fewest) if fewest >= ENOUGH_BEYOND else None
