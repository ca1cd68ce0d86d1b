"""``discrimen drift``: whether runs still are like those in which all was well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.adaptation.drift_run import write_reference
from discrimen.cli import common
from discrimen.cli.drift_watched import REFERENCE_SUFFIX, Watched, each_watched, require_known_channels
from discrimen.cli.failed_files import FailedFiles
from discrimen.cli.input_options import with_input_options
from discrimen.formats.inputs import InputOptions
from discrimen.metrics.drift import Drift
from discrimen.scoring.discriminator import for_one_or_each, load_models

_WINDOWS_SHOWN = 5
_LEAST_P = 1e-99


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(drift))


def drift(
    model: common.ModelsArgument,
    reference: Annotated[
        Path,
        typer.Argument(help="A run in which all was well, or what -o kept of one.", show_default=False),
    ],
    files: Annotated[list[Path] | None, typer.Argument(help="Runs to judge.", show_default=False)] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Keep the reference in this file (.json) or folder.", show_default=False),
    ] = None,
    window: Annotated[int, typer.Option(help="Pulses to a verdict: the more, the smaller a change is seen.")] = 20_000,
    false_alarm_rate: Annotated[float, typer.Option(help="Of each verdict, where nothing changed.")] = 1e-3,
    each_channel: Annotated[
        bool,
        typer.Option(
            "--each-channel",
            help="Judge each channel on its own, by a reference of its own; so is done with a folder of models.",
        ),
    ] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Compare runs with a reference, window by window: score, height, baseline and noise; status 1 on a drift."""
    if not files and output is None:
        raise typer.BadParameter("nothing to do: give runs to judge, or -o to keep the reference")
    models = load_models(model)
    by_channel = each_channel or "" not in models
    _require_kind(output, by_channel=by_channel)
    watched = each_watched(models, reference, inputs) if by_channel else [Watched.by(models[""], reference, inputs)]
    if output is not None:
        _keep(watched, output)
    failures = FailedFiles(len(files or []) * len(watched), what="runs and channels")
    runs: list[dict[str, Any]] = []
    for path in files or []:
        with failures.noting(path):
            require_known_channels(path, watched, inputs)
        for each in watched:
            with failures.noting(each.named(path)):
                verdicts = each.watch(path, inputs, window=window, false_alarm_rate=false_alarm_rate)
                runs.append({"input": str(path), **each.where, "windows": [verdict.as_dict() for verdict in verdicts]})
                if not json:
                    _print(each.named(path), verdicts)
    drifted = any(verdict["drifted"] for run in runs for verdict in run["windows"])
    if json:
        common.emit_json(
            {
                "model": str(model),
                "model_sha256": for_one_or_each({name: each.sha256 for name, each in models.items()}),
                "reference": str(output or reference),
                "n_reference_pulses": sum(each.stored.reference.n_pulses for each in watched),
                "drifted": drifted,
                "runs": runs,
                "failed": failures.as_list(),
            }
        )
    failures.exit_if_any()
    if drifted:
        raise typer.Exit(1)


def _require_kind(output: Path | None, *, by_channel: bool) -> None:
    """Refuse a file for references of channels, or a folder for one of all."""
    suffix = "" if by_channel else REFERENCE_SUFFIX
    if output is not None and output.suffix != suffix:
        expected = "a folder, for a reference of each channel" if by_channel else f"a name that ends in {suffix}"
        raise typer.BadParameter(f"expected {expected}, got {output}")


def _keep(watched: Sequence[Watched], output: Path) -> None:
    """Write the references: one file, or one for each channel into a folder."""
    for each in watched:
        path = output if each.place is None else output / f"{each.place.file_name}{REFERENCE_SUFFIX}"
        write_reference(each.stored, path)
        common.log(f"{path}: reference of {each.stored.reference.n_pulses} pulses")


def _print(where: Path | str, verdicts: list[Drift]) -> None:
    console = common.stdout_console()
    bad = [number for number, verdict in enumerate(verdicts, start=1) if verdict.drifted]
    n_windows = len(verdicts)
    console.print(f"{where}: drift in {len(bad)} of {n_windows} window{'s' if n_windows > 1 else ''}", markup=False)
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
