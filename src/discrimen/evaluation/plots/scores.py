"""The network's score by true class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discrimen.errors import require_module
from discrimen.evaluation.report import MethodResult, Report
from discrimen.metrics import Leakage
from discrimen.output.style import GAMMA_COLOUR, NEUTRON_COLOUR, logarithmic_counts, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SCORE_TICKS = {
    "$10^{-6}$": 1e-6,
    "$10^{-4}$": 1e-4,
    "0.01": 0.01,
    "0.1": 0.1,
    "0.5": 0.5,
    "0.9": 0.9,
    "0.99": 0.99,
    "$1-10^{-4}$": 1 - 1e-4,
    "$1-10^{-6}$": 1 - 1e-6,
}


def draw_scores(report: Report) -> Figure:
    """Draw the score of gammas and of neutrons, and the thresholds of the wished efficiencies."""
    figure = new_figure(8.0, 5.2)
    draw_scores_on(figure.subplots(), report)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def draw_scores_on(ax: Axes, report: Report) -> None:
    """Draw what :func:`draw_scores` draws into given axes, without a legend."""
    hep = require_module("mplhep", extra="analysis")
    histogram = report.score_histogram
    classes = (("gamma", histogram.gamma_counts, GAMMA_COLOUR), ("neutron", histogram.neutron_counts, NEUTRON_COLOUR))
    for name, counts, colour in classes:
        hep.histplot(
            counts, histogram.score_edges, ax=ax, histtype="fill", color=colour, alpha=0.3, label=f"true {name}"
        )
    # The lines come on top of both areas.
    for _, counts, colour in classes:
        hep.histplot(counts, histogram.score_edges, ax=ax, histtype="step", yerr=False, color=colour, linewidth=2)
    ax.set_xscale("logit")
    ax.set_xticks(list(_SCORE_TICKS.values()), list(_SCORE_TICKS))
    ax.set_xticks([], minor=True)
    logarithmic_counts(ax)
    ax.set_xlim(histogram.score_edges[0], histogram.score_edges[-1])
    highest = max(histogram.gamma_counts.max(), histogram.neutron_counts.max(), 1)
    ax.set_ylim(0.5, 6 * highest)
    ax.set_xlabel("neutron score of the network")
    ax.set_ylabel("pulses per bin")
    _draw_thresholds(ax, report)


def _draw_thresholds(ax: Axes, report: Report) -> None:
    network = report.overall.methods["network"]
    if not isinstance(network, MethodResult):
        return
    low, high = ax.get_xlim()
    label = "threshold for this neutron efficiency"
    for leakage in network.leakages:
        if isinstance(leakage, Leakage) and low < leakage.threshold < high:
            ax.axvline(leakage.threshold, color="black", linestyle="--", linewidth=1, label=label)
            ax.annotate(
                f"{leakage.efficiency:.0%}", (leakage.threshold, 0.98), xycoords=("data", "axes fraction"),
                xytext=(-2, 0), textcoords="offset points", rotation=90, ha="right", va="top", fontsize=11,
            )  # fmt: skip
            label = "_nolegend_"
