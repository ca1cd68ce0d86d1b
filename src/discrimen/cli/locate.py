"""``discrimen locate``: positions of hits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.inference.load import load_model
from discrimen.network.hits_domain import HitsDomain
from discrimen.scoring.locate import locate_files


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(locate)


def locate(
    model: common.ModelArgument,
    files: Annotated[list[Path], typer.Argument(help="Files of hits.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="File of positions: .h5, .parquet or .root.", show_default=False),
    ],
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    device: common.DeviceOption = "cpu",
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    json: common.JsonOption = False,
) -> None:
    """Write the position of each hit in mm, with its error; the inputs are never modified. docs/positions.md."""
    common.refuse_to_replace(output, files, overwrite=overwrite)
    loaded = load_model(model, device=device, backend=backend, threads=threads)
    with common.progress("locating", total=None) as tick:
        done = locate_files(files, loaded.predictor, output, model_sha256=loaded.sha256, on_progress=tick)
    if HitsDomain.of_model(loaded.description.provenance) is None:
        common.log(f"{model}: does not know the hits of its training: those unlike them are located like any other")
    if json:
        common.emit_json({"model": str(model), "model_sha256": loaded.sha256, **done.as_dict()})
        return
    for file in done.files:
        print(file.told())
    print(
        f"written to {output} in {done.seconds:.2f} s: {done.n_hits / done.seconds:.0f} hits/s "
        f"({done.n_hits / done.compute_seconds:.0f} hits/s without reading and writing)"
    )
