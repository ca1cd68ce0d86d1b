"""What came of records that were taken apart: counts, for each run and for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discrimen.output.summary import Summarised
from discrimen.reconstruction.parts import Kind, Parted
from discrimen.reconstruction.separation_judged import Judged
from discrimen.reconstruction.stage_run import Counts, StageRun

_COUNTED = {
    "n_single": Kind.SINGLE,
    "n_separated": Kind.PAIR,
    "n_more": Kind.MORE,
    "n_unclear": Kind.UNCLEAR,
    "n_saturated": Kind.SATURATED,
    "n_unprepared": Kind.UNPREPARED,
}


def separation_counts() -> Counts:
    """Return counts of records: single ones are written as they are, separated ones parted, the others refused."""
    single, separated, *refused = _COUNTED
    return Counts(done=(single, separated), rest="n_refused", reasons=tuple(refused))


def count_records(counts: Counts, parted: Parted) -> None:
    """Count the records of a chunk."""
    for name, kind in _COUNTED.items():
        counts.add(name, parted.kind == kind)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class SeparatedRun(StageRun):
    """One input, and how right its parts are where that is known.

    Parameters
    ----------
    n_written, n_unlike_classifier : int
        Pulses that were written, and those of them that are unlike what the classifier knows.
    judged : Judged or None
        Against the truth.
    """

    n_written: int
    n_unlike_classifier: int
    judged: Judged | None

    def told(self) -> str:
        """Return in a sentence what the records are, and how many pulses were written."""
        counts = self.counts
        return (
            f"{self.path}: {self.report.n_read} records: {counts['n_single']} of one pulse, {self.n_piled_up} piled up "
            f"({counts['n_separated']} separated), {counts['n_refused']} refused; {self.n_written} pulses"
        )

    @property
    def n_piled_up(self) -> int:
        """Records of more than one pulse."""
        return sum(self.counts[name] for name in ("n_separated", "n_more", "n_unclear"))

    @property
    def n_outside(self) -> int:
        """Of all records, those unlike what the model has seen."""
        return 0 if self.outside is None else self.outside.n_outside

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            **StageRun.as_dict(self),
            "n_piled_up": self.n_piled_up,
            "n_outside": self.n_outside,
            "n_written": self.n_written,
            "n_unlike_classifier": self.n_unlike_classifier,
            "judged": None if self.judged is None else self.judged.as_dict(),
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class SeparatedRuns(Summarised):
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
