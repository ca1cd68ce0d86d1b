"""The report as files: JSON, a page of HTML that needs nothing beside it, plots."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discrimen.evaluation.page_tables import (
    calibration_rows,
    leakage_rows,
    measured_rows,
    method_rows,
    operating_point_rows,
    run_rows,
)
from discrimen.evaluation.plots import draw_plots
from discrimen.evaluation.report import NotComputed, Report
from discrimen.evaluation.text import percent, poor_fits
from discrimen.metrics import POOR_FIT_REMARK
from discrimen.output.files import write_files
from discrimen.output.page import render_page
from discrimen.output.pictures import Picture, picture, picture_files
from discrimen.output.plain import json_text
from discrimen.output.provenance import command_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CAPTIONS: Mapping[str, str] = {
    "roc": "Gamma leakage against neutron efficiency. Points with bars are the wished efficiencies with their "
    "intervals; where nothing leaked, an arrow hangs from the upper limit.",
    "leakage": "Gamma leakage in each range of energy with its interval; where nothing leaked, an arrow hangs from the "
    "upper limit.",
    "scores": "Score of the network for each class, bins equal in the logit of the score; dashed are the thresholds of "
    "the wished neutron efficiencies.",
    "psd_map": "PSD of charge comparison against light, one colour scale for all. The line is the cut in PSD that "
    "agrees best with what the network calls a neutron{threshold}; below, the pulses that the network gets wrong.",
    "psd_fit": "PSD by true class, with the two Gaussians of the figure of merit fitted to all pulses.",
    "calibration": "True share of neutrons against the score of the network, with intervals.",
    "worst_pulses": "The pulses that the network is surest of, and wrong, over the mean shapes of both classes.",
    "loss": "Cross-entropy of each epoch of the training.",
}


def write_report(report: Report, folder: Path | str, *, dots_per_inch: int = 120) -> tuple[Path, ...]:
    """Write ``report.json``, ``report.html`` and each plot as PNG and as PDF into a folder.

    Parameters
    ----------
    report : Report
        The result of an evaluation.
    folder : Path
        Made if need be; files of the same names are replaced.
    dots_per_inch : int
        Of the plots.

    Returns
    -------
    tuple of Path
        The files: JSON, page, plots.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If matplotlib, mplhep or Jinja is not installed.
    """
    pictures = report_pictures(report, draw_plots(report), dots_per_inch=dots_per_inch)
    texts = {
        "report.json": json_text({**report.as_dict(), "command_line": command_line()}),
        "report.html": report_page(report, pictures),
    }
    return write_files(folder, {**texts, **picture_files(pictures)})


def report_pictures(report: Report, drawn: Mapping[str, Figure], *, dots_per_inch: int = 120) -> tuple[Picture, ...]:
    """Return the pictures of the page with their captions.

    Parameters
    ----------
    report : Report
        The result of an evaluation.
    drawn : mapping of str to Figure
        From :func:`discrimen.evaluation.plots.draw_plots`.
    dots_per_inch : int
        Of the PNG.
    """
    threshold = ""
    if not isinstance(report.psd_map, NotComputed):
        threshold = f" (a score of {report.psd_map.decision} or more)"
    return tuple(
        picture(figure, name=name, caption=_CAPTIONS[name].format(threshold=threshold), dots_per_inch=dots_per_inch)
        for name, figure in drawn.items()
    )


def report_page(report: Report, pictures: Sequence[Picture]) -> str:
    """Return the page.

    Parameters
    ----------
    report : Report
        The result of an evaluation.
    pictures : sequence of Picture
        From :func:`report_pictures`.
    """
    efficiency = report.main_efficiency
    return render_page(
        "report.html",
        title=_title(report),
        head=report.head,
        summary=_summary(report),
        efficiency=f"{efficiency:.0%}",
        confidence=f"{report.confidence:.0%}",
        leakage=leakage_rows(report, efficiency=efficiency),
        notes=report.notes,
        pictures=pictures,
        left_out=_left_out(report),
        methods=method_rows(report, efficiency=efficiency),
        figure_of_merit_definition=report.figure_of_merit_definition,
        poor_fit=POOR_FIT_REMARK if poor_fits(report) else "",
        points=operating_point_rows(report),
        measured=measured_rows(report),
        measured_source=getattr(report.measured, "source", ""),
        calibration=calibration_rows(report),
        runs=run_rows(report),
        files=report.data.files,
        model=json.dumps(_without_history(report.model), indent=1, default=str),
        origin=_origin(report),
    )


def _title(report: Report) -> str:
    names = [str(file["name"]) for file in report.data.files]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"Network judged on {shown or 'labelled pulses'}"


def _summary(report: Report) -> str:
    architecture = report.model.get("architecture", {})
    name, n_parameters = architecture.get("name", "network"), architecture.get("n_parameters")
    size = "" if n_parameters is None else f" with {n_parameters} parameters"
    light = report.energy_source
    energies = "no energies" if isinstance(light, NotComputed) else f"energies from {light}"
    n_runs = len(report.data.runs)
    return (
        f"{name}{size}, computed by {report.model.get('backend', 'an unknown backend')}; "
        f"{report.overall.n_gamma} gammas and {report.overall.n_neutron} neutrons of {n_runs} "
        f"run{'' if n_runs == 1 else 's'}; {energies}."
    )


def _left_out(report: Report) -> list[str]:
    sentences = []
    if isinstance(report.loss_curve, NotComputed):
        sentences.append(f"No loss curve: {report.loss_curve.not_computed}.")
    if isinstance(report.psd_map, NotComputed):
        sentences.append(f"No PSD against light: {report.psd_map.not_computed}.")
    if not report.worst_pulses.pulses:
        sentences.append("No worst pulses: the network calls every one right at a score of 0.5.")
    return sentences


def _without_history(model: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the losses to the picture."""
    provenance = {name: value for name, value in model.get("provenance", {}).items() if name != "history"}
    return {**model, "provenance": provenance}


def _origin(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.software.items())
    unlabelled = report.data.n_unlabelled
    besides = f"{unlabelled} pulses without a known label were left out. " if unlabelled else ""
    made = f"Made {report.created_utc} with {versions}; seed {report.seed}"
    return f"{besides}{made}; {percent(report.confidence)} % intervals."
