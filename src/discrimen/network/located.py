"""Positions of hits, whatever found them: what could not be located has a flag and no position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.network.hits_domain import FLAG_WORDS


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Located:
    """Positions of hits.

    Parameters
    ----------
    position_mm : ndarray of float64, shape (hit, 3)
        x, y, z; NaN for a hit with a flag.
    deviation_mm : ndarray of float64, shape (hit, 3), or None
        Predicted errors.
    flags : ndarray of uint16, shape (hit,)
        Bits of :class:`~discrimen.network.hits_domain.PositionFlag`.
    """

    position_mm: NDArray[np.float64]
    deviation_mm: NDArray[np.float64] | None
    flags: NDArray[np.uint16]

    def counts(self) -> dict[str, int]:
        """Return how many hits have each flag, by its words; a hit may have several."""
        return {words: int(np.count_nonzero(self.flags & bit)) for bit, words in FLAG_WORDS.items()}
