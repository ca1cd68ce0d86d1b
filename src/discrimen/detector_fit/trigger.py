"""What the digitizer triggers on, from where the pulses lie in their records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.traces import Traces

_FEWEST, _FEWEST_ON_EDGE = 60, 2
_CLEARLY_NARROWER = 0.8
_ABOVE_LOWEST, _BELOW_MEDIAN = 1.5, 0.45
_LEAST_SIGMAS = 5.0
_N_LEVELS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFit:
    """What pulses have in common at the same place of their records.

    Parameters
    ----------
    threshold_adc : float or None
        The height at which all pulses cross at nearly the same time: a leading edge. None: a fraction of the height.
    mean, spread : float
        Of the crossings of 30 % of the height, or of this threshold, in samples.
    n_pulses : int
        How many.
    """

    threshold_adc: float | None
    mean: float
    spread: float
    n_pulses: int


Phases = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""What linear interpolation of crossings gets wrong at each phase of the clock, in samples."""


def find_trigger(traces: Traces) -> TriggerFit:
    """Find where the clean pulses cross with the least spread.

    A leading edge fires where the pulse crosses a fixed height, so that there the spread is that of the clock alone,
    while a fraction of the height walks; and the other way round. It is looked for where there are many pulses and
    more than one sample on the edge.

    Parameters
    ----------
    traces : Traces
        Of the records.
    """
    waves, fraction = traces.waves_adc[traces.clean], traces.crossing[traces.clean]
    plain = _summary(None, fraction)
    if len(waves) < _FEWEST or np.median(waves.argmax(axis=1) - fraction) < _FEWEST_ON_EDGE:
        return plain
    heights = traces.height_adc[traces.clean]
    lowest, median = float(np.quantile(heights, 0.02)), float(np.median(heights))
    first, last = _LEAST_SIGMAS * max(traces.noise_adc, 0.5), min(_ABOVE_LOWEST * lowest, _BELOW_MEDIAN * median)
    if first >= last:
        return plain
    levels = np.geomspace(first, last, _N_LEVELS)
    tried = [_at_level(waves, heights, float(level)) for level in levels]
    best = min(tried, key=lambda fit: fit.spread)
    return best if best.spread < _CLEARLY_NARROWER * plain.spread else plain


def measure_trigger(traces: Traces, *, threshold_adc: float | None, phases: Phases) -> TriggerFit:
    """Measure the crossings of a known trigger: of a height, or of a fraction of it, there corrected by the phase."""
    if threshold_adc is None:
        crossing = traces.crossing[traces.clean]
        return _summary(None, crossing - phases(crossing % 1))
    return _at_level(traces.waves_adc[traces.clean], traces.height_adc[traces.clean], threshold_adc)


def crossings_at(waves: NDArray[np.float32], level: float) -> NDArray[np.float64]:
    """Return where each leading edge crosses a fixed height, in samples; NaN where it does not; shape (pulse,)."""
    peak_at = waves.argmax(axis=1)
    below = (waves < level) & (np.arange(waves.shape[1]) < peak_at[:, None])
    last = waves.shape[1] - 1 - below[:, ::-1].argmax(axis=1)
    rows = np.arange(len(waves))
    low, high = waves[rows, last], waves[rows, np.minimum(last + 1, waves.shape[1] - 1)]
    found = below.any(axis=1) & (high >= level) & (high > low)
    share: NDArray[Any] = (level - low) / np.where(found, high - low, 1)
    return np.where(found, last + share, np.nan).astype(np.float64)


def _at_level(waves: NDArray[np.float32], heights_adc: NDArray[np.float64], level: float) -> TriggerFit:
    """Measure the crossings of a height, of pulses twice as high."""
    return _summary(level, crossings_at(waves[heights_adc > 2 * level], level))


def _summary(threshold_adc: float | None, crossings: NDArray[np.float64]) -> TriggerFit:
    found = crossings[np.isfinite(crossings)]
    return TriggerFit(
        threshold_adc=threshold_adc, mean=float(found.mean()), spread=float(found.std(ddof=1)), n_pulses=len(found)
    )
