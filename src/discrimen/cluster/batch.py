"""A batch: many files, one model, and a folder of files that a batch system takes."""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Literal

from discrimen.cluster.resources import Resources
from discrimen.errors import OutputError, SettingsError
from discrimen.output.files import write_files

SUBMIT, JOB, FILES, MODEL_SUM = "submit", "job.sh", "files.txt", "model.sha256"
"""Names in the folder of a batch."""

_OF_A_MODEL = (".discrimen", ".keras", ".onnx", ".data", ".json", ".yaml")


Task = Literal["classify", "locate"]
RESULTS: Mapping[Task, str] = {"classify": "scores", "locate": "positions"}
"""What the jobs of each command write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be classified or located, and how; all paths absolute.

    Parameters
    ----------
    folder : Path
        Where the files of the batch go.
    model : Path
        A frozen model, or a folder of a model.
    files, outputs : tuple of Path
        Run files, and the file of scores of each; or files of hits, and the file of positions of each.
    output : Path
        What the command gets as its output.
    options : tuple of str
        Further options of the command.
    resources : Resources
        What each job asks for.
    files_per_job : int
        Run files that one job works on, one after the other.
    container : str or None
        Image in which the jobs run, a path or an address; None for the Python that writes the batch.
    start_folder : Path
        Where the jobs begin, to which relative paths in the options refer.
    task : "classify" or "locate"
        The command of each job.

    Raises
    ------
    SettingsError
        If a name holds what a line of a list cannot.
    """

    folder: Path
    model: Path
    files: tuple[Path, ...]
    outputs: tuple[Path, ...]
    output: Path
    options: tuple[str, ...]
    resources: Resources
    files_per_job: int
    container: str | None
    start_folder: Path
    task: Task = "classify"

    def __post_init__(self) -> None:
        if not self.files:
            raise SettingsError("no run files: a batch needs at least one")
        for path in (self.folder, self.model, self.output, *self.files, self.container or ""):
            if any(ord(letter) < 32 for letter in str(path)):
                raise SettingsError(f"{str(path)!r}: a tab or line break in a name has no place in a list; rename it")

    @property
    def n_jobs(self) -> int:
        """Jobs that all files make."""
        return -(-len(self.files) // self.files_per_job)

    @property
    def n_complete(self) -> int:
        """Files whose scores are there."""
        return sum(path.exists() for path in self.outputs)


def write_batch(batch: Batch, *, job: str, submit: str, more: Mapping[str, str] | None = None) -> Path:
    """Write the folder of a batch.

    Parameters
    ----------
    batch : Batch
        What it is about.
    job, submit : str
        The script of a job, and the one that submits.
    more : mapping of str to str
        Further files, by name.

    Returns
    -------
    Path
        The script that submits.

    Raises
    ------
    OutputError
        If the folder holds something else, or cannot be written.
    """
    folder = batch.folder
    if folder.is_dir() and any(folder.iterdir()) and not (folder / FILES).is_file():
        raise OutputError(f"{folder}: this folder holds other things than a batch; choose another")
    lines = "".join(f"{path}\t{scores}\n" for path, scores in zip(batch.files, batch.outputs, strict=True))
    texts = {FILES: lines, MODEL_SUM: model_sums(batch.model), JOB: job, **(more or {}), SUBMIT: submit}
    written = write_files(folder, {name: os.fsencode(text) for name, text in texts.items()})
    for path in written:
        if path.name in (JOB, SUBMIT):
            path.chmod(0o755)
    return folder / SUBMIT


def model_sums(model: Path) -> str:
    """Return the checksums of the files of a model, as ``sha256sum --check`` reads them.

    Raises
    ------
    SettingsError
        If no model is there.
    """
    if model.is_dir():
        paths = sorted(path for path in model.rglob("*") if path.is_file() and path.suffix in _OF_A_MODEL)
    else:
        paths = [model] if model.is_file() else []
    if not paths:
        raise SettingsError(f"{model}: there is no model of this name")
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}\n" for path in paths)


def job_text(batch: Batch, *, head: Sequence[str]) -> str:
    """Return the script of a job: what the batch system reads, what belongs to this batch, what is always the same."""
    command = ("discrimen",) if batch.container else (sys.executable, "-P", "-m", "discrimen")
    values = {
        "folder": batch.folder,
        "start_folder": batch.start_folder,
        "task": batch.task,
        "model": batch.model,
        "output": batch.output,
        "files_per_job": batch.files_per_job,
        "cpus": batch.resources.cpus,
        "version": "" if batch.container else f"discrimen {metadata.version('discrimen')}",
    }
    arrays = {"command": command, "options": (*_threads(batch), *batch.options)}
    return "\n".join(
        [
            "#!/bin/bash",
            *head,
            *(f"{name}={shlex.quote(str(value))}" for name, value in values.items()),
            *(f"{name}=({shlex.join(items)})" for name, items in arrays.items()),
            script_body("job.sh"),
        ]
    )


def submit_text(batch: Batch, *, scheduler: str, more: Mapping[str, str] | None = None) -> str:
    """Return the script that submits what is missing; `more` are values that only this scheduler's part wants."""
    values = {
        "folder": batch.folder,
        "files_per_job": batch.files_per_job,
        "longest_s": batch.resources.time_s,
        "results": RESULTS[batch.task],
        **(more or {}),
    }
    return "\n".join(
        [
            "#!/bin/sh",
            f"# Submits the files whose {RESULTS[batch.task]} are not there yet, now and again later. -n: only say so.",
            *(f"{name}={shlex.quote(str(value))}" for name, value in values.items()),
            script_body(f"{scheduler}.sh"),
            script_body("submit.sh"),
        ]
    )


def script_body(name: str) -> str:
    """Return the part of a script that is the same for all batches."""
    return resources.files("discrimen.cluster").joinpath("scripts", name).read_text()


def _threads(batch: Batch) -> tuple[str, ...]:
    """Return the option that holds the engine to the cores of the job, where the model takes it."""
    chosen = any(option.split("=")[0] in ("--threads", "--backend", "--device") for option in batch.options)
    frozen = batch.model.suffix in (".discrimen", ".onnx") or any(batch.model.glob("*.discrimen"))
    return () if chosen or not frozen else ("--threads", str(batch.resources.cpus))
