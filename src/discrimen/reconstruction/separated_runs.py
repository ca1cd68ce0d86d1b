"""What came of records that were taken apart: counts, for each run and for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.formats.base import ReadReport
from discrimen.network.domain import OutsideTally
from discrimen.reconstruction.parts import Kind, Parted
from discrimen.reconstruction.separation_judged import Judged


@dataclass(slots=True)
class SeparationCounts:
    """What the records of one run are.

    Attributes
    ----------
    n_single : int
        One pulse: written as they were recorded.
    n_separated : int
        Two pulses, parted.
    n_more : int
        More than two; left out, as the following are.
    n_unclear : int
        Two, of which one has no leading edge within the record.
    n_saturated : int
        Cut off by the ADC.
    n_unprepared : int
        No pulse above the baseline.
    n_outside : int
        Of all these, records unlike those that the model has seen.
    """

    n_single: int = 0
    n_separated: int = 0
    n_more: int = 0
    n_unclear: int = 0
    n_saturated: int = 0
    n_unprepared: int = 0
    n_outside: int = 0

    @property
    def n_piled_up(self) -> int:
        """Records of more than one pulse."""
        return self.n_separated + self.n_more + self.n_unclear

    @property
    def n_refused(self) -> int:
        """Records that nothing is written of."""
        return self.n_more + self.n_unclear + self.n_saturated + self.n_unprepared

    def add(self, parted: Parted) -> None:
        """Count the records of a chunk."""
        numbers = np.bincount(parted.kind, minlength=len(Kind)).tolist()
        self.n_single += numbers[Kind.SINGLE]
        self.n_separated += numbers[Kind.PAIR]
        self.n_more += numbers[Kind.MORE]
        self.n_unclear += numbers[Kind.UNCLEAR]
        self.n_saturated += numbers[Kind.SATURATED]
        self.n_unprepared += numbers[Kind.UNPREPARED]
        if parted.outside is not None:
            self.n_outside += int(np.count_nonzero(parted.outside))

    def as_dict(self) -> dict[str, int]:
        """Return plain data, ready for JSON."""
        names = ("n_single", "n_piled_up", "n_separated", "n_refused", "n_more", "n_unclear", "n_saturated")
        return {name: getattr(self, name) for name in (*names, "n_unprepared", "n_outside")}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SeparatedRun:
    """One input: where it lies, what was met, what became of its records, and how right that is where it is known."""

    path: Path
    report: ReadReport
    counts: SeparationCounts
    outside: OutsideTally | None
    n_written: int
    n_unlike_classifier: int
    judged: Judged | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "input": str(self.path),
            **self.report.as_dict(),
            **self.counts.as_dict(),
            "n_written": self.n_written,
            "n_unlike_classifier": self.n_unlike_classifier,
            "outside": None if self.outside is None else self.outside.as_dict(),
            "judged": None if self.judged is None else self.judged.as_dict(),
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SeparatedRuns:
    """All inputs, and the file of separated pulses if one was asked for.

    Parameters
    ----------
    output : Path or None
        The file.
    runs : tuple of SeparatedRun
        The inputs, in their order.
    seconds : float
        For reading, separating and writing, in s.
    """

    output: Path | None
    runs: tuple[SeparatedRun, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "output": None if self.output is None else str(self.output),
            "seconds": self.seconds,
            "files": [run.as_dict() for run in self.runs],
        }
