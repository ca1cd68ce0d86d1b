"""``discrimen batch``: folders of jobs that classify or locate many files at a computing centre."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.cli.classify import register as register_classify
from discrimen.cli.locate import register as register_locate
from discrimen.cluster.batch import RESULTS, Batch, Task
from discrimen.cluster.htcondor import ContainerBy, write_htcondor
from discrimen.cluster.resources import Resources, parse_memory, parse_time
from discrimen.cluster.slurm import write_slurm
from discrimen.errors import OutputError, SettingsError
from discrimen.inference.positions import position_output
from discrimen.network.frozen_file import read_frozen
from discrimen.scoring.outputs import plan_outputs
from discrimen.scoring.position_outputs import plan_positions
from discrimen.simulation.germanium.basis import is_basis_file

_N_AT_A_TIME = 500

_UsageError: Any = typer.BadParameter.__mro__[1]
"""What a command line that is no good raises; Typer has it from one Click or another."""

FilesArgument = Annotated[list[Path], typer.Argument(help="Run files of any readable format.", show_default=False)]
OutputOption = Annotated[
    Path,
    typer.Option("-o", "--output", help="Folder of scores or positions, as of classify or locate.", show_default=False),
]
JobsOption = Annotated[
    Path, typer.Option(metavar="FOLDER", help="Where the files of the batch go.", show_default=False)
]
TimeOption = Annotated[
    str, typer.Option(metavar="[D-]HH:MM:SS", help="Longest run of a job, ended behind it.", show_default=False)
]
MemoryOption = Annotated[str, typer.Option(metavar="NUMBER+UNIT", help="Memory of a job.")]
CpusOption = Annotated[int, typer.Option(help="Cores of a job.", min=1)]
GpusOption = Annotated[int, typer.Option(help="GPUs of a job; give --options '--device cuda' too.", min=0)]
FilesPerJobOption = Annotated[int, typer.Option(help="Run files of a job, more where they are small.", min=1)]
AtOnceOption = Annotated[
    int | None, typer.Option("--most-at-once", help="Jobs of the batch that may run at a time.", min=1)
]
ContainerOption = Annotated[
    str | None, typer.Option(metavar="IMAGE", help="Apptainer image in which the jobs run.", show_default=False)
]
OptionsOption = Annotated[
    str,
    typer.Option(
        "--options", metavar="TEXT", help="Further options of classify or locate, as '--threshold 0.9 --to root'."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command with its subcommands."""
    app.callback()(batch)
    app.command()(slurm)
    app.command()(htcondor)


def batch() -> None:
    """Write a folder of jobs that classify run files, or locate hits; its script submit hands in what is missing."""


def slurm(
    model: common.ModelsArgument,
    files: FilesArgument,
    output: OutputOption,
    jobs: JobsOption,
    time: TimeOption,
    memory: MemoryOption = "2G",
    cpus: CpusOption = 1,
    gpus: GpusOption = 0,
    partition: Annotated[str | None, typer.Option(help="By default that of the centre.", show_default=False)] = None,
    files_per_job: FilesPerJobOption = 1,
    most_at_once: AtOnceOption = None,
    container: ContainerOption = None,
    directive: Annotated[
        list[str] | None, typer.Option(metavar="OPTION", help="Option of sbatch, as --account=NAME; repeatable.")
    ] = None,
    options: OptionsOption = "",
    json: common.JsonOption = False,
) -> None:
    """Write an array of jobs for Slurm."""
    asked = Resources(
        time_s=_told(parse_time, time),
        memory_mib=_told(parse_memory, memory),
        cpus=cpus,
        gpus=gpus,
        partition=partition,
        most_at_once=most_at_once,
        directives=tuple(directive or ()),
    )
    made = _batch(jobs, model, files, output, options, asked, files_per_job=files_per_job, container=container)
    _report(made, write_slurm(made), json=json)


def htcondor(
    model: common.ModelsArgument,
    files: FilesArgument,
    output: OutputOption,
    jobs: JobsOption,
    time: TimeOption,
    memory: MemoryOption = "2G",
    cpus: CpusOption = 1,
    gpus: GpusOption = 0,
    disk: Annotated[str, typer.Option(metavar="NUMBER+UNIT", help="Scratch of a job.")] = "1G",
    files_per_job: FilesPerJobOption = 1,
    most_at_once: AtOnceOption = None,
    container: ContainerOption = None,
    container_by: Annotated[
        ContainerBy, typer.Option(help="Container universe, or the attribute +SingularityImage of older pools.")
    ] = "universe",
    directive: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE", help="Line of the submit description, as '+MaxRuntime = 3600'; repeatable."),
    ] = None,
    options: OptionsOption = "",
    json: common.JsonOption = False,
) -> None:
    """Write a submit description for HTCondor."""
    asked = Resources(
        time_s=_told(parse_time, time),
        memory_mib=_told(parse_memory, memory),
        cpus=cpus,
        gpus=gpus,
        disk_mib=_told(parse_memory, disk),
        most_at_once=most_at_once,
        directives=tuple(directive or ()),
    )
    made = _batch(jobs, model, files, output, options, asked, files_per_job=files_per_job, container=container)
    _report(made, write_htcondor(made, container_by=container_by), json=json)


