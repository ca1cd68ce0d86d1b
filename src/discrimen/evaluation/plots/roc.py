"""Gamma leakage against neutron efficiency, one panel for each range of energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discrimen.errors import require_module
from discrimen.evaluation.plots.style import (
    METHOD_COLOURS,
    METHOD_LINES,
    METHOD_MARKERS,
    draw_leakage_point,
    legend_above,
    panels,
)
from discrimen.evaluation.report import METHODS, BinReport, MethodResult, Report
from discrimen.metrics import Leakage

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEAST_EFFICIENCY = 0.5

# Side by side: upper limits of all methods are often the same.
_LIMIT_OFFSETS = {name: 0.006 * (place - (len(METHODS) - 1) / 2) for place, name in enumerate(METHODS)}


def draw_roc(report: Report) -> Figure:
    """Draw the curve of each method, with the leakage and its interval at the wished efficiencies."""
    parts = [part for part in report.ranges if part.computed()]
    figure, axes = panels(len(parts), sharey=True)
    for part, ax in zip(parts, axes, strict=True):
        draw_roc_on(ax, part)
    figure.supylabel("gamma leakage", fontsize=12)
    axes[0].set_ylim(_least_leakage(parts), 1.5)
    lines = require_module("matplotlib.lines", extra="analysis")
    handles = [
        lines.Line2D(
            [], [], color=METHOD_COLOURS[name], linestyle=METHOD_LINES[name], marker=METHOD_MARKERS[name],
            markersize=5, linewidth=2, label=METHODS[name],
        )
        for name in report.shown_methods()
    ]  # fmt: skip
    legend_above(figure, handles)
    return figure


def draw_roc_on(ax: Axes, part: BinReport) -> None:
    """Draw what :func:`draw_roc` draws, of one range of energy alone, into given axes."""
    # The network comes last, on top.
    for name, result in reversed(part.computed().items()):
        _draw_method(ax, name, result)
    _frame(ax, part)
    ax.set_xlabel("neutron efficiency")


def _draw_method(ax: Axes, name: str, result: MethodResult) -> None:
    colour = METHOD_COLOURS[name]
    seen = result.roc.leakage > 0
    ax.plot(
        result.roc.efficiency[seen], result.roc.leakage[seen],
        color=colour, linestyle=METHOD_LINES[name], linewidth=2, drawstyle="steps-pre", label=METHODS[name],
    )  # fmt: skip
    for leakage in result.leakages:
        if isinstance(leakage, Leakage):
            _draw_point(ax, name, leakage)


def _draw_point(ax: Axes, name: str, leakage: Leakage) -> None:
    at = leakage.efficiency + (_LIMIT_OFFSETS[name] if leakage.leakage == 0 else 0.0)
    draw_leakage_point(
        ax, at, leakage, marker=METHOD_MARKERS[name], color=METHOD_COLOURS[name], markersize=5, capsize=2.5,
        linewidth=1.2, zorder=3,
    )  # fmt: skip


def _frame(ax: Axes, part: BinReport) -> None:
    ax.set_yscale("log")
    ax.set_xlim(_LEAST_EFFICIENCY, 1.01)
    ax.grid(True)
    ax.set_title(f"{part.name}: {part.n_gamma} $\\gamma$, {part.n_neutron} n")


def _least_leakage(parts: list[BinReport]) -> float:
    """Return the lower end of the leakage axis: under the leakage of a single gamma in the best filled range."""
    return 0.5 / max(part.n_gamma for part in parts)
