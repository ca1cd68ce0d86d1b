"""``discrimen run``: all steps from run folders to named pulses, by a small YAML file that it writes."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.cli.given_options import given_options
from discrimen.cli.input_options import parse_pairs
from discrimen.errors import SettingsError
from discrimen.output.progress import steps_progress
from discrimen.output.provenance import command_line
from discrimen.workflow.roles import by_role
from discrimen.workflow.run_files import files_of
from discrimen.workflow.whole_run import WholeRun, begin, whole_run
from discrimen.workflow.wishes import FILE_NAME, Wishes, read_wishes, wishes_of

_YAML = (".yaml", ".yml")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


def run(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for everything, a new one or one to go on in.")
    ],
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders or run files whose names tell the source, as CF252 and CO60 do; or one run.yaml to take.",
            show_default=False,
        ),
    ] = None,
    mixed: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="Run file, folder of them, CoMPASS run or project (DAQ/run_*/RAW) of a source of neutrons and gammas; "
            "repeatable.",
            show_default=False,
        ),
    ] = None,
    gamma: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="The same of a pure gamma source; without one, labels come from the PSD bands.",
            show_default=False,
        ),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="Further runs to judge the network by: by labels or a truth that they have, or else by their bands; "
            "repeatable.",
            show_default=False,
        ),
    ] = None,
    classify: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="Later runs, whose pulses get their names; repeatable.", show_default=False),
    ] = None,
    calibrate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE=RUN", help="Light in keVee by this run, Cs-137=CS137; repeatable.", show_default=False
        ),
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="YAML file of detector settings.", show_default=False)] = None,
    sample_period_ns: Annotated[
        float | None, typer.Option(help="Time between samples, where the runs do not say it.", show_default=False)
    ] = None,
    polarity: Annotated[
        str | None,
        typer.Option(help="Of the pulses: positive or negative, where runs do not say it.", show_default=False),
    ] = None,
    pretrigger_ns: Annotated[
        float | None,
        typer.Option(help="Time before the pulse in each record, where the runs do not say it.", show_default=False),
    ] = None,
    record_samples: Annotated[
        int | None,
        typer.Option(
            help="Cut longer records to so many samples, and leave shorter ones out.", min=1, show_default=False
        ),
    ] = None,
    channel: Annotated[
        int | None, typer.Option(help="The detector, where runs hold several.", min=0, show_default=False)
    ] = None,
    board: Annotated[int | None, typer.Option(help="Its board.", min=0, show_default=False)] = None,
    architecture: Annotated[str, typer.Option(help="Of the network, as train has them.")] = "patches",
    epochs: Annotated[int, typer.Option(help="Of the training, at most.", min=1)] = 60,
    neutron_efficiency: Annotated[float, typer.Option(help="Share of the neutrons that the threshold keeps.")] = 0.95,
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.", min=0)] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a run.yaml that says otherwise; steps that stay the same stay.")
    ] = False,
    json: common.JsonOption = False,
) -> None:
    """Label, train, freeze, judge and classify; `discrimen rerun` does what changed. docs/run.md."""
    options = {
        "settings": settings,
        "sample_period_ns": sample_period_ns,
        "polarity": polarity,
        "pretrigger_ns": pretrigger_ns,
        "record_samples": record_samples,
        "channel": channel,
        "board": board,
        "architecture": architecture,
        "epochs": epochs,
        "neutron_efficiency": neutron_efficiency,
        "seed": seed,
    }
    given = {name: value for name, value in options.items() if name in given_options(context)}
    runs = {"mixed": mixed or [], "gamma": gamma or [], "test": test or [], "classify": classify or []}
    calibrations = parse_pairs(calibrate or [], example="Cs-137=CS137")
    if sources and sources[0].suffix in _YAML:
        wishes = _kept_wishes(sources, [*given, *(name for name, paths in runs.items() if paths), *calibrations])
    else:
        wishes = _wishes(sources or [], runs, calibrations, given)
    begin(folder, wishes, command=command_line(), overwrite=overwrite)
    carry_out_and_tell(folder, json=json)


def _kept_wishes(sources: list[Path], others: list[str]) -> Wishes:
    if len(sources) > 1 or others:
        raise typer.BadParameter(
            f"{sources[0]} says all that is wished: give it alone, with -o; got {others or sources}"
        )
    return read_wishes(sources[0])


def _wishes(
    sources: list[Path], runs: dict[str, list[Path]], calibrations: dict[str, str], given: dict[str, Any]
) -> Wishes:
    """Put together what the command line wishes; the role of a folder is taken from its name where that is plain."""
    for path in sources:
        files_of(path)
    for role, paths in by_role(sources).items():
        runs[role] += paths
        for path in paths:
            common.log(f"{path}: a {role} source, by its name")
    if not runs["mixed"]:
        raise SettingsError("expected runs of a source of neutrons and gammas: give them with --mixed")
    wishes = wishes_of({**runs, "calibrate": calibrations, "labels": "source" if runs["gamma"] else "band", **given})
    return wishes.absolute(Path.cwd())


def carry_out_and_tell(folder: Path, *, json: bool) -> None:
    """Do what is not done yet, and say what came of it and what comes next."""
    try:
        with steps_progress() as bar:
            done = whole_run(folder, command=command_line(), log=common.log, bar=bar)
    except KeyboardInterrupt:
        common.log(f"interrupted; what is done stays done; next: discrimen rerun {shlex.quote(str(folder))}")
        raise typer.Exit(130) from None
    if json:
        common.emit_json(done.as_dict())
    else:
        _print(done)
    if done.progress.failed:
        raise typer.Exit(1)


def _print(done: WholeRun) -> None:
    told = done.as_dict()["results"]
    for step in done.steps:
        if step.name in told and step.arguments[0] != "convert":
            print(f"{step.name}: {told[step.name]}")
    progress = done.progress
    print(f"{len(progress.done)} steps done, {len(progress.kept)} done before, {len(progress.failed)} failed")
    print(f"page: {done.page}; what is wished: {done.folder / FILE_NAME}")
    for line in done.what_next:
        print(f"next: {line}")
