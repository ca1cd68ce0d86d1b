"""What the subcommands share: options, progress on standard error, results on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from discrimen.errors import OutputError, SettingsError
from discrimen.keras_jax import gpu_number
from discrimen.output.plain import plain
from discrimen.output.progress import Tick as Tick
from discrimen.output.progress import progress as progress
from discrimen.output.provenance import command_line

if TYPE_CHECKING:
    from rich.console import Console

    from discrimen.formats.base import Reader, ReadReport
    from discrimen.network.domain import OutsideTally
    from discrimen.network.model_description import ModelDescription
    from discrimen.reconstruction.stage_run import StageRun

ModelArgument = Annotated[
    Path,
    typer.Argument(
        help="Folder of a trained model, a .keras in it, a frozen .discrimen, or .onnx.", show_default=False
    ),
]
ModelsArgument = Annotated[
    Path,
    typer.Argument(
        help="Folder of a trained model, a .keras in it, a frozen .discrimen, .onnx, or a folder of one a channel.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object on standard output, and nothing else there.")
]


def _known_device(device: str) -> str:
    try:
        gpu_number(device)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error
    return device


Backend = Literal["native", "reference", "onnxruntime", "openvino", "keras"]
"""What computes a frozen model."""

BackendOption = Annotated[
    Backend | None,
    typer.Option(
        help="By default: native for .discrimen, onnxruntime for .onnx, keras for a folder.", show_default=False
    ),
]
DEVICE_METAVAR = "cpu|cuda|cuda:N"
DeviceOption = Annotated[
    str,
    typer.Option(metavar=DEVICE_METAVAR, callback=_known_device, help="What computes; an error where it is missing."),
]
BenchDeviceOption = Annotated[
    str, typer.Option(metavar=DEVICE_METAVAR, callback=_known_device, help="A GPU to time as well as the CPU.")
]
TuningDeviceOption = Annotated[
    str, typer.Option(metavar=DEVICE_METAVAR, callback=_known_device, help="Fine-tuning: what computes.")
]
ChannelOption = Annotated[
    list[int] | None, typer.Option(metavar="N", help="Only pulses of this channel; repeatable.", min=0)
]
BoardOption = Annotated[
    list[int] | None, typer.Option(metavar="N", help="Only pulses of this board; repeatable.", min=0)
]
EnergyEdgesOption = Annotated[str, typer.Option(help="Edges of the energy bins.")]
EfficienciesOption = Annotated[str, typer.Option(help="Neutron efficiencies at which leakage is wanted.")]
ConfidenceOption = Annotated[float, typer.Option(help="Of every interval.")]
ThreadsOption = Annotated[int | None, typer.Option(help="By default: one for each core.", min=1, show_default=False)]


def png_only(path: Path | None) -> Path | None:
    """Refuse a picture of another suffix, for the callback of an option: it would replace what is no picture.

    Raises
    ------
    typer.BadParameter
        If it does not end in ``.png``.
    """
    if path is not None and path.suffix.lower() != ".png":
        raise typer.BadParameter(f"a picture is a .png file, got {path.name}")
    return path


def log(line: str) -> None:
    """Print one plain line to standard error."""
    print(line, file=sys.stderr)


def emit_json(result: Mapping[str, Any]) -> None:
    """Print a result as one JSON object, with the command line; numbers that are not finite become null."""
    print(json.dumps(plain({**result, "command_line": command_line()}), indent=2, allow_nan=False))


def stdout_console() -> Console:
    """Return the console for results; lines are not cut where the output is a file or a pipe."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def aligned(rows: Sequence[Sequence[str]], *, gap: int = 2) -> list[str]:
    """Return the rows of a table as lines, each column as wide as it must be and flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [(" " * gap).join(map(str.rjust, row, widths)).rstrip() for row in rows]


def span(low: float, high: float) -> str:
    """Return a range for a table: four digits of each end, and whole numbers where these are larger."""
    return "-".join(f"{end:.0f}" if abs(end) >= 1000 else f"{end:.4g}" for end in (low, high))


def refuse_to_replace(output: Path, files: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse an output that is there already; one that is an input is refused elsewhere, whatever is wished.

    Raises
    ------
    OutputError
        If it is there, and may not be replaced.
    """
    if output.is_file() and not overwrite and not any(output.samefile(path) for path in files):
        raise OutputError(f"{output}: is there already; choose another output or give --overwrite")


def log_columns_left_out(output: Path, names: Sequence[str]) -> None:
    """Say on standard error which columns of the pulses the format of the output has no place for."""
    if names:
        log(f"{output}: this format has no place for: {', '.join(names)}")


def log_left_out(path: Path, report: ReadReport) -> None:
    """Say on standard error what of a file was left out, one line for each reason."""
    for line in report.left_out():
        log(f"{path}: {line}")


def log_unknown_domain(model: Path, description: ModelDescription) -> None:
    """Say on standard error that a model does not know what it was trained on."""
    if description.domain is None:
        log(
            f"{model}: the domain of this model is unknown, so pulses unlike those of its training are scored like any "
            "other; train it again with this version"
        )


def log_outside(where: Path | str, tally: OutsideTally) -> None:
    """Say on standard error how many pulses are unlike those that a model has seen, and in what."""
    from discrimen.scoring.text import outside_lines

    for line in outside_lines(where, tally):
        log(line)


def log_stage(model: Path, description: ModelDescription, runs: Sequence[StageRun]) -> None:
    """Say on standard error what of each run was left out or unlike the training, and if no domain is known."""
    for run in runs:
        log_left_out(run.path, run.report)
        if run.outside is not None:
            log_outside(run.path, run.outside)
    log_unknown_domain(model, description)


def print_report(pages: Sequence[Path]) -> None:
    """Say where the page of a stage lies, if there is one."""
    if pages:
        print(f"report: {pages[1]}; data in {pages[0].name}, plots as PNG and PDF next to it")


def total_entries(readers: Iterable[Reader]) -> int | None:
    """Return the number of events of several files, None if one of them does not know."""
    counts = [reader.info.n_entries for reader in readers]
    return None if None in counts else sum(count for count in counts if count is not None)
