"""Plots of a report on positions: rendering only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.evaluation.positions.report import PositionReport
from discrimen.output.range_figures import draw_ranges
from discrimen.output.ranges import FigureRange, Panel
from discrimen.output.style import BLUE, GREY, VERMILION, house_style, legend_over, new_figure
from discrimen.pulses.hits import COORDINATES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = (
    Panel(label="distance (mm)", series={"median_3d_mm": "median", "radius_68_mm": "68 % within"}),
    *(
        Panel(label=f"{axis} (mm)", series={f"{axis}_rms_mm": "rms", f"{axis}_bias_mm": "mean error"})
        for axis in COORDINATES
    ),
    *(Panel(label=f"within the error of {axis} (%)", series={f"{axis}_coverage": "hits"}) for axis in ("x", "z")),
)
_PARTING_PANELS = (
    Panel(label="taken for two (%)", series={"taken_for_two": "hits"}),
    Panel(label="median distance (mm)", series={"median_first_mm": "first", "median_second_mm": "second"}),
    Panel(label="share of the energy", series={"share_rms": "rms"}),
)
PARTED_BY = ("distance", "share of the second")
"""Groups of hits of two interactions that are drawn."""
_UNITS = {"energy": "keV", "interactions": ""}
"""Of the groups that are no lengths."""
_REACH = 0.99
_PULL_REACH = 5.0


def draw_position_plots(report: PositionReport) -> dict[str, Figure]:
    """Draw every plot that the report has data for.

    Returns
    -------
    dict of str to Figure
        ``residuals``, ``pulls`` (predicted errors), one for each group of ranges, those of two interactions, ``maps``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    drawn = {"residuals": _draw_residuals(report.residual_mm)}
    if report.pull is not None:
        drawn["pulls"] = _draw_pulls(report.pull)
    for group, ranges in report.groups.items():
        unit = _UNITS.get(group, "mm")
        shown = [
            FigureRange(name=each.name.removesuffix(f" {unit}"), n_pulses=each.n_hits, figures=each.figures)
            for each in ranges
        ]
        known = [each for each in shown if each.figures]
        if group != "all" and known:
            axis = f"{group} ({unit})" if unit else group
            drawn[group.replace(" ", "_")] = draw_ranges(known, _PANELS, axis=axis)
    for group in PARTED_BY if report.parting is not None else ():
        of_two = [] if report.parting is None else report.parting.groups.get(group, ())
        parted = [FigureRange(name=each.name, n_pulses=each.n_hits, figures=each.figures) for each in of_two]
        if any(each.figures for each in parted):
            axis = f"{group} (mm)" if group == "distance" else group
            drawn[parting_picture(group)] = draw_ranges(parted, _PARTING_PANELS, axis=axis)
    drawn["maps"] = _draw_maps(report)
    return drawn


def parting_picture(group: str) -> str:
    """Return the name of the picture of hits of two interactions."""
    return f"two_by_{group.replace(' ', '_')}"


def _draw_residuals(residual_mm: NDArray[np.float64]) -> Figure:
    with house_style():
        figure = new_figure(12.5, 3.9)
        for axes, axis, values in zip(figure.subplots(1, 3), COORDINATES, residual_mm.T, strict=True):
            known = values[np.isfinite(values)]
            axes.set_xlabel(f"{axis}, found minus truth (mm)")
            axes.set_ylabel("hits")
            axes.grid(visible=True)
            if not len(known):
                continue
            reach = max(float(np.quantile(np.abs(known), _REACH)), 1e-3)
            axes.hist(known, bins=100, range=(-reach, reach), color=BLUE, histtype="step", linewidth=1.4)
            axes.axvline(0, color=GREY, linewidth=0.8)
        return figure


def _draw_pulls(pull: NDArray[np.float64]) -> Figure:
    grid = np.linspace(-_PULL_REACH, _PULL_REACH, 201)
    with house_style():
        figure = new_figure(12.5, 3.9)
        for axes, axis, values in zip(figure.subplots(1, 3), COORDINATES, pull.T, strict=True):
            known = values[np.isfinite(values)]
            if len(known):
                axes.hist(known, bins=80, range=(-_PULL_REACH, _PULL_REACH), density=True, color=BLUE, histtype="step")
            axes.plot(grid, np.exp(-0.5 * grid**2) / np.sqrt(2 * np.pi), color=VERMILION, label="errors that hold")
            axes.set_xlabel(f"pull of {axis}")
            axes.set_ylabel("density of hits")
            axes.grid(visible=True)
            legend_over(axes, n_columns=1)
        return figure


def _draw_maps(report: PositionReport) -> Figure:
    colours = require_module("matplotlib.colors", extra="analysis")
    maps = report.maps
    edges = maps.edges_mm
    rows = (
        ("x (mm)", "y (mm)", edges[0], edges[1], maps.truth_xy, maps.found_xy),
        ("radius (mm)", "z (mm)", edges[3], edges[2], maps.truth_rz, maps.found_rz),
    )
    with house_style():
        figure = new_figure(11.0, 9.6)
        for panels, (right, up, across, along, truth, found) in zip(figure.subplots(2, 2), rows, strict=True):
            highest = max(int(truth.max()), int(found.max()), 2)
            for axes, counts, title in zip(panels, (truth, found), ("truth", "found"), strict=True):
                shown = np.ma.masked_equal(counts.T, 0)
                mesh = axes.pcolormesh(across, along, shown, norm=colours.LogNorm(1, highest), rasterized=True)
                axes.set_aspect("equal")
                axes.set_xlabel(right)
                axes.set_ylabel(up)
                axes.set_title(title)
            figure.colorbar(mesh, ax=list(panels), label="hits in a field")
        return figure
