"""The way to a scheduler: one that runs already, or workers of our own, here or from a batch system."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from discrimen.cluster.resources import parse_time
from discrimen.errors import ClusterError, SettingsError, require_module

ClusterKind = Literal["local", "slurm", "htcondor"]
"""Where workers of our own run."""

_ANSWER_S = 10.0
_WORKER_ENVIRONMENT = MappingProxyType({"OMP_NUM_THREADS": 1, "MKL_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1})
"""As Dask's nannies set it, but without MALLOC_TRIM_THRESHOLD_: memory that is given back each time costs a third."""
_LOUD = ("distributed", "dask_jobqueue", "tornado", "asyncio")
_LEAST_LIFETIME_S = 20
_SHARE_OF_WALLTIME = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterWish:
    """Which scheduler and workers are wanted.

    Parameters
    ----------
    scheduler : str, optional
        Address of a scheduler that runs, or the file that it wrote (``--scheduler-file`` of Dask).
    kind : {"local", "slurm", "htcondor"}, optional
        Workers of our own instead.
    n_workers : int, optional
        How many of our own; by default one for each core here, one on a batch system.
    options : mapping of str to Any
        Of dask-jobqueue's cluster, beside what its YAML says: queue, memory, walltime, ...

    Raises
    ------
    SettingsError
        If both or none are given, or what only own workers have is given with a scheduler.
    """

    scheduler: str | None = None
    kind: ClusterKind | None = None
    n_workers: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.scheduler is None) == (self.kind is None):
            raise SettingsError("give either --scheduler, for one that runs, or --cluster, for workers of your own")
        if self.scheduler is not None and (self.n_workers is not None or self.options):
            raise SettingsError("--workers and --cluster-option are for --cluster: a scheduler has its workers already")
        if self.kind == "local" and self.options:
            raise SettingsError("--cluster-option is for slurm and htcondor: local workers have only --workers")


@dataclass(frozen=True, slots=True)
class Connection:
    """A client, and what keeps its workers there.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    tend : callable
        Called now and then: lets workers be replaced whose jobs died before they came.
    """

    client: Any
    tend: Callable[[], None] = lambda: None


@contextmanager
def connected(wish: ClusterWish, *, log_folder: Path) -> Iterator[Connection]:
    """Connect to the scheduler that is wished, and end what was started for it.

    Parameters
    ----------
    wish : ClusterWish
        Which one.
    log_folder : Path
        Where jobs of a batch system write what they say, if the YAML names no other place.

    Yields
    ------
    Connection

    Raises
    ------
    ClusterError
        If nobody answers, or the batch system refuses the jobs.
    MissingExtraError
        If Dask is not installed.
    """
    distributed = require_module("distributed", extra="cluster")
    dask = require_module("dask", extra="cluster")
    with ExitStack() as stack:
        # Deaths are counted by the farm, which knows what was done; Dask would blame tasks that only stood beside.
        changed: dict[str, Any] = {
            "distributed.scheduler.allowed-failures": 0,
            "distributed.scheduler.worker-saturation": 1.0,
            "distributed.worker.profile.enabled": False,
            "distributed.nanny.pre-spawn-environ": dict(_WORKER_ENVIRONMENT),
        }
        stack.enter_context(dask.config.set(changed))
        stack.enter_context(_quiet())
        if wish.kind is None:
            yield Connection(stack.enter_context(_client(distributed, wish.scheduler)))
            return
        own = stack.enter_context(_own(wish, log_folder))
        client = stack.enter_context(_client(distributed, own))
        yield Connection(client) if wish.kind == "local" else Connection(client, _DeadJobs(own, wish.kind))


@contextmanager
def _client(distributed: Any, where: Any) -> Iterator[Any]:
    as_file = isinstance(where, str) and where.endswith(".json")
    address = {"scheduler_file": where} if as_file else {"address": where}
    if as_file and not Path(where).is_file():
        raise ClusterError(f"--scheduler {where}: there is no such file; does the scheduler write it there?")
    if isinstance(where, str) and not as_file:
        _check_address(where)
    try:
        client = distributed.Client(**address, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterError(f"--scheduler {where}: nobody answers there within {_ANSWER_S:.0f} s ({error})") from error
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=5)


def _check_address(address: str) -> None:
    """Refuse what is no address at once: a client would wait for it."""
    addressing = require_module("distributed.comm.addressing", extra="cluster")
    try:
        scheme, place = addressing.parse_address(address)
        if scheme != "inproc":
            addressing.parse_host_port(place)
    except ValueError as error:
        raise ClusterError(
            f"--scheduler {address}: {error}; expected an address such as tcp://10.0.0.1:8786, or the scheduler's file"
        ) from error


