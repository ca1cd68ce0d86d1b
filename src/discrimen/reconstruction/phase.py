"""Times within a sample: what linear interpolation between samples gets wrong, learnt from the run itself.

Where a leading edge takes a sample or two, the crossing between two samples lies mostly where interpolation draws it,
not where it is. Pulses that know nothing of the sampling clock come at every phase of it alike, so that the share of
crossings at smaller phases is the phase itself: the correction of the integral non-linearity of time-to-digital
converters by the code density (J. Kalisz, Metrologia 41 (2004) 17).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 500


@dataclass(frozen=True, slots=True, eq=False)
class Phases:
    """The phases of the crossings of a run, in order; shape (crossing,)."""

    values: NDArray[np.float64]

    @classmethod
    def learn(cls, crossing: NDArray[np.floating]) -> Phases | None:
        """Learn from constant-fraction crossings in samples; None where fewer than 500 are known."""
        known = crossing[np.isfinite(crossing)].astype(np.float64)
        return cls(np.sort(known % 1)) if len(known) >= FEWEST else None

    def times(self, crossing: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return crossings with the phase put right, in samples; same shape, NaN stays."""
        known = np.isfinite(crossing)
        exact = np.where(known, crossing, 0.0).astype(np.float64)
        whole = np.floor(exact)
        low = np.searchsorted(self.values, exact - whole, side="left")
        high = np.searchsorted(self.values, exact - whole, side="right")
        return np.where(known, whole + (low + high) / (2 * len(self.values)), np.nan)
