"""Trials of a search by the workers of a farm, several at a time; the study stays with the client alone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discrimen.cluster.farm import Farm, Job, Outcome
from discrimen.cluster.receipt import Receipt
from discrimen.cluster.trial import SearchSetup, TrialToMeasure, measure_trial
from discrimen.errors import ClusterError, OutputError
from discrimen.search.open_search import OpenSearch
from discrimen.search.trial import PRUNED, TrialOutcome, add_time, trial_folder

if TYPE_CHECKING:
    from optuna.trial import Trial

OPEN = "open"
"""Folder, in that of the search, of what workers write while their trials are open."""
_LOOK_S = 1.0
OnWait = Callable[[int, int], None]


class TrialsOnFarm:
    """Keeps as many trials open as there are workers; a :data:`~discrimen.search.open_search.TrialRunner`.

    A worker that dies costs its trial the time, not the search the trial. Ends the trainings that a pruner does not
    want any more, and all of them when it ends itself.

    Parameters
    ----------
    farm : Farm
        Where the trials go.
    setup : SearchSetup
        What they have in common.
    n_workers : callable
        Tells how many workers there are now.
    on_wait : callable
        Called now and then with how many trials are open, and how many workers there are.

    Attributes
    ----------
    receipts : list of Receipt
        Of the trials that came back.
    """

    def __init__(
        self,
        farm: Farm,
        setup: SearchSetup,
        *,
        n_workers: Callable[[], int],
        on_wait: OnWait = lambda _open, _workers: None,
    ) -> None:
        self._farm, self._setup = farm, setup
        self._n_workers, self._on_wait = n_workers, on_wait
        self._open: dict[str, _OpenTrial] = {}
        self._n_there = 0
        self._next_look_s = 0.0
        self.receipts: list[Receipt] = []

    def __call__(self, search: OpenSearch) -> None:
        """Run all trials that are left.

        Raises
        ------
        ClusterError
            If the scheduler is gone, or machines do not share the folder.
        DiscrimenError
            If a worker fails by another fault than that of a trial's parameters.
        """
        folder = search.folder.absolute() / OPEN
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir()
        except OSError as error:
            raise OutputError(f"{folder}: cannot write here: {error.strerror or error}") from error
        try:
            self._fill(search, folder)
            for outcome in self._farm.outcomes(partial(self._look, search, folder)):
                self._end(search, outcome)
                self._fill(search, folder)
        finally:
            for name, each in self._open.items():
                each.end()
                self._farm.forget(name)
            # What a worker still writes there goes with the next start.
            shutil.rmtree(folder, ignore_errors=True)

    def _fill(self, search: OpenSearch, folder: Path) -> None:
        """Open trials until every worker has one; without workers one waits for the first."""
        with suppress(OSError):  # of a scheduler that is gone; the farm says so
            self._n_there = self._n_workers()
        while len(self._open) < max(1, self._n_there) and search.n_to_draw(n_open=len(self._open)) > 0:
            trial, candidate = search.draw(n_open=len(self._open))
            wanted = TrialToMeasure(number=trial.number, parameters=dict(candidate.parameters), folder=folder)
            wanted.losses.touch()
            job = Job(
                name=f"trial {trial.number} of {search.folder}",
                call=measure_trial,
                arguments=(self._setup, search.identity["data"], wanted),
                identity={"data": search.identity["data"]["sha256"], "trial": str(trial.number)},
                receipt=wanted.receipt,
            )
            self._open[job.name] = _OpenTrial(trial, wanted, is_heard=not search.task.config.pareto)
            self._farm.hand_in(job)

    def _look(self, search: OpenSearch, folder: Path) -> None:
        """Hear, now and then, what workers tell, and see whether there are more of them."""
        if time.monotonic() < self._next_look_s:
            return
        for each in self._open.values():
            each.hear()
        self._fill(search, folder)
        self._on_wait(len(self._open), self._n_there)
        self._next_look_s = time.monotonic() + _LOOK_S

    def _end(self, search: OpenSearch, outcome: Outcome) -> None:
        ended = self._open.pop(outcome.job.name)
        ended.hear(may_prune=False)
        if outcome.receipt is not None:
            self.receipts.append(outcome.receipt)
            search.tell(ended.trial, _came_to(search, ended, outcome.receipt.result))
        elif outcome.given_up:
            told = {"reason": outcome.fault, "seconds": time.monotonic() - ended.begin_s}
            search.tell(ended.trial, TrialOutcome(None, told))
        else:
            raise ClusterError(outcome.fault)


@dataclass(slots=True)
class _OpenTrial:
    """A trial on its way, and what was heard of it."""

    trial: Trial
    wanted: TrialToMeasure
    is_heard: bool
    begin_s: float = field(default_factory=time.monotonic)
    is_pruned: bool = False
    _epochs: set[int] = field(default_factory=set)

    def hear(self, *, may_prune: bool = True) -> None:
        """Tell the study of epochs that have ended; remove the file of a training that others outdo."""
        if not self.is_heard or self.is_pruned:
            return
        for epoch, loss in _read_losses(self.wanted.losses):
            if epoch in self._epochs:
                continue
            self._epochs.add(epoch)
            self.trial.report(loss, epoch)
            if may_prune and self.trial.should_prune():
                self.is_pruned = True
                self.end()
                return

    def end(self) -> None:
        """Let the training end with its epoch."""
        with suppress(OSError):
            self.wanted.losses.unlink()


def _read_losses(path: Path) -> list[tuple[int, float]]:
    """Return epochs and their losses; what cannot be read yet, or is not whole, is left for the next time."""
    # A file system over the network may show a file as long as it is already, and zeros where lines are to come.
    with suppress(OSError, ValueError):
        lines = [line.partition(" ") for line in path.read_text(encoding="ascii").split("\n")[:-1]]
        return [(int(epoch), float(loss)) for epoch, _, loss in lines]
    return []


def _came_to(search: OpenSearch, ended: _OpenTrial, result: Any) -> TrialOutcome:
    """Put the model of a complete trial in its place; no other process ever writes there."""
    place = ended.wanted.folder / result["place"]
    if result["values"] is None:
        if result["attributes"]["reason"] == PRUNED and not ended.is_pruned:
            raise _not_shared(ended.wanted.losses, "there, but a worker does not see it")
        shutil.rmtree(place, ignore_errors=True)
        return TrialOutcome(None, result["attributes"])
    final = trial_folder(search.folder, ended.wanted.number)
    try:
        final.parent.mkdir(exist_ok=True)
        place.rename(final)
    except FileNotFoundError as error:
        raise _not_shared(place, "not there, but a worker says that it left a model in it") from error
    except OSError as error:
        raise OutputError(f"{final}: cannot write here: {error.strerror or error}") from error
    outcome = TrialOutcome(tuple(result["values"]), result["attributes"])
    return add_time(outcome, final, seed=search.task.config.seed) if search.task.config.pareto else outcome


def _not_shared(path: Path, what: str) -> ClusterError:
    return ClusterError(f"{path}: {what}; the output must lie on a file system that all machines share, by one name")