@contextmanager
def _own(wish: ClusterWish, log_folder: Path) -> Iterator[Any]:
    """Start workers and end them."""
    own = _local_workers() if wish.kind == "local" else _batch_workers(wish, log_folder)
    n_workers = wish.n_workers or ((os.cpu_count() or 1) if wish.kind == "local" else 1)
    try:
        # A worker that cannot start again, or whose job was cancelled, is replaced only by an adaptive cluster.
        own.scale(n_workers)
        own.adapt(minimum=n_workers, maximum=n_workers, interval="2s")
        yield own
    finally:
        # What does not end by itself ends with this process, or when its scheduler is not there any more.
        with suppress(Exception):
            own.close(timeout=10)


def _local_workers() -> Any:
    distributed = require_module("distributed", extra="cluster")
    return distributed.LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        dashboard_address=":0",
        silence_logs=logging.CRITICAL,
        preload="discrimen.cluster.local_worker",
    )


def _batch_workers(wish: ClusterWish, log_folder: Path) -> Any:
    jobqueue = require_module("dask_jobqueue", extra="cluster")
    dask = require_module("dask", extra="cluster")
    kinds = {"slurm": jobqueue.SLURMCluster, "htcondor": jobqueue.HTCondorCluster}
    known = dict(dask.config.get(f"jobqueue.{wish.kind}", {}))
    options: dict[str, Any] = {"cores": 1, "processes": 1, "memory": "2GB", "python": sys.executable}
    options |= {name: value for name, value in known.items() if value is not None and name in options}
    options |= wish.options
    if not options.get("log_directory", known.get("log-directory")):
        options["log_directory"] = str(log_folder)
    walltime = options.get("walltime", known.get("walltime"))
    extra = list(options.pop("worker_extra_args", known.get("worker-extra-args") or []))
    if wish.kind == "slurm" and walltime and "--lifetime" not in extra:
        extra += _lifetime(str(walltime))
    options.setdefault("scheduler_options", {"dashboard_address": ":0"})
    # A nanny would set MALLOC_TRIM_THRESHOLD_, and the batch system watches memory and ends itself.
    options.setdefault("nanny", False)
    prologue = list(options.get("job_script_prologue") or known.get("job-script-prologue") or [])
    options["job_script_prologue"] = [*prologue, *(f"export {name}={n}" for name, n in _WORKER_ENVIRONMENT.items())]
    try:
        cluster = kinds[str(wish.kind)](worker_extra_args=extra, **options)
    except (TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"--cluster {wish.kind}: {error}") from error
    try:
        _require_accepted(str(wish.kind), cluster.job_script())
    except ClusterError:
        cluster.close(timeout=5)
        raise
    return cluster


@dataclass(slots=True)
class _DeadJobs:
    """Forgets workers whose jobs are not in the queue any more.

    Dask replaces a worker that it lost, but waits for ever for one whose job died before the worker came.
    """

    cluster: Any
    kind: str
    _gone: frozenset[str] = frozenset()

    def __call__(self) -> None:
        ask = ["squeue", "-h", "-o", "%A"] if self.kind == "slurm" else ["condor_q", "-af", "ClusterId"]
        asked = subprocess.run(ask, capture_output=True, text=True, check=False)
        if asked.returncode:
            return  # a batch system that is busy is asked again
        there = set(asked.stdout.split())
        jobs = {name: str(worker.job_id or "") for name, worker in dict(self.cluster.workers).items()}
        gone = frozenset(name for name, job in jobs.items() if job and job not in there)
        for name in gone & self._gone:
            self.cluster.loop.add_callback(self._forget, name)
        self._gone = gone

    def _forget(self, name: str) -> None:
        self.cluster.worker_spec.pop(name, None)
        self.cluster.workers.pop(name, None)


def _require_accepted(kind: str, script: str) -> None:
    """Ask the batch system whether it would take a worker's job; HTCondor has no such question.

    Raises
    ------
    ClusterError
        With its own words, if it would not.
    """
    submit = {"slurm": "sbatch", "htcondor": "condor_submit"}[kind]
    if shutil.which(submit) is None:
        raise ClusterError(f"--cluster {kind}: there is no {submit} here; give the command where jobs are submitted")
    if kind != "slurm":
        return
    asked = subprocess.run([submit, "--test-only"], input=script, capture_output=True, text=True, check=False)
    if asked.returncode:
        told = " ".join(asked.stderr.split()) or f"status {asked.returncode}"
        raise ClusterError(f"--cluster slurm: Slurm takes no such job: {told}")


def _lifetime(walltime: str) -> list[str]:
    """Let workers end by themselves before the batch system kills them, in the middle of a job."""
    seconds = parse_time(walltime)
    lifetime_s = max(_LEAST_LIFETIME_S, round(_SHARE_OF_WALLTIME * seconds))
    return ["--lifetime", f"{lifetime_s}s", "--lifetime-stagger", f"{max(1, round(0.05 * seconds))}s"]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Dask logs of dying workers away from the terminal: it is repaired, and told in the summary."""
    known = list(logging.root.manager.loggerDict)
    loggers = [logging.getLogger(name) for name in known if name.split(".")[0] in _LOUD]
    before = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for each, level in zip(loggers, before, strict=True):
            each.setLevel(level)
