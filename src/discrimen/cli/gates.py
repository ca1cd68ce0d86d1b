"""``discrimen gates``: the gates of the charge comparison from mixed runs without labels, into the detector file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from discrimen.calibration.detector_file import settings_yaml
from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.errors import DataError, OutputError
from discrimen.formats.inputs import InputOptions
from discrimen.formats.settings_merge import common_settings
from discrimen.labelling.gate_search import GateChoice, Reached, choose_gates, read_places
from discrimen.output.files import complete_or_absent, refuse_inputs
from discrimen.output.provenance import software_versions, utc_now
from discrimen.pulses.array import with_gates
from discrimen.pulses.places import Place


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(gates))


def gates(
    files: Annotated[list[Path], typer.Argument(help="Runs of a mixed source, without labels.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="YAML", help="Detector file to write.", show_default=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the detector file if it is there.")] = False,
    seed: Annotated[int, typer.Option(help="Of the halves, one to choose on, one to judge by.", min=0)] = 0,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Search gates that part the species of a mixed run, for each channel; --gates are those to compare with."""
    if output is not None:
        refuse_inputs(output, files)
        if output.exists() and not overwrite:
            raise OutputError(f"{output}: this file is there already; choose another name, or give --overwrite")
    readers = [inputs.open(path) for path in files]
    with common.progress("reading", total=common.total_entries(readers)) as tick:
        pulses = read_places(readers, on_progress=tick)
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    settings = common_settings(readers)
    found: dict[Place, GateChoice] = {}
    problems: dict[Place, str] = {}
    with common.progress("searching gates", total=len(pulses)) as tick:
        for place, some in pulses.items():
            try:
                found[place] = choose_gates(some, settings.of(*place), rng=np.random.default_rng(seed))
            except DataError as error:
                problems[place] = str(error)
            tick(1)
    if not found:
        raise DataError("; ".join(f"{place}: {problem}" for place, problem in list(problems.items())[:3]))
    written, stale = with_gates(settings, {place: choice.gates for place, choice in found.items()}, of=tuple(pulses))
    if stale:
        common.log("the calibration was of charges over other gates and is left out: calibrate again with these")
    for place, problem in problems.items():
        common.log(f"{place}: {problem}")
    if output is not None:
        with complete_or_absent(output) as part:
            part.write_text(
                settings_yaml(written, remarks=_remarks(found, files), before=inputs.settings_file), encoding="utf-8"
            )
    if json:
        common.emit_json(_as_dict(found, problems, output))
    else:
        for line in _lines(found, output):
            common.stdout_console().print(line, markup=False, soft_wrap=True)


def _as_dict(found: Mapping[Place, GateChoice], problems: Mapping[Place, str], output: Path | None) -> dict[str, Any]:
    return {
        "output": output,
        "channels": [{**place._asdict(), **choice.as_dict()} for place, choice in found.items()],
        "channels_without_gates": [{**place._asdict(), "reason": reason} for place, reason in problems.items()],
    }


def _remarks(found: Mapping[Place, GateChoice], files: list[Path]) -> list[str]:
    return [
        f"Gates by discrimen gates {software_versions()['discrimen']}, {utc_now()}, "
        f"from {', '.join(path.name for path in files)}",
        *(f"  {place}: figure of merit {_merit(choice.reached)}" for place, choice in found.items()),
    ]


def _lines(found: Mapping[Place, GateChoice], output: Path | None) -> Iterator[str]:
    for place, choice in found.items():
        chosen = choice.gates
        yield (
            f"{place}: --gates {chosen.gate_start_ns:g}:{chosen.short_gate_end_ns:g}:{chosen.long_gate_end_ns:g} of "
            f"{choice.n_tried} tried; figure of merit {_merit(choice.reached)} on pulses they were not chosen on "
            f"({_merit(choice.chosen_on)} on those they were)"
        )
        if choice.before is not None:
            yield f"  the gates of before reach {_merit(choice.before)}"
    if output is not None:
        yield f"detector file written to {output}"


def _merit(reached: Reached) -> str:
    if reached.figure_of_merit is None:
        return "unknown, as the bands merge"
    poor = f", two Gaussians miss {reached.n_poor_fits} of {reached.n_slices} slices" if reached.n_poor_fits else ""
    return f"{reached.figure_of_merit:.3f} +- {reached.error:.3f}{poor}"
