"""Scores of many run files by the workers of a cluster: the same bytes as by one process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from discrimen.cluster.farm import Farm, Job, Outcome, Work
from discrimen.cluster.receipt import Receipt
from discrimen.errors import DataError, FormatError, OutputError
from discrimen.formats.base import PartedReader, Reader
from discrimen.formats.inputs import InputOptions
from discrimen.inference.load import BackendName
from discrimen.keras_jax import Device
from discrimen.output.files import complete_or_absent
from discrimen.output.plain import plain
from discrimen.scoring.classification import Classification
from discrimen.scoring.classify import classify_run
from discrimen.scoring.discriminator import Discriminators, choose_thresholds, discriminators_of, load_models
from discrimen.scoring.parts import Part, join_parts, score_part
from discrimen.scoring.run_scoring import ScoringWish
from discrimen.scoring.text import summary_lines, warning_lines

_GIVEN_UP = "given-up"
"""A file of this name beside the parts says that nobody needs them any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringSetup:
    """What all jobs of one command have in common.

    Parameters
    ----------
    model : Path
        Where the workers find it.
    model_sha256 : str
        What it must be.
    threshold : str or None
        As wished; see :func:`~discrimen.scoring.discriminator.choose_thresholds`.
    device, backend, threads
        As of :func:`~discrimen.inference.load.load_model`.
    inputs : InputOptions
        How to open run files.
    wish : ScoringWish
        What is wanted of each.
    compress : bool
        Of HDF5 files.
    """

    model: Path
    model_sha256: str
    threshold: str | None
    device: Device
    backend: BackendName | None
    threads: int | None
    inputs: InputOptions
    wish: ScoringWish
    compress: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunToScore:
    """One run file as it was when its jobs were made, and where its scores go.

    Parameters
    ----------
    path : Path
        The run file.
    output : Path
        Its file of scores.
    identity : mapping of str to str
        What the finished file of scores carries; see :meth:`~discrimen.scoring.run_scoring.ScoringWish.identity`.
    """

    path: Path
    output: Path
    identity: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, reader: Reader, output: Path, discriminators: Discriminators, wish: ScoringWish) -> RunToScore:
        """Describe an open run file."""
        path = reader.info.path.absolute()
        return cls(path=path, output=output.absolute(), identity=wish.identity(reader.info, discriminators))

    @property
    def folder(self) -> Path:
        """Where parts and receipts lie until the scores are complete."""
        return self.output.with_name(f"{self.output.name}.parts")


@dataclass(slots=True)
class _Progress:
    """How far one run file is."""

    run: RunToScore
    parts: list[Part]
    n_missing: int = 0
    as_whole: bool = False


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """One run file at its end.

    Parameters
    ----------
    path : Path
        The run file.
    result : mapping
        Of the classification as plain data; empty if it failed.
    summary, warnings : tuple of str
        For people.
    fault : str
        Why there are no scores; empty if there are.
    """

    path: Path
    result: Mapping[str, Any] = field(default_factory=dict)
    summary: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    fault: str = ""


