"""Records made of exponentials, with everything known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.traces import Traces, trace
from discrimen.simulation.noise import coloured

N_SAMPLES = 150
BASELINE_ADC = 1000.0


def shape(time: NDArray[np.float64], tail: float | NDArray[np.float64] = 0.0) -> NDArray[np.float64]:
    """Return a pulse that rises within a few samples and decays in 10, with a tail of 60."""
    after = np.maximum(time, 0)
    return np.asarray(
        (1 - np.exp(-((after / 3) ** 2))) * ((1 - tail) * np.exp(-after / 10) + tail * np.exp(-after / 60))
    )


def records(
    n_pulses: int,
    *,
    onset: float | NDArray[np.float64] = 40.0,
    height_adc: float | NDArray[np.float64] = 300.0,
    tail: float | NDArray[np.float64] = 0.0,
    noise_adc: float = 1.0,
    power: tuple[float, ...] = (),
    sign: int = 1,
    seed: int = 1,
) -> NDArray[np.int64]:
    """Return samples; whatever is an array has one value a pulse."""
    rng = np.random.default_rng(seed)
    start, height, share = (
        np.broadcast_to(np.asarray(value, dtype=float), n_pulses)[:, None] for value in (onset, height_adc, tail)
    )
    waves = height * shape(np.arange(N_SAMPLES) - start, share)
    noise = noise_adc * coloured(rng.standard_normal((n_pulses, N_SAMPLES), dtype=np.float32), power)
    return np.rint(BASELINE_ADC + sign * waves + noise).astype(np.int64)


def traced(samples: NDArray[Any], *, sign: int = 1) -> Traces:
    return trace(samples, sign=sign, highest_adc=4095)
