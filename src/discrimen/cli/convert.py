"""``discrimen convert``: any readable format to the native one, or to another that can be written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.cluster_options import with_inputs_of_cluster
from discrimen.formats.inputs import InputOptions
from discrimen.runs.conversion import convert_runs


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
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Copy run files into one file of another format; the inputs are never modified."""
    common.refuse_to_replace(output, files, overwrite=overwrite)
    readers = [inputs.open(path) for path in files]
    with common.progress("converting", total=common.total_entries(readers)) as tick:
        done = convert_runs(readers, output, format_name=output_format, on_progress=tick)
    result = {
        "output": str(output),
        "n_pulses": sum(report.n_read for report in done.reports),
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
