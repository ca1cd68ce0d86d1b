"""What the plots of a report share: how each method looks, panels, axes and legends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from discrimen.errors import require_module
from discrimen.evaluation.report import METHODS, Report
from discrimen.output.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY_BLUE, VERMILION, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHOD_COLOURS = {
    "network": BLUE,
    "charge_nominal": ORANGE,
    "charge_best": VERMILION,
    "gatti": GREEN,
    "pulse_gradient": PURPLE,
    "frequency_gradient": SKY_BLUE,
    "boosted_tree": GREY,
    "photon_bound": BLACK,
}
METHOD_LINES = {
    "network": "-",
    "charge_nominal": "--",
    "charge_best": "-.",
    "gatti": "--",
    "pulse_gradient": "-.",
    "frequency_gradient": ":",
    "boosted_tree": "-",
    "photon_bound": ":",
}
METHOD_MARKERS = {
    "network": "o",
    "charge_nominal": "s",
    "charge_best": "D",
    "gatti": "v",
    "pulse_gradient": "<",
    "frequency_gradient": ">",
    "boosted_tree": "P",
    "photon_bound": "^",
}


def panels(n_panels: int, *, sharey: bool) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure with up to three panels a row; unused places stay empty."""
    n_columns = 2 if n_panels == 4 else min(3, n_panels)
    n_rows = -(-n_panels // n_columns)
    # The legend needs eight inches.
    figure = new_figure(max(8.0, 4.0 * n_columns + 0.8), (3.3 if n_columns > 1 else 4.2) * n_rows + 0.9)
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=sharey)
    axes = list(grid.flat)
    for unused in axes[n_panels:]:
        unused.set_axis_off()
    return figure, axes[:n_panels]


def plain_log_axis(ax: Axes) -> None:
    """Make the horizontal axis logarithmic with plain numbers at 1, 2 and 5."""
    ticker = require_module("matplotlib.ticker", extra="analysis")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(ticker.NullFormatter())


def shown_methods(report: Report) -> list[str]:
    """Return the methods that have a result in some range, in the order of :data:`METHODS`."""
    return [name for name in METHODS if any(name in part.computed() for part in report.ranges)]


def legend_above(figure: Figure, handles: Sequence[Any], *, n_columns: int = 2) -> None:
    """Put one legend above all panels, where it covers no data."""
    figure.legend(handles=list(handles), loc="outside upper center", ncols=n_columns)
