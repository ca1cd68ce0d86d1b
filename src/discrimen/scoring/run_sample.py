"""Pulses of a run, evenly over all of it and never more than a picture needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from discrimen.pulses import Pulses
from discrimen.scoring.quantities import CHARGE, LIGHT, PSD

MOST_PULSES = 400_000


@dataclass(slots=True)
class RunSample:
    """Every n-th pulse of a run; n doubles each time that too many are held.

    Attributes
    ----------
    every : int
        One pulse is held for so many.
    n_seen : int
        Pulses that went by.
    unit : str or None
        Of the energy: keVee, or ADC ns; None while no pulse has any.
    """

    most: int = MOST_PULSES
    every: int = 1
    n_seen: int = 0
    unit: str | None = None
    _parts: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, pulses: Pulses, counted: NDArray[np.int8], measured: Mapping[str, NDArray[np.float32]]) -> None:
        """Take pulses of a chunk.

        Parameters
        ----------
        pulses : Pulses
            The chunk.
        counted : ndarray of int8, shape (pulse,)
            Values of :class:`~discrimen.scoring.counts.Counted`.
        measured : mapping of str to ndarray
            Light or charge, and PSD; see :class:`~discrimen.scoring.quantities.Gated`.
        """
        taken = slice(-self.n_seen % self.every, None, self.every)
        unknown = np.full(len(pulses), np.nan)
        self.unit = "keVee" if LIGHT in measured else "ADC ns" if CHARGE in measured else self.unit
        stamps = unknown if pulses.timestamp_ps is None else pulses.timestamp_ps * 1e-12
        energy = measured.get(LIGHT, measured.get(CHARGE, unknown))
        columns = (counted, energy, measured.get(PSD, unknown), stamps)
        self._parts.append(np.stack([values[taken] for values in columns], axis=1, dtype=np.float64))
        self.n_seen += len(pulses)
        while sum(map(len, self._parts)) > self.most:
            self._parts = [np.concatenate(self._parts)[::2]]
            self.every *= 2

    def columns(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return what each pulse counts as, its energy in `unit`, its PSD and its time in s; NaN where unknown."""
        table = np.concatenate([np.empty((0, 4)), *self._parts])
        return table[:, 0], table[:, 1], table[:, 2], table[:, 3]
