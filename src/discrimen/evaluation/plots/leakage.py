"""Gamma leakage at one neutron efficiency against the energy."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from discrimen.evaluation.plots.style import METHOD_COLOURS, METHOD_MARKERS
from discrimen.evaluation.report import METHODS, Report
from discrimen.metrics import Leakage
from discrimen.output.style import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WISHED_EFFICIENCY = 0.95
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
    efficiency = min(report.efficiencies, key=lambda wished: abs(wished - _WISHED_EFFICIENCY))
    names = report.shown_methods(methods)
    for number, name in enumerate(names):
        offset = _WIDTH / len(names) * (number - (len(names) - 1) / 2)
        for position, part in enumerate(report.bins):
            result = part.computed().get(name)
            leakage = None if result is None else result.leakage_at(efficiency)
            if leakage is not None:
                _draw_interval(ax, name, leakage, position + offset)
        ax.plot([], [], color=METHOD_COLOURS[name], marker=METHOD_MARKERS[name], linestyle="", label=METHODS[name])
    labels = [f"{part.energy.low_kevee:g}-{part.energy.high_kevee:g}" for part in report.bins if part.energy]
    ax.set_xticks(range(len(report.bins)), labels)
    ax.set_xlim(-0.5, len(report.bins) - 0.5)
    for boundary in range(1, len(report.bins)):
        ax.axvline(boundary - 0.5, color="0.88", linewidth=1)
    ax.set_yscale("log")
    ax.set_ylim(bottom=_lowest_shown(report, efficiency), top=1.5)
    ax.grid(True, axis="y")
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel("light (keVee)")
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


def _draw_interval(ax: Axes, name: str, leakage: Leakage, at: float) -> None:
    limit = leakage.leakage == 0
    value = leakage.high if limit else leakage.leakage
    down = 0.5 * value if limit else value - leakage.low
    ax.errorbar(
        at, value, yerr=[[down], [leakage.high - value]], uplims=limit, color=METHOD_COLOURS[name],
        marker="" if limit else METHOD_MARKERS[name], markersize=6, capsize=4, linewidth=1.5,
    )  # fmt: skip
