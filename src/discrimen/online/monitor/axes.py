"""The axes of the heat maps: chosen once from the first pulses, the same for all channels, so that maps add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_BINS = 96
"""Of each axis."""

_MARGIN = 0.5
_ENERGY_MARGIN = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Bins of equal width, of the value or of its logarithm.

    Parameters
    ----------
    label : str
        Of the axis, with its unit.
    low, high : float
        Its ends.
    is_log : bool
        Whether the bins are of equal width in the logarithm.
    n_bins : int
        How many.
    """

    label: str
    low: float
    high: float
    is_log: bool = False
    n_bins: int = N_BINS

    def bins(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return the bin of each value, shape (value,); -1 beyond the ends and for NaN."""
        low, high = self.low, self.high
        if self.is_log:
            values = np.log(np.where(values > 0, values, np.nan))
            low, high = float(np.log(low)), float(np.log(high))
        # One step beyond the ends is as good as any: what is far beyond would overflow.
        near = np.clip(np.asarray(values, np.float64), 2 * low - high, 2 * high - low)
        place = (near - low) * (self.n_bins / (high - low))
        inside = (place >= 0) & (place < self.n_bins)
        return np.where(inside, place, -1.0).astype(np.int64)

    @property
    def edges(self) -> NDArray[np.float64]:
        """The edges of the bins, shape (bin + 1,)."""
        spread = np.geomspace if self.is_log else np.linspace
        edges: NDArray[np.float64] = spread(self.low, self.high, self.n_bins + 1)
        return edges

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {"label": self.label, "low": self.low, "high": self.high, "log": self.is_log}


def energy_axis(values: NDArray[Any], label: str) -> Axis:
    """Return a logarithmic axis that holds nearly all of some energies, most of which must be above 0."""
    low, high = np.quantile(values[values > 0], [0.005, 0.995])
    return Axis(label=label, low=float(low / _ENERGY_MARGIN), high=float(high * _ENERGY_MARGIN), is_log=True)


def linear_axis(values: NDArray[Any], label: str) -> Axis:
    """Return a linear axis that holds nearly all of some values, and half of their spread on each side."""
    low, high = np.quantile(values, [0.01, 0.99])
    margin = max(_MARGIN * float(high - low), 1e-3)
    return Axis(label=label, low=float(low) - margin, high=float(high) + margin)


SCORE_AXIS = Axis(label="neutron score", low=0.0, high=1.0 + 1e-6)
