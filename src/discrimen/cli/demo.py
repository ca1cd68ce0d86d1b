"""``discrimen demo``: the whole path on a simulated run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.demo.run import run_demo
from discrimen.evaluation import report_text
from discrimen.metrics.latents import latents_words


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for everything.")] = Path("demo-output"),
    n_train: Annotated[int, typer.Option(help="Pulses of the run to train on.")] = 126_000,
    n_test: Annotated[int, typer.Option(help="Pulses of the run to evaluate and classify.")] = 100_000,
    epochs: Annotated[int, typer.Option(help="At most so many.")] = 120,
    seed: Annotated[int, typer.Option(help="The same seed gives the same runs.")] = 1,
    json: common.JsonOption = False,
) -> None:
    """Simulate NEDA-like runs, train, evaluate, freeze and classify; leaves everything in a folder, with plots."""
    result = run_demo(output, n_train=n_train, n_test=n_test, epochs=epochs, seed=seed, on_step=common.log)
    if json:
        common.emit_json(result.as_dict())
        return
    console = common.stdout_console()
    console.print(report_text(result.report, width=min(console.width, 100)), markup=False, end="")
    frozen, counts = result.frozen, result.classification
    latents = result.autoencoder.description.provenance["latents"]
    console.print(
        f"frozen model: {frozen.path}, {frozen.path.stat().st_size / 1000:.0f} kB: preparation, network and the pulses "
        "that prove it\n"
        f"scores by {frozen.predictor.backend}: {counts.n_neutron} neutrons and {counts.n_gamma} gammas "
        f"in {counts.output}, {counts.n_pulses_per_s / 1e6:.2f} million pulses/s from file to file\n"
        f"auto-encoder {result.autoencoder.path}: {latents_words(latents)}\n"
        f"look at {output / 'demo.png'}, {output / 'report'}, {output / 'model' / 'training.png'} and, of the "
        f"auto-encoder, {output / 'autoencoder' / 'reconstruction.png'} and latents.png beside it",
        markup=False,
    )
