"""Hits as a search takes them: which segment was hit, traces in keV above their baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.pulses.hits import Hits

_NET_CHARGE_SHARE = 0.15
"""A segment whose trace ends above this share of the core's has collected charge of its own."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MeasuredHits:
    """Traces in keV.

    Parameters
    ----------
    traces_kev : ndarray of float32, shape (hit, channel, sample)
        Above the baseline; zeros where a channel is absent.
    energy_kev : ndarray of float64, shape (hit,)
        What the core's trace reaches.
    segment : ndarray of int64, shape (hit,)
        The one that collects the most charge, -1 where none does, or the core is absent.
    n_segments : ndarray of int64, shape (hit,)
        How many segments collect charge.
    """

    traces_kev: NDArray[np.float32]
    energy_kev: NDArray[np.float64]
    segment: NDArray[np.int64]
    n_segments: NDArray[np.int64]


def measured_hits(
    hits: Hits, *, kev_per_adc: float | Sequence[float], n_baseline: int, n_end: int = 8, core: int = -1
) -> MeasuredHits:
    """Subtract baselines and find the hit segment.

    Parameters
    ----------
    hits : Hits
        Segments first, then the core.
    kev_per_adc : float or sequence of float
        Gain, of all channels or of each; negative where pulses fall.
    n_baseline : int
        Samples at the beginning that hold no pulse.
    n_end : int
        Samples at the end over which a trace has reached its height.
    core : int
        Place of the core among the channels.

    Raises
    ------
    DataError
        If the traces are too short.
    """
    if not 0 < n_baseline <= hits.n_samples - n_end or n_end < 1:
        raise DataError(
            f"expected {n_baseline} samples of baseline and {n_end} at the end, the traces have {hits.n_samples}"
        )
    gain = np.broadcast_to(np.asarray(kev_per_adc, dtype=np.float32), hits.n_channels)[:, None]
    samples = hits.samples.astype(np.float32)
    traces = (samples - samples[:, :, :n_baseline].mean(axis=2, keepdims=True)) * gain
    if hits.present is not None:
        traces *= hits.present[:, :, None]
    heights = traces[:, :, -n_end:].mean(axis=2).astype(np.float64)
    energy = heights[:, core]
    others = np.delete(heights, core % hits.n_channels, axis=1)
    numbers = np.delete(np.arange(hits.n_channels), core % hits.n_channels)
    collecting = others > _NET_CHARGE_SHARE * np.maximum(energy, 0)[:, None]
    n_segments = collecting.sum(axis=1)
    known = (n_segments > 0) & (energy > 0)
    return MeasuredHits(
        traces_kev=traces,
        energy_kev=energy,
        segment=np.where(known, numbers[others.argmax(axis=1)], -1),
        n_segments=np.where(energy > 0, n_segments, 0),
    )
