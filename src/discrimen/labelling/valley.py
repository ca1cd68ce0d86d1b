"""A valley in a distribution that no single band can make, whatever its shape.

A distribution with one maximum may be flat, skewed or long-tailed, but between two places it never lies below both. Two
maxima and a valley are chosen on one half of the pulses and judged on the other, and the other way round: the
significance is that of three counts, with no choice among places left in it and no shape assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module

_N_BINS = 64
_SMOOTHING_BINS = (1.5, 2.5, 4.0)
_REACHES = (1 / 10, 1 / 6, 1 / 4)
"""Half widths of what is counted, in distances of the maxima; at the widest, the three touch."""

_NO_VALLEY = -9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Valley:
    """Two maxima of a distribution and the least value between them.

    Parameters
    ----------
    lower, valley, upper : float
        Where they lie; NaN where there is one maximum only.
    significance : float
        By how many standard deviations the valley lies below the less certain of both maxima: the mean of both halves.
    least_significance : float
        The smaller one of both halves.
    depth_ratio : float
        Density in the valley over that of the lower maximum.
    """

    lower: float
    valley: float
    upper: float
    significance: float
    least_significance: float
    depth_ratio: float


@dataclass(frozen=True, slots=True)
class _Places:
    """Bins of two maxima and the valley, and how far around each is counted."""

    bins: tuple[int, int, int]
    reach: int

    def densities(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum and the number of bins at each place, shape (2, 3)."""
        inside = [counts[max(0, at - self.reach) : at + self.reach + 1] for at in self.bins]
        return np.array([[part.sum() for part in inside], [len(part) for part in inside]])


def find_valley(values: NDArray[np.float64], *, rng: np.random.Generator) -> Valley:
    """Look for two maxima with a valley between them.

    Parameters
    ----------
    values : ndarray of float64, shape (pulse,)
        Finite; without steps of their own, which would be valleys too.
    rng : numpy.random.Generator
        Draws the halves.
    """
    low, high = np.quantile(values, [0.003, 0.997])
    margin = 0.1 * (high - low)
    edges = np.linspace(low - margin, high + margin, _N_BINS + 1)
    first = rng.permutation(len(values)) % 2 == 0
    counts = [np.histogram(values[half], edges)[0].astype(np.float64) for half in (first, ~first)]
    found = [_choose(counts[0]), _choose(counts[1])]
    judged = [
        _NO_VALLEY if places is None else _significance(*places.densities(other))
        for places, other in zip(found, reversed(counts), strict=True)
    ]
    known = [places for places in found if places is not None]
    if not known:
        return Valley(
            lower=np.nan, valley=np.nan, upper=np.nan, significance=_NO_VALLEY, least_significance=_NO_VALLEY,
            depth_ratio=np.nan,
        )  # fmt: skip
    centres = (edges[1:] + edges[:-1]) / 2
    lower, valley, upper = np.mean([centres[list(places.bins)] for places in known], axis=0)
    sums, lengths = np.sum([places.densities(counts[0] + counts[1]) for places in known], axis=0)
    density = sums / lengths
    return Valley(
        lower=float(lower),
        valley=float(valley),
        upper=float(upper),
        significance=float(np.mean(judged)),
        least_significance=float(min(judged)),
        depth_ratio=float(density[1] / max(min(density[0], density[2]), 1e-9)),
    )


def _choose(counts: NDArray[np.float64]) -> _Places | None:
    """Return the pair of maxima whose valley is the most significant, at some smoothings and widths."""
    best: tuple[float, _Places] | None = None
    for smoothing in _SMOOTHING_BINS:
        for bins in _triples(smoothed(counts, smoothing)):
            for reach in {max(1, round(share * (bins[2] - bins[0]))) for share in _REACHES}:
                places = _Places(bins, reach)
                significance = _significance(*places.densities(counts))
                if best is None or significance > best[0]:
                    best = significance, places
    return None if best is None else best[1]


def smoothed(counts: NDArray[Any], sigma_bins: float) -> NDArray[np.float64]:
    """Return counts smoothed by a Gaussian; nothing lies outside."""
    ndimage = require_module("scipy.ndimage", extra="analysis")
    smooth: NDArray[np.float64] = ndimage.gaussian_filter1d(np.asarray(counts, np.float64), sigma_bins, mode="constant")
    return smooth


def _triples(density: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    maxima = np.flatnonzero((density[1:-1] >= density[:-2]) & (density[1:-1] > density[2:])) + 1
    return [
        (int(first), int(first + density[first : second + 1].argmin()), int(second))
        for number, first in enumerate(maxima)
        for second in maxima[number + 1 :]
    ]


def _significance(sums: NDArray[np.float64], lengths: NDArray[np.float64]) -> float:
    """Return by how many standard deviations the density in the middle lies below the closer one of its neighbours."""
    density = sums / lengths
    outer = np.array([0, 2])
    pooled = (sums[outer] + sums[1]) / (lengths[outer] + lengths[1])
    error = np.sqrt(np.maximum(pooled * (1 / lengths[outer] + 1 / lengths[1]), 1e-12))
    return float(((density[outer] - density[1]) / error).min())
