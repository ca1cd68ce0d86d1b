"""Gamma leakage at one neutron efficiency against the energy."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from discrimen.evaluation.plots.style import METHOD_COLOURS, METHOD_MARKERS, draw_leakage_point, range_axis
from discrimen.evaluation.report import METHODS, Report
from discrimen.output.style import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 0.8
"""Of the room between two bins that the points of all methods take."""


def draw_leakage(report: Report) -> Figure:
    """Draw leakage and interval of each method in each energy bin, at the efficiency nearest to 95 %."""
    figure = new_figure(8.0, 5.4)
    draw_leakage_on(figure.subplots(), report)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def draw_leakage_on(ax: Axes, report: Report, *, methods: Collection[str] = tuple(METHODS)) -> None:
    """Draw what :func:`draw_leakage` draws, of some methods alone, into given axes, without a legend."""
    efficiency = report.main_efficiency
    names = report.shown_methods(methods)
    for number, name in enumerate(names):
        offset = _WIDTH / len(names) * (number - (len(names) - 1) / 2)
        for position, part in enumerate(report.bins):
            result = part.computed().get(name)
            leakage = None if result is None else result.leakage_at(efficiency)
            if leakage is not None:
                draw_leakage_point(
                    ax, position + offset, leakage, marker=METHOD_MARKERS[name], color=METHOD_COLOURS[name],
                    markersize=6, capsize=4, linewidth=1.5,
                )  # fmt: skip
        ax.plot([], [], color=METHOD_COLOURS[name], marker=METHOD_MARKERS[name], linestyle="", label=METHODS[name])
    range_axis(ax, [part.name for part in report.bins])
    ax.set_yscale("log")
    ax.set_ylim(bottom=_lowest_shown(report, efficiency), top=1.5)
    ax.set_ylabel(f"gamma leakage at {efficiency:.0%} neutron efficiency")


def _lowest_shown(report: Report, efficiency: float) -> float:
    """Return a limit below every point and every upper limit; the lower ends of intervals may reach beyond it."""
    shown = [
        leakage.leakage or leakage.high
        for part in report.bins
        for result in part.computed().values()
        if (leakage := result.leakage_at(efficiency)) is not None
    ]
    return min(shown, default=1e-3) / 5
