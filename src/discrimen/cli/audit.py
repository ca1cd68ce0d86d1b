"""``discrimen audit``: what a network could cheat from, what is missing, what is out of order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.audit import Audit, audit_dataset, write_audit
from discrimen.audit.page import summary
from discrimen.cli import common
from discrimen.cli.input_options import InputOptions, with_input_options
from discrimen.dataset import load_dataset


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(audit))


def audit(
    datasets: Annotated[list[Path], typer.Argument(help="Labelled data sets, looked at together.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder for audit.html and audit.json.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Chooses among many pulses, draws halves and permutations.")] = 0,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Look for whatever would let a network learn something else than pulse shape; status 1 on an error."""
    readers = [inputs.open(path) for path in datasets]
    with common.progress("reading", total=common.total_entries(readers)) as tick:
        dataset = load_dataset(readers, on_progress=tick)
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    found = audit_dataset(dataset, seed=seed)
    written = () if output is None else write_audit(found, output)
    if json:
        common.emit_json(found.as_dict())
    else:
        _print(found, written)
    if found.errors:
        raise typer.Exit(1)


def _print(found: Audit, written: tuple[Path, ...]) -> None:
    console = common.stdout_console()
    for finding in found.findings:
        console.print(
            f"{finding.severity.upper()} {finding.check}: {finding.what}\n  how many:   {finding.how_many}\n"
            f"  where:      {finding.where}\n  what to do: {finding.mend}",
            markup=False,
        )
    console.print(summary(found), markup=False)
    if written:
        names = " and ".join(path.name for path in written)
        console.print(f"report: {names} in {written[0].parent}", markup=False)
