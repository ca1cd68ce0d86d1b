"""``discrimen freeze`` of one trained model, or of a folder of them, one for each channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import typer

from discrimen.cli import common
from discrimen.cli.failed_files import FailedFiles
from discrimen.cli.freeze_calibration import calibration_lines
from discrimen.errors import SettingsError
from discrimen.formats.channel_selection import ChannelSelection
from discrimen.formats.inputs import InputOptions
from discrimen.freezing.calibrate import CalibrationTask
from discrimen.freezing.freeze import freeze as freeze_model
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.frozen_file import SUFFIX, read_frozen
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import sha256_of_file
from discrimen.pulses.array import listed
from discrimen.training.model_folder import read_model_description

TaskOf = Callable[[ModelDescription, InputOptions], CalibrationTask | None]
"""Reads the labelled pulses of a model."""


def frozen(model: Path, output: Path | None, task: CalibrationTask | None) -> tuple[dict[str, Any], list[str]]:
    """Freeze the model, or take the file that is frozen already; return the result and lines for people."""
    if output is None:
        ReferencePredictor(model)  # checks it as everybody does
        return _described(model), []
    done = freeze_model(model, output, calibration=task)
    result = _described(done.path) | {"worst_difference_to_keras": done.worst_difference}
    line = (
        f"{done.path}: {', '.join(result['layers'])}; "
        f"{result['n_golden']} golden vectors, at most {done.worst_difference:.2g} off Keras"
    )
    if done.calibration is None:
        return result, [line]
    result["calibration"] = asdict(done.calibration)
    return result, [line, *calibration_lines(done.calibration)]


def freeze_each_channel(
    models: Sequence[Path], folder: Path, task_of: TaskOf, *, inputs: InputOptions, json: bool
) -> None:
    """Freeze the trained models of a folder into another one, each calibrated on the pulses of its channel.

    Parameters
    ----------
    models : sequence of Path
        The trained models.
    folder : Path
        For the frozen files.
    task_of : callable
        Reads the pulses to calibrate a model on.
    inputs : InputOptions
        Of the command.
    json : bool
        Whether to print the result as JSON.
    """
    if folder.suffix or folder.is_file():
        raise typer.BadParameter(f"there are {len(models)} trained models: give -o a folder, got {folder}")
    failures = FailedFiles(len(models), what="models")
    results = []
    for model in models:
        with failures.noting(model):
            description = read_model_description(model)
            task = task_of(description, replace(inputs, selection=_selection(model, description)))
            result, lines = frozen(model, folder / f"{model.name}{SUFFIX}", task)
            results.append(result)
            for line in () if json else lines:
                common.stdout_console().print(line, markup=False)
    if json:
        common.emit_json({"output": str(folder), "models": results, "failed": failures.as_list()})
    failures.exit_if_any()


def _selection(model: Path, description: ModelDescription) -> ChannelSelection:
    """Return what chooses the channel of a model."""
    places = listed(description.settings)
    if len(places) != 1:
        raise SettingsError(
            f"{model}: expected a model of one channel, as 'discrimen train --each-channel' makes, this one lists "
            f"{len(places)}: freeze it on its own"
        )
    return ChannelSelection(boards=(places[0].board,), channels=(places[0].channel,))


def _described(path: Path) -> dict[str, Any]:
    known = read_frozen(path)
    return {
        "output": str(path),
        "n_bytes": path.stat().st_size,
        "sha256": sha256_of_file(path),
        "layers": [type(node.layer).__name__ for node in known.network.nodes],
        "n_golden": len(known.golden.samples),
    }
