"""``discrimen simulate --like RUN``: a detector file fitted to a run, with its picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from discrimen.cli import common
from discrimen.detector_fit import N_STEPS, DetectorFit, fit_detector, read_records
from discrimen.detector_fit.picture import draw_fit
from discrimen.detector_fit.text import lines_of
from discrimen.errors import OutputError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader
from discrimen.output.files import complete_or_absent, refuse_inputs
from discrimen.pulses.detector import SIMULATION_SECTION, DetectorSettings, read_settings, read_yaml
from discrimen.simulation.detector_file import detector_yaml, is_detector_file

YAML = (".yaml", ".yml")
READING = ("settings", "sample_period_ns", "polarity")
"""Options that describe the run; they do nothing without one."""

_USED = ("output", "like", "detector", "gain_adc_per_kevee", "seed", "json", *READING)


def only_fits(output: Path) -> bool:
    """Tell whether the output is a detector file, so that nothing is simulated."""
    return output.suffix.lower() in YAML


def refuse_unused(given: Mapping[str, str]) -> None:
    """Refuse options of a simulation where only a detector file is written.

    Raises
    ------
    typer.BadParameter
        If one is given.
    """
    for name, option in given.items():
        if name not in _USED:
            raise typer.BadParameter(
                f"{option} does nothing where only a detector file is written: leave it out and give it to "
                "simulate --detector FILE, or write a run (-o RUN.lh5)"
            )


def read_options(settings: Path | None, *, sample_period_ns: float | None, polarity: str | None) -> ReadOptions:
    """Return how to read the run."""
    known = read_settings(settings) if settings is not None else DetectorSettings()
    try:
        return ReadOptions(settings=known.merged(sample_period_ns=sample_period_ns, polarity=polarity))
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def fit_like(
    runs: Iterable[Path], detector: str | None, options: ReadOptions, *, gain_adc_per_kevee: float | None, seed: int
) -> DetectorFit:
    """Fit a detector to run files.

    Raises
    ------
    typer.BadParameter
        If the detector is not named but a file.
    """
    if detector is not None and is_detector_file(detector):
        raise typer.BadParameter(f"--detector {detector}: with --like it names a scintillator, not a file")
    records = read_records([open_reader(run, options) for run in runs])
    with common.progress("fitting the detector", total=N_STEPS) as tick:
        return fit_detector(
            records, scintillator=detector, gain_adc_per_kevee=gain_adc_per_kevee, seed=seed, on_progress=tick
        )


def refuse_targets(path: Path, inputs: Iterable[Path]) -> None:
    """Refuse places for detector file and picture before anything is fitted.

    Raises
    ------
    OutputError
        If one of them is an input, or a file is there that no fit has written.
    """
    kept = list(inputs)
    refuse_inputs(path, kept)
    refuse_inputs(path.with_suffix(".png"), kept)
    if not path.exists():
        return
    values = read_yaml(path)
    if not isinstance(values, Mapping) or SIMULATION_SECTION not in values:
        raise OutputError(f"{path}: there is a file that no fit has written, it is not replaced; choose another output")


def write_fit(fit: DetectorFit, path: Path) -> dict[str, Any]:
    """Write detector file and picture; return what was found as plain data."""
    plot = path.with_suffix(".png")
    with complete_or_absent(path) as part:
        part.write_text(detector_yaml(fit.file), encoding="utf-8")
    with complete_or_absent(plot) as part:
        draw_fit(fit, part)
    return {"detector_file": str(path), "plot": str(plot)} | fit.as_dict()


def print_fit(fit: DetectorFit, written: Mapping[str, Any]) -> None:
    """Print the account of a fit."""
    console = common.stdout_console()
    for line in lines_of(fit):
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"detector file {written['detector_file']}, picture {written['plot']}", markup=False)
