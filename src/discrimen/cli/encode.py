"""``discrimen encode``: the pulses of run files as codes of a few bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.cli.outside_options import MostOutsideOption, share_outside
from discrimen.formats.inputs import InputOptions
from discrimen.reconstruction.coded import CodedPredictor
from discrimen.reconstruction.encode import encode_runs
from discrimen.reconstruction.encoding import EncodingOptions

FrozenArgument = Annotated[
    Path, typer.Argument(help="Frozen auto-encoder, as `discrimen freeze` makes it.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(encode))


def encode(
    model: FrozenArgument,
    files: Annotated[list[Path], typer.Argument(help="Run files of any readable format.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Codes file to write.", show_default=False)],
    step: Annotated[
        float | None,
        typer.Option(
            help="Width of a quantisation step of the code; by default that of the training, or 1/32 of the spread of "
            "the code for a model that was not trained by --task compression.",
            show_default=False,
        ),
    ] = None,
    leave_out: Annotated[
        bool,
        typer.Option(
            "--leave-out", help="Leave out pulses that cannot be encoded; by default they are stored as recorded."
        ),
    ] = False,
    most_outside: MostOutsideOption = None,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Take every run, however many of its pulses cannot be encoded."),
    ] = False,
    threads: common.ThreadsOption = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write a page about it: what the first pulses have lost once they are decoded, and the bytes.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Write the pulses of run files as codes that `decode` makes records of; lossy. docs/encode.md."""
    if step is not None and not step > 0:
        raise typer.BadParameter(f"--step must be positive, got {step:g}")
    allowed = share_outside(most_outside, accept=accept)
    readers = [inputs.open(path) for path in files]
    common.refuse_to_replace(output, files, overwrite=overwrite)
    with common.progress("encoding", total=common.total_entries(readers)) as tick:
        done = encode_runs(
            readers,
            model,
            output,
            options=EncodingOptions(step=step, leave_out=leave_out, most_outside=allowed, threads=threads),
            on_progress=tick,
        )
    common.log_stage(model, done.description, done.runs)
    pages: tuple[Path, ...] = ()
    if report is not None:
        # Its plots are an extra of its own; encoding is not.
        from discrimen.evaluation.waveforms import report_on_runs

        back = CodedPredictor.of(model, done.header, threads=threads)
        with common.progress("judging", total=None):
            pages = report_on_runs(back, [inputs.open(path) for path in files], report, told=done.told())
    if json:
        told = {"model": str(model), "leave_out": leave_out, **done.as_dict(), "report": list(map(str, pages))}
        common.emit_json(told)
        return
    for run in done.runs:
        print(run.told())
    print(*done.size_lines(), f"written to {done.output} in {done.seconds:.2f} s", sep="\n")
    common.print_report(pages)
