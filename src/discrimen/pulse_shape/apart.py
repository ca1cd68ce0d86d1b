"""Two pulses of one record that lie apart: their one shape fitted to both, from where they have been found.

Where two pulses of one known shape are some samples apart, times and heights follow from the record alone, nearly
exactly. They are found by the damped least squares of K. Levenberg (Quart. Appl. Math. 2 (1944) 164) and
D. W. Marquardt (J. Soc. Ind. Appl. Math. 11 (1963) 431), all records side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.prepare import constant_fraction_crossing
from discrimen.pulse_shape.template import Template
from discrimen.pulse_shape.upright import CROSSING_FRACTION

_STEPS = 8
_DAMPING, _LESS, _MORE = 1e-3, 0.3, 10.0
_SLOPE_OVER = 0.05
"""Samples: the template is made of straight pieces, so its slope is taken over some of them."""
_LONGEST_STEP, _FARTHEST = 1.0, 5.0
"""Samples."""
_BLOCK_RECORDS = 2048

_FLOOR = 1e-3
"""Of the height: where both parts are smaller, what is left of the record is shared in halves."""

Waves = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FittedApart:
    """Two pulses fitted to each record.

    Parameters
    ----------
    parts : ndarray of float32, shape (pulse, 2, sample)
        With their shares of what the fit leaves: their sum is the record.
    distance : ndarray of float64, shape (pulse,)
        Between the two, in samples, as found before or as fitted, whichever is less; 0 where the fit leaves more of
        the record than the parts that it began with, or needs one pulse only.
    """

    parts: NDArray[np.float32]
    distance: NDArray[np.float64]


def fit_apart(
    template: Template, records: NDArray[np.float32], parts: NDArray[np.float32], crossing: NDArray[np.floating]
) -> FittedApart:
    """Fit the template to both pulses of each record.

    Parameters
    ----------
    template : Template
        Of all pulses.
    records : ndarray of float32, shape (pulse, sample)
        Above the baseline, pulses upwards.
    parts : ndarray of float32, shape (pulse, 2, sample)
        What has been found, before it was given a share of what is left.
    crossing : ndarray of float, shape (pulse, 2)
        Where the search begins, in samples; finite.
    """
    made = np.empty_like(parts)
    distance = np.zeros(len(records))
    for first in range(0, len(records), _BLOCK_RECORDS):
        rows = slice(first, first + _BLOCK_RECORDS)
        wave, begin = records[rows].astype(np.float64), crossing[rows].astype(np.float64)
        state = _State.at(template, wave, begin)
        damping = np.full(len(wave), _DAMPING)
        for _ in range(_STEPS):
            state, damping = state.stepped(template, wave, begin, damping)
        made[rows] = share_out((state.height[:, :, np.newaxis] * state.shapes).astype(np.float32), records[rows])
        found = np.square(records[rows] - parts[rows].sum(axis=1), dtype=np.float64).sum(axis=1)
        good = (state.square < found) & (state.height > 0).all(axis=1)
        both = [np.abs(np.diff(each, axis=1))[:, 0] for each in (begin, state.crossing)]
        distance[rows] = np.where(good, np.minimum(*both), 0.0)
    return FittedApart(parts=made, distance=distance)


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Times, the shapes there, the heights that fit best, what they leave, and its square."""

    crossing: Waves
    shapes: Waves
    height: Waves
    rest: Waves
    square: Waves

    @classmethod
    def at(cls, template: Template, wave: Waves, crossing: Waves) -> _State:
        shapes = template.at(crossing, wave.shape[1])
        height = _heights(wave, shapes)
        rest = wave - (height[:, :, np.newaxis] * shapes).sum(axis=1)
        return cls(crossing, shapes, height, rest, np.square(rest).sum(axis=1))

    def stepped(self, template: Template, wave: Waves, begin: Waves, damping: Waves) -> tuple[_State, Waves]:
        """Return the state after a step of each record, where that leaves less of it, and the damping of the next."""
        later, earlier = (template.at(self.crossing + by, wave.shape[1]) for by in (_SLOPE_OVER, -_SLOPE_OVER))
        slopes = (later - earlier) / (2 * _SLOPE_OVER) * self.height[:, :, np.newaxis]
        jacobian = np.concatenate([slopes, self.shapes], axis=1)
        normal = jacobian @ jacobian.transpose(0, 2, 1)
        diagonal = np.einsum("pii->pi", normal)
        # A part without height has no slope; its time stays where it is.
        own = damping[:, np.newaxis] * diagonal + 1e-9 * diagonal.max(axis=1, keepdims=True) + np.finfo(float).tiny
        normal += own[:, :, np.newaxis] * np.eye(4)
        step = np.linalg.solve(normal, jacobian @ self.rest[:, :, np.newaxis])[:, :2, 0]
        moved = self.crossing + np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        new = _State.at(template, wave, np.clip(moved, begin - _FARTHEST, begin + _FARTHEST))
        less = new.square < self.square
        return new.where(less, self), damping * np.where(less, _LESS, _MORE)

    def where(self, chosen: NDArray[np.bool_], other: _State) -> _State:
        """Return these of the chosen records, the others' of the rest."""

        def either(one: Waves, two: Waves) -> Waves:
            return np.where(chosen.reshape(-1, *[1] * (one.ndim - 1)), one, two)

        return _State(*(either(getattr(self, name), getattr(other, name)) for name in self.__slots__))


