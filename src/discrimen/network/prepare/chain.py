"""The whole preparation of a model, as its spec describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.preparation import Preparation
from discrimen.network.prepare.steps import constant_fraction_crossing, gather_window, subtract_baseline


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Network input.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, window sample)
        The input; rows that are not valid hold zeros and must not be used.
    valid : ndarray of bool, shape (pulse,)
        Whether the pulse could be prepared: it rises above its baseline, all samples of its baseline and window are
        finite and, for an alignment, it has a leading edge and all samples of the record are finite.
    """

    waveforms: NDArray[np.float32]
    valid: NDArray[np.bool_]


def prepare(samples: NDArray[Any], preparation: Preparation) -> Prepared:
    """Turn raw waveforms into network input.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        As digitised, in ADC counts.
    preparation : Preparation
        What to do.

    Returns
    -------
    Prepared
        Waveforms of shape (pulse, preparation.window_length) and which of them are valid.

    Raises
    ------
    DataError
        If the records are too short for the preparation.
    """
    if samples.shape[1] < preparation.shortest_record:
        raise DataError(
            f"this model needs records of at least {preparation.shortest_record} samples "
            f"of {preparation.sample_period_ns} ns, got {samples.shape[1]}"
        )
    above, _ = subtract_baseline(
        samples, start=preparation.baseline_start, stop=preparation.baseline_stop, polarity=preparation.polarity
    )
    window, valid = _window(above, preparation)
    divisor = _divisor(window, preparation)
    # Float records (x742) may hold a sample that is no number, or overflow on the way.
    valid = valid & (divisor > 0) & np.isfinite(window).all(axis=1) & np.isfinite(divisor)
    window /= np.where(valid, divisor, np.float32(1))[:, np.newaxis]
    window[~valid] = 0
    return Prepared(window, valid)


def _window(above: NDArray[np.float32], preparation: Preparation) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    start, length = preparation.window_start, preparation.window_length
    alignment = preparation.alignment
    if alignment is None:
        return above[:, start : start + length].copy(), np.ones(len(above), dtype=np.bool_)
    crossing = constant_fraction_crossing(above, fraction=alignment.fraction)
    # The peak is looked for in the whole record, so a sample anywhere that is no number leaves it unknown.
    valid = np.isfinite(crossing) & np.isfinite(above).all(axis=1)
    first = np.where(valid, crossing, np.float32(0)) - np.float32(alignment.position)
    return gather_window(above, start=first, length=length, interpolate=alignment.interpolate), valid


def _divisor(window: NDArray[np.float32], preparation: Preparation) -> NDArray[np.float32]:
    peak: NDArray[np.float32] = window.max(axis=1)
    if preparation.scale == "area":
        return np.where(peak > 0, window.sum(axis=1, dtype=np.float32), np.float32(0))
    if preparation.scale == "none":
        return np.where(peak > 0, np.float32(1), np.float32(0))
    return peak
