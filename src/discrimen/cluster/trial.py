"""A trial of a search on a worker: read the data set once, train, leave the model. The study is not known here."""

from __future__ import annotations

import errno
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from discrimen.cluster.farm import Work
from discrimen.errors import DataError, require_module
from discrimen.formats.inputs import InputOptions
from discrimen.output.plain import plain
from discrimen.runs.dataset import load_dataset
from discrimen.search.candidate import Candidate
from discrimen.search.config import SearchConfig
from discrimen.search.space import SearchSpace
from discrimen.search.task import SearchTask, build_task
from discrimen.search.trial import measure

_GONE = frozenset({errno.ENOENT, errno.ESTALE})
"""What a file system answers for a file that was removed; the second one where the network lies between."""
_AT_WORK = threading.Lock()
_held: list[tuple[SearchSetup, Mapping[str, Any], SearchTask]] = []
"""The last search of this process; its pulses need the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSetup:
    """What all trials of a search have in common, small enough to go with each.

    Parameters
    ----------
    files : tuple of Path
        The data sets, where the workers find them.
    inputs : InputOptions
        How to open them.
    space, config, window_start, window_length, provenance
        As of :func:`~discrimen.search.run.run_search`.
    """

    files: tuple[Path, ...]
    inputs: InputOptions
    space: SearchSpace
    config: SearchConfig
    window_start: int = 0
    window_length: int | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def task(self) -> tuple[SearchTask, dict[str, Any]]:
        """Read the data sets; see :func:`~discrimen.search.task.build_task`."""
        return build_task(
            load_dataset([self.inputs.open(path) for path in self.files]),
            space=self.space,
            config=self.config,
            window_start=self.window_start,
            window_length=self.window_length,
            provenance=self.provenance,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialToMeasure:
    """A trial that the study has drawn.

    Parameters
    ----------
    number : int
        In the study.
    parameters : mapping of str to value
        What to try.
    folder : Path
        Where open trials lie, on a file system that client and workers share.
    """

    number: int
    parameters: Mapping[str, Any]
    folder: Path

    @property
    def losses(self) -> Path:
        """Where the worker writes the loss of each epoch, for as long as the trial is wanted."""
        return self.folder / f"{self.number:04d}.losses"

    @property
    def receipt(self) -> Path:
        """Where its receipt lies."""
        return self.folder / f"{self.number:04d}.json"

    def own_place(self) -> Path:
        """Return a folder for the model that no other try of the trial has: one may still run, cut off."""
        return self.folder / f"{self.number:04d}-{secrets.token_hex(4)}"


class FileWatch:
    """Tells of epochs in a file; whoever wants the training to end removes the file. A ``TrialWatch``.

    Parameters
    ----------
    path : Path
        The file, which is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._gone = False
        self._write("", os.O_TRUNC)

    def report(self, value: float, step: int) -> None:
        """Append the loss of an epoch."""
        self._write(f"{step} {float(value)!r}\n", os.O_APPEND)

    def should_prune(self) -> bool:
        """Tell whether the file was removed."""
        return self._gone

    def _write(self, text: str, how: int) -> None:
        # Opened again each time: a file system over the network then looks whether the file is still there.
        try:
            descriptor = os.open(self._path, os.O_WRONLY | how)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            self._gone = True
            return
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def measure_trial(setup: SearchSetup, data: Mapping[str, Any], trial: TrialToMeasure) -> Work:
    """Train and judge a candidate; runs on a worker.

    Parameters
    ----------
    setup : SearchSetup
        How to read the data sets, and how to search.
    data : mapping
        What they must be, as the client describes them.
    trial : TrialToMeasure
        What to try.

    Returns
    -------
    Work
        With `values` and `attributes` of the outcome, and the name of the folder of the model.

    Raises
    ------
    DataError
        If the worker reads other pulses than the client.
    DiscrimenError
        If the fault does not lie in the parameters of the trial.
    """
    # Keras has one session and one seed a process: trials of several threads take turns.
    with _AT_WORK:
        _limit_threads()
        task = _task(setup, data)
        place = trial.own_place()
        candidate = Candidate(trial.parameters)
        outcome = measure(candidate, trial.number, task, place, watch=FileWatch(trial.losses), timed=False)
    return Work(len(task.pulses), {**plain(outcome), "place": place.name})


def _task(setup: SearchSetup, data: Mapping[str, Any]) -> SearchTask:
    """Return what all trials share, read once for many of them."""
    for held_setup, held_data, task in _held:
        if held_setup == setup and held_data == data:
            return task
    _held.clear()
    task, identity = setup.task()
    found = identity["data"]
    differing = [
        f"{name} is {found.get(name)}, expected {data[name]}" for name in data if found.get(name) != data[name]
    ]
    if differing:
        raise DataError(
            f"{', '.join(map(str, setup.files))}: a worker reads other pulses than the machine of the command "
            f"({'; '.join(differing)}); give all machines the same files, and leave them alone during the search"
        )
    _held.append((setup, data, task))
    return task


def _limit_threads() -> None:
    """Let JAX compute with as many threads as Dask gave this worker, unless the environment says how many."""
    worker = require_module("distributed", extra="cluster").get_worker()
    os.environ.setdefault("NPROC", str(worker.state.nthreads))
