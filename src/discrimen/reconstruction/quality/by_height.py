"""Values that depend on the height of a pulse: medians and spreads at a few heights, straight lines between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_KNOTS = 8
FEWEST_A_KNOT = 50


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Heights:
    """Where along the logarithm of the height something is known.

    Parameters
    ----------
    knots : ndarray of float64, shape (knot,)
        Ascending logarithms of heights in ADC counts; one alone stands for all heights.
    """

    knots: NDArray[np.float64]

    @classmethod
    def of(cls, height_adc: NDArray[np.float64]) -> Heights:
        """Choose heights so that as many pulses lie around each."""
        n_knots = int(np.clip(len(height_adc) // FEWEST_A_KNOT, 1, MOST_KNOTS))
        middles = (np.arange(n_knots) + 0.5) / n_knots
        return cls(knots=np.unique(np.quantile(np.log(height_adc), middles)))

    def groups(self, height_adc: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the nearest knot of each pulse, shape (pulse,)."""
        between = (self.knots[1:] + self.knots[:-1]) / 2
        return np.searchsorted(between, np.log(height_adc))

    def at(self, values: NDArray[np.float64], height_adc: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values, shape (knot, ...) or one for all heights, at the heights of pulses, shape (pulse, ...)."""
        if len(values) == 1:
            return np.broadcast_to(values[0], (len(height_adc), *values.shape[1:]))
        log = np.clip(np.log(height_adc), self.knots[0], self.knots[-1])
        upper = np.clip(np.searchsorted(self.knots, log), 1, len(self.knots) - 1)
        share = (log - self.knots[upper - 1]) / (self.knots[upper] - self.knots[upper - 1])
        share = share.reshape(-1, *(1,) * (values.ndim - 1))
        found: NDArray[np.float64] = values[upper - 1] * (1 - share) + values[upper] * share
        return found


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Standard:
    """What makes a quantity 0 on average, with a spread of 1, at each height.

    Parameters
    ----------
    centre, scale : ndarray of float64, shape (knot,)
        Median and standard deviation (half the central 68 %).
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64], groups: NDArray[np.intp], n_knots: int) -> Standard:
        """Measure them; `groups` are the knots that pulses belong to."""
        low, middle, high = np.array(
            [np.quantile(values[groups == knot], [0.16, 0.5, 0.84]) for knot in range(n_knots)]
        ).T
        scale = (high - low) / 2
        floor = max(1e-3 * float(scale.max(initial=0.0)), 1e-9 * float(np.abs(middle).max(initial=0.0)), 1e-12)
        return cls(centre=middle, scale=np.maximum(scale, floor))

    def apply(
        self, values: NDArray[np.float64], heights: Heights, height_adc: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the quantity in units of its spread, shape (pulse,)."""
        return (values - heights.at(self.centre, height_adc)) / heights.at(self.scale, height_adc)

    def as_dict(self) -> dict[str, list[float]]:
        """Return plain data, ready for JSON."""
        return {"centre": self.centre.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Standard:
        """Build from what :meth:`as_dict` returned."""
        return cls(centre=np.array(values["centre"], float), scale=np.array(values["scale"], float))
