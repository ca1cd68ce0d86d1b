"""Bins of light in keV electron equivalent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError

DEFAULT_ENERGY_EDGES_KEVEE = (30.0, 50.0, 100.0, 200.0, 400.0, 2000.0)
"""Edges of the bins if nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class EnergyBin:
    """A range of light in keVee, half open."""

    low_kevee: float
    high_kevee: float

    def __str__(self) -> str:
        return f"{self.low_kevee:g}-{self.high_kevee:g} keVee"

    def contains(self, energy_kevee: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which pulses lie in the bin; NaN lies in none."""
        inside: NDArray[np.bool_] = (energy_kevee >= self.low_kevee) & (energy_kevee < self.high_kevee)
        return inside


def energy_bins(edges_kevee: Sequence[float]) -> tuple[EnergyBin, ...]:
    """Return the bins between ascending edges.

    Raises
    ------
    DataError
        If there are fewer than two edges, or they do not ascend.
    """
    edges = [float(edge) for edge in edges_kevee]
    if len(edges) < 2 or not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
        raise DataError(f"energy edges in keVee must be at least two, finite and ascending, got {edges}")
    return tuple(EnergyBin(low, high) for low, high in pairwise(edges))
