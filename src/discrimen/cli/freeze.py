"""``discrimen freeze``: a trained model to one data file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.freezing.freeze import freeze as freeze_model
from discrimen.provenance import sha256_of_file


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(freeze)


def freeze(
    model: Annotated[Path, typer.Argument(help="Folder of a trained model, or a .keras in it.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write (.discrimen).", show_default=False)],
    json: common.JsonOption = False,
) -> None:
    """Freeze a trained model, preparation included, into one file that is data alone and proves itself on loading."""
    done = freeze_model(model, output)
    kinds = [type(layer).__name__ for layer in done.model.layers]
    result = {
        "output": str(done.path),
        "n_bytes": done.path.stat().st_size,
        "sha256": sha256_of_file(done.path),
        "layers": kinds,
        "n_golden": len(done.model.golden.samples),
        "worst_difference_to_keras": done.worst_difference,
    }
    if json:
        common.emit_json(result)
        return
    common.stdout_console().print(
        f"{done.path}: {', '.join(kinds)}; "
        f"{result['n_golden']} golden vectors, at most {done.worst_difference:.2g} off Keras",
        markup=False,
    )
