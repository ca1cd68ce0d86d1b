"""``discrimen search``: the architecture, training and preparation with the least leakage."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from discrimen.audit import audit_dataset, require_sound
from discrimen.cli import common
from discrimen.cli.cluster_options import OnCluster, with_cluster_options
from discrimen.cli.input_options import with_input_options
from discrimen.cli.read_dataset import read_dataset
from discrimen.cli.search_bar import SearchBar, smoothed_leakage
from discrimen.cli.search_cluster import search_on_cluster
from discrimen.cli.train import parse_samples
from discrimen.cluster.trial import SearchSetup
from discrimen.errors import SettingsError
from discrimen.formats.inputs import InputOptions
from discrimen.search import BUILT_IN_SPACE, SearchConfig, SearchResult, SearchSpace, TrialRow, read_space, run_search
from discrimen.search.config import PrunerName
from discrimen.training.split import SplitWish


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_cluster_options(with_input_options(search), in_parts=False))


def _print_space(wanted: bool) -> None:
    if wanted:
        print(BUILT_IN_SPACE.read_text(encoding="utf-8"), end="")
        raise typer.Exit


def search(
    datasets: Annotated[list[Path], typer.Argument(help="Labelled data sets.", show_default=False)],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for study, report and best model.", show_default=False)
    ],
    trials: Annotated[int, typer.Option(help="In all; those already in the folder count.", min=1)] = 50,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Look for the front of leakage against native time per pulse.")
    ] = False,
    space: Annotated[
        Path | None, typer.Option(help="YAML file of what to choose from; see --print-space.", show_default=False)
    ] = None,
    architecture: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this one of the space; repeatable.")
    ] = None,
    energy_edges_kevee: Annotated[
        str, typer.Option(metavar="N,N,...", help="Edges of the energy bins whose leakage counts.")
    ] = "30,50,100",
    all_energies: Annotated[
        bool, typer.Option("--all-energies", help="Leakage of all pulses together; needs no energy.")
    ] = False,
    efficiency: Annotated[float, typer.Option(help="Neutron efficiency at which the leakage counts.")] = 0.95,
    epochs: Annotated[int, typer.Option(help="Of each training, at most.", min=1)] = 60,
    patience: Annotated[int, typer.Option(help="Stop after so many epochs without gain; 0 never does.", min=0)] = 10,
    validation_share: Annotated[float, typer.Option(help="Share of the pulses that chooses.")] = 0.2,
    split: Annotated[
        SplitWish, typer.Option(help="What stays together, in training or validation; auto: runs, or else time.")
    ] = "auto",
    validation_runs: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Runs that choose: numbers or files, with commas.")
    ] = None,
    pruner: Annotated[PrunerName, typer.Option(help="Ends trainings that others outdo; not with --pareto.")] = (
        "median"
    ),
    seed: Annotated[int, typer.Option(help="Of the split, the weights and the choices.", min=0)] = 0,
    device: common.DeviceOption = "cpu",
    window: Annotated[
        str | None, typer.Option(metavar="START:LENGTH", help="Samples the network sees; by default all.")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Search in spite of errors that the audit finds.")] = False,
    print_space: Annotated[  # noqa: ARG001
        bool,
        typer.Option("--print-space", callback=_print_space, is_eager=True, help="Print the built-in space and stop."),
    ] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
    on_cluster: OnCluster | None,
) -> None:
    """Search for the best network; the same command goes on with a search that was stopped."""
    config = _config(
        trials=trials,
        pareto=pareto,
        energy_edges_kevee=None if all_energies else _numbers(energy_edges_kevee),
        efficiency=efficiency,
        epochs=epochs,
        patience=patience or None,
        validation_share=validation_share,
        split=split,
        validation_runs=() if validation_runs is None else tuple(validation_runs.split(",")),
        pruner=pruner,
        seed=seed,
        device=device,
    )
    chosen = _space(space, architecture or [])
    start, length = (0, None) if window is None else parse_samples(window)
    dataset = read_dataset(datasets, inputs)
    parted = config.training().split_of(dataset.pulses, files=dataset.files)
    common.log(parted.describe())
    audit = audit_dataset(dataset, validation=parted.validation)
    if not accept:
        require_sound(audit)
    how: dict[str, Any] = {
        "space": chosen,
        "config": config,
        "window_start": start,
        "window_length": length,
        "provenance": {"audit": audit.record()},
    }
    with common.progress("searching", total=trials) as tick:
        bar = SearchBar(tick)
        run = partial(run_search, dataset, output, **how, on_trial=bar.on_trial)
        told = {}
        if on_cluster is None:
            result = run()
        else:
            setup = SearchSetup(files=tuple(path.absolute() for path in datasets), inputs=inputs, **how)
            result, told["cluster"] = search_on_cluster(run, setup, on_cluster, output=output, on_wait=bar.on_wait)
    if json:
        common.emit_json(result.as_dict() | told)
    else:
        _print(result)
    if result.interrupted:
        raise typer.Exit(130)


def _config(**values: Any) -> SearchConfig:
    try:
        return SearchConfig(**values)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"--energy-edges-kevee: expected numbers such as 30,50,100, got '{text}'") from error


def _space(path: Path | None, architectures: list[str]) -> SearchSpace:
    space = read_space() if path is None else read_space(path)
    try:
        return space.limited_to(architectures) if architectures else space
    except SettingsError as error:
        raise typer.BadParameter(f"--architecture: {error}") from error


def _print(result: SearchResult) -> None:
    console = common.stdout_console()
    counts = ", ".join(f"{result.count(state)} {state}" for state in ("complete", "pruned", "impossible"))
    console.print(f"{len(result.trials)} trials: {counts}", markup=False)
    console.print(_table(result))
    if result.pareto:
        for row in result.best:
            console.print(f"trial {row.number}: {_parameters(row.parameters)}", markup=False)
    else:
        best = result.best[0]
        console.print(f"trial {best.number}: {_parameters(best.parameters)}", markup=False)
    where = result.folder / ("trials" if result.pareto else "best")
    console.print(
        f"models in {where}, all trials in {result.folder / 'report.json'}, picture {result.folder / 'search.png'}\n"
        "Leakages are those of the validation part, which chose the model, and too good; judge the model by\n"
        "'discrimen evaluate' on other runs.",
        markup=False,
    )


def _table(result: SearchResult) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    bins = [str(leakage["energy"]).replace(" ", "\n") for leakage in result.best[0].leakages]
    for number, heading in enumerate(["trial", "network", "weights", "smoothed", *bins, *_time_heading(result)]):
        table.add_column(heading, justify="left" if number == 1 else "right", no_wrap=True)
    for row in _rows_to_show(result):
        time = [] if row.native_ns_per_pulse is None else [f"{row.native_ns_per_pulse:.1f}"]
        shares = [f"{leakage['leakage']['leakage']:.3%}" for leakage in row.leakages]
        network = str(row.parameters["architecture"])
        table.add_row(str(row.number), network, str(row.n_parameters), f"{smoothed_leakage(row):.3%}", *shares, *time)
    return table


def _time_heading(result: SearchResult) -> list[str]:
    return ["ns/pulse"] if result.pareto else []


def _rows_to_show(result: SearchResult) -> list[TrialRow]:
    """Return the front, or the best five."""
    if result.pareto:
        return list(result.best)
    complete = [row for row in result.trials if row.objective is not None]
    return sorted(complete, key=lambda row: (row.objective or 0.0, row.number))[:5]


def _parameters(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items())