class ClassifyFarm:
    """Scores run files on a farm: each as a whole, or in parts that are put together.

    A file whose parts fail is scored as a whole once more: only then damage, odd clocks and refusals are told as one
    machine tells them.

    Parameters
    ----------
    farm : Farm
        Where the jobs go.
    setup : ScoringSetup
        What they have in common.

    Attributes
    ----------
    receipts : list of Receipt
        Of all jobs that were done, also in an earlier start.
    """

    def __init__(self, farm: Farm, setup: ScoringSetup) -> None:
        self._farm, self._setup = farm, setup
        self._runs: dict[str, _Progress] = {}
        self.receipts: list[Receipt] = []
        self.n_jobs = 0

    @property
    def n_open(self) -> int:
        """Jobs that are still to come back."""
        return len(self._farm)

    def add(self, run: RunToScore, parts: Sequence[Part]) -> None:
        """Hand in what is missing of a run file, which may have been begun by an earlier start."""
        progress = _Progress(run, list(parts))
        self._runs[str(run.output)] = progress
        if not parts or (run.folder / _GIVEN_UP).exists():
            self._hand_in_whole(progress)
            return
        jobs = [self._part_job(run, part) for part in parts]
        done = [job.done() for job in jobs]
        self.receipts += [receipt for receipt in done if receipt is not None]
        missing = [job for job, receipt in zip(jobs, done, strict=True) if receipt is None]
        progress.n_missing = len(missing)
        for job in missing:
            self._hand_in(job)
        if not missing:
            self._hand_in_join(progress)

    def results(self, on_wait: Callable[[], None] = lambda: None) -> Iterator[ScoredRun]:
        """Yield run files as they end.

        Raises
        ------
        ClusterError
            If the scheduler is gone.
        """
        for outcome in self._farm.outcomes(on_wait):
            progress = self._runs[str(outcome.job.arguments[1].output)]
            if outcome.receipt is not None:
                self.receipts.append(outcome.receipt)
            if (scored := self._next(progress, outcome)) is not None:
                yield scored

    def _next(self, progress: _Progress, outcome: Outcome) -> ScoredRun | None:
        """Go on with a run file, one of whose jobs has ended; return its end."""
        if outcome.job.call is score_one_part:
            progress.n_missing -= 1
            if outcome.receipt is None:
                _give_up_parts(progress.run)
                progress.as_whole = True
            if not progress.n_missing:
                (self._hand_in_whole if progress.as_whole else self._hand_in_join)(progress)
            return None
        if outcome.receipt is None and outcome.job.call is join_all_parts:
            self._hand_in_whole(progress)
            return None
        shutil.rmtree(progress.run.folder, ignore_errors=True)
        if outcome.receipt is None:
            return ScoredRun(progress.run.path, fault=outcome.fault)
        result = outcome.receipt.result
        return ScoredRun(progress.run.path, result["data"], tuple(result["summary"]), tuple(result["warnings"]))

    def _hand_in(self, job: Job) -> None:
        self.n_jobs += 1
        self._farm.hand_in(job)

    def _part_job(self, run: RunToScore, part: Part) -> Job:
        return Job(
            name=_part_name(run, part),
            call=score_one_part,
            arguments=(self._setup, run, part),
            identity={**run.identity, "from": str(part.start), "to": str(part.stop)},
            receipt=run.folder / f"part-{part.number:05}.json",
            leaves=(part.scores(run.folder), part.counts(run.folder)),
        )

    def _hand_in_join(self, progress: _Progress) -> None:
        self._hand_in(self._end_job(progress.run, join_all_parts, "parts of", (tuple(progress.parts),)))

    def _hand_in_whole(self, progress: _Progress) -> None:
        self._hand_in(self._end_job(progress.run, score_whole, "all of", ()))

    def _end_job(self, run: RunToScore, call: Callable[..., Work], what: str, more: tuple[Any, ...]) -> Job:
        return Job(
            name=f"{what} {run.output}",
            call=call,
            arguments=(self._setup, run, *more),
            identity={**run.identity, "compress": str(self._setup.compress), "does": what},
            receipt=run.folder / f"{what.split()[0]}.json",
            leaves=(run.output,),
        )


def _part_name(run: RunToScore, part: Part) -> str:
    return f"part {part.number} of {run.output}"


def score_whole(setup: ScoringSetup, run: RunToScore) -> Work:
    """Score a run file in one go; runs on a worker.

    Raises
    ------
    FormatError
        If it is not the file any more that it was when the job was made.
    DiscrimenError
        As :func:`~discrimen.scoring.classify.classify_run`.
    """
    reader, discriminators = _opened(setup, run)
    done = classify_run(reader, discriminators, _draft(run), wish=setup.wish, compress=setup.compress)
    return _published(setup, run, done, discriminators)


def _give_up_parts(run: RunToScore) -> None:
    """Tell the parts that are not begun yet that nobody needs them any more; those at work end first."""
    with complete_or_absent(run.folder / _GIVEN_UP) as mark:
        mark.touch()


