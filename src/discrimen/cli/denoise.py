"""``discrimen denoise``: the pulses of run files without the noise of the electronics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.given_options import refuse_idle
from discrimen.cli.input_options import with_input_options
from discrimen.cli.outside_options import MostOutsideOption, share_outside
from discrimen.formats.inputs import InputOptions
from discrimen.inference.load import Model, load_model
from discrimen.network.hits_domain import HitsDomain
from discrimen.reconstruction.denoise import Denoising, DenoisingOptions, denoise_runs
from discrimen.reconstruction.denoise_hits import denoise_hits_files
from discrimen.runs.hits_dataset import are_hits_files
from discrimen.runs.hits_file import hits_info


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(denoise))


def denoise(
    model: common.ModelArgument,
    files: Annotated[
        list[Path], typer.Argument(help="Run files of any readable format, or files of hits.", show_default=False)
    ],
    context: typer.Context,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="File to write: .lh5, .BIN, .csv, .dat, .root, .fast; .h5 of hits.",
            show_default=False,
        ),
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
        typer.Option("--float", help="Write float32 (.lh5, .h5); by default whole counts of the input's type."),
    ] = False,
    most_outside: MostOutsideOption = None,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Take every run, however many of its pulses have to be left out."),
    ] = False,
    device: common.DeviceOption = "cpu",
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write a page about it: noise, time and discrimination before and after, pictures of pulses.",
            show_default=False,
        ),
    ] = None,
    clean: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="With --report: clean records to compare with, a file for each input in their order; repeatable.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Write denoised pulses with the same columns; the inputs are never modified. docs/denoise.md."""
    if clean and report is None:
        raise typer.BadParameter("--clean does nothing without --report: leave it out")
    allowed = share_outside(most_outside, accept=accept)
    loaded = load_model(model, device=device, backend=backend, threads=threads)
    options = DenoisingOptions(keep=keep, as_float=as_float, most_outside=allowed)
    if are_hits_files(files):
        refuse_idle(context, ("output_format", "report", "clean"), without="files of pulses")
        common.refuse_to_replace(output, files, overwrite=overwrite)
        _tell(model, loaded, _hits(loaded, files, output, options), keep=keep, pages=(), json=json)
        return
    readers = [inputs.open(path) for path in files]
    common.refuse_to_replace(output, files, overwrite=overwrite)
    with common.progress("denoising", total=common.total_entries(readers)) as tick:
        done = denoise_runs(
            readers,
            loaded.predictor,
            output,
            options=options,
            format_name=output_format,
            model_sha256=loaded.sha256,
            on_progress=tick,
        )
    common.log_stage(model, loaded.description, done.runs)
    common.log_columns_left_out(output, done.columns_left_out)
    pages = () if report is None else _report(loaded, files, clean or (), inputs, done, report)
    _tell(model, loaded, done, keep=keep, pages=pages, json=json)


def _hits(loaded: Model, files: Sequence[Path], output: Path, options: DenoisingOptions) -> Denoising:
    """Denoise files of hits."""
    if HitsDomain.of_model(loaded.description.provenance) is None:
        common.log(
            f"{loaded.path}: does not know the hits of its training: those unlike them are denoised as any other"
        )
    with common.progress("denoising", total=sum(hits_info(path).n_hits for path in files)) as tick:
        return denoise_hits_files(
            files, loaded.predictor, output, options=options, model_sha256=loaded.sha256, on_progress=tick
        )


def _tell(model: Path, loaded: Model, done: Denoising, *, keep: bool, pages: Sequence[Path], json: bool) -> None:
    if json:
        common.emit_json(
            {
                "model": str(model),
                "model_sha256": loaded.sha256,
                "kept": keep,
                **done.as_dict(),
                "report": list(map(str, pages)),
            }
        )
        return
    for run in done.runs:
        print(run.told())
    print(f"written to {done.output} in {done.seconds:.2f} s")
    common.print_report(pages)


def _report(
    loaded: Model, files: Sequence[Path], clean: Sequence[Path], inputs: InputOptions, done: Denoising, folder: Path
) -> tuple[Path, ...]:
    """Judge the model on what was denoised, and write the page."""
    if len(clean) not in (0, len(files)):
        raise typer.BadParameter(f"--clean: {len(clean)} files for {len(files)} inputs; give one for each")
    # Its plots are an extra of its own; denoising is not.
    from discrimen.evaluation.waveforms import report_on_runs

    readers, bare = ([inputs.open(path) for path in paths] for paths in (files, clean))
    with common.progress("judging", total=None):
        return report_on_runs(loaded.predictor, readers, folder, told=done.told(), clean=bare)
