"""``discrimen label``: run files to a data set with labels."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.input_options import InputOptions, with_input_options
from discrimen.conversion import convert_runs
from discrimen.errors import DataError
from discrimen.labelling import label_all, label_by_truth
from discrimen.pulses import Label, Pulses
from discrimen.truth import read_truth, truth_path


class Method(StrEnum):
    """Who says what a pulse is."""

    TRUTH = "truth"
    GAMMA = "gamma"
    NEUTRON = "neutron"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(label))


def label(
    files: Annotated[list[Path], typer.Argument(help="Run files of any readable format.", show_default=False)],
    method: Annotated[
        Method,
        typer.Option(
            help="truth: from the truth beside a simulated run; gamma, neutron: every pulse of the files is one.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Data set to write (.lh5).", show_default=False)],
    truth: Annotated[
        Path | None, typer.Option(help="Truth of the run, if it does not lie beside it.", show_default=False)
    ] = None,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Give every pulse a label and write the data set that `train` and `evaluate` take."""
    readers = [inputs.open(path) for path in files]
    labellers = [_labeller(method, path, truth) for path in files]
    counts = dict.fromkeys(Label, 0)

    def counting(labeller: Callable[[Pulses], Pulses], pulses: Pulses) -> Pulses:
        labelled = labeller(pulses)
        for label in Label:
            counts[label] += int((labelled.column("label") == label).sum())
        return labelled

    with common.progress("labelling", total=common.total_entries(readers)) as tick:
        transforms = [partial(counting, labeller) for labeller in labellers]
        reports = convert_runs(readers, output, transforms=transforms, format_name="lh5", on_progress=tick)
    for file, report in zip(files, reports, strict=True):
        common.log_left_out(file, report)
    result = {"output": str(output), "method": method.value} | {
        f"n_{label.name.lower()}": count for label, count in counts.items()
    }
    if json:
        common.emit_json(result)
    else:
        gammas, neutrons = counts[Label.GAMMA], counts[Label.NEUTRON]
        common.stdout_console().print(f"{gammas} gammas and {neutrons} neutrons written to {output}", markup=False)


def _labeller(method: Method, run: Path, truth: Path | None) -> Callable[[Pulses], Pulses]:
    if method is Method.TRUTH:
        beside = truth or truth_path(run)
        if not beside.is_file():
            raise DataError(
                f"{run}: there is no truth of a simulated run in {beside}; name it with --truth, or label the pulses "
                "of a pure source with --method gamma or neutron"
            )
        return partial(label_by_truth, truth=read_truth(beside))
    return partial(label_all, label=Label[method.name])