def _told(parse: Callable[[str], int], text: str) -> int:
    try:
        return parse(text)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def _batch(
    jobs: Path,
    model: Path,
    files: Sequence[Path],
    output: Path,
    options: str,
    asked: Resources,
    *,
    files_per_job: int,
    container: str | None,
) -> Batch:
    """Check everything that a job would stumble over, and put it together."""
    if absent := [path for path in files if not path.exists()]:
        raise SettingsError(f"{absent[0]}: there is no such run file ({len(absent)} of {len(files)} are missing)")
    task = _task_of(model)
    words, kind = _checked_options(task, options, model, n_files=len(files))
    outputs = plan_outputs(files, output, suffix=kind) if task == "classify" else plan_positions(files, output)
    made = Batch(
        folder=jobs.absolute(),
        model=model.absolute(),
        files=tuple(path.absolute() for path in files),
        outputs=tuple(path.absolute() for path in outputs),
        output=output.absolute(),
        options=words,
        resources=asked,
        files_per_job=files_per_job,
        container=None if container is None else _image(container),
        start_folder=Path.cwd(),
        task=task,
    )
    _require_same_scores(made)
    return made


def _task_of(model: Path) -> Task:
    """Return the command of the jobs: hits are located by a frozen model that gives a position, or by a basis."""
    if model.suffix == ".discrimen" and model.is_file():
        return "classify" if position_output(read_frozen(model).description) is None else "locate"
    return "locate" if is_basis_file(model) else "classify"


def _image(container: str) -> str:
    """Return an image as every node finds it."""
    if "://" in container:
        return container
    if not Path(container).exists():
        raise SettingsError(f"{container}: there is no such image; the folder containers/ says how one is built")
    return str(Path(container).absolute())


def _checked_options(task: Task, text: str, model: Path, *, n_files: int) -> tuple[tuple[str, ...], str | None]:
    """Return the options of the command as words, refused where it would, and the suffix of scores."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise typer.BadParameter(f"--options: {error} in {text!r}") from error
    app = typer.Typer(add_completion=False)
    {"classify": register_classify, "locate": register_locate}[task](app)
    command = typer.main.get_command(app)
    try:
        context = command.make_context(task, [str(model), "run", "-o", "scores", *words])
    except _UsageError as error:
        raise typer.BadParameter(f"--options: {error.format_message()}") from error
    found: dict[str, Any] = context.params
    if str(found["output"]) != "scores" or len(found["files"]) > 1 or found["json"]:
        raise typer.BadParameter("--options: run files and -o stand for themselves, and jobs have no --json")
    if task == "locate":
        return tuple(words), None
    if n_files > 1 and found["plot"] is not None and found["plot"].suffix.lower() == ".png":
        raise typer.BadParameter(f"--options: {n_files} files need a folder of pictures, got --plot {found['plot']}")
    return tuple(words), None if found["to"] is None else f".{found['to']}"


def _require_same_scores(made: Batch) -> None:
    """Let the command look at what is there already: it refuses that of another model, input or choice."""
    there = [str(path) for path, scores in zip(made.files, made.outputs, strict=True) if scores.exists()]
    if "--overwrite" in made.options:
        return
    for begin in range(0, len(there), _N_AT_A_TIME):
        some = there[begin : begin + _N_AT_A_TIME]
        command = [sys.executable, "-P", "-m", "discrimen", made.task, str(made.model), *some, "-o", str(made.output)]
        done = subprocess.run([*command, *made.options], capture_output=True, text=True, check=False)
        if done.returncode:
            first = next((line for line in done.stderr.splitlines() if line.startswith("discrimen: ")), done.stderr)
            raise OutputError(first.removeprefix("discrimen: "))


def _report(made: Batch, submit: Path, *, json: bool) -> None:
    if json:
        common.emit_json(
            {
                "folder": str(made.folder),
                "submit": str(submit),
                "n_files": len(made.files),
                "n_complete": made.n_complete,
                "files_per_job": made.files_per_job,
                "n_jobs": made.n_jobs,
            }
        )
        return
    results = RESULTS[made.task]
    print(
        f"{len(made.files)} run files, {made.n_complete} of them with their {results}, make {made.n_jobs} jobs at most"
    )
    print(f"submit what is missing, now and again later: sh {shlex.quote(str(submit))}")
