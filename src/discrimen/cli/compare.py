"""``discrimen compare``: several models, data sets or reports on one page, with intervals of what they differ by."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.input_options import parse_numbers, with_input_options
from discrimen.cli.read_dataset import read_dataset, require_labels
from discrimen.comparison import Comparison, compare_models, compare_reports, comparison_text, write_comparison
from discrimen.comparison.reports import REPORT_NAME
from discrimen.evaluation.label_trust import read_label_trust, trust_lines
from discrimen.formats.inputs import InputOptions
from discrimen.inference.compatible import require_compatible
from discrimen.inference.load import Model, load_model
from discrimen.runs.dataset import Dataset
from discrimen.training.seen_pulses import seen_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(compare))


def compare(
    entries: Annotated[
        list[Path],
        typer.Argument(
            help="Models (folder, .discrimen, .onnx), to be compared on --dataset; or folders of reports, without it. "
            "The first is the reference.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for page and data.", show_default=False)],
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE[,FILE...]",
            help="Labelled pulses that no model has seen; several files of one data set with commas between; "
            "repeat it for several data sets.",
            show_default=False,
        ),
    ] = None,
    energy_edges_kevee: common.EnergyEdgesOption = "30,50,100,200,400,2000",
    efficiencies: common.EfficienciesOption = "0.9,0.95,0.99",
    confidence: common.ConfidenceOption = 0.95,
    seed: Annotated[int, typer.Option(help="Draws for intervals.", min=0)] = 0,
    device: common.DeviceOption = "cpu",
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Compare models on the same pulses, one model on several data sets, or the reports of earlier evaluations."""
    names = unique_names(entries)
    reports = [entry for entry in entries if (entry / REPORT_NAME).is_file()]
    _require_one_kind(entries, reports, dataset or [])
    if reports:
        comparison = compare_reports(dict(zip(names, entries, strict=True)))
    else:
        files = [[Path(part) for part in text.split(",")] for text in dataset or []]
        set_names = unique_names([group[0] for group in files])
        require_labels([path for group in files for path in group], inputs)
        models = {name: load_model(path, device=device) for name, path in zip(names, entries, strict=True)}
        sets = {name: _load(group, models, inputs) for name, group in zip(set_names, files, strict=True)}
        with common.progress("comparing", total=len(models) * len(sets)) as tick:
            comparison = compare_models(
                models,
                sets,
                energy_edges_kevee=parse_numbers(energy_edges_kevee, "--energy-edges-kevee"),
                efficiencies=parse_numbers(efficiencies, "--efficiencies"),
                confidence=confidence,
                seed=seed,
                on_progress=tick,
            )
    _say(comparison, write_comparison(comparison, output), json)


def unique_names(paths: list[Path]) -> list[str]:
    """Return the stem of each path, or its name where only suffixes differ, with as much of its folder as is needed."""
    whole = [path.absolute() for path in paths]
    if len(set(whole)) < len(whole):
        raise typer.BadParameter(f"the same is given twice: {', '.join(map(str, paths))}")
    by_stem = len({path.with_suffix("") for path in whole}) == len(whole)
    depth = 1
    while True:
        names = ["/".join((*path.parts[-depth:-1], path.stem if by_stem else path.name)) for path in whole]
        if max(Counter(names).values()) == 1:
            return names
        depth += 1


def _require_one_kind(entries: list[Path], reports: list[Path], dataset: list[str]) -> None:
    if reports and len(reports) < len(entries):
        raise typer.BadParameter(f"reports and models do not mix: {reports[0]} is the folder of a report")
    if reports and dataset:
        raise typer.BadParameter("reports have their own pulses: leave out --dataset, or give models")
    if not reports and not dataset:
        raise typer.BadParameter("models are compared on labelled pulses: give them with --dataset FILE")
    if max(len(entries), len(dataset)) < 2:
        raise typer.BadParameter("nothing to compare: give several models, or --dataset several times")


def _load(files: list[Path], models: dict[str, Model], inputs: InputOptions) -> Dataset:
    for line in trust_lines(read_label_trust(files), ()):
        common.log(f"WARNING: {line}")
    dataset = read_dataset(files, inputs)
    where = ", ".join(str(path) for path in files)
    for name, model in models.items():
        require_compatible(model.description, dataset.pulses, dataset.settings, where=where)
        for warning in seen_of(model.description.provenance, dataset).warnings(model=name):
            common.log(f"WARNING: {warning}")
    return dataset


def _say(comparison: Comparison, written: tuple[Path, ...], json: bool) -> None:
    if json:
        common.emit_json(comparison.as_dict())
        return
    console = common.stdout_console()
    console.print(comparison_text(comparison, width=min(console.width, 100)), markup=False, end="")
    console.print(
        f"comparison: {written[1]}; data in comparison.json, pictures as PNG and PDF next to it", markup=False
    )
