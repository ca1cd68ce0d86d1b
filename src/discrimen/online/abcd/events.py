"""Events of ABCD that carry a score: `spec` draws it where it draws the ratio of charges.

``qlong`` is the charge of the pulse, from the end of the model's baseline window to the end of the record, times a
factor; ``qshort = qlong (1 - score)``, so that (qlong - qshort) / qlong is the score, in steps of 1 / qlong. This is
what the energy library ``cpp/examples/abcd`` does inside `waan`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.abcd.events import EVENT, OVERFLOW
from discrimen.network.preparation import Preparation

LARGEST_CHARGE = OVERFLOW - 1
"""One more stands for a charge that did not fit, and is left out by some readers."""


@dataclass(slots=True)
class EventMaker:
    """Makes events of pulses and their scores.

    Parameters
    ----------
    preparation : Preparation
        Of the model: where the baseline is, and which way pulses go.
    charge_factor : float
        From ADC counts times samples to ``qlong``; `integrals_scaling` of ABCD's libraries.

    Attributes
    ----------
    n_events : int
        Made.
    n_not_drawn : int
        Pulses without an event: they have no score, or no charge.
    n_overflow : int
        Events whose charge did not fit, and is the largest one instead; their score is right.
    """

    preparation: Preparation
    charge_factor: float = 1.0
    n_events: int = 0
    n_not_drawn: int = 0
    n_overflow: int = 0

    def __call__(
        self, ticks: NDArray[Any], channel: NDArray[Any], samples: NDArray[Any], score: NDArray[np.float32]
    ) -> tuple[NDArray[np.void], NDArray[np.intp]]:
        """Return events, and which of the pulses they are.

        Parameters
        ----------
        ticks, channel : ndarray, shape (pulse,)
            As they came.
        samples : ndarray, shape (pulse, sample)
            In ADC counts.
        score : ndarray of float32, shape (pulse,)
            NaN where there is none.
        """
        baseline, charge = self._charges(samples)
        drawn = np.flatnonzero(np.isfinite(score) & (charge >= 0.5))
        events = np.zeros(len(drawn), EVENT)
        events["timestamp"], events["channel"] = ticks[drawn], channel[drawn]
        events["baseline"] = np.clip(np.rint(baseline[drawn]), 0, OVERFLOW)
        long = np.rint(np.minimum(charge[drawn], LARGEST_CHARGE))
        events["qlong"] = long
        events["qshort"] = np.rint(long * (1 - np.clip(score[drawn].astype(np.float64), 0, 1)))
        self.n_events += len(drawn)
        self.n_not_drawn += len(samples) - len(drawn)
        self.n_overflow += int(np.count_nonzero(charge[drawn] > LARGEST_CHARGE))
        return events, drawn

    def _charges(self, samples: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        where = self.preparation.only
        start, stop, n_samples = where.baseline_start, where.baseline_stop, samples.shape[1]
        window = samples[:, start:stop]
        baseline = window.mean(axis=1) if window.size else np.zeros(len(samples))
        total = samples[:, stop:].sum(axis=1, dtype=np.int64)
        charge = where.polarity * self.charge_factor * (total - baseline * max(0, n_samples - stop))
        return baseline, charge
