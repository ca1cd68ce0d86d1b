"""``discrimen adopt``: a network that was trained elsewhere becomes a model like those trained here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from discrimen.adoption import Adoption, Promise, Task, input_length, parse_promise
from discrimen.adoption import adopt as adopt_model
from discrimen.adoption.check import MOST_PULSES
from discrimen.adoption.preparation_file import read_preparation
from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.cli.train import parse_samples
from discrimen.errors import SettingsError
from discrimen.formats.base import Reader
from discrimen.formats.inputs import InputOptions
from discrimen.network.preparation import Alignment, Preparation, Scale
from discrimen.network.prepare import choose_preparation
from discrimen.output.provenance import sha256_of_file
from discrimen.pulses.detector import DetectorSettings

_OUTPUT = (
    "What an output is, in order; repeatable: energy:quantity:keVee, clean:waveform:prepared, "
    "scores:classes:1:gamma,neutron. Kinds: classes, waveform, quantity, count, code."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(adopt))


def adopt(
    network: Annotated[Path, typer.Argument(metavar="MODEL", help="A .keras, .h5 or .onnx file.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output-folder", help="Folder for the model.", show_default=False)],
    preparation: Annotated[
        Path | None,
        typer.Option(
            help="How pulses become its input, as YAML or JSON: another model's model.json, or its part 'preparation'; "
            "instead of the options below.",
            show_default=False,
        ),
    ] = None,
    pulses: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Run file to check it with; made-up pulses if not given.", show_default=False),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Names of the classes, in the order of the scores; two: gamma,neutron."),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option("--output", metavar="NAME:KIND:UNIT[:NAMES]", help=_OUTPUT, show_default=False),
    ] = None,
    with_error: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="The second half of this output is the standard deviations; repeatable."),
    ] = None,
    from_logits: Annotated[
        bool, typer.Option("--from-logits", help="It ends in linear values, whose softmax are the scores.")
    ] = False,
    scale: Annotated[Scale | None, typer.Option(help="What each waveform is divided by.", show_default=False)] = None,
    window: Annotated[
        str | None,
        typer.Option(metavar="START:LENGTH", help="Samples the network sees; by default the first ones."),
    ] = None,
    align: Annotated[
        float | None,
        typer.Option(metavar="FRACTION", help="Let the window follow the crossing of this fraction of the peak."),
    ] = None,
    align_position: Annotated[int, typer.Option(help="With --align: where in the window the crossing lies.")] = 10,
    interpolate: Annotated[bool, typer.Option(help="With --align: shift by fractions of a sample too.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a model that is in the folder.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Adopt a network that was trained elsewhere: describe it, check it against its own runtime, store it."""
    promises = _promises(outputs or [], with_error or [])
    reader = None if pulses is None else inputs.open(pulses)
    settings = inputs.read.settings if reader is None else reader.info.settings
    samples = None if reader is None else _some_pulses(reader)
    if preparation is not None:
        if not (scale is None and window is None and align is None):
            raise typer.BadParameter("--preparation says it all: leave out --scale, --window and --align")
        chosen = read_preparation(preparation)
        settings = settings.merged(sample_period_ns=chosen.sample_period_ns)
    else:
        alignment = (
            None if align is None else Alignment(fraction=align, position=align_position, interpolate=interpolate)
        )
        chosen = _preparation(network, settings, samples, scale=scale, window=window, alignment=alignment)
    task = Task(
        preparation=chosen,
        promises=promises,
        classes=None if classes is None else tuple(classes.split(",")),
        from_logits=from_logits,
        samples=samples,
        files=[] if pulses is None else [{"name": pulses.name, "sha256": sha256_of_file(pulses)}],
        settings=settings,
    )
    done = adopt_model(network, output, task, overwrite=overwrite)
    if json:
        common.emit_json(_as_dict(network, done, made_up=samples is None))
        return
    for line in _lines(done, made_up=samples is None):
        common.stdout_console().print(line, markup=False)


def _promises(outputs: list[str], with_error: list[str]) -> tuple[Promise, ...]:
    try:
        promises = tuple(parse_promise(text, with_error=with_error) for text in outputs)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error
    unknown = sorted(set(with_error) - {promise.name for promise in promises})
    if unknown:
        raise typer.BadParameter(f"--with-error {unknown[0]}: no --output has this name")
    return promises


def _some_pulses(reader: Reader) -> NDArray[Any]:
    """Read pulses until there are enough to check with, from a chunk or a few."""
    parts: list[NDArray[Any]] = []
    for chunk in reader.chunks():
        if parts and chunk.n_samples != parts[0].shape[1]:
            continue
        parts.append(chunk.samples)
        if sum(map(len, parts)) >= MOST_PULSES:
            break
    if not parts:
        raise SettingsError(f"{reader.info.path}: there are no pulses to check with")
    return np.concatenate(parts)


def _preparation(
    network: Path,
    settings: DetectorSettings,
    samples: NDArray[Any] | None,
    *,
    scale: Scale | None,
    window: str | None,
    alignment: Alignment | None,
) -> Preparation:
    """Describe the preparation by options; the window is as long as the network's input."""
    if scale is None:
        raise typer.BadParameter(
            "say what the network's training divided each waveform by: --scale peak, area or none "
            "(or give --preparation FILE)"
        )
    length = input_length(network)
    start, wanted = (0, length) if window is None else parse_samples(window)
    if wanted != length:
        raise SettingsError(f"{network}: takes {length} samples, --window {window} gives {wanted}")
    # Without pulses there is no record to hold the window against.
    n_samples = 2**20 if samples is None else samples.shape[1]
    return choose_preparation(
        settings,
        n_samples=n_samples,
        scale=scale,
        window_start=start,
        window_length=length,
        alignment=alignment,
    )


def _as_dict(network: Path, done: Adoption, *, made_up: bool) -> dict[str, Any]:
    return {
        "network": str(network),
        "folder": str(done.folder),
        "layers": list(done.layers),
        "runtime": done.runtime,
        "n_pulses": done.check.n_pulses,
        "made_up_pulses": made_up,
        "worst_difference": done.check.worst,
        "model": done.description.as_dict(),
    }


def _lines(done: Adoption, *, made_up: bool) -> Iterator[str]:
    yield f"{done.folder}: {', '.join(done.layers)}"
    for output in done.description.outputs:
        names = f" ({', '.join(output.names)})" if output.names else ""
        unit = "" if output.unit == "1" else f" in {output.unit}"
        yield f"output '{output.name}': {output.kind}{names} of shape {output.shape}{unit}, by {output.activation}"
    kind = "made-up pulses (give --pulses RUN for real ones)" if made_up else "pulses"
    yield (
        f"{done.check.n_pulses} {kind}: at most {done.check.worst:.2g} of its scale off what {done.runtime} gives; "
        f"freeze it next: discrimen freeze {done.folder} -o X.discrimen"
    )
