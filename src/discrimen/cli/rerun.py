"""``discrimen rerun``: all steps again, where something changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.run import carry_out_and_tell
from discrimen.errors import SettingsError
from discrimen.workflow.edit import AddedRole
from discrimen.workflow.run_files import files_of
from discrimen.workflow.whole_run import add_runs
from discrimen.workflow.wishes import FILE_NAME


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rerun)


def rerun(
    folder: Annotated[Path, typer.Argument(help="Of `discrimen run`, or its run.yaml.", show_default=False)],
    classify: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN", help="Further runs to classify, added to run.yaml; repeatable.", show_default=False
        ),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="Further runs to judge the network by, added to run.yaml; repeatable.",
            show_default=False,
        ),
    ] = None,
    json: common.JsonOption = False,
) -> None:
    """Do what changed in run.yaml, in the runs or since a break; all else stays as it is. docs/run.md."""
    folder = folder.parent if folder.name == FILE_NAME else folder
    path = folder / FILE_NAME
    if not path.is_file():
        raise SettingsError(f"{folder}: holds no {FILE_NAME}; begin with 'discrimen run ... -o {folder}'")
    added: dict[AddedRole, list[Path]] = {"classify": classify or [], "test": test or []}
    for each in (each for runs in added.values() for each in runs):
        files_of(each)
    for role, runs in added.items():
        if runs:
            add_runs(path, runs, role=role)
    carry_out_and_tell(folder, json=json)
