"""``discrimen decode``: a run file of stored codes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.reconstruction.decode import decode_file


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(decode)


def decode(
    model: Annotated[Path, typer.Argument(help="The frozen auto-encoder that made the codes.", show_default=False)],
    codes: Annotated[Path, typer.Argument(help="Codes file, as `discrimen encode` makes it.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="File to write: .lh5, .BIN, .csv, .dat, .root, .fast.", show_default=False),
    ],
    output_format: Annotated[
        str | None, typer.Option("--to", help="Format of the output; by default its suffix decides.")
    ] = None,
    as_float: Annotated[
        bool,
        typer.Option("--float", help="Write float32 (.lh5 only); by default whole counts of the recorded type."),
    ] = False,
    threads: common.ThreadsOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    json: common.JsonOption = False,
) -> None:
    """Write the records that stored codes stand for, with all columns, as a run file. docs/encode.md."""
    common.refuse_to_replace(output, [codes], overwrite=overwrite)
    with common.progress("decoding", total=None) as tick:
        done = decode_file(
            codes, model, output, as_float=as_float, threads=threads, format_name=output_format, on_progress=tick
        )
    common.log_columns_left_out(output, done.columns_left_out)
    if json:
        common.emit_json({"model": str(model), **done.as_dict()})
        return
    kept = f", {done.n_kept} as they were recorded" if done.n_kept else ""
    print(f"{codes}: {done.n_decoded} pulses decoded{kept}; written to {output} in {done.seconds:.2f} s")
