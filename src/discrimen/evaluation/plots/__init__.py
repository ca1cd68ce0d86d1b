"""Plots of a report: rendering only, one figure a file, nothing is computed anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discrimen.evaluation.plots.calibration import draw_calibration
from discrimen.evaluation.plots.leakage import draw_leakage, draw_leakage_on
from discrimen.evaluation.plots.psd import draw_psd_fits, draw_psd_map
from discrimen.evaluation.plots.roc import draw_roc
from discrimen.evaluation.plots.scores import draw_scores
from discrimen.evaluation.report import Calibration, PsdMap, Report
from discrimen.plot_style import house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_leakage_on", "figures"]


def figures(report: Report) -> dict[str, Figure]:
    """Draw every plot that the report has data for.

    Returns
    -------
    dict of str to Figure
        By file name without suffix: ``roc``, ``leakage`` (if there are energy bins), ``scores``, ``calibration`` (if a
        range has one), ``psd_map`` and ``psd_fit`` (if there are gates).

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    with house_style():
        drawn = {"roc": draw_roc(report), "scores": draw_scores(report)}
        if any(part.computed() for part in report.bins):
            drawn["leakage"] = draw_leakage(report)
        if any(isinstance(part.calibration, Calibration) for part in report.ranges):
            drawn["calibration"] = draw_calibration(report)
        if isinstance(report.psd_map, PsdMap):
            drawn["psd_map"] = draw_psd_map(report.psd_map, psd_definition=report.psd_definition)
            drawn["psd_fit"] = draw_psd_fits(report)
        return drawn
