"""Steps carried out one after the other, each a command of its own; those that are done already are passed over."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from discrimen.errors import DataError, OutputError
from discrimen.output.files import write_files
from discrimen.output.progress import MARKED, StepsBar, read_marked
from discrimen.workflow.record import Record
from discrimen.workflow.run_files import changed, state_of
from discrimen.workflow.step import Step

_NO_BANDS = "without bands nothing can judge; judge: none in run.yaml goes on without threshold and report"
_HINTS = {
    "inspect": "correct what it says above, or name the run files themselves where a folder holds others too",
    "audit": "the audit found errors, see audit/audit.html; accept_audit: true in run.yaml trains in spite of them",
    "label-tune": _NO_BANDS,
    "label-judge": _NO_BANDS,
}
_GRACE_S = 20.0
_LOCK = ".lock"


@dataclass(slots=True)
class Progress:
    """What came of the steps so far.

    Parameters
    ----------
    done, kept, failed : list of str
        Names of steps that were done now, were done before, or failed.
    results : dict
        What each step that is done says of itself, as ``--json`` gives it.
    """

    done: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)


def carry_out(
    steps: Sequence[Step],
    record: Record,
    progress: Progress,
    *,
    total: int,
    held: int,
    log: Callable[[str], None],
    bar: StepsBar | None = None,
) -> None:
    """Do what is not done yet, in order.

    Parameters
    ----------
    steps : sequence of Step
        In an order in which each finds its inputs.
    record : Record
        Of the folder; kept up to date after each step.
    progress : Progress
        Takes what comes of them.
    total : int
        Number of steps of the whole plan, as far as it is known.
    held : int
        The open file that keeps others off the folder, see :func:`only_one`.
    log : callable
        Called with one line for each step, and what the commands themselves say.
    bar : StepsBar, optional
        On a terminal; shows each step and the work inside.

    Raises
    ------
    DataError
        If a step fails on which others depend, or a run changed while it was read. What is done stays done.
    """
    for step in steps:
        number = len(progress.done) + len(progress.kept) + len(progress.failed) + 1
        if bar is not None:
            bar.begin(step.title, number=number, total=total)
        try:
            _require_unchanged(step)
            key = record.key(step)
            if record.is_done(step, key):
                log(f"[{number}/{total}] {step.title}: done before")
                _keep(step, record, progress, progress.kept)
                continue
            log(f"[{number}/{total}] {step.title}: {step.command}")
            if _do(step, key, record, held, log, bar):
                _keep(step, record, progress, progress.done)
            else:
                _failed(step, progress, log)
        except _RunChangedError as error:
            if not step.alone:
                raise
            log(f"{error}; the others go on")
            progress.failed.append(step.name)


def _keep(step: Step, record: Record, progress: Progress, names: list[str]) -> None:
    names.append(step.name)
    progress.results[step.name] = json.loads((record.folder / step.result).read_text(encoding="utf-8"))


def _do(step: Step, key: str, record: Record, held: int, log: Callable[[str], None], bar: StepsBar | None) -> bool:
    """Run the command of a step; whether it ended well, with all that it was to make."""
    arguments = step.arguments
    if record.goes_on(step, key):
        arguments = step.going_on
        log(f"it was broken off: going on by discrimen {' '.join(arguments)}")
    record.begin(step, key)
    began = time.monotonic()
    log_file = record.folder / f"steps/{step.name}.log"
    status, out = run_command(arguments, record.folder, log_file=log_file, held=held, bar=bar)
    _require_unchanged(step)
    write_files(record.folder, {step.result: out})
    if status != 0 or any(not (record.folder / name).is_file() for name in step.outputs):
        return False
    record.end(step, key, seconds=time.monotonic() - began)
    return True


def _failed(step: Step, progress: Progress, log: Callable[[str], None]) -> None:
    progress.failed.append(step.name)
    if not step.alone:
        hint = _HINTS.get(step.name) or _HINTS.get(step.arguments[0], "correct what it says above")
        raise DataError(f"the step '{step.title}' failed: {hint}; then: discrimen rerun. What is done stays done")
    log(f"{step.name} failed, see above; the others go on")


class _RunChangedError(DataError):
    """A run file is another one than it was when its step began."""


def _require_unchanged(step: Step) -> None:
    for file in step.run_files:
        if change := changed(file, state_of(file)):
            raise _RunChangedError(f"{file.path}: {change}; wait until the run is complete, then: discrimen rerun")


def run_command(
    arguments: Sequence[str], folder: Path, *, log_file: Path, held: int, bar: StepsBar | None = None
) -> tuple[int, str]:
    """Run a command of this package in a folder, and return its exit status and its result as JSON.

    What it says on standard error goes on to that of this process and, below the command, into a file. It is in a
    session of its own, so that Ctrl-C reaches this process alone: the command is then ended by SIGTERM, which leaves a
    training so that it can go on. It holds the folder as long as it lives, even if this process was killed.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    # -P: the folder holds others' files, of which none is a module of Python.
    command = [sys.executable, "-P", "-m", "discrimen", *arguments, "--json"]
    with log_file.open("w", encoding="utf-8") as kept, _result_file(folder) as result:
        kept.write(f"{shlex.join(('discrimen', *arguments))}\n")
        with subprocess.Popen(
            command,
            cwd=folder,
            stdout=result,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            pass_fds=(held,),
            env=os.environ if bar is None else {**os.environ, MARKED: "1"},
        ) as process:
            try:
                for line in process.stderr or ():
                    told = None if bar is None else read_marked(line)
                    if bar is not None and told is not None:
                        bar.inside(told)
                    else:
                        sys.stderr.write(line)
                        kept.write(line)
                process.wait()
            finally:
                _end(process)
        result.seek(0)
        return process.returncode, result.read()


@contextmanager
def _result_file(folder: Path) -> Iterator[IO[str]]:
    """Give a file for a result of any size that is gone in the end."""
    path = folder / "steps" / ".result.part"
    try:
        with path.open("w+", encoding="utf-8") as stream:
            yield stream
    finally:
        path.unlink(missing_ok=True)


def _end(process: subprocess.Popen[str]) -> None:
    """End a command that runs still, and wait until it has tidied up."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()


@contextmanager
def only_one(folder: Path) -> Iterator[int]:
    """Let no other run work in the folder meanwhile, and give the open file that says so.

    Raises
    ------
    OutputError
        If another one does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError(
                f"{folder}: another discrimen run works here, or a command that a killed one left; wait for its end"
            ) from error
        yield stream.fileno()
