"""The progress display of a search."""

from __future__ import annotations

from discrimen.cli import common
from discrimen.search import SearchResult, TrialRow


class SearchBar:
    """Moves the progress display at the end of each trial; the first time by those of earlier calls, too."""

    def __init__(self, tick: common.Tick) -> None:
        self._tick = tick
        self._done = 0
        self._note = ""

    def on_trial(self, row: TrialRow, result: SearchResult) -> None:
        """Show that a trial has ended."""
        advance = len(result.trials) - self._done
        self._done = len(result.trials)
        self._note = f"trial {row.number} {row.state}"
        if result.best and not result.pareto:
            self._note += f", best {smoothed_leakage(result.best[0]):.3%}"
        self._tick(advance, note=self._note)

    def on_wait(self, n_open: int, n_workers: int) -> None:
        """Show how many trials and workers there are on a cluster."""
        at_work = f"trials, {n_open} open, {n_workers} workers"
        self._tick(0, note=f"{at_work}; {self._note}" if self._note else at_work)


def smoothed_leakage(row: TrialRow) -> float:
    """Return the leakage whose logarithm is the objective."""
    return float(10 ** (row.objective or 0.0))
