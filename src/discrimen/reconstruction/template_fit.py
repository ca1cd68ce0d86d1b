"""The plain way to part two pulses: a fit of two templates to each record, regularised.

Two times and two heights are fitted. For given times the heights follow in closed form, so that only the times are
searched: all pairs of a grid first, then by :func:`scipy.optimize.least_squares`. Pulses that come within a sample can
hardly be distinguished, and without regularisation one height comes out much too large and the other negative; a ridge
on both heights (A. E. Hoerl and R. W. Kennard, Technometrics 12 (1970) 55) makes them alike there; none is negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.pulse_shape.template import Template

RIDGES = (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.1)
"""Tried, relative to the square of the template."""

Waves = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Two pulses fitted to each record.

    Parameters
    ----------
    parts : ndarray of float64, shape (pulse, 2, sample)
        Above the baseline, ADC counts.
    crossing : ndarray of float64, shape (pulse, 2)
        Of each part, in samples.
    height_adc : ndarray of float64, shape (pulse, 2)
        Of each template; 0 for one that is not needed.
    template : ndarray of int64, shape (pulse, 2)
        Which template each is.
    """

    parts: Waves
    crossing: NDArray[np.float64]
    height_adc: NDArray[np.float64]
    template: NDArray[np.int64]


def fit_two(waves: NDArray[np.float32], templates: Sequence[Template], *, ridge: float) -> Fitted:
    """Fit two templates to each record; of several templates the pair that leaves least.

    Parameters
    ----------
    waves : ndarray of float32, shape (pulse, sample)
        Above the baseline, pulses upwards.
    templates : sequence of Template
        One for each kind of pulse.
    ridge : float
        Relative to the square of the template; 0 does not regularise.
    """
    n_pulses, n_samples = waves.shape
    fitter = _Fitter(templates, n_samples, ridge)
    parts = np.zeros((n_pulses, 2, n_samples))
    crossing, height = np.zeros((n_pulses, 2)), np.zeros((n_pulses, 2))
    which = np.zeros((n_pulses, 2), np.int64)
    for row, wave in enumerate(waves.astype(np.float64)):
        which[row], crossing[row], height[row] = fitter.fit(wave)
        for part in range(2):
            shape = templates[which[row, part]].at(crossing[row, part : part + 1], n_samples)[0]
            parts[row, part] = height[row, part] * shape
    return Fitted(parts, crossing, height, which)


class _Fitter:
    def __init__(self, templates: Sequence[Template], n_samples: int, ridge: float) -> None:
        self._templates = templates
        self._n_samples = n_samples
        self._places = np.arange(1.0, n_samples - 2)
        self._shapes = [template.at(self._places, n_samples) for template in templates]
        self._ridge = ridge * float(np.square(self._shapes[0][0]).sum())
        self._pairs = np.triu_indices(len(self._places))
        kinds = range(len(templates))
        self._grams = {
            (first, second): self._shapes[first] @ self._shapes[second].T for first, second in product(kinds, kinds)
        }
        self._squares = [np.square(shape).sum(axis=1) for shape in self._shapes]

    def fit(self, wave: NDArray[np.float64]) -> tuple[tuple[int, int], NDArray[np.float64], NDArray[np.float64]]:
        """Return which templates, the crossings and the heights of the best pair."""
        best: tuple[float, tuple[int, int], NDArray[np.float64], NDArray[np.float64]] | None = None
        scalar = [shape @ wave for shape in self._shapes]
        for pair in self._grams:
            times = self._coarse(scalar, pair)
            cost, times, heights = self._refined(wave, pair, times)
            if best is None or cost < best[0]:
                best = cost, pair, times, heights
        assert best is not None
        return best[1:]

    def _coarse(self, scalar: list[NDArray[np.float64]], pair: tuple[int, int]) -> NDArray[np.float64]:
        """Return the best two places of the grid."""
        first, second = self._pairs
        b0, b1 = scalar[pair[0]][first], scalar[pair[1]][second]
        g00, g11 = self._squares[pair[0]][first] + self._ridge, self._squares[pair[1]][second] + self._ridge
        g01 = self._grams[pair][first, second]
        determinant = np.maximum(g00 * g11 - g01**2, 1e-9 * g00 * g11)
        h0, h1 = (g11 * b0 - g01 * b1) / determinant, (g00 * b1 - g01 * b0) / determinant
        gain = np.where(
            (h0 >= 0) & (h1 >= 0),
            b0 * h0 + b1 * h1,
            np.maximum(np.maximum(b0, 0) ** 2 / g00, np.maximum(b1, 0) ** 2 / g11),
        )
        at = int(gain.argmax())
        return np.array([self._places[first[at]], self._places[second[at]]])

    def _refined(
        self, wave: NDArray[np.float64], pair: tuple[int, int], times: NDArray[np.float64]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        least_squares = require_module("scipy.optimize", extra="analysis").least_squares

        def residual(trial: NDArray[np.float64]) -> NDArray[np.float64]:
            shapes, heights = self._heights(wave, pair, trial)
            return np.concatenate([wave - heights @ shapes, np.sqrt(self._ridge) * heights])

        start = times + np.array([-0.1, 0.1])
        found = least_squares(residual, start, x_scale=0.3, diff_step=[1e-3, 1e-3], max_nfev=40, xtol=1e-5, ftol=1e-7)
        _, heights = self._heights(wave, pair, found.x)
        return float(found.cost), found.x, heights

    def _heights(
        self, wave: NDArray[np.float64], pair: tuple[int, int], times: NDArray[np.float64]
    ) -> tuple[Waves, NDArray[np.float64]]:
        """Return the shapes and the heights that fit best at these times, none of them negative."""
        shapes = np.stack(
            [self._templates[pair[part]].at(times[part : part + 1], self._n_samples)[0] for part in range(2)]
        )
        gram = shapes @ shapes.T + self._ridge * np.eye(2)
        right = shapes @ wave
        heights = np.linalg.lstsq(gram, right, rcond=None)[0]
        if heights.min() < 0:
            alone = np.maximum(right, 0) / np.maximum(gram.diagonal(), 1e-12)
            keep = int((alone * np.maximum(right, 0)).argmax())
            heights = np.where(np.arange(2) == keep, alone, 0.0)
        return shapes, heights


def choose_ridge(waves: NDArray[np.float32], truth: Waves, templates: Sequence[Template]) -> float:
    """Return the ridge whose fit is nearest to the true parts.

    Parameters
    ----------
    waves : ndarray of float32, shape (pulse, sample)
        Records to choose on, not those that are judged.
    truth : ndarray, shape (pulse, 2, sample)
        Their parts.
    templates : sequence of Template
        See :func:`fit_two`.
    """
    squares = [better_order(fit_two(waves, templates, ridge=ridge).parts, truth)[0].sum() for ridge in RIDGES]
    return RIDGES[int(np.argmin(squares))]


def better_order(parts: Waves, truth: Waves) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the square of the difference in the better of both orders, shape (pulse,), and whether it is crossed."""
    straight = np.square(parts - truth).sum(axis=(1, 2), dtype=np.float64)
    crossed = np.square(parts[:, ::-1] - truth).sum(axis=(1, 2), dtype=np.float64)
    return np.minimum(straight, crossed), crossed < straight
