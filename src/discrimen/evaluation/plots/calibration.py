"""True share of neutrons against the network's score, one panel for each range of energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discrimen.errors import require_module
from discrimen.evaluation.plots.style import legend_above, panels
from discrimen.evaluation.report import Reliability, Report
from discrimen.metrics import Temperature
from discrimen.output.style import BLUE, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_calibration(report: Report) -> Figure:
    """Draw the reliability curve with its intervals, calibration error and temperature in each range."""
    found = [(part.name, part.calibration) for part in report.ranges if isinstance(part.calibration, Reliability)]
    figure, axes = panels(len(found), sharey=True)
    for (name, calibration), ax in zip(found, axes, strict=True):
        _draw_curve(ax, calibration)
        ax.set_title(name)
        ax.set_xlabel("mean neutron score")
    figure.supylabel("true share of neutrons", fontsize=12)
    lines = require_module("matplotlib.lines", extra="analysis")
    handles = [
        lines.Line2D([], [], color=BLUE, marker="o", markersize=5, linestyle="", label="network"),
        lines.Line2D([], [], color=GREY, linestyle="--", label="score is the probability"),
    ]
    legend_above(figure, handles)
    return figure


def _draw_curve(ax: Axes, calibration: Reliability) -> None:
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    for point in calibration.curve:
        share = point.neutrons
        ax.errorbar(
            point.mean_score, share.value, yerr=[[share.value - share.low], [share.high - share.value]],
            color=BLUE, marker="o", markersize=5, capsize=2.5, linewidth=1.2,
        )  # fmt: skip
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.03, 1.03)
    ax.grid(True)
    error, temperature = calibration.error, calibration.temperature
    words = f"error {100 * error.value:.2g} %\nby chance {100 * error.chance:.2g} %"
    if isinstance(temperature, Temperature):
        words += f"\nT = {temperature.value:.2f} ({temperature.low:.2f}-{temperature.high:.2f})"
    ax.text(0.97, 0.04, words, transform=ax.transAxes, ha="right", va="bottom", fontsize=11)
