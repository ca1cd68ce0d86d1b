"""Recorded pulses without most of their noise: what the pulses of a run have in common, a few shapes each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_PULSES = 4000
"""Pulses that the shapes are learned from: the decomposition takes the square of their number."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CleanShapes:
    """Pulses of one run, put side by side, as sums of the few shapes that stand out of the noise.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, sample)
        Above the baseline, upwards; each crosses where the median one does.
    crossing : ndarray of float64, shape (pulse,)
        Of each in its own record, in samples.
    moved_by : ndarray of int64, shape (pulse,)
        By how many samples each was moved earlier.
    n_shapes : int
        How many shapes.
    """

    waveforms: NDArray[np.float32]
    crossing: NDArray[np.float64]
    moved_by: NDArray[np.int64]
    n_shapes: int

    def placed(self, pulse: NDArray[np.int64], later_by: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return pulses so many samples later than in their own records, shape (made, sample).

        Before them there is the baseline, and what reaches beyond the record is cut off.
        """
        chosen = self.waveforms[pulse]
        at = np.arange(chosen.shape[1]) - (self.moved_by[pulse] + later_by)[:, np.newaxis]
        taken = np.take_along_axis(chosen, np.clip(at, 0, chosen.shape[1] - 1), axis=1)
        return np.where(at >= 0, taken, np.float32(0))


def side_by_side(
    waves_adc: NDArray[np.float32], crossing: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Move waveforms by whole samples, so that all cross where the median does; say by how many each came earlier.

    Parameters
    ----------
    waves_adc : ndarray of float32, shape (pulse, sample)
        Upwards, above the baseline.
    crossing : ndarray, shape (pulse,)
        Of the leading edge, in samples; a pulse without one (NaN) stays where it is.
    """
    known = np.isfinite(crossing)
    middle = np.median(crossing[known]) if known.any() else 0.0
    by = np.rint(np.where(known, crossing, middle) - middle).astype(np.int64)
    at = np.arange(waves_adc.shape[1]) + by[:, np.newaxis]
    return np.take_along_axis(waves_adc, np.clip(at, 0, waves_adc.shape[1] - 1), axis=1), by


def clean_shapes(waves_adc: NDArray[np.float32], *, crossing: NDArray[Any], quiet: slice) -> CleanShapes:
    """Take the noise from single pulses: keep the singular values that noise alone would not reach.

    The threshold is that of M. Gavish and D. Donoho, IEEE Trans. Inf. Theory 60 (2014) 5040, for a known noise. It is
    for white noise; noise with a colour has larger singular values, by the factor seen where there is no pulse.

    Parameters
    ----------
    waves_adc : ndarray of float32, shape (pulse, sample)
        Above the baseline, upwards.
    crossing : ndarray, shape (pulse,)
        Of the leading edge; finite.
    quiet : slice
        Samples before every pulse.
    """
    aligned, by = side_by_side(waves_adc, crossing)
    before = waves_adc[:, quiet].astype(np.float64)
    noise = float(np.sqrt(np.median(before.var(axis=1))))
    # Of white noise the largest singular value is that of Marchenko and Pastur.
    white = noise * (np.sqrt(len(before)) + np.sqrt(before.shape[1]))
    colour = max(1.0, float(np.linalg.norm(_usual(before, noise), ord=2)) / white) if white > 0 else 1.0
    left, values, right = np.linalg.svd(aligned.astype(np.float64), full_matrices=False)
    short, long = sorted(aligned.shape)
    kept = int((values > _threshold(short / long) * np.sqrt(long) * noise * colour).sum())
    n_shapes = max(1, kept)
    waveforms = (left[:, :n_shapes] * values[:n_shapes]) @ right[:n_shapes]
    return CleanShapes(
        waveforms=waveforms.astype(np.float32),
        crossing=np.asarray(crossing, np.float64),
        moved_by=by,
        n_shapes=n_shapes,
    )


def _usual(before: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    """Leave out the records in which another pulse lies before the own one."""
    return np.asarray(before[before.std(axis=1) <= 2 * noise])


def _threshold(ratio: float) -> float:
    """Return the threshold over the root of the longer side times the noise, for a ratio of the sides."""
    root = np.sqrt(ratio**2 + 14 * ratio + 1)
    return float(np.sqrt(2 * (ratio + 1) + 8 * ratio / ((ratio + 1) + root)))
