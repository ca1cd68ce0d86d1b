"""Fresh noise: in every epoch each hit is its clean record with the noise of another hit, drawn again.

A network that sees the same noise again and again learns it by heart, and no longer the place of the hit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare
from discrimen.pulses.hits import Hits
from discrimen.runs.clean_hits import require_same_hits
from discrimen.training.examples import Examples


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FreshNoise:
    """Puts the noise of other hits onto clean records.

    Noise is what a recorded hit has beside its clean record: it keeps its colour, and what the channels of a hit have
    in common.

    Parameters
    ----------
    recorded, clean : Hits
        The same hits with and without noise.
    examples : Examples
        Those that teach, taken from the recorded hits.
    preparation : Preparation
        Of the model.
    donors : ndarray of int64
        Positions of the hits whose noise is used: those that teach, with all channels.
    """

    recorded: Hits
    clean: Hits
    examples: Examples
    preparation: Preparation
    donors: NDArray[np.int64]

    @classmethod
    def of(cls, recorded: Hits, clean: Hits, examples: Examples, preparation: Preparation) -> FreshNoise:
        """Take the noise of the hits that teach.

        Raises
        ------
        DataError
            If the clean records are of other hits, the hits have no noise, or none has all its channels.
        """
        require_same_hits(recorded, clean)
        donors = examples.pulse
        if recorded.present is not None:
            donors = donors[recorded.present[donors].all(axis=1)]
        if not len(donors):
            raise DataError("no hit has all its channels: there is no noise that would fit all")
        some = donors[:: max(1, len(donors) // 100)]
        if np.array_equal(recorded.samples[some], clean.samples[some]):
            raise DataError("the hits equal their clean records: there is no noise to draw; leave the clean ones out")
        return cls(recorded=recorded, clean=clean, examples=examples, preparation=preparation, donors=donors)

    def draw(self, at: NDArray[np.int64], *, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return new network input of the examples at these places; what cannot be prepared keeps its own noise.

        Returns
        -------
        ndarray of float32, shape (drawn, channel, window sample)
        """
        # An alignment looks at the whole record for the peak.
        seen = slice(self.preparation.shortest_record if self.preparation.alignment is None else None)
        hits, donors = self.examples.pulse[at], rng.choice(self.donors, len(at))
        samples = self.recorded.samples[donors, :, seen].astype(np.float32)
        samples -= self.clean.samples[donors, :, seen]
        samples += self.clean.samples[hits, :, seen]
        present = None if self.recorded.present is None else self.recorded.present[hits]
        prepared = prepare(samples, self.preparation, present=present)
        drawn, bad = prepared.waveforms, np.flatnonzero(~prepared.valid)
        if len(bad):
            own = None if present is None else present[bad]
            drawn[bad] = prepare(self.recorded.samples[hits[bad]], self.preparation, present=own).waveforms
        return drawn
