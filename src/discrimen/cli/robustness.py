"""``discrimen robustness``: what time, gain, baseline, noise and clock do to trained models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.cli.read_dataset import read_dataset, require_labels
from discrimen.errors import SettingsError
from discrimen.evaluation.label_trust import read_label_trust, trust_lines
from discrimen.formats.inputs import InputOptions
from discrimen.inference.load import load_model
from discrimen.inference.onnx_source import ONNX_SUFFIX
from discrimen.metrics import EnergyBin
from discrimen.network.frozen_file import SUFFIX
from discrimen.robustness import robustness as run_robustness
from discrimen.robustness import robustness_text, write_robustness
from discrimen.simulation.distortion import DISTORTIONS
from discrimen.training.seen_pulses import seen_of

_DISTORTIONS = "; ".join(f"{name}: {known.summary}, {known.unit or 'share'}" for name, known in DISTORTIONS.items())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(robustness))


def robustness(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL... DATASET...",
            help="Models (folder, .keras, .discrimen, .onnx), and labelled data sets that they have not seen.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the curves.", show_default=False)],
    sizes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SIZES",
            help=f"Only these, for example time=-20:20:5 (start:stop:step) or noise=1,2,4; repeatable. {_DISTORTIONS}.",
        ),
    ] = None,
    energy_kevee: Annotated[
        str | None, typer.Option(metavar="LOW:HIGH", help="Judge only pulses of this light.", show_default=False)
    ] = None,
    efficiency: Annotated[float, typer.Option(help="Neutron efficiency of the threshold that is kept.")] = 0.95,
    confidence: common.ConfidenceOption = 0.95,
    max_pulses: Annotated[int, typer.Option(help="Judge no more than so many.", min=100)] = 100_000,
    seed: Annotated[int, typer.Option(help="Of choice, noise and jitter.", min=0)] = 0,
    device: common.DeviceOption = "cpu",
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Distort labelled pulses step by step and say what leakage and efficiency of models become."""
    model_paths = [path for path in paths if _is_model(path)]
    data_paths = [path for path in paths if not _is_model(path)]
    if not model_paths or not data_paths:
        raise typer.BadParameter(f"expected models and data sets, got {len(model_paths)} and {len(data_paths)}")
    require_labels(data_paths, inputs)
    models = {name: load_model(path, device=device) for name, path in _named(model_paths).items()}
    for line in trust_lines(read_label_trust(data_paths), ()):
        common.log(f"WARNING: {line}")
    dataset = read_dataset(data_paths, inputs)
    with common.progress("distorting", total=None) as tick:
        result = run_robustness(
            {name: model.predictor for name, model in models.items()},
            dataset.pulses,
            settings=dataset.settings,
            sizes=None if sizes is None else _parse_sizes(sizes),
            energy=None if energy_kevee is None else _parse_energy(energy_kevee),
            efficiency=efficiency,
            confidence=confidence,
            n_pulses=max_pulses,
            seed=seed,
            on_progress=tick,
        )
    written = write_robustness(result, output)
    seen = {name: seen_of(model.description.provenance, dataset) for name, model in models.items()}
    for name, of_model in seen.items():
        for warning in of_model.warnings(model=name):
            common.log(f"WARNING: {warning}")
    if json:
        common.emit_json(result.as_dict() | {"seen_in_training": {name: one.in_training for name, one in seen.items()}})
        return
    console = common.stdout_console()
    console.print(robustness_text(result, width=min(console.width, 100)), markup=False, end="")
    console.print(f"curves: {', '.join(path.name for path in written)} in {written[0].parent}", markup=False)


def _is_model(path: Path) -> bool:
    return path.is_dir() or path.suffix in (".keras", SUFFIX, ONNX_SUFFIX)


def _named(paths: Sequence[Path]) -> dict[str, Path]:
    """Return models by the shortest names that tell them apart."""
    for named in ({path.name: path for path in paths}, {str(path): path for path in paths}):
        if len(named) == len(paths):
            return named
    raise typer.BadParameter("the same model is given twice")


def _parse_sizes(texts: Sequence[str]) -> Mapping[str, Sequence[float]]:
    parsed = {}
    for text in texts:
        name, _, values = text.partition("=")
        try:
            parsed[name] = _numbers(values)
        except ValueError as error:
            raise typer.BadParameter(
                f"expected NAME=SIZES such as time=-20:20:5 or noise=1,2,4, got '{text}'"
            ) from error
    return parsed


def _numbers(text: str) -> list[float]:
    if ":" not in text:
        return [float(part) for part in text.split(",")]
    start, stop, step = (float(part) for part in text.split(":"))
    if step <= 0 or stop < start:
        raise ValueError("a range goes upwards")
    n_steps = round((stop - start) / step)
    return [float(np.round(start + step * number, 12)) for number in range(n_steps + 1)]


def _parse_energy(text: str) -> EnergyBin:
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError as error:
        raise typer.BadParameter(f"expected LOW:HIGH in keVee, got '{text}'") from error
    if not low < high:
        raise SettingsError(f"the range of light must go upwards, got {low:g} to {high:g} keVee")
    return EnergyBin(low, high)
