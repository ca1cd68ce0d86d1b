"""How far positions are off the truth, in mm: each coordinate, the distance in space, and whether their errors hold.

The full width at half maximum is that of the density of the residuals, smoothed by a Gaussian whose width is taken off
again; a pull is a residual over its predicted error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, require_module
from discrimen.metrics.intervals import normal_quantile, wilson_interval
from discrimen.metrics.place_draws import PlaceDraws
from discrimen.metrics.waveform_residuals import Estimate
from discrimen.pulses.hits import COORDINATES

FEWEST = 20
"""Hits below which a range has no figures."""
_DRAWS = 40
_FWHM_PER_SIGMA = 2 * sqrt(2 * np.log(2))
_QUARTILES_PER_SIGMA = 1.349
_REACH = 12
_BINS = 512
_CORE_SHARE = 0.99
_HALF = 0.5
NOTICEABLE = 0.1
"""Clustering below this is told in no sentence."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PositionErrors:
    """Positions minus truth of each hit.

    Parameters
    ----------
    residual_mm : ndarray of float64, shape (hit, 3)
        NaN where a coordinate is not known.
    deviation_mm : ndarray of float64, shape (hit, 3), or None
        What was predicted as the error of each coordinate.
    place : ndarray of int64, shape (hit,), or None
        Number of the true place where places repeat: intervals then count places.
    """

    residual_mm: Values
    deviation_mm: Values | None = None
    place: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        shape = self.residual_mm.shape
        if len(shape) != 2 or shape[1] != len(COORDINATES):
            raise DataError(f"expected residuals of shape (hit, 3), got {shape}")
        if self.deviation_mm is not None and self.deviation_mm.shape != shape:
            raise DataError(f"expected errors of shape {shape}, got {self.deviation_mm.shape}")
        if self.place is not None and self.place.shape != shape[:1]:
            raise DataError(f"expected places of shape {shape[:1]}, got {self.place.shape}")

    def __len__(self) -> int:
        return len(self.residual_mm)

    def __getitem__(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> PositionErrors:
        """Select hits."""
        deviation = None if self.deviation_mm is None else self.deviation_mm[index]
        place = None if self.place is None else self.place[index]
        return PositionErrors(residual_mm=self.residual_mm[index], deviation_mm=deviation, place=place)

    def draws(self, known: NDArray[np.bool_], *, confidence: float, rng: np.random.Generator) -> PlaceDraws:
        """Return places of some hits resampled."""
        return PlaceDraws.of(None if self.place is None else self.place[known], confidence=confidence, rng=rng)

    @property
    def distance_mm(self) -> Values:
        """Distance in space, shape (hit,); NaN where a coordinate is not known."""
        distance: Values = np.sqrt(np.square(self.residual_mm).sum(axis=1))
        return distance

    @property
    def pull(self) -> Values | None:
        """Residuals over predicted errors, shape (hit, 3)."""
        return None if self.deviation_mm is None else self.residual_mm / self.deviation_mm


RADII: Mapping[str, tuple[str, float]] = {
    "median_3d_mm": ("distance, median", 0.5),
    "radius_68_mm": ("distance, 68 % within", 0.68),
    "radius_95_mm": ("distance, 95 % within", 0.95),
}
"""Quantiles of the distance in space by the name of the figure."""


def _words() -> dict[str, str]:
    found = {name: f"{words} (mm)" for name, (words, _) in RADII.items()} | {"rms_3d_mm": "distance, rms (mm)"}
    for axis in COORDINATES:
        found |= {
            f"{axis}_rms_mm": f"{axis}, rms (mm)",
            f"{axis}_fwhm_mm": f"{axis}, FWHM (mm)",
            f"{axis}_bias_mm": f"{axis}, mean error (mm)",
        }
    for axis in COORDINATES:
        found |= {
            f"{axis}_pull_mean": f"{axis}, pull, mean",
            f"{axis}_pull_width": f"{axis}, pull, rms",
            f"{axis}_coverage": f"{axis}, within its error (%)",
        }
    return found


FIGURE_WORDS: Mapping[str, str] = _words()
"""Words of each figure with its unit, in the order of a table."""


def position_figures(
    errors: PositionErrors, *, confidence: float, rng: np.random.Generator
) -> dict[str, Estimate] | None:
    """Return all figures of some hits with intervals.

    Quantiles have intervals of order statistics, shares those of Wilson, means and roots of mean squares those of the
    normal distribution, widths at half maximum those of resampling the hits: all count hits. Where places repeat,
    intervals are never narrower than those of resampling the places.

    Parameters
    ----------
    errors : PositionErrors
        Of these hits.
    confidence : float
        Of the intervals.
    rng : Generator
        Draws.

    Returns
    -------
    dict of str to Estimate, or None
        By the names of :data:`FIGURE_WORDS`, those left out of which fewer than 20 hits tell; None for fewer hits.
    """
    if len(errors) < FEWEST:
        return None
    found: dict[str, Estimate] = {}
    distance, known = errors.distance_mm, np.isfinite(errors.distance_mm)
    if known.sum() >= FEWEST:
        draws = errors.draws(known, confidence=confidence, rng=rng)
        for name, (_, share) in RADII.items():
            by_hits = quantile_estimate(distance[known], share, confidence=confidence)
            found[name] = draws.widened(by_hits, partial(_quantile, share=share), distance[known], least=0)
        found["rms_3d_mm"] = draws.widened(
            rms_estimate(distance[known], confidence=confidence), _rms, distance[known], least=0
        )
    for number, axis in enumerate(COORDINATES):
        known = np.isfinite(errors.residual_mm[:, number])
        if known.sum() >= FEWEST:
            pull = None if errors.pull is None else errors.pull[known, number]
            draws = errors.draws(known, confidence=confidence, rng=rng)
            found |= _of_coordinate(axis, errors.residual_mm[known, number], pull, draws, rng)
    return {name: found[name] for name in FIGURE_WORDS if name in found}


def _of_coordinate(
    axis: str, residual: Values, pull: Values | None, draws: PlaceDraws, rng: np.random.Generator
) -> dict[str, Estimate]:
    confidence = draws.confidence
    found = {
        f"{axis}_rms_mm": draws.widened(rms_estimate(residual, confidence=confidence), _rms, residual, least=0),
        f"{axis}_fwhm_mm": draws.widened(
            _drawn(fwhm, residual, confidence=confidence, rng=rng), fwhm, residual, least=0
        ),
        f"{axis}_bias_mm": draws.widened(mean_estimate(residual, confidence=confidence), _mean, residual),
    }
    if pull is None:
        return found
    inside = wilson_interval(int(np.count_nonzero(np.abs(pull) <= 1)), len(pull), confidence=confidence)
    share = Estimate(100 * inside.value, 100 * inside.low, 100 * inside.high)
    share = draws.widened(share, _within, pull, least=0)
    return found | {
        f"{axis}_pull_mean": draws.widened(mean_estimate(pull, confidence=confidence), _mean, pull),
        f"{axis}_pull_width": draws.widened(rms_estimate(pull, confidence=confidence), _rms, pull, least=0),
        f"{axis}_coverage": Estimate(share.value, share.low, min(share.high, 100.0)),
    }


def _quantile(values: Values, *, share: float) -> float:
    return float(np.quantile(values, share))


def _rms(values: Values) -> float:
    return sqrt(float(np.square(values).mean()))


def _mean(values: Values) -> float:
    return float(values.mean())


def _within(pull: Values) -> float:
    return 100 * float((np.abs(pull) <= 1).mean())


def mean_estimate(values: Values, *, confidence: float) -> Estimate:
    """Return the mean with its interval of the normal distribution."""
    mean, half = float(values.mean()), normal_quantile(confidence) * float(values.std(ddof=1)) / sqrt(len(values))
    return Estimate(mean, mean - half, mean + half)


def rms_estimate(values: Values, *, confidence: float) -> Estimate:
    """Return the root mean square; its interval comes from that of the mean square."""
    square = mean_estimate(np.square(values), confidence=confidence)
    return Estimate(sqrt(square.value), sqrt(max(square.low, 0.0)), sqrt(square.high))


def quantile_estimate(values: Values, share: float, *, confidence: float) -> Estimate:
    """Return a quantile with the interval between two of the ordered values (binomial)."""
    ordered, n = np.sort(values), len(values)
    counted = require_module("scipy.stats", extra="analysis").binom(n, share)
    low = max(int(counted.ppf(_HALF - confidence / 2)) - 1, 0)
    high = min(int(counted.ppf(_HALF + confidence / 2)), n - 1)
    return Estimate(float(np.quantile(ordered, share)), float(ordered[low]), float(ordered[high]))


def fwhm(values: Values) -> float:
    """Return the full width at half maximum of the density of values, 0 where they are all alike.

    Parameters
    ----------
    values : ndarray of float64, shape (hit,)
        At least two.
    """
    low, first, middle, third, high = np.quantile(
        values, [(1 - _CORE_SHARE) / 2, 0.25, 0.5, 0.75, (1 + _CORE_SHARE) / 2]
    ).tolist()
    spread = (third - first) / _QUARTILES_PER_SIGMA
    if not spread > 0:
        return 0.0
    low, high = max(low, middle - _REACH * spread), min(high, middle + _REACH * spread)
    margin = 0.2 * (high - low)
    counts, edges = np.histogram(values, _BINS, (low - margin, high + margin))
    width = 0.9 * spread * len(values) ** -0.2
    bin_mm = float(edges[1] - edges[0])
    ndimage = require_module("scipy.ndimage", extra="analysis")
    density = ndimage.gaussian_filter1d(counts.astype(np.float64), width / bin_mm, mode="constant")
    found = _width_at_half(density) * bin_mm
    smeared = (_FWHM_PER_SIGMA * width) ** 2
    return sqrt(max(found**2 - smeared, 0.0))


def _width_at_half(density: Values) -> float:
    """Return the width around the highest bin where a density is at half of it, in bins, interpolated."""
    peak, half = int(density.argmax()), float(density.max()) / 2
    before = np.flatnonzero(density[:peak] < half)
    behind = np.flatnonzero(density[peak:] < half)
    left, right = float(0 if not len(before) else before[-1]), float(len(density) - 1)
    if len(before):
        at = before[-1]
        left = at + (half - density[at]) / (density[at + 1] - density[at])
    if len(behind):
        at = peak + behind[0]
        right = at - (half - density[at]) / (density[at - 1] - density[at])
    return float(right - left)


def _drawn(
    compute: Callable[[Values], float], values: Values, *, confidence: float, rng: np.random.Generator
) -> Estimate:
    draws = [compute(values[rng.integers(len(values), size=len(values))]) for _ in range(_DRAWS)]
    low, high = np.quantile(draws, [_HALF - confidence / 2, _HALF + confidence / 2])
    return Estimate(compute(values), float(low), float(high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustering:
    """How much positions prefer a grid of one pitch: 0 for none, 1 for all on its points.

    Parameters
    ----------
    pitch_mm : float
        Of the grid.
    found, truth : tuple of float
        In x, y and z: length of the mean of exp(2 pi i x / pitch), of what was found and of the truth.
    by_chance : float
        Positions without a grid give less than this in 99 of 100 cases.
    """

    pitch_mm: float
    found: tuple[float, ...]
    truth: tuple[float, ...]
    by_chance: float

    @property
    def is_seen(self) -> bool:
        """Whether what was found noticeably prefers a grid that the truth does not."""
        return any(
            one > max(self.by_chance, 2 * true, NOTICEABLE) for one, true in zip(self.found, self.truth, strict=True)
        )


PITCHES_MM = (1.0, 2.0, 3.0, 4.0, 5.0)


def grid_clustering(
    found_mm: Values, truth_mm: Values, *, pitches_mm: Sequence[float] = PITCHES_MM
) -> list[Clustering]:
    """Measure whether positions cluster on a grid (Rayleigh's test of the phases).

    Parameters
    ----------
    found_mm, truth_mm : ndarray of float64, shape (hit, 3)
        Positions; those with a coordinate that is not known do not count.
    pitches_mm : sequence of float
        Grids that are tried.
    """
    both = np.isfinite(found_mm).all(axis=1) & np.isfinite(truth_mm).all(axis=1)
    by_chance = sqrt(np.log(100.0) / max(1, int(both.sum())))

    def lengths(values: Values, pitch_mm: float) -> tuple[float, ...]:
        if not both.any():
            return (0.0,) * len(COORDINATES)
        return tuple(map(float, np.abs(np.exp(2j * np.pi * values[both] / pitch_mm).mean(axis=0))))

    return [
        Clustering(pitch_mm=pitch, found=lengths(found_mm, pitch), truth=lengths(truth_mm, pitch), by_chance=by_chance)
        for pitch in pitches_mm
    ]
