"""``discrimen classify``: scores for run files of any readable format."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.classification.classify import Classification, classify_run, input_identity
from discrimen.classification.outputs import is_complete, plan_outputs
from discrimen.classification.selection import ChannelSelection
from discrimen.cli import common
from discrimen.cli.input_options import InputOptions, with_input_options
from discrimen.inference.load import load_model


class Kind(StrEnum):
    """Kind of a file of scores."""

    HDF5 = "h5"
    PARQUET = "parquet"
    ROOT = "root"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(classify))


def classify(
    model: common.ModelArgument,
    files: Annotated[list[Path], typer.Argument(help="Run files of any readable format.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="File of scores (.h5, .parquet, .root), or a folder of them.", show_default=False
        ),
    ],
    to: Annotated[Kind, typer.Option(help="Kind of the files in a folder; root makes friend trees.")] = Kind.HDF5,
    threshold: Annotated[
        str,
        typer.Option(metavar="NUMBER|NAME", help="Least neutron score of a neutron, or the name of a stored one."),
    ] = "0.5",
    device: Annotated[common.Device, typer.Option(help="Never replaced by the other in silence.")] = common.Device.CPU,
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    channel: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Only pulses of this channel; repeatable.", min=0)
    ] = None,
    board: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Only pulses of this board; repeatable.", min=0)
    ] = None,
    compress: Annotated[
        bool, typer.Option(help="Smaller .h5 files, slower to write (.parquet and .root always are compressed).")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option(help="Replace scores of another model, input, threshold or choice.")
    ] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Score every pulse; inputs are never modified, and outputs that are complete are not made again."""
    outputs = plan_outputs(files, output, suffix=f".{to.value}")
    loaded = load_model(model, device=device.value, backend=common.backend_name(backend), threads=threads)
    least_score = _threshold(threshold, loaded.spec.thresholds)
    selection = ChannelSelection(boards=tuple(board or ()), channels=tuple(channel or ()))
    results: list[dict[str, Any]] = []
    for path, scores in zip(files, outputs, strict=True):
        reader = inputs.open(path)
        identity = input_identity(reader.info, model_sha256=loaded.sha256, threshold=least_score, selection=selection)
        if not overwrite and is_complete(scores, identity):
            results.append({"input": str(path), "output": str(scores), "skipped": True})
            _say(json, f"{path}: scores are complete in {scores}, skipped")
            continue
        with common.progress(path.name, total=reader.info.n_entries) as tick:
            done = classify_run(
                reader,
                loaded.predictor,
                scores,
                model_sha256=loaded.sha256,
                threshold=least_score,
                selection=selection,
                compress=compress,
                on_progress=tick,
            )
        _log_left_out(path, done)
        results.append({"input": str(path), "skipped": False, **done.as_dict()})
        _say(json, _summary(path, done))
    if json:
        common.emit_json({"model": str(model), "model_sha256": loaded.sha256, "files": results})


def _threshold(text: str, stored: Mapping[str, float]) -> float:
    """Return the threshold that a number or a name stands for."""
    if text in stored:
        return stored[text]
    try:
        value = float(text)
    except ValueError:
        names = ", ".join(f"'{name}'" for name in stored) or "none"
        raise typer.BadParameter(f"the model stores no threshold '{text}'; it stores: {names}") from None
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"expected a threshold between 0 and 1, as scores are, got {value:g}")
    return value


def _log_left_out(path: Path, done: Classification) -> None:
    common.log_left_out(path, done.report)
    for what in done.absent:
        common.log(f"{path}: no pulse of {what}")


def _summary(path: Path, done: Classification) -> str:
    left_out = {
        "not scored (no pulse above the baseline)": done.n_not_scored,
        "of other channels left out": done.n_other_channels,
    }
    besides = "".join(f", {count} {what}" for what, count in left_out.items() if count)
    return (
        f"{path}: {done.n_neutron} neutrons and {done.n_gamma} gammas at a neutron score of {done.threshold:g}"
        f"{besides}; {done.n_pulses_per_s:,.0f} pulses/s ({done.seconds:.2f} s); scores in {done.output}"
    )


def _say(json: bool, line: str) -> None:
    if not json:
        print(line)
