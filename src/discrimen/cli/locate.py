"""``discrimen locate``: positions of hits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.given_options import refuse_idle
from discrimen.cli.grid_search import (
    OF_GRID_SEARCH,
    OF_MODELS,
    AdaptiveOption,
    InterpolateOption,
    LatestOption,
    NoiseOption,
    grid_search,
)
from discrimen.inference.load import load_model
from discrimen.inference.positions import Locator, ModelLocator
from discrimen.network.hits_domain import HitsDomain
from discrimen.output.provenance import sha256_of_file
from discrimen.scoring.locate import locate_files
from discrimen.simulation.germanium.basis import is_basis_file


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(locate)


def locate(
    model: Annotated[
        Path,
        typer.Argument(help="A trained or frozen model, or a basis ('simulate --basis-mm').", show_default=False),
    ],
    files: Annotated[list[Path], typer.Argument(help="Files of hits.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="File of positions: .h5, .parquet or .root.", show_default=False),
    ],
    context: typer.Context,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    adaptive: AdaptiveOption = False,
    interpolate: InterpolateOption = True,
    latest_ns: LatestOption = 10.0,
    noise_adc: NoiseOption = None,
    device: common.DeviceOption = "cpu",
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    json: common.JsonOption = False,
) -> None:
    """Write the position of each hit in mm, by a model (with errors) or a grid search. docs/positions.md.

    The inputs are never modified.
    """
    common.refuse_to_replace(output, files, overwrite=overwrite)
    locator: Locator
    if is_basis_file(model):
        refuse_idle(context, OF_MODELS, without="a model")
        sha256 = sha256_of_file(model)
        locator, _ = grid_search(
            model, adaptive=adaptive, interpolate=interpolate, latest_ns=latest_ns, noise_adc=noise_adc
        )
    else:
        refuse_idle(context, OF_GRID_SEARCH, without="a basis")
        loaded = load_model(model, device=device, backend=backend, threads=threads)
        sha256, locator = loaded.sha256, ModelLocator(loaded.predictor)
        if HitsDomain.of_model(loaded.description.provenance) is None:
            common.log(f"{model}: does not know the hits of its training: those unlike them are located as any other")
    with common.progress("locating", total=None) as tick:
        done = locate_files(files, locator, output, model_sha256=sha256, on_progress=tick)
    if json:
        common.emit_json({"model": str(model), "model_sha256": sha256, **done.as_dict()})
        return
    for file in done.files:
        print(file.told())
    print(
        f"written to {output} in {done.seconds:.2f} s: {done.n_hits / done.seconds:.0f} hits/s "
        f"({done.n_hits / done.compute_seconds:.0f} hits/s without reading and writing)"
    )
