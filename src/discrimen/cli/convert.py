"""``discrimen convert``: any readable format to the native one, or to another that can be written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.cluster_options import with_inputs_of_cluster
from discrimen.errors import SettingsError
from discrimen.formats.inputs import InputOptions
from discrimen.runs.conversion import convert_runs
from discrimen.runs.part import part_of_run


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_inputs_of_cluster(convert, files="files"))


def convert(
    files: Annotated[list[Path], typer.Argument(help="Run files of any readable format.", show_default=False)],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File to write: .lh5, .BIN, .csv, .dat, .root, .mfm, .fast.")
    ],
    output_format: Annotated[
        str | None, typer.Option("--to", help="Format of the output; by default its suffix decides.")
    ] = None,
    share: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST:STOP",
            help="Only this part of each file, by the order of its events: 0:0.5 is the first half.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Copy run files into one file of another format; the inputs are never modified."""
    common.refuse_to_replace(output, files, overwrite=overwrite)
    readers = [inputs.open(path) for path in files]
    part = None if share is None else [part_of_run(reader, _shares(share)) for reader in readers]
    n_written = 0

    def count(n_pulses: int) -> None:
        nonlocal n_written
        n_written += n_pulses
        tick(n_pulses)

    with common.progress("converting", total=common.total_entries(readers)) as tick:
        done = convert_runs(readers, output, transforms=part, format_name=output_format, on_progress=count)
    result = {
        "output": str(output),
        "n_pulses": n_written,
        "columns_left_out": list(done.columns_left_out),
        "inputs": {str(file): report.as_dict() for file, report in zip(files, done.reports, strict=True)},
    }
    for file, report in zip(files, done.reports, strict=True):
        common.log_left_out(file, report)
    common.log_columns_left_out(output, done.columns_left_out)
    if json:
        common.emit_json(result)
    else:
        common.stdout_console().print(f"{result['n_pulses']} pulses written to {output}", markup=False)


def _shares(text: str) -> tuple[float, float]:
    try:
        first, stop = (float(part) for part in text.split(":"))
    except ValueError as error:
        raise SettingsError(f"--share {text}: expected FIRST:STOP, for example 0:0.5") from error
    return first, stop
