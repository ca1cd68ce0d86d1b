"""Plots of a report: rendering only, one figure a file, nothing is computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discrimen.evaluation.plots.calibration import draw_calibration
from discrimen.evaluation.plots.leakage import draw_leakage, draw_leakage_on
from discrimen.evaluation.plots.loss import draw_loss
from discrimen.evaluation.plots.psd import draw_psd_fits, draw_psd_map
from discrimen.evaluation.plots.roc import draw_roc
from discrimen.evaluation.plots.scores import draw_scores
from discrimen.evaluation.plots.worst import draw_worst
from discrimen.evaluation.report import Reliability, Report
from discrimen.evaluation.report_parts import LossCurve, PsdMap
from discrimen.output.style import house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_leakage_on", "draw_plots"]


def draw_plots(report: Report) -> dict[str, Figure]:
    """Draw every plot that the report has data for.

    Returns
    -------
    dict of str to Figure
        By file name without suffix, each where the report has data for it: ``roc``, ``leakage`` (energy bins),
        ``scores``, ``psd_map``, ``psd_fit`` (gates), ``calibration``, ``worst_pulses``, ``loss``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    with house_style():
        drawn: dict[str, Figure] = {}
        if any(part.computed() for part in report.ranges):
            drawn["roc"] = draw_roc(report)
        if any(part.computed() for part in report.bins):
            drawn["leakage"] = draw_leakage(report)
        if report.score_histogram.gamma_counts.any() or report.score_histogram.neutron_counts.any():
            drawn["scores"] = draw_scores(report)
        if isinstance(report.psd_map, PsdMap):
            drawn["psd_map"] = draw_psd_map(report.psd_map, psd_definition=report.psd_definition)
        if any(name.startswith("charge_") for part in report.ranges for name in part.computed()):
            drawn["psd_fit"] = draw_psd_fits(report)
        if any(isinstance(part.calibration, Reliability) for part in report.ranges):
            drawn["calibration"] = draw_calibration(report)
        if report.worst_pulses.pulses:
            drawn["worst_pulses"] = draw_worst(report.worst_pulses)
        if isinstance(report.loss_curve, LossCurve):
            drawn["loss"] = draw_loss(report.loss_curve)
        return drawn
