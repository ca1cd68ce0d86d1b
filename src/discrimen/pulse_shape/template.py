"""The mean shape of the pulses of a detector, finer than the samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.part_template import BEFORE, FINE
from discrimen.network.prepare import constant_fraction_crossing
from discrimen.pulse_shape.upright import CROSSING_FRACTION

_FEWEST = 8
_ROUNDS = 6
_LATE_SAMPLES = np.linspace(-0.6, 0.6, 25)

Waves = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """The mean shape of a pulse of height 1.

    Parameters
    ----------
    values : ndarray of float64, shape (fine sample,)
        Eight to a sample, from 20 samples before the constant-fraction crossing on.
    """

    values: NDArray[np.float64]

    @classmethod
    def of(cls, waves: NDArray[np.float32]) -> Template:
        """Average pulses that are alone in their record, each put at its own crossing.

        Parameters
        ----------
        waves : ndarray of float32, shape (pulse, sample)
            Above the baseline, pulses upwards.

        Raises
        ------
        DataError
            If there are fewer than eight.
        """
        exact, crossing = _with_an_edge(waves)
        return cls._averaged(exact, crossing, exact.max(axis=1))

    @classmethod
    def aligned(cls, waves: NDArray[np.float32]) -> Template:
        """Average pulses that are alone, each put where the template fits it best, as often as it takes.

        The crossing between two samples lies where linear interpolation draws it, which smears the mean shape; fitting
        the mean shape itself to the pulses does not.

        Parameters
        ----------
        waves : ndarray of float32, shape (pulse, sample)
            Above the baseline, pulses upwards.

        Raises
        ------
        DataError
            If there are fewer than eight.
        """
        exact, crossing = _with_an_edge(waves)
        template = cls._averaged(exact, crossing, exact.max(axis=1))
        for _ in range(_ROUNDS):
            crossing = template._nearest(exact, crossing)
            shapes = template.at(crossing, exact.shape[1])
            template = cls._averaged(exact, crossing, _heights(exact, shapes))
        return template

    def left_of(self, waves: NDArray[np.float32]) -> Waves:
        """Return the square of what the template leaves of pulses where it fits best; 0 without an edge.

        Parameters
        ----------
        waves : ndarray of float32, shape (pulse, sample)
            Above the baseline, pulses upwards, alone.
        """
        crossing = constant_fraction_crossing(waves.astype(np.float32), fraction=CROSSING_FRACTION)
        known, exact = np.isfinite(crossing), waves.astype(np.float64)
        begin = np.where(known, crossing, 0.0).astype(np.float64)
        shapes = self.at(self._nearest(exact, begin), waves.shape[1])
        left = exact - _heights(exact, shapes)[:, np.newaxis] * shapes
        return np.asarray(np.where(known, np.square(left).sum(axis=1), 0.0))

    @classmethod
    def _averaged(cls, waves: Waves, crossing: Waves, height: Waves) -> Template:
        """Put each sample where it lies from the crossing of its pulse; interpolation would smear the leading edge."""
        n_samples = waves.shape[1]
        n_fine = (n_samples + BEFORE) * FINE
        place = np.rint((np.arange(n_samples) - crossing[:, np.newaxis] + BEFORE) * FINE).astype(np.int64)
        inside = (place >= 0) & (place < n_fine)
        heights = np.broadcast_to(height[:, np.newaxis], waves.shape)
        # Least squares for the shape: high pulses, with less noise for their height, tell more.
        total = np.bincount(place[inside], weights=(heights * waves)[inside], minlength=n_fine)
        weight = np.bincount(place[inside], weights=np.square(heights)[inside], minlength=n_fine)
        known = np.flatnonzero(weight)
        values = np.interp(np.arange(n_fine), known, total[known] / weight[known], left=0.0)
        return cls(values / values.max())

    def _nearest(self, waves: Waves, crossing: Waves) -> Waves:
        """Return the crossings, within some tenths of a sample, at which the template is nearest to each pulse."""
        least, best = np.full(len(waves), np.inf), crossing
        for late in _LATE_SAMPLES:
            shapes = self.at(crossing + late, waves.shape[1])
            square = np.square(waves - _heights(waves, shapes)[:, np.newaxis] * shapes).sum(axis=1)
            best = np.where(square < least, crossing + late, best)
            least = np.minimum(square, least)
        return best

    def at(self, crossing: NDArray[np.float64], n_samples: int) -> Waves:
        """Return the template with its crossing at these places, shape (..., sample) for places of shape (...)."""
        where = np.arange(n_samples) - crossing[..., np.newaxis]
        fine = (where + BEFORE) * FINE
        return np.asarray(np.interp(fine, np.arange(len(self.values)), self.values, left=0.0, right=self.values[-1]))


def _with_an_edge(waves: NDArray[np.float32]) -> tuple[Waves, Waves]:
    """Return the pulses that have a leading edge, and where it is."""
    crossing = constant_fraction_crossing(waves.astype(np.float32), fraction=CROSSING_FRACTION)
    good = np.isfinite(crossing)
    if good.sum() < _FEWEST:
        raise DataError(f"a template needs {_FEWEST} pulses with an edge, got {int(good.sum())}")
    return waves[good].astype(np.float64), crossing[good].astype(np.float64)


def _heights(waves: Waves, shapes: Waves) -> Waves:
    """Return the heights that fit best, none of them negative; shape (pulse,)."""
    square = np.square(shapes).sum(axis=1)
    fitted = (waves * shapes).sum(axis=1) / np.where(square > 0, square, 1)
    return np.asarray(np.maximum(fitted, 0))
