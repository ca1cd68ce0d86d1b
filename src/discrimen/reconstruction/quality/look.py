"""What is measured of every pulse: its residual, which the auto-encoder leaves of it, and a few marks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference.base import Predictor
from discrimen.network.prepare import constant_fraction_crossing, prepare
from discrimen.pulses.rails import at_rail

_BATCH_SAMPLES = 2**19
_CROSSING_FRACTION = 0.3
_REVERSED_RATIO = 2.0
_BACK_AGAIN = 0.7
_CLEARLY_SPREADS = 10.0


class Mark(IntFlag):
    """What single pulses tell; bits of the column ``marks``."""

    NO_PULSE = 0x1
    REVERSED = 0x2
    MISSING = 0x4
    SATURATED = 0x8
    ODD = 0x10


UNUSABLE = Mark.NO_PULSE | Mark.REVERSED | Mark.MISSING | Mark.SATURATED
"""Of such a pulse no statistic is counted but the mark itself."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Looked:
    """Measurements of pulses of one channel, each of shape (pulse, ...).

    Parameters
    ----------
    marks : ndarray of uint16
        Bits of :class:`Mark`, but for ``ODD`` and for samples that are held, which need a reference.
    longest_run : ndarray of int64
        Samples in the longest stretch of equal ones.
    height_adc, crossing_ns, baseline_adc : ndarray of float64
        Highest sample of the window above the baseline, where the leading edge crosses 30 % of it, and the baseline.
    noise_adc2 : ndarray of float64
        Variance of the samples of the baseline window.
    above_adc, residual_adc : ndarray of float32, shape (pulse, sample)
        The window above the baseline, and that minus its reconstruction.
    """

    marks: NDArray[np.uint16]
    longest_run: NDArray[np.int64]
    height_adc: NDArray[np.float64]
    crossing_ns: NDArray[np.float64]
    baseline_adc: NDArray[np.float64]
    noise_adc2: NDArray[np.float64]
    above_adc: NDArray[np.float32]
    residual_adc: NDArray[np.float32]

    @property
    def signal_adc(self) -> NDArray[np.float32]:
        """What the auto-encoder makes of the window, above the baseline."""
        signal: NDArray[np.float32] = self.above_adc - self.residual_adc
        return signal

    def __len__(self) -> int:
        return len(self.marks)

    def __getitem__(self, which: slice | NDArray[Any]) -> Looked:
        """Select pulses by a slice, a mask or positions."""
        return Looked(**{each.name: getattr(self, each.name)[which] for each in fields(self)})

    def with_marks(self, marks: NDArray[np.uint16]) -> Looked:
        """Return the same pulses with other marks."""
        return Looked(**{**{each.name: getattr(self, each.name) for each in fields(self)}, "marks": marks})


def join(parts: Iterable[Looked]) -> Looked:
    """Join the pulses of one stretch or more."""
    several = list(parts)
    return Looked(
        **{each.name: np.concatenate([getattr(part, each.name) for part in several]) for each in fields(Looked)}
    )


def look(samples: NDArray[Any], predictor: Predictor, *, adc_bits: int | None) -> Looked:
    """Measure raw pulses of one channel.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        As digitised.
    predictor : Predictor
        Of a model that gives a waveform.
    adc_bits : int or None
        Bits of the ADC, to tell saturated pulses.

    Raises
    ------
    SettingsError
        If the model has several channels or gives no waveform.
    DataError
        If the records are too short.
    """
    step = max(1, _BATCH_SAMPLES // max(1, samples.shape[1]))
    starts = range(0, max(1, len(samples)), step)
    return join(_look(samples[start : start + step], predictor, adc_bits) for start in starts)


def _look(samples: NDArray[Any], predictor: Predictor, adc_bits: int | None) -> Looked:
    description = predictor.description
    preparation, channel = description.preparation, description.preparation.only
    prepared = prepare(samples, preparation)
    made = predictor.run(samples)[description.waveform_at].reshape(prepared.waveforms.shape)
    divisor = prepared.restoration.divisor[:, np.newaxis]
    above = prepared.waveforms[:, 0] * divisor
    with np.errstate(invalid="ignore"):
        residual = (prepared.waveforms - made)[:, 0] * divisor
    residual[~np.isfinite(residual)] = 0
    before = samples[:, channel.baseline_start : channel.baseline_stop].astype(np.float64)
    baseline = prepared.restoration.baseline_adc[:, 0]
    height = np.where(prepared.valid, above.max(axis=1), 0.0).astype(np.float64)
    crossing = constant_fraction_crossing(above, fraction=_CROSSING_FRACTION) + prepared.restoration.start
    runs = longest_runs(samples)
    spread = before.std(axis=1)
    marks = np.where(prepared.valid & (height > 0) & (runs < samples.shape[1]), 0, Mark.NO_PULSE).astype(np.uint16)
    down = -above.min(axis=1)
    # Rail and zero are told first, since a zero looks like a pulse that goes down.
    missing = _zeroed(samples, baseline, spread)
    rail = at_rail(samples.max(axis=1), samples.min(axis=1), adc_bits=adc_bits)
    marks[missing & (marks == 0)] = Mark.MISSING
    if rail is not None:
        marks[rail & (marks == 0)] = Mark.SATURATED
    wrong = (down > _REVERSED_RATIO * height) & (down > _CLEARLY_SPREADS * np.minimum(spread, np.median(spread)))
    marks[wrong & np.isin(marks, (0, Mark.NO_PULSE)) & (runs < samples.shape[1])] = Mark.REVERSED
    return Looked(
        marks=marks,
        longest_run=runs,
        height_adc=height,
        crossing_ns=crossing.astype(np.float64) * preparation.sample_period_ns,
        baseline_adc=baseline,
        noise_adc2=before.var(axis=1, ddof=1) if before.shape[1] > 1 else np.zeros(len(before)),
        above_adc=above.astype(np.float32),
        residual_adc=residual.astype(np.float32),
    )


def longest_runs(samples: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many samples the longest stretch of equal ones has, shape (pulse,)."""
    n_pulses, n_samples = samples.shape
    changes = np.ones((n_pulses, n_samples + 1), np.bool_)
    changes[:, 1:-1] = samples[:, 1:] != samples[:, :-1]
    pulse, at = np.nonzero(changes)
    runs = np.diff(at)
    longest = np.zeros(n_pulses, np.int64)
    same = pulse[1:] == pulse[:-1]
    np.maximum.at(longest, pulse[1:][same], runs[same])
    return longest


def _zeroed(
    samples: NDArray[Any], baseline_adc: NDArray[np.float64], spread_adc: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Say which records hold zeros that neither the baseline nor a clipped pulse explains.

    A pulse that is clipped at 0 comes back slowly, a sample that is missing leaves its neighbour where it was.
    """
    zero = samples == 0
    found = np.zeros(len(samples), np.bool_)
    rows = np.flatnonzero(zero.any(axis=1) & (np.abs(baseline_adc) > _CLEARLY_SPREADS * np.median(spread_adc)))
    for row in rows:
        after = np.flatnonzero(zero[row][:-1] & ~zero[row][1:]) + 1
        back = samples[row, after] / baseline_adc[row] if len(after) else np.zeros(0)
        found[row] = zero[row, -1] or bool((back > _BACK_AGAIN).any())
    return found
