"""The result of a search as JSON, and its picture: the leakage of each trial, or the front of leakage against time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discrimen.errors import require_module
from discrimen.output.files import write_files
from discrimen.output.pictures import png_of
from discrimen.output.plain import json_text
from discrimen.output.provenance import command_line, software_versions, utc_now
from discrimen.output.style import BLACK, COLOURS, GREY, house_style, new_figure, whole_numbers
from discrimen.search.result import SearchResult, TrialRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_LEAKAGE = "gamma leakage at {:.0%} neutron efficiency\n({}, smoothed, validation part)"


def write_result(result: SearchResult, *, dots_per_inch: int = 150) -> tuple[Path, ...]:
    """Write ``report.json`` and ``search.png`` into the folder of the search.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    about = {
        "software": software_versions("optuna", "keras", "jax", "numpy"),
        "date_utc": utc_now(),
        "command_line": command_line(),
    }
    drawn = png_of(search_figure(result), dots_per_inch=dots_per_inch)
    return write_files(result.folder, {"report.json": json_text({**result.as_dict(), **about}), "search.png": drawn})


def search_figure(result: SearchResult) -> Figure:
    """Draw the trials of a search."""
    with house_style():
        figure = new_figure(7.5, 5.0)
        axes = figure.add_subplot()
        if result.pareto:
            _draw_front(axes, result)
        else:
            _draw_course(axes, result)
        config = result.identity["config"]
        edges = config["energy_edges_kevee"]
        where = "all energies" if edges is None else f"{edges[0]:g} to {edges[-1]:g} keVee"
        axes.set_ylabel(_LEAKAGE.format(config["efficiency"], where))
        axes.set_yscale("log")
        _label(axes.yaxis, lambda share: f"{100 * share:g} %")
        axes.grid(visible=True, which="both")
        figure.legend(loc="outside upper center", ncols=4)
    return figure


def _label(axis: Axis, text: Callable[[float], str]) -> None:
    """Label a logarithmic axis at 1, 2 and 5 in plain numbers; between the ends of a short one everywhere."""
    ticker = require_module("matplotlib.ticker", extra="analysis")
    formatter = ticker.FuncFormatter(lambda value, _: text(value))
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)) if high > 2.5 * low else ticker.MaxNLocator(6))
    axis.set_major_formatter(formatter)
    axis.set_minor_formatter(ticker.NullFormatter())


def _draw_points(axes: Axes, result: SearchResult) -> None:
    """One marker for each complete trial, a colour for each architecture."""
    names = sorted({str(row.parameters["architecture"]) for row in result.trials})
    for name, colour in zip(names, COLOURS, strict=False):
        rows = [row for row in _complete(result) if row.parameters["architecture"] == name]
        across = [_across(row, result) for row in rows]
        axes.plot(across, [_leakage(row) for row in rows], "o", color=colour, label=name, markersize=5)


def _draw_course(axes: Axes, result: SearchResult) -> None:
    _draw_points(axes, result)
    whole_numbers(axes.xaxis)
    rows = _complete(result)
    least = np.minimum.accumulate([_leakage(row) for row in rows])
    axes.step([row.number for row in rows], least, where="post", color=BLACK, label="best so far")
    cut = [row.number for row in result.trials if row.state != "complete"]
    if cut:
        axes.plot(
            cut,
            np.full(len(cut), 0.02),
            "|",
            color=GREY,
            transform=axes.get_xaxis_transform(),
            label="pruned or impossible",
        )
    axes.set_xlabel("trial")


def _draw_front(axes: Axes, result: SearchResult) -> None:
    _draw_points(axes, result)
    across = [_across(row, result) for row in result.best]
    axes.step(across, [_leakage(row) for row in result.best], where="post", color=BLACK, label="front")
    axes.set_xscale("log")
    _label(axes.xaxis, lambda ns: f"{ns:g}")
    axes.set_xlabel("time per pulse of the native engine, one thread (ns)")


def _complete(result: SearchResult) -> list[TrialRow]:
    return [row for row in result.trials if row.objective is not None]


def _across(row: TrialRow, result: SearchResult) -> float:
    return float(row.native_ns_per_pulse or 0.0) if result.pareto else float(row.number)


def _leakage(row: TrialRow) -> float:
    return float(10 ** (row.objective or 0.0))
