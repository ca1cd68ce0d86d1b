"""A basis that can be written down: three traces whose shape follows x, y and z."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_SAMPLES, PERIOD_NS, T0_NS = 40, 10.0, 120.0


@dataclass(frozen=True)
class ToyBasis:
    positions_mm: NDArray[np.float64]
    segment: NDArray[np.int64]
    traces: NDArray[np.float64]
    sample_period_ns: float = PERIOD_NS


def toy_traces(positions: NDArray[np.float64], *, offset_ns: NDArray[np.float64] | float = 0.0) -> NDArray[np.float64]:
    """Return traces of unit energy, shape (point, 3, sample): two transients and a rise."""
    times = np.arange(N_SAMPLES) * PERIOD_NS - T0_NS - np.asarray(offset_ns).reshape(-1, 1)
    x, y, z = (positions[:, number, None] for number in range(3))
    transient = np.exp(-0.5 * np.square((times - 60) / 40))
    rise = 1 / (1 + np.exp(-(times - 40 - 3 * z) / 20))
    nearness = np.exp(-(np.square(x - 2) + np.square(y + 1)) / 120)
    return np.stack([0.02 * x * transient, 0.02 * y * transient + 0.2 * nearness * rise * (1 - rise), rise], axis=1)


def toy_basis(step_mm: float = 2.0) -> ToyBasis:
    """Return signals on a grid of a cube of 10 mm, in segment 2."""
    axis = np.arange(-5, 5.01, step_mm)
    positions = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    return ToyBasis(positions, np.full(len(positions), 2), toy_traces(positions))
