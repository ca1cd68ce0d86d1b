"""``discrimen calibrate``: keVee per unit of charge from Compton edges of gamma sources, into the detector file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from discrimen.calibration.calibrate import (
    Calibrated,
    CalibratedChannel,
    CalibrationOptions,
    as_dict,
    calibrate_runs,
)
from discrimen.calibration.detector_file import calibrated_settings, settings_yaml
from discrimen.calibration.gamma_sources import GAMMA_SOURCES, GammaSource, source_named
from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.errors import OutputError, SettingsError
from discrimen.formats.base import Reader
from discrimen.formats.inputs import InputOptions
from discrimen.formats.settings_merge import common_settings
from discrimen.metrics import POOR_PROBABILITY
from discrimen.output.files import complete_or_absent, refuse_inputs
from discrimen.output.numbers import plain_digits
from discrimen.output.provenance import sha256_of_file, software_versions, utc_now
from discrimen.pulses.detector import LightQuantity

_COMPARED = ("sample_period_ns", "polarity", "adc_bits")
_WIDE = 0.05
"""Half of the 95 % interval over the gain from which it is said that the gain is hardly known."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(calibrate))


def calibrate(
    files: Annotated[list[Path], typer.Argument(help="Run files with gamma sources.", show_default=False)],
    source: Annotated[
        list[str],
        typer.Option(
            help=f"Of all files, or one for each in their order: {', '.join(each.name for each in GAMMA_SOURCES)}.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="YAML", help="Detector file to write.", show_default=False),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="Draw the fits; several channels get a picture each.", show_default=False),
    ] = None,
    quantity: Annotated[
        LightQuantity | None,
        typer.Option(
            help="What to calibrate. By default what --settings calibrates, else the long gate; energy in list mode.",
            show_default=False,
        ),
    ] = None,
    limits: Annotated[
        str | None,
        typer.Option("--range", metavar="LOW:HIGH", help="An edge of every source lies here, in its unit."),
    ] = None,
    through_zero: Annotated[
        bool, typer.Option("--through-zero", help="No charge is no light, with several edges too.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the detector file if it is there.")] = False,
    seed: Annotated[int, typer.Option(help="Of spreading whole numbers over their unit.")] = 0,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Calibrate light: fit the Compton edges of gamma sources in every channel, and lay a line through them."""
    sources = _sources(files, source)
    _check_output(output, plot, files, overwrite=overwrite)
    options = CalibrationOptions(
        quantity=quantity,
        limits=_limits(limits),
        through_zero=through_zero,
        seed=seed,
    )
    # Options must not contradict the run either: it would be calibrated wrongly.
    strict = replace(inputs, refused=_COMPARED)
    readers = [strict.open(path) for path in files]
    known = common_settings(readers)
    with common.progress("reading", total=common.total_entries(readers)) as tick:
        found = calibrate_runs(list(zip(readers, sources, strict=True)), options=options, on_progress=tick)
    settings, kept = calibrated_settings(found, known)
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    for line in _warnings(found, [str(place) for place in kept]):
        common.log(line)
    plots = [] if plot is None else _draw(found, plot, readers)
    if output is not None:
        with complete_or_absent(output) as part:
            remarks = _remarks(found, readers, sources)
            part.write_text(settings_yaml(settings, remarks=remarks, before=inputs.settings_file), encoding="utf-8")
    result = {"output": output, "plots": plots, **as_dict(found), "kept": [place._asdict() for place in kept]}
    if json:
        common.emit_json({**result, "settings": settings.model_dump(exclude_none=True)})
    else:
        _print(found, output, plots)


def _sources(files: Sequence[Path], names: Sequence[str]) -> list[GammaSource]:
    if len(names) not in (1, len(files)):
        raise typer.BadParameter(
            f"give --source once for all files, or once for each of the {len(files)} files; got {len(names)}"
        )
    try:
        sources = [source_named(name) for name in names]
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error
    return sources * len(files) if len(sources) == 1 else sources


def _check_output(output: Path | None, plot: Path | None, files: Sequence[Path], *, overwrite: bool) -> None:
    for target in (output, plot):
        if target is not None:
            refuse_inputs(target, files)
    if output is not None and output.exists() and not overwrite:
        raise OutputError(f"{output}: this file is there already; choose another name, or replace it with --overwrite")


def _limits(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError as error:
        raise typer.BadParameter(f"--range expects LOW:HIGH, got '{text}'") from error
    if not 0 < low < high:
        raise typer.BadParameter(f"--range expects 0 < LOW < HIGH, got '{text}'")
    return low, high


def _warnings(found: Calibrated, kept: Sequence[str]) -> list[str]:
    lines = [f"{place}: not calibrated: {problem}" for place, problem in found.problems.items()]
    for place, one in found.channels.items():
        lines += [f"{place}: {doubt}" for doubt in (*one.notes, *_doubts(one))]
    if kept:
        lines.append(f"kept from --settings, as the runs have no such channel: {', '.join(kept)}")
    return lines


def _doubts(one: CalibratedChannel) -> list[str]:
    line, doubts = one.line, []
    for edge in one.edges:
        fit = edge.fit
        if fit.probability < POOR_PROBABILITY:
            doubts.append(
                f"the fit misses the spectrum of {edge.source} around {fit.position:.5g} (chi2 {fit.deviance:.0f} / "
                f"{fit.freedom}): look at it with --plot"
            )
    if line.probability is not None and line.probability < POOR_PROBABILITY:
        doubts.append(
            f"the edges lie on no straight line (chi2 {line.chi2:.1f} / {line.freedom}): check the sources; the errors "
            f"are widened by {line.widened:.1f}"
        )
    half_width = 1.96 * line.gain_error / line.gain_kevee_per_unit
    if half_width > _WIDE:
        doubts.append(
            f"the gain is known to {100 * half_width:.0f} % only: take more pulses, more sources, or the quantity with "
            "the better resolution"
        )
    return doubts


def _draw(found: Calibrated, path: Path, readers: Sequence[Reader]) -> list[str]:
    """Draw one picture a channel; several channels get their number into the name."""
    from discrimen.calibration.picture import draw_calibration

    names = ", ".join(reader.info.path.name for reader in readers)
    drawn = []
    for place, one in found.channels.items():
        several = len(found.channels) > 1
        target = path.with_stem(f"{path.stem}-b{place.board}c{place.channel}") if several else path
        with complete_or_absent(target) as part:
            draw_calibration(one, part, quantity=found.quantity, title=f"{names}, {place}")
        drawn.append(str(target))
    return drawn


def _remarks(found: Calibrated, readers: Sequence[Reader], sources: Sequence[GammaSource]) -> list[str]:
    version = software_versions()["discrimen"]
    lines = [f"Light calibrated by discrimen calibrate {version}, {utc_now()}, with"]
    lines += [
        f"  {source.name}: {reader.info.path.name} (sha256 {sha256_of_file(reader.info.path)})"
        for reader, source in zip(readers, sources, strict=True)
    ]
    lines.append("Standard errors of gain and offset:")
    lines += [
        f"  {place}: {one.line.gain_error:.3g} keVee a unit, {one.line.offset_error:.3g} keVee"
        for place, one in found.channels.items()
    ]
    return lines


def _print(found: Calibrated, output: Path | None, plots: Sequence[Path | str]) -> None:
    console = common.stdout_console()
    for place, one in found.channels.items():
        for text in (f"{place}, {found.quantity}", *_edge_lines(one), *_line_lines(one)):
            console.print(text, markup=False, soft_wrap=True)
    if output is not None:
        console.print(f"detector file written to {output}", markup=False, soft_wrap=True)
    if plots:
        console.print(f"drawn: {', '.join(map(str, plots))}", markup=False, soft_wrap=True)


def _edge_lines(one: CalibratedChannel) -> list[str]:
    rows = [("source", "edge/keVee", "position", "+-stat.", "+-syst.", "sigma", "chi2")]
    for edge in one.edges:
        fit = edge.fit
        rows.append(
            (
                edge.source,
                f"{fit.group.edge_kev:.1f}",
                f"{fit.position:.6g}",
                plain_digits(fit.statistical, 2),
                plain_digits(fit.systematic, 2),
                f"{100 * fit.shape.resolution:.2f} %",
                f"{fit.deviance:.0f}/{fit.freedom}",
            )
        )
    return [f"  {line}" for line in common.aligned(rows)]


def _line_lines(one: CalibratedChannel) -> list[str]:
    line = one.line
    low, high = (line.gain_kevee_per_unit + sign * 1.96 * line.gain_error for sign in (-1, 1))
    lines = [f"  gain {line.gain_kevee_per_unit:.5g} keVee a unit (95 %: {low:.5g} to {high:.5g})"]
    if line.offset_error:
        lines.append(f"  offset {line.offset_kevee:z.2f} +- {line.offset_error:.2f} keVee")
    else:
        lines.append("  offset 0 (line through zero)")
    if line.probability is not None:
        lines.append(f"  straight line: chi2 {line.chi2:.2f} / {line.freedom}, probability {line.probability:.2g}")
    return lines
