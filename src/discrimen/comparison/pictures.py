"""A picture of each group: leakage against energy, and against that of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discrimen.comparison.result import Comparison, Figures, Group
from discrimen.evaluation.plots.style import draw_leakage_point, range_axis
from discrimen.output.style import COLOURS, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = "oDsv^P<>X"
_WIDTH = 0.8
"""Of the room between two ranges that the points of all entries take."""


def draw_pictures(comparison: Comparison) -> dict[str, Figure]:
    """Draw each group, by file name without suffix."""
    with house_style():
        return {
            f"comparison-{number}": _draw(group, comparison.main_efficiency)
            for number, group in enumerate(comparison.groups, start=1)
        }


def _draw(group: Group, efficiency: float) -> Figure:
    figure = new_figure(12.0, 5.0)
    left, right = figure.subplots(1, 2)
    for number, entry in enumerate(group.entries):
        offset = _WIDTH / len(group.entries) * (number - (len(group.entries) - 1) / 2)
        colour, marker = COLOURS[number % len(COLOURS)], _MARKERS[number % len(_MARKERS)]
        _draw_leakages(left, group, entry, efficiency, offset, colour, marker)
        _draw_against(right, group, entry, efficiency, offset, colour, marker)
        left.plot([], [], color=colour, marker=marker, linestyle="", label=entry)
    for ax in (left, right):
        range_axis(ax, [part.name for part in group.ranges])
    left.set_yscale("log")
    left.set_ylabel(f"gamma leakage at {efficiency:.0%} neutron efficiency")
    what = "leakage over that of" if group.paired else "leakage minus that of"
    right.set_ylabel(f"{what} {group.reference}")
    right.axhline(1.0 if group.paired else 0.0, color=COLOURS[0], linewidth=1.5)
    if group.paired:
        right.set_yscale("log")
    figure.suptitle(group.title, fontsize=12)
    figure.legend(loc="outside lower center", ncols=min(4, len(group.entries)))
    return figure


def _draw_leakages(
    ax: Axes, group: Group, entry: str, efficiency: float, offset: float, colour: str, marker: str
) -> None:
    for position, part in enumerate(group.ranges):
        found = part.figures[entry]
        leakage = found.leakage_at(efficiency) if isinstance(found, Figures) else None
        if leakage is None:
            continue
        draw_leakage_point(
            ax, position + offset, leakage, color=colour, marker=marker, markersize=6, capsize=4, linewidth=1.5
        )


def _draw_against(
    ax: Axes, group: Group, entry: str, efficiency: float, offset: float, colour: str, marker: str
) -> None:
    for position, part in enumerate(group.ranges):
        against = part.against.get(entry)
        found = None if against is None else against.leakage_at(efficiency)
        if found is None:
            continue
        shown = found.difference
        value, low, high = shown.value, shown.low, shown.high
        if found.ratio is not None:
            value, low, high = found.ratio.ratio, found.ratio.low, found.ratio.high
            if not (0 < value < float("inf") and low > 0 and high < float("inf")):
                # A ratio over or of nothing has no place on a logarithmic axis; the table tells it.
                continue
        ax.errorbar(
            position + offset, value, yerr=[[value - low], [high - value]], color=colour, marker=marker,
            markersize=6, capsize=4, linewidth=1.5,
        )  # fmt: skip
