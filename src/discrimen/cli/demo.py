"""``discrimen demo``: the whole path on a simulated run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.demo.contents import INDEX, made_files
from discrimen.demo.next_steps import next_steps
from discrimen.demo.run import DemoResult, run_demo
from discrimen.evaluation.text import leakage_table


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
    _tell(result)


def _tell(result: DemoResult) -> None:
    """Print the leakage, what was made and what to try next."""
    console = common.stdout_console()
    console.print(leakage_table(result.report, efficiency=result.report.main_efficiency))
    folder = result.folder
    files = made_files(
        classification=result.classification,
        audit=result.audit,
        n_frozen_bytes=result.frozen.path.stat().st_size,
    )
    lines = ["what was made:", f"  {folder / INDEX}: all pictures, on one page"]
    lines += [f"  {folder / each.name}: {each.words}" for each in files]
    lines += ["", "what to try next (docs/index.md):"]
    for each in next_steps(folder):
        lines += [f"  {each.ability}:", f"    {each.command}"]
    for line in lines:
        # As it is, whatever the width of the terminal: a command that is wrapped cannot be copied.
        print(line)
