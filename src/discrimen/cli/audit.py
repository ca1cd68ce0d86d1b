"""``discrimen audit``: what a network could cheat from, what is missing, what is out of order."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path
from typing import Annotated

import typer

from discrimen.audit import Audit, audit_dataset, write_audit
from discrimen.audit.page import summary
from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.cli.read_dataset import read_dataset
from discrimen.errors import DataError
from discrimen.formats.inputs import InputOptions
from discrimen.runs.dataset import Dataset
from discrimen.training.split import Split, split_pulses


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(audit))


def audit(
    datasets: Annotated[list[Path], typer.Argument(help="Labelled data sets, looked at together.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder for audit.html and audit.json.", show_default=False),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled data set to judge by later, which must hold none of these pulses; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Chooses among many pulses, draws halves and permutations.", min=0)] = 0,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Look for anything but the pulse shape from which a network could learn the class; status 1 on an error."""
    dataset = read_dataset(datasets, inputs)
    split = _split(dataset)
    found = audit_dataset(
        dataset,
        seed=seed,
        validation=None if split is None else split.validation,
        against=read_dataset(against, inputs) if against else None,
    )
    parted = None if split is None else split.as_dict()
    written = () if output is None else write_audit(found, output, split=parted)
    if json:
        common.emit_json(found.as_dict() | {"split": parted})
    else:
        _print(found, split, written)
    if found.errors:
        raise typer.Exit(1)


def _split(dataset: Dataset) -> Split | None:
    """Return the split that training makes by default; without one the rest of the audit is of use still."""
    try:
        return split_pulses(dataset.pulses, files=dataset.files)
    except DataError as error:
        common.log(f"'discrimen train' could not split these pulses: {error}")
        return None


def _print(found: Audit, split: Split | None, written: tuple[Path, ...]) -> None:
    console = common.stdout_console()
    for finding in found.findings:
        console.print(_wrapped(f"{finding.severity.upper()} {finding.check}: {finding.what}", indent=2), markup=False)
        for name, text in (("how many", finding.how_many), ("where", finding.where), ("what to do", finding.mend)):
            console.print(_wrapped(f"  {name + ':':11} {text}", indent=14), markup=False)
    console.print(summary(found), markup=False)
    if split is not None:
        console.print(f"training would {split.describe()}", markup=False)
    if written:
        names = " and ".join(path.name for path in written)
        console.print(f"report: {names} in {written[0].parent}", markup=False)


def _wrapped(text: str, *, indent: int) -> str:
    """Break a line for the terminal; in a file or a pipe it stays whole."""
    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return textwrap.fill(text, width=width, subsequent_indent=" " * indent, break_long_words=False)