def score_one_part(setup: ScoringSetup, run: RunToScore, part: Part) -> Work:
    """Score a part of a run file; runs on a worker.

    Raises
    ------
    DiscrimenError
        As :func:`~discrimen.scoring.parts.score_part`, and as :func:`score_whole`.
    """
    if (run.folder / _GIVEN_UP).exists():
        raise DataError(f"{run.path}: is scored as a whole, since a part of it failed")
    reader, discriminators = _opened(setup, run)
    if not isinstance(reader, PartedReader):
        raise FormatError("cannot be read in parts any more", run.path)
    n_read = score_part(reader, discriminators, part, run.folder, wish=setup.wish)
    _require_same(setup, run, reader, discriminators)
    return Work(n_read)


def join_all_parts(setup: ScoringSetup, run: RunToScore, parts: Sequence[Part]) -> Work:
    """Put the parts of a run file together; runs on a worker.

    Raises
    ------
    DiscrimenError
        As :func:`~discrimen.scoring.parts.join_parts`, and as :func:`score_whole`.
    """
    reader, discriminators = _opened(setup, run)
    done = join_parts(reader, discriminators, parts, run.folder, _draft(run), wish=setup.wish, compress=setup.compress)
    return replace(_published(setup, run, done, discriminators), n_pulses=0)


def load_discriminators(
    model: Path, *, threshold: str | None, device: Device, backend: BackendName | None, threads: int | None
) -> Discriminators:
    """Load a model, or one for each channel, with its thresholds.

    Raises
    ------
    FormatError, SettingsError, DeviceError, MissingExtraError
        As :func:`~discrimen.inference.load.load_model`, or if there is no such threshold.
    """
    models = load_models(model, device=device, backend=backend, threads=threads)
    return discriminators_of(model, models, choose_thresholds(models, threshold))


@lru_cache(maxsize=2)
def _discriminators(
    model: Path,
    model_sha256: str,
    threshold: str | None,
    device: Device,
    backend: BackendName | None,
    threads: int | None,
) -> Discriminators:
    """Load the model once for many jobs."""
    found = load_discriminators(model, threshold=threshold, device=device, backend=backend, threads=threads)
    if found.sha256 != model_sha256:
        raise FormatError("another model lies there on the worker than where the command was given", model)
    return found


def _opened(setup: ScoringSetup, run: RunToScore) -> tuple[Reader, Discriminators]:
    reader = setup.inputs.open_whole(run.path)
    discriminators = _discriminators(
        setup.model, setup.model_sha256, setup.threshold, setup.device, setup.backend, setup.threads
    )
    _require_same(setup, run, reader, discriminators)
    return reader, discriminators


def _require_same(setup: ScoringSetup, run: RunToScore, reader: Reader, discriminators: Discriminators) -> None:
    """Refuse a file that changed since its jobs were made."""
    now = setup.wish.identity(reader.info, discriminators)
    changed = [name for name, value in run.identity.items() if now.get(name) != value]
    if changed:
        told = ", ".join(f"{name} was {run.identity[name]} and is {now.get(name)}" for name in changed)
        raise FormatError(f"changed since the job was made: {told}; start again when it is complete", run.path)


def _draft(run: RunToScore) -> Path:
    """Return where scores are written first, with the suffix that tells their kind."""
    return run.folder / f"scores{run.output.suffix}"


def _published(setup: ScoringSetup, run: RunToScore, done: Classification, discriminators: Discriminators) -> Work:
    """Give the scores their final name."""
    _require_same(setup, run, setup.inputs.open_whole(run.path), discriminators)
    try:
        done.output.replace(run.output)
    except OSError as error:
        raise OutputError(f"{run.output}: cannot write: {error.strerror}") from error
    done = replace(done, output=run.output)
    result = {
        "data": plain(done.as_dict()),
        "summary": list(summary_lines(run.path, done, discriminators, None)),
        "warnings": list(warning_lines(run.path, done)),
    }
    return Work(done.report.n_read, result)
