"""Pulses of a made-up detector with a known edge, height and noise, and the domain of a model that has seen them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.domain import Domain, learn_domain
from discrimen.network.preparation import Alignment, one_channel

N_SAMPLES, EDGE, NOISE_ADC, BASELINE_ADC = 75, 20, 3.0, 2000.0
PREPARATION = one_channel(
    sample_period_ns=10.0, polarity=1, baseline_start=0, baseline_stop=12, window_length=N_SAMPLES
)
ALIGNED = one_channel(
    sample_period_ns=10.0,
    polarity=1,
    baseline_start=0,
    baseline_stop=12,
    window_length=40,
    alignment=Alignment(fraction=0.5, position=10),
)


def records(
    n_pulses: int,
    *,
    seed: int,
    edge: float = EDGE,
    decay: float = 8.0,
    noise_adc: float = NOISE_ADC,
    polarity: int = 1,
    heights_adc: tuple[float, float] = (200.0, 6000.0),
) -> NDArray[Any]:
    """Return records of 14 bits, uint16 of shape (pulse, sample); the edge jitters by a sample."""
    rng = np.random.default_rng(seed)
    time = np.arange(N_SAMPLES) - edge - rng.random((n_pulses, 1))
    tail = rng.choice([0.1, 0.3], (n_pulses, 1))
    shape = np.where(time < 0, 0.0, (1 - tail) * np.exp(-time / decay) + tail * np.exp(-time / 40.0))
    height = np.exp(rng.uniform(*np.log(heights_adc), (n_pulses, 1)))
    noise = rng.normal(0, noise_adc, shape.shape)
    return np.clip(np.rint(BASELINE_ADC + polarity * height * shape + noise), 0, 2**14 - 1).astype(np.uint16)


@cache
def seen_domain() -> Domain:
    """Return what a model knows that has seen 20,000 of them."""
    domain = learn_domain(records(20_000, seed=1), PREPARATION, adc_bits=14)
    assert domain is not None
    return domain
