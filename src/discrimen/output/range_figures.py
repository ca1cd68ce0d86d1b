"""The picture of figures with intervals in each range of light, whatever they are figures of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from discrimen.output.ranges import FigureRange, Panel
from discrimen.output.style import BLUE, GREY, VERMILION, house_style, legend_over, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3
_STYLES = ((BLUE, "o"), (VERMILION, "s"))


def draw_ranges(ranges: Sequence[FigureRange], panels: Sequence[Panel], *, axis: str = "light (keVee)") -> Figure:
    """Draw each figure against the ranges, three panels in a row; those that no range has are left out.

    Parameters
    ----------
    ranges : sequence of FigureRange
        At least one.
    panels : sequence of Panel
        At least one of their figures must be known.
    axis : str
        What the ranges are of.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    there = [panel for panel in panels if any(name in each.figures for each in ranges for name in panel.series)]
    n_columns = min(_COLUMNS, len(there))
    n_rows = -(-len(there) // n_columns)
    with house_style():
        figure = new_figure(12.5 * n_columns / _COLUMNS, 3.9 * n_rows)
        grid = list(figure.subplots(n_rows, n_columns, squeeze=False).flat)
        for unused in grid[len(there) :]:
            unused.set_axis_off()
        for axes, panel in zip(grid, there, strict=False):
            _draw_panel(axes, ranges, panel)
            axes.set_xticks(
                range(len(ranges)), [each.name.removesuffix(" keVee") for each in ranges], rotation=30, fontsize=10
            )
            axes.set_xlim(-0.5, len(ranges) - 0.5)
            axes.set_xlabel(axis)
            axes.grid(visible=True)
        return figure


def _draw_panel(axes: Axes, ranges: Sequence[FigureRange], panel: Panel) -> None:
    if panel.logarithmic:
        axes.set_yscale("log")
    elif len(panel.series) > 1:
        axes.axhline(0, color=GREY, linewidth=0.8)
    for number, (name, label) in enumerate(panel.series.items()):
        colour, marker = _STYLES[number]
        found = [
            (at + 0.12 * (number - (len(panel.series) - 1) / 2), each.figures.get(name))
            for at, each in enumerate(ranges)
        ]
        known = [(at, each) for at, each in found if each is not None]
        if not known:
            continue
        shown = [(at, each) for at, each in known if not (panel.logarithmic and each.value == 0)]
        values = np.array([each.value for _, each in shown])
        ends = np.array([(each.low, each.high) for _, each in shown]).reshape(-1, 2)
        axes.errorbar(
            [at for at, _ in shown],
            values,
            yerr=np.maximum([values - ends[:, 0], ends[:, 1] - values], 0),
            color=colour,
            marker=marker,
            linestyle="",
            capsize=3,
            label=label,
        )
        if panel.logarithmic:
            none = [(at, each.high) for at, each in known if each.value == 0]
            arrow: dict[str, Any] = {"color": colour, "marker": r"$\downarrow$", "markersize": 9, "linestyle": ""}
            axes.plot([at for at, _ in none], [high for _, high in none], **arrow)
    axes.set_ylabel(panel.label)
    if len(panel.series) > 1:
        legend_over(axes, n_columns=2)
