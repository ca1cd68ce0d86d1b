"""A search at work: what to try next, what became of it, and the best model left where users look for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discrimen.errors import OutputError, require_module
from discrimen.search.candidate import Candidate, draw
from discrimen.search.result import SearchResult, TrialRow, collect
from discrimen.search.study import finished_trials, seed_sampler
from discrimen.search.task import SearchTask
from discrimen.search.trial import TrialOutcome, measure, trial_folder

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import Trial

OnTrial = Callable[[TrialRow, SearchResult], None]
BEST = "best"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OpenSearch:
    """The study of a search and all that its trials need.

    Parameters
    ----------
    study : optuna.Study
        Open; nobody else asks or tells it anything.
    task : SearchTask
        What stays the same from trial to trial.
    folder : Path
        Of the search.
    identity : mapping
        Data, space and settings.
    on_trial : callable
        Called with each trial that ends, and the search as it then stands.
    """

    study: Study
    task: SearchTask
    folder: Path
    identity: Mapping[str, Any]
    on_trial: OnTrial

    def n_to_draw(self, *, n_open: int = 0) -> int:
        """Return how many trials are still to be drawn while some are at work."""
        return self.task.config.trials - len(finished_trials(self.study)) - n_open

    def draw(self, *, n_open: int = 0) -> tuple[Trial, Candidate]:
        """Let the study choose the next trial while some are at work."""
        seed_sampler(self.study, self.task.config, n_open=n_open)
        trial = self.study.ask()
        return trial, draw(trial, self.task.space)

    def tell(self, trial: Trial, outcome: TrialOutcome) -> None:
        """Tell the study what became of a trial: complete, pruned, or impossible; keep the best models."""
        state = require_module("optuna", extra="search").trial.TrialState
        for name, value in outcome.attributes.items():
            trial.set_user_attr(name, value)
        if outcome.values is None:
            # Neither pruned nor impossible trials have a value; with one objective the sampler learns from both.
            self.study.tell(trial, state=state.FAIL if self.task.config.pareto else state.PRUNED)
        else:
            self.study.tell(trial, list(outcome.values))
        result = self.result()
        keep_best(result)
        self.on_trial(next(row for row in result.trials if row.number == trial.number), result)

    def result(self, *, interrupted: bool = False) -> SearchResult:
        """Return the search as it stands."""
        return collect(self.study, self.folder, self.identity, interrupted=interrupted)


TrialRunner = Callable[[OpenSearch], None]
"""Draws, measures and tells trials until none is left to draw."""


def one_by_one(search: OpenSearch) -> None:
    """Run trial after trial in this process; a :data:`TrialRunner`."""
    while search.n_to_draw() > 0:
        trial, candidate = search.draw()
        place = trial_folder(search.folder, trial.number)
        watch = None if search.task.config.pareto else trial
        search.tell(trial, measure(candidate, trial.number, search.task, place, watch=watch))


def keep_best(result: SearchResult) -> None:
    """Remove the models that others beat, and put the best one where users look for it."""
    trials = trial_folder(result.folder, 0).parent
    kept = {trial_folder(result.folder, row.number) for row in result.best}
    try:
        for place in trials.iterdir() if trials.is_dir() else ():
            if place not in kept:
                shutil.rmtree(place)
        if result.best and not result.pareto:
            _publish(trial_folder(result.folder, result.best[0].number), result.folder / BEST)
    except OSError as error:
        raise OutputError(f"{result.folder}: cannot write here: {error.strerror or error}") from error


def _publish(source: Path, place: Path) -> None:
    """Copy a model folder to its final name, unless it is there already."""
    description = "model.json"
    if (place / description).is_file() and (place / description).read_bytes() == (source / description).read_bytes():
        return
    part = place.with_name(f".{place.name}.part")
    for old in (part, place.with_name(f".{place.name}.old")):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(source, part)
    if place.exists():
        place.rename(place.with_name(f".{place.name}.old"))
    part.rename(place)
    shutil.rmtree(place.with_name(f".{place.name}.old"), ignore_errors=True)
