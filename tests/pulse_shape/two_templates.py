"""Pulses of two exponential shapes with known noise: what the tests of the classic methods share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

N_SAMPLES = 60
START = 3


def template(slow_share: float) -> NDArray[np.float64]:
    """Expected pulse of unit area: decays of 2 and 15 samples from START on."""
    time = np.arange(N_SAMPLES) - START
    late = np.maximum(time, 0)
    shape = (1 - slow_share) * np.exp(-late / 2) / 2 + slow_share * np.exp(-late / 15) / 15
    shape[time < 0] = 0
    pulse: NDArray[np.float64] = shape / shape.sum()
    return pulse


GAMMA, NEUTRON = template(0.25), template(0.40)


def noisy_pulses(
    n_pulses: int, *, seed: int, area: float = 1000.0, white: float = 0.0, photons: bool = False
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Waveforms of both classes and whether each is a neutron."""
    rng = np.random.default_rng(seed)
    is_neutron = rng.integers(0, 2, n_pulses).astype(np.bool_)
    expected = area * np.where(is_neutron[:, np.newaxis], NEUTRON, GAMMA)
    pulses = rng.poisson(expected).astype(np.float64) if photons else expected
    return (pulses + white * rng.normal(size=pulses.shape)).astype(np.float32), is_neutron
