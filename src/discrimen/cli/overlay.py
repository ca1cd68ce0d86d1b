"""``discrimen overlay``: piled-up records of known parts, made of the single pulses of a real run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.formats.inputs import InputOptions
from discrimen.runs.overlaid_run import OverlaidRun, overlay_run
from discrimen.runs.overlay import OverlayOptions


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(overlay))


def overlay(
    files: Annotated[list[Path], typer.Argument(help="Run files of one channel.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="File of records to write, .lh5.", show_default=False)],
    components: Annotated[
        Path,
        typer.Option(metavar="FILE", help="File for each pulse of a record on its own, .lh5.", show_default=False),
    ],
    n_records: Annotated[int, typer.Option("-n", "--n-records", help="How many.")] = 20_000,
    pileup_fraction: Annotated[float, typer.Option(help="Share of records with a second pulse.")] = 1.0,
    delay_min_ns: Annotated[
        float, typer.Option(help="Shortest delay of these; below 0 for low pulses that come before the first.")
    ] = 0.0,
    delay_max_ns: Annotated[
        float | None,
        typer.Option(help="Longest delay of these; by default up to the end of the record.", show_default=False),
    ] = None,
    gain_min: Annotated[
        float, typer.Option(help="Make second pulses lower, by factors from this to 1: such as do not trigger.")
    ] = 1.0,
    share: Annotated[
        str, typer.Option(metavar="START:STOP", help="Part of the run, 0.7:1 for the last three tenths.")
    ] = "0:1",
    seed: Annotated[int, typer.Option(help="The same seed gives the same records.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace files that are there.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Lay the single pulses of a run over each other; the inputs are never modified. docs/separate.md."""
    options = OverlayOptions(
        n_records=n_records,
        pileup_fraction=pileup_fraction,
        delay_min_ns=delay_min_ns,
        delay_max_ns=delay_max_ns,
        gain_min=gain_min,
        share=_share(share),
        seed=seed,
    )
    for path in (output, components):
        common.refuse_to_replace(path, files, overwrite=overwrite)
    readers = [inputs.open(path) for path in files]
    with common.progress("putting together", total=n_records) as tick:
        done = overlay_run(readers, output, components, options=options, on_progress=tick)
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    if json:
        common.emit_json({"seed": seed, **done.as_dict()})
    else:
        print("\n".join(_told(done)))


def _share(text: str) -> tuple[float, float]:
    try:
        start, stop = (float(part) for part in text.split(":"))
    except ValueError as error:
        raise typer.BadParameter(f"--share: expected START:STOP, for example 0:0.7; got '{text}'") from error
    return start, stop


def _told(done: OverlaidRun) -> list[str]:
    found = done.singles
    return [
        f"{found.n_records} records: {found.n_piled_up} piled up, {found.n_saturated} saturated, "
        f"{found.n_without_edge} without an edge; {found.n_single} single pulses used, each the sum of "
        f"{found.n_shapes} shapes",
        f"{done.n_records} records, {done.n_piled_up} of two pulses, written to {done.run}, the pulses to "
        f"{done.components}",
    ]
