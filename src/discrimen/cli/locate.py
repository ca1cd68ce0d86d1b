"""``discrimen locate``: positions of hits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.failed_files import FailedFiles
from discrimen.cli.given_options import refuse_idle
from discrimen.cli.grid_search import (
    OF_GRID_SEARCH,
    OF_MODELS,
    AdaptiveOption,
    ChiSquareOption,
    InterpolateOption,
    LatestOption,
    NoiseOption,
    PosteriorOption,
    grid_search,
)
from discrimen.inference.load import load_model
from discrimen.inference.positions import Locator, ModelLocator
from discrimen.network.hits_domain import HitsDomain
from discrimen.network.interactions import InteractionOutputs
from discrimen.output.provenance import sha256_of_file
from discrimen.runs.hits_crystal import crystals_of_files
from discrimen.scoring.locate import locate_files
from discrimen.scoring.position_outputs import is_located, plan_positions
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
        typer.Option(
            "-o",
            "--output",
            help="File of all positions: .h5, .parquet or .root; or a folder, for a file of each input, unless "
            "it is there already.",
            show_default=False,
        ),
    ],
    context: typer.Context,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    adaptive: AdaptiveOption = False,
    interpolate: InterpolateOption = True,
    latest_ns: LatestOption = 10.0,
    noise_adc: NoiseOption = None,
    most_chi_square: ChiSquareOption = None,
    posterior: PosteriorOption = False,
    device: common.DeviceOption = "cpu",
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    json: common.JsonOption = False,
) -> None:
    """Write the position of each hit in mm, by a model (with errors) or a basis. docs/positions.md.

    The inputs are never modified.
    """
    in_folder = output.is_dir() or not output.suffix
    planned = plan_positions(files, output) if in_folder else [output]
    if not in_folder:
        common.refuse_to_replace(output, files, overwrite=overwrite)
    locator: Locator
    if is_basis_file(model):
        refuse_idle(context, OF_MODELS, without="a model")
        sha256 = sha256_of_file(model)
        locator, _, of_basis = grid_search(
            model,
            adaptive=adaptive,
            interpolate=interpolate,
            latest_ns=latest_ns,
            noise_adc=noise_adc,
            posterior=posterior,
            most_chi_square=most_chi_square,
        )
        crystals = [of_basis]
        if most_chi_square is None:
            common.log(
                f"{model}: of two interactions in one segment the place is one between them, without a flag; "
                "--most-chi-square leaves out hits unlike every signal"
            )
    else:
        refuse_idle(context, OF_GRID_SEARCH, without="a basis")
        loaded = load_model(model, device=device, backend=backend, threads=threads)
        sha256, locator = loaded.sha256, ModelLocator(loaded.predictor)
        crystals = crystals_of_files(loaded.description.provenance.get("files", []))
        if HitsDomain.of_model(loaded.description.provenance) is None:
            common.log(f"{model}: does not know the hits of its training: those unlike them are located as any other")
        if InteractionOutputs.of_model(loaded.description) is None:
            common.log(f"{model}: knows one interaction in a segment: of two there it gives one position between them")
    failures, results = FailedFiles(len(planned)), []
    for target, some in zip(planned, [[path] for path in files] if in_folder else [files], strict=True):
        with failures.noting(some[0]):
            if in_folder and not overwrite and is_located(target, some[0], model_sha256=sha256):
                results.append({"output": str(target), "skipped": True})
                _say(json, f"{some[0]}: positions are complete in {target}, skipped")
                continue
            with common.progress("locating", total=None) as tick:
                done = locate_files(some, locator, target, model_sha256=sha256, crystals=crystals, on_progress=tick)
            for warning in done.warnings:
                common.log(f"WARNING: {warning}")
            results.append(done.as_dict())
            _say(json, *done.lines())
    if json:
        told = {"outputs": results, "failed": failures.as_list()} if in_folder else results[0]
        common.emit_json({"model": str(model), "model_sha256": sha256, **told})
    failures.exit_if_any()


def _say(quiet: bool, *lines: str) -> None:
    if not quiet:
        print(*lines, sep="\n")
