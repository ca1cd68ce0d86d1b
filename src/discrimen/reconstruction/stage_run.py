"""What became of the pulses of a run in a stage of whole records: counts, and words that tell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import ReadReport
from discrimen.inference.clean_traces import NOT_DENOISED
from discrimen.network.domain import OutsideTally
from discrimen.output.stage_report import PageTable
from discrimen.output.summary import Summarised
from discrimen.output.tables import table_of

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "n_unprepared": "without a pulse above the baseline",
        "n_saturated": "saturated",
        "n_outside": "unlike those of the training",
        "n_too_large": "with a code too large",
        "n_more": "of more than two pulses",
        "n_unclear": "of two, one without a leading edge",
        **{name: words for name, words in NOT_DENOISED.items() if name != "n_unprepared"},
    }
)
"""Why a stage passes a pulse by, by the name of its count."""


@dataclass(slots=True, kw_only=True)
class Counts:
    """What became of the pulses of one run; each counts once.

    Parameters
    ----------
    done : tuple of str
        Names of the counts of what was done, for example ``n_denoised``.
    rest : str
        Name of the count of all others.
    reasons : tuple of str
        Names of :data:`REASONS`: why nothing was done with these.
    fate : str
        What befell these.
    """

    done: tuple[str, ...]
    rest: str
    reasons: tuple[str, ...]
    fate: str = "left out"
    _numbers: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        """Return a count by its name, that of all others among them."""
        if name == self.rest:
            return sum(map(self.__getitem__, self.reasons))
        if name not in (*self.done, *self.reasons):
            raise KeyError(name)
        return self._numbers.get(name, 0)

    @property
    def n_done(self) -> int:
        """Pulses that something was done with."""
        return sum(map(self.__getitem__, self.done))

    def add(self, name: str, pulses: NDArray[np.bool_]) -> None:
        """Count those pulses of a chunk that are marked."""
        self._numbers[name] = self[name] + int(np.count_nonzero(pulses))

    def sort_out(self, found: Mapping[str, NDArray[np.bool_] | None], n_pulses: int) -> NDArray[np.bool_]:
        """Count the pulses of a chunk, each in the first reason that it has, and say which have none.

        Parameters
        ----------
        found : mapping of str to ndarray of bool, shape (pulse,)
            Pulses with each reason; None where it is not known.
        n_pulses : int
            Of the chunk.
        """
        good = np.ones(n_pulses, np.bool_)
        for name, pulses in found.items():
            if pulses is not None:
                self.add(name, good & pulses)
                good &= ~pulses
        self.add(self.done[0], good)
        return good

    def as_dict(self) -> dict[str, int]:
        """Return plain data, ready for JSON."""
        return {name: self[name] for name in (*self.done, self.rest, *self.reasons)}

    def told(self) -> str:
        """Return the reasons that pulses have, with how many; nothing where all went well."""
        return ", ".join(f"{self[name]} {REASONS[name]}" for name in self.reasons if self[name])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class StageRun(Summarised):
    """One input: where it lies, what was met, and what became of its pulses, or of what `things` are."""

    path: Path
    report: ReadReport
    counts: Counts
    outside: OutsideTally | None
    things: str = "pulses"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "input": str(self.path),
            **self.report.as_dict(),
            **self.counts.as_dict(),
            "outside": None if self.outside is None else self.outside.as_dict(),
        }

    def told(self) -> str:
        """Return in a sentence what was done, and what befell the others."""
        counts = self.counts
        line = f"{self.path}: {counts.n_done} of {self.report.n_read} {self.things} {_word(counts.done[0])}"
        return f"{line}; {counts.fate}: {reasons}" if (reasons := counts.told()) else line


def summed(runs: Sequence[StageRun]) -> Counts:
    """Return the counts of all runs together."""
    each = [run.counts for run in runs]
    names = (*each[0].done, *each[0].reasons)
    return replace(each[0], _numbers={name: sum(counts[name] for counts in each) for name in names})


def require_some(runs: Sequence[StageRun]) -> None:
    """Refuse runs that nothing could be done with.

    Raises
    ------
    DataError
        If there is no pulse that something was done with.
    """
    total = summed(runs)
    if not total.n_done:
        raise DataError(
            f"{', '.join(str(run.path) for run in runs)}: none of {sum(run.report.n_read for run in runs)} "
            f"{runs[0].things} could be {_word(total.done[0])}: {total.told() or 'there are none'}"
        )


def counts_table(runs: Sequence[StageRun]) -> PageTable:
    """Return what the counts say, a line for each input; reasons that no pulse has are left out."""
    total = summed(runs)
    reasons = [name for name in total.reasons if total[name]]
    names = (*total.done, total.rest, *reasons)
    heading = ("run", "read", *(REASONS.get(name) or _word(name) for name in names))
    lines = [(run.path.name, str(run.report.n_read), *(str(run.counts[name]) for name in names)) for run in runs]
    return PageTable("Counts", table_of(heading, lines))


def _word(name: str) -> str:
    return name.removeprefix("n_").replace("_", " ")
