"""What an adaptation sees of the new pulses: whether they are unlike the old ones, and some of them to learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference.base import Predictor
from discrimen.network.domain import OutsideTally
from discrimen.pulses import Pulses

MOST_KEPT = 20_000


class SeenPulses:
    """Counts pulses outside of the domain of a model, and keeps some, evenly spread over all that come.

    Parameters
    ----------
    predictor : Predictor
        The model that is adapted.
    most : int
        Pulses to keep, at most.
    """

    def __init__(self, predictor: Predictor, *, most: int = MOST_KEPT) -> None:
        description = predictor.description
        self._predictor, self._most = predictor, most
        self._step, self._n_seen = 1, 0
        self._kept: list[NDArray[Any]] = []
        self.outside = None if description.domain is None else OutsideTally(description.domain, description.preparation)

    def add(self, pulses: Pulses) -> None:
        """Look at the pulses of a chunk."""
        if self.outside is not None:
            flags = self._predictor.judge(pulses.samples).outside
            if flags is not None:
                self.outside.add(pulses.samples, flags)
        first = -self._n_seen % self._step
        self._kept.extend(np.array(pulses.samples[first :: self._step]))
        self._n_seen += len(pulses)
        while len(self._kept) > self._most:
            self._step *= 2
            self._kept = self._kept[::2]

    def kept(self) -> NDArray[Any]:
        """Return the pulses that were kept, shape (pulse, sample), cut to the shortest record."""
        shortest = min((len(record) for record in self._kept), default=0)
        return np.array([record[:shortest] for record in self._kept])
