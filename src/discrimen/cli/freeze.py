"""``discrimen freeze``: a trained model to one data file, and to files for other runtimes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from discrimen.cli import common
from discrimen.cli.freeze_calibration import calibration_task, require_fitting_options
from discrimen.cli.freeze_channels import freeze_each_channel, frozen
from discrimen.cli.input_options import with_input_options
from discrimen.formats.inputs import InputOptions
from discrimen.freezing.calibrate import CalibrationTask
from discrimen.freezing.to_onnx import freeze_to_onnx
from discrimen.inference.onnx_source import ONNX_SUFFIX
from discrimen.network.export.cpp import CPP_SUFFIX, check_namespace, write_cpp_header
from discrimen.network.frozen_file import SUFFIX
from discrimen.network.model_description import ModelDescription
from discrimen.network.parts import Part, write_part
from discrimen.training.model_folder import read_model_description, trained_models_in


class Wishes(TypedDict):
    """What the calibration is to choose."""

    temperature: bool
    neutron_efficiencies: list[float]
    gamma_leakages: list[float]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(freeze))


def freeze(
    model: Annotated[
        Path,
        typer.Argument(
            help="Folder of a trained model (or of several, one a channel), a .keras in it, or a .discrimen to make "
            "other files from.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="File to write (.discrimen), or a folder for several models.", show_default=False
        ),
    ] = None,
    onnx: Annotated[
        Path | None,
        typer.Option("--onnx", help="Also write it as ONNX, preparation included (.onnx).", show_default=False),
    ] = None,
    cpp: Annotated[
        Path | None,
        typer.Option("--cpp", help="Also write it as one C++17 header, whole (.hpp).", show_default=False),
    ] = None,
    cpp_namespace: Annotated[
        str | None,
        typer.Option("--cpp-namespace", help="Namespace of the C++ header.", show_default="after its name"),
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(
            "--encoder", help="Also write the half of an auto-encoder that makes the code.", show_default=False
        ),
    ] = None,
    decoder: Annotated[
        Path | None,
        typer.Option("--decoder", help="Also write the half that makes the waveform of a code.", show_default=False),
    ] = None,
    calibrate: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DATASET",
            help="Labelled pulses, not trained on, to fit a temperature on; repeatable.",
            show_default=False,
        ),
    ] = None,
    temperature: Annotated[
        bool, typer.Option(help="Fit a temperature on --calibrate, so that scores are probabilities.")
    ] = True,
    neutron_efficiency: Annotated[
        list[float] | None,
        typer.Option(metavar="SHARE", help="Store a threshold that keeps so many neutrons; repeatable."),
    ] = None,
    gamma_leakage: Annotated[
        list[float] | None,
        typer.Option(metavar="SHARE", help="Store a threshold that lets so many gammas pass; repeatable."),
    ] = None,
    by_height: Annotated[
        bool | None,
        typer.Option(
            "--by-height/--one-threshold",
            help="Let thresholds for a neutron efficiency follow the height of the pulse, or store one number each.",
            show_default="by height",
        ),
    ] = None,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Freeze a trained model, preparation included, into one file that is data alone and proves itself on loading."""
    wishes: Wishes = {
        "temperature": temperature,
        "neutron_efficiencies": neutron_efficiency or [],
        "gamma_leakages": gamma_leakage or [],
    }
    both: tuple[tuple[Part, Path | None], ...] = (("encoder", encoder), ("decoder", decoder))
    parts = {name: path for name, path in both if path is not None}
    _require_new_names(model, output, [(ONNX_SUFFIX, onnx), (CPP_SUFFIX, cpp), (SUFFIX, encoder), (SUFFIX, decoder)])
    require_fitting_options(calibrate or [], **wishes)
    if by_height is not None and not neutron_efficiency:
        raise typer.BadParameter("--by-height and --one-threshold need a --neutron-efficiency")
    if calibrate and output is None:
        raise typer.BadParameter(f"{model} is frozen already: calibrate when you freeze the trained model")
    if cpp is None and cpp_namespace is not None:
        raise typer.BadParameter("--cpp-namespace names a C++ header: say where to write it, for example --cpp X.hpp")
    if cpp_namespace is not None:
        check_namespace(cpp_namespace)

    def task_of(description: ModelDescription, own: InputOptions) -> CalibrationTask | None:
        if not calibrate:
            return None
        return calibration_task(calibrate, description, own, by_height=by_height is not False, **wishes)

    if (models := trained_models_in(model)) and output is not None:
        if onnx is not None or cpp is not None or parts:
            raise typer.BadParameter(f"{model} holds {len(models)} models: make other files of each frozen one")
        freeze_each_channel(models, output, task_of, inputs=inputs, json=json)
        return
    result, lines = frozen(model, output, task_of(read_model_description(model), inputs) if calibrate else None)
    if onnx is not None:
        written = freeze_to_onnx(result["output"], onnx)
        result["onnx"] = str(written.path)
        result["worst_difference_of_onnx"] = written.worst_difference
        lines.append(f"{written.path}: {_onnx_check(written.worst_difference)}")
    if cpp is not None:
        header = write_cpp_header(result["output"], cpp, namespace=cpp_namespace)
        result |= {"cpp": str(cpp), "cpp_namespace": header.namespace, "cpp_embeds_model": header.embeds}
        where = "" if header.embeds else f"; too large for a compiler, so it loads {result['output']}"
        lines.append(f"{cpp}: C++17 header, namespace {header.namespace}{where}")
    for name, path in parts.items():
        write_part(result["output"], name, path)
        result[name] = str(path)
        lines.append(f"{path}: the {name} alone")
    if json:
        common.emit_json(result)
        return
    for line in lines:
        common.stdout_console().print(line, markup=False)


def _require_new_names(model: Path, output: Path | None, others: Sequence[tuple[str, Path | None]]) -> None:
    """Refuse options that do not fit each other; `others` are the files to make beside the frozen one, with suffix."""
    wanted = [(suffix, path) for suffix, path in others if path is not None]
    if model.suffix == SUFFIX:
        if output is not None:
            raise typer.BadParameter(f"{model} is frozen already: leave out --output, or give the trained model")
        if not wanted:
            raise typer.BadParameter(f"{model} is frozen already: say what to make of it, for example --onnx X.onnx")
    elif output is None:
        raise typer.BadParameter(f"expected where to write the frozen model: give -o X{SUFFIX}")
    if output is not None and not trained_models_in(model):
        wanted.append((SUFFIX, output))
    for suffix, path in wanted:
        if path.suffix != suffix:
            raise typer.BadParameter(f"expected a name that ends in {suffix}, got {path}")
    paths = [model, *(path for _, path in wanted)]
    if len(set(paths)) < len(paths):
        raise typer.BadParameter("each file needs a name of its own")


def _onnx_check(worst_difference: float | None) -> str:
    if worst_difference is None:
        return "not checked, for onnxruntime is not installed: pip install 'discrimen[onnx]'"
    return f"computed by ONNX Runtime, at most {worst_difference:.2g} off the golden vectors"