def _heights(wave: Waves, shapes: Waves) -> Waves:
    """Return the two heights of each record by least squares, none of them negative."""
    gram = shapes @ shapes.transpose(0, 2, 1)
    right = (shapes @ wave[:, :, np.newaxis])[:, :, 0]
    product = gram[:, 0, 0] * gram[:, 1, 1]
    determinant = np.maximum(product - gram[:, 0, 1] ** 2, 1e-9 * product + np.finfo(float).tiny)
    first = gram[:, 1, 1] * right[:, 0] - gram[:, 0, 1] * right[:, 1]
    second = gram[:, 0, 0] * right[:, 1] - gram[:, 0, 1] * right[:, 0]
    return np.asarray(np.maximum(np.stack([first, second], axis=1) / determinant[:, np.newaxis], 0))


def share_out(parts: NDArray[np.float32], records: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give each part its share of what is left of the record, by its own size, so that their sum is the record.

    Parameters
    ----------
    parts : ndarray of float32, shape (pulse, 2, sample)
        Above the baseline, pulses upwards.
    records : ndarray of float32, shape (pulse, sample)
        What they are parts of.
    """
    whole = records[:, np.newaxis]
    positive = np.maximum(parts, 0) + _FLOOR * np.abs(whole).max(axis=2, keepdims=True)
    total = positive.sum(axis=1, keepdims=True)
    share = positive / np.where(total > 0, total, 1)
    shared: NDArray[np.float32] = parts + share * (whole - parts.sum(axis=1, keepdims=True))
    return shared.astype(np.float32)


def in_time(parts: NDArray[np.float32], *beside: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the crossings of the parts, in samples, the parts by time, and what is beside them in the same order.

    A part without an edge comes last; its crossing is NaN.

    Parameters
    ----------
    parts : ndarray of float32, shape (pulse, 2, sample)
        Above the baseline, pulses upwards.
    beside : ndarray, shape (pulse, 2, ...)
        Of the parts too.
    """
    flat = parts.reshape(-1, parts.shape[2])
    crossing = constant_fraction_crossing(flat, fraction=CROSSING_FRACTION).reshape(-1, 2)
    order = np.argsort(crossing, axis=1, kind="stable")
    return tuple(
        np.take_along_axis(each, order.reshape(*order.shape, *[1] * (each.ndim - 2)), axis=1)
        for each in (crossing, parts, *beside)
    )
