"""The part of ``discrimen freeze`` that calibrates: labelled files to a task, its result to words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

from discrimen.cli import common
from discrimen.cli.read_dataset import read_dataset
from discrimen.formats.inputs import InputOptions
from discrimen.freezing.calibrate import Calibration, CalibrationTask
from discrimen.freezing.choose_curve import CurveThreshold
from discrimen.inference.compatible import require_compatible
from discrimen.metrics import Threshold
from discrimen.network.model_description import ModelDescription
from discrimen.training.seen_pulses import seen_of


def require_fitting_options(
    files: list[Path], *, temperature: bool, neutron_efficiencies: list[float], gamma_leakages: list[float]
) -> None:
    """Refuse options of the calibration that do not fit each other.

    Raises
    ------
    typer.BadParameter
        If so.
    """
    for option, shares in (("--neutron-efficiency", neutron_efficiencies), ("--gamma-leakage", gamma_leakages)):
        for share in shares:
            if not 0 < share < 1:
                raise typer.BadParameter(f"{option} expects a share between 0 and 1, got {share:g}")
    wanted = bool(neutron_efficiencies or gamma_leakages)
    if not files and (wanted or not temperature):
        raise typer.BadParameter("thresholds are chosen on labelled pulses: give them with --calibrate DATASET")
    if files and not temperature and not wanted:
        raise typer.BadParameter("nothing to calibrate: leave out --no-temperature, or wish for a threshold")


def calibration_task(
    files: list[Path],
    description: ModelDescription,
    inputs: InputOptions,
    *,
    temperature: bool,
    neutron_efficiencies: list[float],
    gamma_leakages: list[float],
    by_height: bool,
) -> CalibrationTask:
    """Read labelled files; warn where the model was trained on one of them.

    Raises
    ------
    DataError, FormatError, SettingsError
        If a file cannot be read, has no labels, or the model was not trained for its pulses.
    """
    dataset = read_dataset(files, inputs)
    require_compatible(description, dataset.pulses, dataset.settings, where=", ".join(map(str, files)))
    for warning in seen_of(description.provenance, dataset).warnings():
        common.log(f"WARNING: {warning}")
    return CalibrationTask(
        pulses=dataset.pulses,
        files=dataset.files,
        temperature=temperature,
        neutron_efficiencies=tuple(neutron_efficiencies),
        gamma_leakages=tuple(gamma_leakages),
        by_height=by_height,
    )


def calibration_lines(calibration: Calibration) -> Iterator[str]:
    """Say for people what was chosen."""
    found = calibration.temperature
    if found is not None:
        yield (
            f"temperature {found.value:.4f} ({found.low:.4f}-{found.high:.4f}): log loss {found.log_loss_before:.5f} "
            f"before, {found.log_loss_after:.5f} with it, on {found.n_pulses} pulses"
        )
    for name, threshold in calibration.thresholds.items():
        yield f"threshold '{name}': {threshold_text(threshold)}"


def threshold_text(threshold: Threshold | CurveThreshold) -> str:
    """Say what a threshold is, and what it does to the pulses that it was chosen on."""
    keeps, leaks = threshold.efficiency, threshold.leakage
    shares = (
        f"keeps {keeps.value:.4%} ({keeps.low:.4%}-{keeps.high:.4%}) of the neutrons, "
        f"leaks {leaks.value:.4%} ({leaks.low:.4%}-{leaks.high:.4%}) of the gammas"
    )
    if not isinstance(threshold, CurveThreshold):
        return f"{threshold.value:.6g}, {shares}"
    kept = [each.efficiency.value for each in threshold.ranges if each.efficiency is not None]
    return (
        f"by height, {threshold.value} ({len(threshold.value.height_adc)} knots), {shares}; "
        f"between knots it keeps {min(kept):.2%} to {max(kept):.2%}"
    )
