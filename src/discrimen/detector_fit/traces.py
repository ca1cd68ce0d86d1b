"""What is measured on each record alone: baseline, edge, height; and which pulses are clean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.prepare import constant_fraction_crossing
from discrimen.pulse_shape.second_pulses import learn_single_pulses
from discrimen.pulses.detector import PolarityName
from discrimen.simulation.digitizer import CROSSING_FRACTION

_FEWEST_BASELINE_SAMPLES = 4
_FEWEST_CLEAN = 5
_EDGE_SHARE = 0.03
_LEAST_HEIGHT_SIGMAS = 12.0
_FAR_MADS = 6.0
_NEAR_SHARE = 0.03
_OPPOSITE_SHARE = 0.8


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Traces:
    """Records made upright.

    Parameters
    ----------
    waves_adc : ndarray of float32, shape (pulse, sample)
        Above the baseline, pulses upwards.
    baseline_adc : ndarray of float64, shape (pulse,)
        Mean before the pulse.
    baseline_stop : int
        The samples before it lie before the pulse.
    crossing : ndarray of float64, shape (pulse,)
        Where the leading edge crosses 30 % of the height, in samples; NaN where it does not.
    height_adc : ndarray of float64, shape (pulse,)
        Highest sample.
    clipped, clean : ndarray of bool, shape (pulse,)
        Touches a rail; is one quiet, unclipped pulse at the usual place.
    noise_adc : float
        Rms of the samples before the pulse about their mean.
    """

    waves_adc: NDArray[np.float32]
    baseline_adc: NDArray[np.float64]
    baseline_stop: int
    crossing: NDArray[np.float64]
    height_adc: NDArray[np.float64]
    clipped: NDArray[np.bool_]
    clean: NDArray[np.bool_]
    noise_adc: float


def polarity_of(samples: NDArray[Any]) -> PolarityName:
    """Return where most pulses go from the first samples of their records."""
    first = np.median(samples[:, : max(4, samples.shape[1] // 50)], axis=1)
    up = samples.max(axis=1) - first > first - samples.min(axis=1)
    return "positive" if up.mean() > 0.5 else "negative"


def refuse_opposite(samples: NDArray[Any], told: PolarityName) -> None:
    """Refuse a polarity that the pulses contradict.

    Raises
    ------
    DataError
        If most go the other way.
    """
    seen = polarity_of(samples)
    if seen != told:
        raise DataError(f"polarity is said to be {told}, but most pulses are {seen}: give --polarity {seen}")


def trace(samples: NDArray[Any], *, sign: int, highest_adc: int) -> Traces:
    """Measure each record.

    Parameters
    ----------
    samples : ndarray of int, shape (pulse, sample)
        As digitised.
    sign : int
        +1 for pulses that rise, -1 for pulses that fall.
    highest_adc : int
        The upper rail; the lower one is 0.

    Raises
    ------
    DataError
        If nothing lies before the pulses, or too few are clean.
    """
    first = np.median(samples[:, : max(4, samples.shape[1] // 50)], axis=1)
    stop = _before_the_edge(sign * (samples - first[:, None]).astype(np.float32))
    before = samples[:, :stop].astype(np.float64)
    baseline = before.mean(axis=1)
    waves = (sign * (samples - baseline[:, None])).astype(np.float32)
    scatter = before.std(axis=1, ddof=1)
    noise = float(np.sqrt(np.mean(np.sort(scatter**2)[: max(1, int(0.9 * len(scatter)))])))
    crossing = constant_fraction_crossing(waves, fraction=CROSSING_FRACTION).astype(np.float64)
    height = waves.max(axis=1).astype(np.float64)
    clipped = (samples.max(axis=1) >= highest_adc) | (samples.min(axis=1) <= 0)
    usual = np.nanmedian(crossing)
    width = max(3.0, _NEAR_SHARE * samples.shape[1], _FAR_MADS * 1.48 * float(np.nanmedian(np.abs(crossing - usual))))
    quiet = scatter <= 3 * max(noise, 0.5)
    clean = quiet & ~clipped & (np.abs(crossing - usual) < width) & (height > _LEAST_HEIGHT_SIGMAS * max(noise, 0.3))
    if clean.sum() < _FEWEST_CLEAN:
        raise DataError(
            f"only {clean.sum()} of {len(samples)} pulses are clean (unclipped, quiet before the edge, higher than "
            f"{_LEAST_HEIGHT_SIGMAS:g} times the noise of {noise:.2g} ADC counts): {_FEWEST_CLEAN} are needed for a fit"
        )
    return Traces(
        waves_adc=waves,
        baseline_adc=baseline,
        baseline_stop=stop,
        crossing=crossing,
        height_adc=height,
        clipped=clipped,
        clean=clean,
        noise_adc=noise,
    )


def second_pulses(traces: Traces) -> NDArray[np.bool_]:
    """Mark records with a second pulse, shape (pulse,); see :mod:`discrimen.pulse_shape.second_pulses`."""
    measured = {"crossing": traces.crossing, "height_adc": traces.height_adc}
    single = learn_single_pulses(
        traces.waves_adc,
        **measured,
        clean=traces.clean,
        baseline_samples=slice(0, traces.baseline_stop),
        noise_adc=traces.noise_adc,
    )
    if single is None:
        return np.zeros(len(traces.crossing), dtype=bool)
    return single.found(traces.waves_adc, **measured)


def _before_the_edge(waves: NDArray[np.float32]) -> int:
    """Return how many samples lie before almost every pulse."""
    crossing = constant_fraction_crossing(waves, fraction=CROSSING_FRACTION).astype(np.float64)
    found = np.isfinite(crossing)
    if not found.any():
        raise DataError("no record has a leading edge: these are no pulses of this polarity")
    rise = float(np.median(waves.argmax(axis=1)[found] - crossing[found]))
    usual = np.median(crossing[found])
    near = crossing[found & (np.abs(crossing - usual) < max(5.0, 0.1 * waves.shape[1]))]
    stop = int(np.quantile(near, _EDGE_SHARE) - max(3.0, rise))
    if stop < _FEWEST_BASELINE_SAMPLES:
        raise DataError(
            f"the pulses start at sample {usual:.0f} and rise for {rise:.0f}: fewer than {_FEWEST_BASELINE_SAMPLES} "
            "samples before them tell nothing of baseline and noise; record with a longer pre-trigger"
        )
    return stop
