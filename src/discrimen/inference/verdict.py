"""Whether a run is like the pulses that a model has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import RunInfo
from discrimen.network.domain import OutsideTally, exceeds
from discrimen.network.model_description import ModelDescription
from discrimen.pulses import Pulses

MOST_OUTSIDE = 0.01
"""Share of the pulses of a run that may be unlike those that the model has seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Whether a run is like the pulses that the model has seen."""

    where: str
    n_entries: int | None
    most_outside: float
    tally: OutsideTally | None

    @classmethod
    def on(
        cls, description: ModelDescription, info: RunInfo, most_outside: float, *, where: str | None = None
    ) -> Verdict:
        """Return what judges a run, before it is read; `where` names it in messages, by default the file."""
        if not 0 <= most_outside <= 1:
            raise SettingsError(f"expected a share from 0 to 1 that may lie outside, got {most_outside:g}")
        domain = description.domain
        tally = None if domain is None else OutsideTally(domain, description.preparation)
        return cls(where or str(info.path), info.n_entries, most_outside, tally)

    def add(self, pulses: Pulses, outside: NDArray[np.uint16] | None) -> None:
        """Count the pulses of a chunk; refuse the run where all that is still to come could not make it good."""
        if self.tally is None or outside is None:
            return
        self.tally.add(pulses.samples, outside)
        if self.n_entries is not None and self._exceeds(max(self.n_entries, self.tally.n_pulses)):
            self._refuse(self.tally)

    def require_inside(self) -> None:
        """Refuse the run, which has been read, if too much of it lies outside, or its gain or light is another."""
        if self.tally is None or self.most_outside == 1:
            return
        if self._exceeds(self.tally.n_pulses):
            self._refuse(self.tally)
        change = self.tally.photon_change()
        if change is not None and change.is_outside:
            raise DataError(f"{self.where}: {change.told()} (--accept takes the run as it is)")

    def _exceeds(self, n_pulses: int) -> bool:
        return self.tally is not None and exceeds(self.tally.n_outside, n_pulses, self.most_outside)

    def _refuse(self, tally: OutsideTally) -> NoReturn:
        raise DataError(
            f"{self.where}: {tally.told()} (allowed is a share of {self.most_outside:.4g}; --accept takes the run "
            "as it is)"
        )
