"""The whole preparation of a model, as its description says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from discrimen.errors import DataError
from discrimen.network.preparation import Alignment, Preparation
from discrimen.network.prepare.steps import (
    Waveforms,
    above_baseline,
    constant_fraction_crossing,
    gather_window,
    mean_baseline,
)
from discrimen.output.summary import Summarised


@dataclass(frozen=True, slots=True, eq=False)
class Restoration:
    """What leads from prepared values back to ADC counts.

    Parameters
    ----------
    start : ndarray of float32, shape (pulse,)
        Where the windows begin in the raw record, in samples, before each channel's own window_start; 0 without an
        alignment.
    divisor : ndarray of float, shape (pulse,)
        What all channels were divided by.
    baseline_adc : ndarray of float64, shape (pulse, channel)
        The baselines; 0 of channels that are absent.
    """

    start: NDArray[np.float32]
    divisor: NDArray[Any]
    baseline_adc: NDArray[np.float64]

    def __getitem__(self, index: NDArray[Any]) -> Restoration:
        """Select pulses."""
        return Restoration(self.start[index], self.divisor[index], self.baseline_adc[index])

    @classmethod
    def joined(cls, parts: Sequence[Restoration]) -> Restoration:
        """Put those of several parts of pulses one behind the other."""
        return cls(
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.divisor for part in parts]),
            np.concatenate([part.baseline_adc for part in parts]),
        )

    def to_adc(self, waveforms: NDArray[Any], preparation: Preparation) -> NDArray[np.float64]:
        """Return prepared waveforms, shape (pulse, channel, sample), as ADC counts of the raw record."""
        polarity = np.array([channel.polarity for channel in preparation.channels], dtype=np.float64)
        above = waveforms.astype(np.float64) * self.divisor[:, np.newaxis, np.newaxis]
        adc: NDArray[np.float64] = self.baseline_adc[:, :, np.newaxis] + polarity[:, np.newaxis] * above
        return adc


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Prepared(Summarised):
    """Network input.

    Parameters
    ----------
    waveforms : ndarray of float, shape (pulse, channel, window sample)
        The input; rows that are not valid hold zeros and must not be used, as do channels that are absent.
    valid : ndarray of bool, shape (pulse,)
        Whether the pulse could be prepared: all samples that count are finite, the reference channel is there, where
        something is divided by it rises above its baseline and, for an alignment, has a leading edge.
    restoration : Restoration
        The way back.
    """

    waveforms: Waveforms
    valid: NDArray[np.bool_]
    restoration: Restoration


def prepare(
    samples: NDArray[Any],
    preparation: Preparation,
    *,
    present: NDArray[Any] | None = None,
    dtype: DTypeLike = np.float32,
) -> Prepared:
    """Turn raw waveforms into network input.

    Parameters
    ----------
    samples : ndarray, shape (pulse, channel, sample), or (pulse, sample) for one channel
        As digitised, in ADC counts.
    preparation : Preparation
        What to do.
    present : ndarray of bool, shape (pulse, channel), optional
        Which channels are there; by default all.
    dtype : dtype
        float32, or float64 for the reference that engines are held against.

    Raises
    ------
    DataError
        If the records are too short for the preparation, of another number of channels, or channels are absent that
        the model needs.
    """
    samples = with_channels(samples, preparation)
    there = require_present(present, samples, preparation)
    baselines = np.empty(samples.shape[:2])
    for number, channel in enumerate(preparation.channels):
        baselines[:, number] = mean_baseline(
            samples[:, number], start=channel.baseline_start, stop=channel.baseline_stop
        )
    if preparation.alignment is None:
        windows, start = _still(samples, baselines, preparation, dtype), np.zeros(len(samples), np.float32)
        valid = np.ones(len(samples), dtype=np.bool_)
        reference = _reference(windows.max(axis=2), there, preparation)
    else:
        windows, start, valid, reference = _aligned(samples, baselines, there, preparation, dtype)
    windows[~there] = 0
    divisor = _divisor(windows[np.arange(len(windows)), reference], preparation)
    # Float records (x742) may hold a sample that is no number, or overflow on the way.
    valid &= there[np.arange(len(windows)), reference] & (divisor > 0) & np.isfinite(divisor)
    valid &= np.isfinite(windows).all(axis=(1, 2))
    divisor = np.where(valid, divisor, divisor.dtype.type(1))
    windows /= divisor[:, np.newaxis, np.newaxis]
    windows[~valid] = 0
    return Prepared(windows, valid, Restoration(start, divisor, np.where(there, baselines, 0.0)))


def with_channels(samples: NDArray[Any], preparation: Preparation) -> NDArray[Any]:
    """Return raw samples as (pulse, channel, sample), a view where the pulses have one channel.

    Raises
    ------
    DataError
        If they do not fit the preparation.
    """
    if samples.ndim == 2 and preparation.n_channels == 1:
        samples = samples[:, np.newaxis, :]
    if samples.ndim != 3 or samples.shape[1] != preparation.n_channels:
        wanted = "(pulse, sample)" if preparation.n_channels == 1 else f"(pulse, {preparation.n_channels}, sample)"
        raise DataError(f"samples must have shape {wanted}, got {samples.shape}")
    if samples.shape[2] < preparation.shortest_record:
        raise DataError(
            f"this model needs records of at least {preparation.shortest_record} samples "
            f"of {preparation.sample_period_ns} ns, got {samples.shape[2]}"
        )
    return samples


def require_present(present: NDArray[Any] | None, samples: NDArray[Any], preparation: Preparation) -> NDArray[np.bool_]:
    """Return which channels are there, shape (pulse, channel); all of them where nothing is said.

    Raises
    ------
    DataError
        If the shape is another, or channels are absent that the model needs.
    """
    if present is None:
        return np.ones(samples.shape[:2], dtype=np.bool_)
    if present.shape != samples.shape[:2]:
        raise DataError(f"expected which of the channels are there as {samples.shape[:2]}, got {present.shape}")
    there = present.astype(np.bool_)
    if not preparation.masked and not there.all():
        raise DataError("channels are absent from some pulses, and this model needs all of them")
    return there


def _still(
    samples: NDArray[Any], baselines: NDArray[np.float64], preparation: Preparation, dtype: DTypeLike
) -> Waveforms:
    windows = np.empty((len(samples), *preparation.shape), dtype=dtype)
    for number, channel in enumerate(preparation.channels):
        first = channel.window_start
        window = samples[:, number, first : first + preparation.window_length]
        windows[:, number] = above_baseline(window, baselines[:, number], polarity=channel.polarity, dtype=dtype)
    return windows


def _aligned(
    samples: NDArray[Any],
    baselines: NDArray[np.float64],
    there: NDArray[np.bool_],
    preparation: Preparation,
    dtype: DTypeLike,
) -> tuple[Waveforms, NDArray[np.float32], NDArray[np.bool_], NDArray[np.intp]]:
    """Return windows, start, whether there is an edge, and the reference channel of each pulse."""
    alignment: Alignment = preparation.alignment  # type: ignore[assignment]
    above = np.empty(samples.shape, dtype=np.float32)
    for number, channel in enumerate(preparation.channels):
        above[:, number] = above_baseline(samples[:, number], baselines[:, number], polarity=channel.polarity)
    reference = _reference(above.max(axis=2), there, preparation)
    record = above[np.arange(len(above)), reference]
    crossing = constant_fraction_crossing(record, fraction=alignment.fraction)
    # The peak is looked for in the whole record, so a sample anywhere that is no number leaves it unknown.
    valid = np.isfinite(crossing) & np.isfinite(record).all(axis=1)
    start = np.where(valid, crossing, np.float32(0)) - np.float32(alignment.position)
    windows = np.empty((len(samples), *preparation.shape), dtype=dtype)
    for number, channel in enumerate(preparation.channels):
        exact = above[:, number]
        if np.dtype(dtype) != np.float32:
            exact = above_baseline(samples[:, number], baselines[:, number], polarity=channel.polarity, dtype=dtype)
        windows[:, number] = gather_window(
            exact,
            start=start + np.float32(channel.window_start),
            length=preparation.window_length,
            interpolate=alignment.interpolate,
        )
    return windows, start if alignment.interpolate else np.floor(start), valid, reference


def _reference(peaks: NDArray[Any], there: NDArray[np.bool_], preparation: Preparation) -> NDArray[np.intp]:
    if preparation.n_channels == 1 or preparation.reference is not None:
        return np.full(len(peaks), preparation.reference or 0, dtype=np.intp)
    highest: NDArray[np.intp] = np.where(there & ~np.isnan(peaks), peaks, -np.inf).argmax(axis=1)
    return highest


def _divisor(window: Waveforms, preparation: Preparation) -> NDArray[Any]:
    if preparation.scale == "none":
        return np.ones(len(window), dtype=window.dtype)
    peak: NDArray[Any] = window.max(axis=1)
    if preparation.scale == "area":
        peak = np.where(peak > 0, window.sum(axis=1, dtype=window.dtype), window.dtype.type(0))
    return peak
