"""Positions of hits, whatever found them: what could not be located has a flag and no position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from discrimen.network.hits_domain import FLAG_WORDS


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SecondInteraction:
    """What is told of a second interaction in the segment of a hit; NaN for a hit with a flag.

    Parameters
    ----------
    probability : ndarray of float64, shape (hit,)
        That there are two.
    position_mm, deviation_mm : ndarray of float64, shape (hit, 3)
        Place of the one with less energy, if there are two, and its predicted error.
    share, share_deviation : ndarray of float64, shape (hit,)
        Of the energy in the first, if there are two, and its predicted error.
    limit : float
        Probability from which on a hit counts as two: 5 % of the single interactions of the training's validation part.
    """

    probability: NDArray[np.float64]
    position_mm: NDArray[np.float64]
    deviation_mm: NDArray[np.float64]
    share: NDArray[np.float64]
    share_deviation: NDArray[np.float64]
    limit: float = 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Located:
    """Positions of hits.

    Parameters
    ----------
    position_mm : ndarray of float64, shape (hit, 3)
        x, y, z; NaN for a hit with a flag. Of two interactions that are known, the one with more energy.
    deviation_mm : ndarray of float64, shape (hit, 3), or None
        Predicted errors.
    flags : ndarray of uint16, shape (hit,)
        Bits of :class:`~discrimen.network.hits_domain.PositionFlag`.
    second : SecondInteraction or None
        None of a method that knows one interaction in a segment only: it takes two for one between them.
    further : mapping of str to ndarray of float64, shape (hit, 1 or 2)
        Other quantities that a model gives, by their names: the value, and its predicted error where there is one.
    """

    position_mm: NDArray[np.float64]
    deviation_mm: NDArray[np.float64] | None
    flags: NDArray[np.uint16]
    second: SecondInteraction | None = None
    further: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Return how many hits have each flag, by its words; a hit may have several."""
        return {words: int(np.count_nonzero(self.flags & bit)) for bit, words in FLAG_WORDS.items()}
