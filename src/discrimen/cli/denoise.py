"""``discrimen denoise``: the pulses of run files without the noise of the electronics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.input_options import InputOptions, with_input_options
from discrimen.cli.outside_options import MostOutsideOption, share_outside
from discrimen.inference.load import load_model
from discrimen.reconstruction.denoise import DenoisedRun, DenoisingOptions, denoise_runs


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(denoise))


def denoise(
    model: common.ModelArgument,
    files: Annotated[list[Path], typer.Argument(help="Run files of any readable format.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="File to write: .lh5, .BIN, .csv, .dat, .root.", show_default=False),
    ],
    output_format: Annotated[
        str | None, typer.Option("--to", help="Format of the output; by default its suffix decides.")
    ] = None,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Write pulses that cannot be denoised as they were recorded; by default they are left out."
        ),
    ] = False,
    as_float: Annotated[
        bool,
        typer.Option("--float", help="Write float32 (.lh5 only); by default whole counts of the input's type."),
    ] = False,
    most_outside: MostOutsideOption = None,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Take every run, however many of its pulses have to be left out."),
    ] = False,
    device: common.DeviceOption = "cpu",
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Write denoised pulses with the same columns; the inputs are never modified. docs/denoise.md."""
    allowed = share_outside(most_outside, accept=accept)
    loaded = load_model(model, device=device, backend=backend, threads=threads)
    readers = [inputs.open(path) for path in files]
    common.refuse_to_replace(output, files, overwrite=overwrite)
    with common.progress("denoising", total=common.total_entries(readers)) as tick:
        done = denoise_runs(
            readers,
            loaded.predictor,
            output,
            options=DenoisingOptions(keep=keep, as_float=as_float, most_outside=allowed),
            format_name=output_format,
            on_progress=tick,
        )
    for run in done.runs:
        common.log_left_out(run.path, run.report)
        if run.outside is not None:
            common.log_outside(run.path, run.outside)
    common.log_unknown_domain(model, loaded.description)
    common.log_columns_left_out(output, done.columns_left_out)
    if json:
        common.emit_json({"model": str(model), "model_sha256": loaded.sha256, "kept": keep, **done.as_dict()})
        return
    for run in done.runs:
        print(_told(run, keep=keep))
    print(f"written to {output} in {done.seconds:.2f} s")


def _told(run: DenoisedRun, *, keep: bool) -> str:
    counts = run.counts
    line = f"{run.path}: {counts.n_denoised} of {run.report.n_read} pulses denoised"
    reasons = (
        (counts.n_unprepared, "without a pulse above the baseline"),
        (counts.n_saturated, "saturated"),
        (counts.n_outside, "unlike those of the training"),
    )
    told = ", ".join(f"{count} {what}" for count, what in reasons if count)
    if not told:
        return line
    return f"{line}; {'written as recorded' if keep else 'left out'}: {told}"
