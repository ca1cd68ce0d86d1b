"""What one channel measured: the values of its pulses, and where among them a spectrum can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_PULSES = 500
"""Of a spectrum in which an edge is looked for."""

_LOW_SHARE, _SATURATED_SHARE, _FEWEST_SATURATED = 0.005, 0.01, 20


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Spectrum:
    """The pulses of one channel.

    Parameters
    ----------
    values : ndarray of float64, shape (pulse,)
        Charge, height or energy of the pulses that are not saturated, rising; positive and finite.
    low, high : float
        Between these a spectrum is whole: above what triggers, below what saturates (infinite if nothing does).
    limits : tuple of float or None
        Where somebody says that an edge lies.
    n_left_out : int
        Saturated pulses, and pulses without a positive value.
    """

    values: NDArray[np.float64]
    low: float
    high: float
    limits: tuple[float, float] | None
    n_left_out: int

    def __len__(self) -> int:
        return len(self.values)

    def counts(self, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the number of pulses between each two edges, shape (edge - 1,)."""
        return np.diff(np.searchsorted(self.values, edges)).astype(np.float64)


def spectrum_of(
    values: Sequence[NDArray[np.float64]],
    saturated: Sequence[NDArray[np.bool_]],
    *,
    limits: tuple[float, float] | None,
    rng: np.random.Generator,
) -> Spectrum:
    """Make the spectrum of a channel.

    Whole numbers, as digitizers give, are spread evenly over their unit, so that bins need not know of it.

    Parameters
    ----------
    values : sequence of ndarray of float64, shape (pulse,)
        Of each stretch of the run.
    saturated : sequence of ndarray of bool, shape (pulse,)
        Whether each pulse touches a rail or carries a flag.
    limits : tuple of float or None
        Where somebody says that an edge lies.
    rng : numpy.random.Generator
        For the spreading.
    """
    everything, rails = np.concatenate(values), np.concatenate(saturated)
    usable = np.isfinite(everything) & (everything > 0)
    kept, clipped = everything[usable & ~rails], everything[usable & rails]
    if len(kept) and (kept == np.rint(kept)).all():
        kept = kept + rng.uniform(-0.5, 0.5, len(kept))
    kept = np.sort(kept)
    low, high = float(np.quantile(kept, _LOW_SHARE)) if len(kept) else 0.0, np.inf
    if len(clipped) >= _FEWEST_SATURATED:
        high = float(np.quantile(clipped, _SATURATED_SHARE))
    return Spectrum(values=kept, low=low, high=high, limits=limits, n_left_out=len(everything) - len(kept))
