"""The curves as JSON, and one picture: leakage and efficiency against the size of each distortion, model by model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from discrimen.errors import require_module
from discrimen.metrics import Leakage
from discrimen.output.files import write_files
from discrimen.output.pictures import png_of
from discrimen.output.plain import json_text
from discrimen.output.provenance import command_line
from discrimen.output.style import COLOURS, GREY, house_style, new_figure
from discrimen.robustness.report import Robustness, RobustnessCurve
from discrimen.simulation.distortion import DISTORTIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = ("o", "s", "D", "^", "v", "P", "X")


def write_robustness(result: Robustness, folder: Path | str, *, dots_per_inch: int = 130) -> tuple[Path, ...]:
    """Write ``robustness.json`` and ``robustness.png`` into a folder.

    Parameters
    ----------
    result : Robustness
        What was found.
    folder : Path
        Made if need be; files of the same names are replaced.
    dots_per_inch : int
        Of the picture.

    Returns
    -------
    tuple of Path
        The files, the JSON first.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    drawn = png_of(draw_robustness(result), dots_per_inch=dots_per_inch)
    return write_files(
        folder,
        {"robustness.json": json_text({**result.as_dict(), "command_line": command_line()}), "robustness.png": drawn},
    )


def draw_robustness(result: Robustness) -> Figure:
    """Draw all curves: above the leakage, below the efficiency at the fixed threshold.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    names = result.distortions
    n_columns = min(3, len(names))
    n_rows = -(-len(names) // n_columns)
    with house_style():
        figure = new_figure(max(8.0, 4.4 * n_columns), 4.6 * n_rows + 1.2)
        grid = figure.add_gridspec(2 * n_rows, n_columns, height_ratios=[3.0, 1.4] * n_rows)
        lowest, highest, least = _limits(result)
        for number, name in enumerate(names):
            row, column = divmod(number, n_columns)
            upper = figure.add_subplot(grid[2 * row, column])
            lower = figure.add_subplot(grid[2 * row + 1, column], sharex=upper)
            _draw_panel(upper, lower, result, name)
            upper.set_ylim(lowest, highest)
            lower.set_ylim(least, 1.0 + 0.05 * (1.0 - least))
            if column == 0:
                upper.set_ylabel("gamma leakage")
                lower.set_ylabel("neutron\nefficiency")
        _legend(figure, result)
        return figure


def _draw_panel(upper: Axes, lower: Axes, result: Robustness, distortion: str) -> None:
    for number, model in enumerate(result.models):
        colour, marker = COLOURS[number % len(COLOURS)], _MARKERS[number % len(_MARKERS)]
        curve = result.curve(model, distortion)
        _draw_leakage(upper, curve, colour, marker)
        sizes = [_shown(point.size, distortion) for point in curve.points]
        lower.plot(sizes, [point.efficiency.value for point in curve.points], color=colour, marker=marker, markersize=4)
    known = DISTORTIONS[distortion]
    upper.set_yscale("log")
    upper.tick_params(labelbottom=False)
    lower.set_xlabel(f"{known.summary}, {known.unit or '%'}")
    lower.axhline(result.efficiency, color=GREY, linestyle=":", linewidth=1)
    for axes in (upper, lower):
        axes.grid(visible=True)
        if known.signed:
            axes.axvline(0, color=GREY, linewidth=0.8)


def _draw_leakage(axes: Axes, curve: RobustnessCurve, colour: str, marker: str) -> None:
    sizes = np.array([_shown(point.size, curve.distortion) for point in curve.points])
    low, high = (np.array([getattr(point.leakage, end) for point in curve.points]) for end in ("low", "high"))
    value = np.array([point.leakage.value for point in curve.points])
    axes.fill_between(sizes, np.where(low > 0, low, high / 100), high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(sizes, np.where(value > 0, value, np.nan), color=colour, marker=marker, markersize=5)
    # None leaked: the upper end of the interval, as an arrow.
    none = value == 0
    axes.plot(sizes[none], high[none], color=colour, marker=r"$\downarrow$", markersize=9, linestyle="")
    retuned = [point.retuned.leakage if isinstance(point.retuned, Leakage) else np.nan for point in curve.points]
    axes.plot(sizes, np.where(np.array(retuned) > 0, retuned, np.nan), color=colour, linestyle="--", linewidth=1.3)


def _limits(result: Robustness) -> tuple[float, float, float]:
    """Return the ends of all leakage axes and the lower end of all efficiency axes."""
    points = [point for curve in result.curves for point in curve.points]
    values = [point.leakage.value or point.leakage.high for point in points]
    values += [point.retuned.leakage for point in points if isinstance(point.retuned, Leakage)]
    shown = [value for value in values if value > 0]
    least = min(point.efficiency.value for point in points)
    return min(shown) / 2, min(1.4, 2 * max(shown)), max(0.0, np.floor(10 * (least - 0.02)) / 10)


def _shown(size: float, distortion: str) -> float:
    """Return a size as drawn: shares in per cent."""
    return size if DISTORTIONS[distortion].unit else 100 * size


def _legend(figure: Figure, result: Robustness) -> None:
    lines = require_module("matplotlib.lines", extra="analysis")
    handles: list[Any] = [
        lines.Line2D([], [], color=COLOURS[n % len(COLOURS)], marker=_MARKERS[n % len(_MARKERS)], label=name)
        for n, name in enumerate(result.models)
    ]
    where = f", {result.energy_kevee}" if result.energy_kevee else ""
    words = (
        f"full: threshold of {result.efficiency:.0%} neutron efficiency on undistorted pulses; "
        f"dashed: retuned on distorted ones{where}"
    )
    figure.legend(handles=handles, loc="outside upper center", ncols=min(5, len(handles)), title=words)
