"""``discrimen drift``: whether runs still are like those in which all was well."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.adaptation.drift_run import (
    StoredReference,
    read_reference,
    reference_of_runs,
    watch_run,
    write_reference,
)
from discrimen.cli import common
from discrimen.cli.input_options import InputOptions, with_input_options
from discrimen.formats.base import Reader
from discrimen.formats.channel_selection import ChannelSelection
from discrimen.inference.load import Model, load_model
from discrimen.metrics.drift import Drift

REFERENCE_SUFFIX = ".json"
_WINDOWS_SHOWN = 5
_LEAST_P = 1e-99


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(drift))


def drift(
    model: common.ModelArgument,
    reference: Annotated[
        Path,
        typer.Argument(help="A run in which all was well, or a reference (.json) made of some.", show_default=False),
    ],
    files: Annotated[list[Path] | None, typer.Argument(help="Runs to judge.", show_default=False)] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Keep the reference in this file (.json).", show_default=False)
    ] = None,
    window: Annotated[int, typer.Option(help="Pulses to a verdict: the more, the smaller a change is seen.")] = 20_000,
    false_alarm_rate: Annotated[float, typer.Option(help="Of each verdict, where nothing changed.")] = 1e-3,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Compare runs with a reference, window by window: score, height, baseline and noise; status 1 on a drift."""
    if not files and output is None:
        raise typer.BadParameter("nothing to do: give runs to judge, or -o to keep the reference")
    if output is not None and output.suffix != REFERENCE_SUFFIX:
        raise typer.BadParameter(f"expected a name that ends in {REFERENCE_SUFFIX}, got {output}")
    loaded = load_model(model)
    stored = _reference(reference, loaded, inputs, inputs.selection)
    if output is not None:
        write_reference(stored, output)
        common.log(f"{output}: reference of {stored.reference.n_pulses} pulses")
    runs: list[dict[str, Any]] = []
    for path in files or []:
        reader = inputs.open_whole(path)
        verdicts = _watch(reader, loaded, stored, window, false_alarm_rate, inputs.selection)
        common.log_left_out(path, reader.report)
        runs.append({"input": str(path), "windows": [verdict.as_dict() for verdict in verdicts]})
        if not json:
            _print(path, verdicts)
    drifted = any(verdict["drifted"] for run in runs for verdict in run["windows"])
    if json:
        common.emit_json(
            {
                "model": str(model),
                "model_sha256": loaded.sha256,
                "reference": str(output or reference),
                "n_reference_pulses": stored.reference.n_pulses,
                "drifted": drifted,
                "runs": runs,
            }
        )
    if drifted:
        raise typer.Exit(1)


def _reference(path: Path, model: Model, inputs: InputOptions, selection: ChannelSelection) -> StoredReference:
    if path.suffix == REFERENCE_SUFFIX:
        return read_reference(path)
    reader = inputs.open_whole(path)
    with common.progress(path.name, total=reader.info.n_entries) as tick:
        return reference_of_runs([reader], model, selection=selection, on_progress=tick)


def _watch(
    reader: Reader, model: Model, stored: StoredReference, window: int, rate: float, selection: ChannelSelection
) -> list[Drift]:
    with common.progress(reader.info.path.name, total=reader.info.n_entries) as tick:
        return list(
            watch_run(
                reader,
                model,
                stored,
                window=window,
                false_alarm_rate=rate,
                selection=selection,
                on_progress=tick,
            )
        )


def _print(path: Path, verdicts: list[Drift]) -> None:
    console = common.stdout_console()
    bad = [number for number, verdict in enumerate(verdicts, start=1) if verdict.drifted]
    n_windows = len(verdicts)
    console.print(f"{path}: drift in {len(bad)} of {n_windows} window{'s' if n_windows > 1 else ''}", markup=False)
    if bad:
        for line in drift_table({number: verdicts[number - 1] for number in bad[:_WINDOWS_SHOWN]}):
            console.print(f"  {line}", markup=False, soft_wrap=True)
    if len(bad) > _WINDOWS_SHOWN:
        console.print(f"  and {len(bad) - _WINDOWS_SHOWN} windows more", markup=False)


def drift_table(verdicts: Mapping[int, Drift]) -> list[str]:
    """Return the figures that drifted, by the number of their window, as a table."""
    rows = [
        (
            str(number),
            figure.name,
            *(f"{mean:.6g}" if isfinite(mean) else "-" for mean in (figure.mean_before, figure.mean_now)),
            f"{figure.stability_index:.3f}",
            _p_word(min(figure.p_shape, figure.p_shift)),
        )
        for number, verdict in verdicts.items()
        for figure in verdict.figures
        if figure.drifted
    ]
    return common.aligned([("window", "figure", "mean before", "now", "stability index", "p"), *rows])


def _p_word(p_value: float) -> str:
    return f"{p_value:.1e}" if p_value >= _LEAST_P else f"<{_LEAST_P:.0e}"
