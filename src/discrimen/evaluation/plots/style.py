"""What the plots of a report share: how each method looks, panels, axes and legends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

from discrimen.metrics import Leakage
from discrimen.output.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY_BLUE, VERMILION, new_figure
from discrimen.pulse_shape import CLASSIC_METHODS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CLASSIC_LOOKS = cycle(
    ((GREEN, "--", "v"), (PURPLE, "-.", "<"), (SKY_BLUE, ":", ">"), (BLACK, "--", "X"), (GREY, "-", "P"))
)
_LOOKS = {
    "network": (BLUE, "-", "o"),
    "charge_nominal": (ORANGE, "--", "s"),
    "charge_best": (VERMILION, "-.", "D"),
    **{method.name: look for method, look in zip(CLASSIC_METHODS, _CLASSIC_LOOKS, strict=False)},
    "record_bound": (BLACK, "-", "*"),
    "photon_bound": (BLACK, ":", "^"),
}
METHOD_COLOURS, METHOD_LINES, METHOD_MARKERS = (
    {name: look[what] for name, look in _LOOKS.items()} for what in range(3)
)


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


def range_axis(ax: Axes, names: Sequence[str]) -> None:
    """Give each range of energy a place of its own on the horizontal axis."""
    ax.set_xticks(range(len(names)), [name.removesuffix(" keVee").removesuffix(" energies") for name in names])
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.tick_params(axis="x", length=0)
    for boundary in range(1, len(names)):
        ax.axvline(boundary - 0.5, color="0.88", linewidth=1)
    ax.grid(True, axis="y")
    ax.set_xlabel("light (keVee)")


def draw_leakage_point(ax: Axes, at: float, leakage: Leakage, *, marker: str, **look: Any) -> None:
    """Draw a leakage with its interval; where nothing leaked, an arrow hangs from the upper limit."""
    limit = leakage.leakage == 0
    value = leakage.high if limit else leakage.leakage
    down = 0.5 * value if limit else max(0.0, value - leakage.low)
    ends = [[down], [max(0.0, leakage.high - value)]]
    ax.errorbar(at, value, yerr=ends, uplims=limit, marker="" if limit else marker, **look)


def legend_above(figure: Figure, handles: Sequence[Any], *, n_columns: int = 2) -> None:
    """Put one legend above all panels, where it covers no data."""
    figure.legend(handles=list(handles), loc="outside upper center", ncols=n_columns)
