"""Jobs on the workers of a Dask scheduler, each done once whatever dies in between.

Dask itself gives up a task whose worker died a few times, also where the task is innocent, and may lose sight of one.
So a job here is a call that may be made again: one that ends without an answer is looked for by its receipt on the
disk, and handed in again if there is none.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from discrimen.cluster.connection import Connection
from discrimen.cluster.receipt import Receipt, find_receipt
from discrimen.errors import ClusterError, DiscrimenError
from discrimen.output.provenance import software_versions

MOST_DEATHS = 30
"""So often may the workers of one job die before it is given up."""

_LOOK_S = 0.05
_ASK_SCHEDULER_S = 10.0
_KNOWN_STATES = frozenset({"waiting", "no-worker", "queued", "processing", "memory", "erred", "released"})


@dataclass(frozen=True, slots=True)
class Work:
    """What a job did: pulses that it read, and what it gives back as plain data beside its files."""

    n_pulses: int
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A call that may be made again.

    Parameters
    ----------
    name : str
        For people; each job has its own.
    call : callable
        Does the work; see :func:`do_job`.
    arguments : tuple
        Of the call.
    identity : mapping of str to str
        What the result depends on.
    receipt : Path
        Where the receipt lies when the job is done.
    leaves : tuple of Path
        Files without which a receipt proves nothing.
    """

    name: str
    call: Callable[..., Work]
    arguments: tuple[Any, ...]
    identity: Mapping[str, str] = field(repr=False)
    receipt: Path
    leaves: tuple[Path, ...] = ()

    def done(self) -> Receipt | None:
        """Return the receipt, if the job is done and what it left is there."""
        receipt = find_receipt(self.receipt, self.identity)
        return receipt if all(path.exists() for path in self.leaves) else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: with a receipt, or with a fault that another try would not mend; given up if workers died."""

    job: Job
    receipt: Receipt | None
    fault: str = ""
    given_up: bool = False


def do_job(job: Job, version: str) -> Receipt | str:
    """Do a job on a worker; a fault of the input is returned as text."""
    try:
        if version != own_version():
            raise ClusterError(
                f"the worker has discrimen {own_version()}, and {version} handed the job in: install the same version "
                "on both sides"
            )
        done = job.done()
        if done is None:
            begin_s = time.perf_counter()
            work = job.call(*job.arguments)
            done = Receipt.here(
                job.identity, n_pulses=work.n_pulses, seconds=time.perf_counter() - begin_s, result=work.result
            )
            done.leave(job.receipt)
    except DiscrimenError as error:
        return str(error)
    return done


def own_version() -> str:
    """Return the version of this package."""
    return software_versions()["discrimen"]


class Farm:
    """Hands jobs in and collects what comes of them.

    Parameters
    ----------
    connection : Connection
        The client, and what keeps its workers there.
    most_deaths : int
        So often may the workers of one job die.

    Attributes
    ----------
    n_again : int
        Jobs that were handed in once more.
    """

    def __init__(self, connection: Connection, *, most_deaths: int = MOST_DEATHS) -> None:
        self._client, self._most_deaths = connection.client, most_deaths
        self._tend = connection.tend
        self._waiting: dict[str, tuple[Job, Any]] = {}
        self._deaths: dict[str, int] = {}
        self._numbers, self._id = count(), secrets.token_hex(4)
        self._next_question_s = time.monotonic() + _ASK_SCHEDULER_S
        self._unknown: set[str] = set()
        self.n_again = 0

    def __len__(self) -> int:
        """Return how many jobs are still to come back."""
        return len(self._waiting)

    def hand_in(self, job: Job) -> None:
        """Hand a job in."""
        # Tasks of one call make one group for Dask, which keeps what a worker cannot do at once with the scheduler.
        key = f"{job.call.__name__}-{self._id}{next(self._numbers):07}"
        future = self._client.submit(do_job, job, own_version(), key=key, pure=False, retries=0)
        self._waiting[job.name] = (job, future)

    def forget(self, name: str) -> None:
        """Take a job back whose result nobody needs any more; if it is at work, it ends there."""
        if name in self._waiting:
            _, future = self._waiting.pop(name)
            with suppress(Exception):
                future.cancel()

    def outcomes(self, on_wait: Callable[[], None] = lambda: None) -> Iterator[Outcome]:
        """Yield jobs as they end, until none is left; more may be handed in meanwhile.

        Raises
        ------
        ClusterError
            If the scheduler is gone.
        """
        while self._waiting:
            ended = [name for name, (_, future) in self._waiting.items() if future.status != "pending"]
            for name in ended:
                if name in self._waiting and (outcome := self._outcome(*self._waiting[name])) is not None:
                    self._waiting.pop(name, None)
                    yield outcome
            self._require_scheduler()
            self._look_for_lost()
            on_wait()
            if not ended:
                time.sleep(_LOOK_S)

    def _outcome(self, job: Job, future: Any) -> Outcome | None:
        """Return how a job ended; None if it was handed in again."""
        if future.status == "finished":
            with suppress(Exception):
                answer = future.result(timeout=60)
                return Outcome(job, None, answer) if isinstance(answer, str) else Outcome(job, answer)
        if (receipt := job.done()) is not None:
            return Outcome(job, receipt)
        if future.status == "error" and (fault := _fault(future.exception())) is not None:
            return Outcome(job, None, fault)
        self._require_scheduler()
        self._deaths[job.name] = self._deaths.get(job.name, 0) + 1
        if self._deaths[job.name] > self._most_deaths:
            return Outcome(
                job,
                None,
                f"{job.name}: given up, its workers ended {self._most_deaths} times before it was done: too little "
                "memory, or a walltime shorter than one job? The logs of the workers tell",
                given_up=True,
            )
        self.n_again += 1
        self.hand_in(job)
        return None

    def _require_scheduler(self) -> None:
        deadline_s = time.monotonic() + 30
        while self._client.status == "connecting" and time.monotonic() < deadline_s:
            time.sleep(_LOOK_S)
        if self._client.status != "running":
            raise ClusterError(
                f"the scheduler is gone, with {len(self)} jobs to do; start the same command again: it does only what "
                "is missing"
            )

    def _look_for_lost(self) -> None:
        """Ask the scheduler now and then; hand in again what it does not know, or what was done and never told."""
        if time.monotonic() < self._next_question_s:
            return
        self._next_question_s = time.monotonic() + _ASK_SCHEDULER_S
        self._tend()
        keys = {future.key: name for name, (_, future) in self._waiting.items() if future.status == "pending"}
        try:
            states = self._client.run_on_scheduler(_states_of, keys=list(keys))
        except Exception as error:  # whatever the connection fails with, `_require_scheduler` says what it means
            self._require_scheduler()
            raise ClusterError(f"the scheduler does not answer: {error}") from error
        odd = {keys[key] for key, state in states.items() if state not in _KNOWN_STATES or state == "memory"}
        for name in odd & self._unknown & self._waiting.keys():
            self.n_again += 1
            self.hand_in(self._waiting[name][0])
        self._unknown = odd


def _states_of(dask_scheduler: Any, keys: list[str]) -> dict[str, str | None]:
    """Return what the scheduler thinks of tasks; runs there."""
    tasks = {key: dask_scheduler.tasks.get(key) for key in keys}
    return {key: None if task is None else str(task.state) for key, task in tasks.items()}


def _fault(error: BaseException) -> str | None:
    """Say what a worker could not do; None if it died, or the connection to it."""
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker | CommClosedError | TimeoutError | OSError):
        return None
    if isinstance(error, ModuleNotFoundError) and str(error.name).startswith("discrimen"):
        return "the workers have no discrimen: install it in their environment, or give its interpreter in the YAML"
    return f"{type(error).__name__} on a worker: {error}"
