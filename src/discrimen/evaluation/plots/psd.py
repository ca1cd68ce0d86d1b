"""Charge comparison: PSD against light, and the fits of the figure of merit."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from discrimen.errors import require_module
from discrimen.evaluation.plots.style import (
    legend_above,
    panels,
)
from discrimen.evaluation.report import METHODS, BinReport, NotComputed, Report
from discrimen.evaluation.report_parts import PsdHistogram, PsdMap
from discrimen.metrics import FigureOfMerit
from discrimen.output.style import GAMMA_COLOUR, NEUTRON_COLOUR, VERMILION, new_figure, plain_logarithm, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_FEWEST_FOR_A_LINE = 5
"""Pulses that the network takes for each class in a column of light."""

_COLUMNS_TOGETHER = 4


def draw_psd_map(psd_map: PsdMap, *, psd_definition: str) -> Figure:
    """Draw PSD against light: each class on one colour scale, what the network decides, and where it is wrong.

    The line is the cut in PSD that agrees best with the network's decision at each light.
    """
    colors = require_module("matplotlib.colors", extra="analysis")
    shown = [
        (f"{counts.sum()} {words}", counts)
        for words, counts in (
            ("true gammas", psd_map.gamma_counts),
            ("true neutrons", psd_map.neutron_counts),
            ("gammas that the network calls neutrons", psd_map.gamma_called_neutron),
            ("neutrons that the network calls gammas", psd_map.neutron_called_gamma),
        )
    ]
    figure = new_figure(11.5, 9.0)
    axes = figure.subplots(2, 2, sharex=True, sharey=True)
    highest = max(max(counts.max() for _, counts in shown), 2)
    for ax, (title, counts) in zip(axes.flat, shown, strict=True):
        mesh = ax.pcolormesh(
            psd_map.light_edges, psd_map.psd_edges, np.ma.masked_equal(counts, 0).T,
            norm=colors.LogNorm(1, highest), cmap="viridis", rasterized=True,
        )  # fmt: skip
        _draw_decision(ax, psd_map)
        ax.set_xscale("log")
        plain_logarithm(ax.xaxis)
        ax.set_title(title)
    for ax in axes[1]:
        ax.set_xlabel("light (keVee)" if psd_map.light_unit == "keVee" else f"Q_long ({psd_map.light_unit})")
    figure.supylabel(f"PSD = {psd_definition}", fontsize=12)
    plain_logarithm(figure.colorbar(mesh, ax=axes, label="pulses per bin").ax.yaxis)
    figure.suptitle(f"{METHODS[psd_map.method]}: {_gates_line(psd_map)}", fontsize=12)
    return figure


def _draw_decision(ax: Axes, psd_map: PsdMap) -> None:
    """Draw in each column of light the cut in PSD that agrees best with what the network calls a neutron."""
    called_neutron = psd_map.gamma_called_neutron + psd_map.neutron_counts - psd_map.neutron_called_gamma
    gamma, neutron = (
        # Neighbouring columns together, since one alone may hold a few pulses only.
        counts.reshape(-1, _COLUMNS_TOGETHER, counts.shape[1]).sum(axis=1)
        for counts in (psd_map.gamma_counts + psd_map.neutron_counts - called_neutron, called_neutron)
    )
    below = np.pad(np.cumsum(neutron, axis=1), ((0, 0), (1, 0)))
    above = gamma.sum(axis=1, keepdims=True) - np.pad(np.cumsum(gamma, axis=1), ((0, 0), (1, 0)))
    cut = psd_map.psd_edges[np.argmin(below + above, axis=1)]
    known = (gamma.sum(axis=1) >= _FEWEST_FOR_A_LINE) & (neutron.sum(axis=1) >= _FEWEST_FOR_A_LINE)
    edges = psd_map.light_edges[::_COLUMNS_TOGETHER]
    ax.stairs(np.where(known, cut, np.nan), edges, baseline=None, color="white", linewidth=3.5)
    ax.stairs(np.where(known, cut, np.nan), edges, baseline=None, color=VERMILION, linewidth=1.8)


def draw_psd_fits(report: Report) -> Figure:
    """Draw the PSD by true class with the fit to all pulses in each range of energy, best gates where there are any."""
    parts = [part for part in report.ranges if _charge_method(part)]
    figure, axes = panels(max(1, len(parts)), sharey=False)
    for part, ax in zip(parts, axes, strict=False):
        name = _charge_method(part)
        result = part.computed()[name]
        ax.set_title(part.name)
        ax.set_xlabel(f"PSD = {report.psd_definition}")
        ax.set_ylabel("pulses per bin")
        whole_numbers(ax.yaxis)
        highest = max(_draw_classes(ax, result.psd_histogram), _draw_fit(ax, result.figure_of_merit))
        # Room above the data for the words.
        ax.set_ylim(0, 1.5 * highest)
        ax.text(
            0.5, 0.96, _fit_words(result.figure_of_merit), transform=ax.transAxes, ha="center", va="top", fontsize=11
        )
    legend_above(figure, _fit_handles(), n_columns=3)
    return figure


def _draw_classes(ax: Axes, histogram: PsdHistogram | NotComputed | None) -> float:
    """Return the highest bin of all pulses."""
    if not isinstance(histogram, PsdHistogram):
        return 1.0
    edges, total = histogram.psd_edges, histogram.gamma_counts + histogram.neutron_counts
    ax.stairs(histogram.gamma_counts, edges, fill=True, color=GAMMA_COLOUR, alpha=0.35)
    ax.stairs(histogram.neutron_counts, edges, fill=True, color=NEUTRON_COLOUR, alpha=0.35)
    ax.errorbar(
        (edges[:-1] + edges[1:]) / 2, total, yerr=np.sqrt(total), color="0.25", marker="o", markersize=2.5,
        linestyle="", linewidth=0.8,
    )  # fmt: skip
    ax.set_xlim(*_core(histogram))
    return float(max(total.max(), 1))


def _core(histogram: PsdHistogram) -> tuple[float, float]:
    """Return where nearly all pulses lie, without long empty tails."""
    share = np.cumsum(histogram.gamma_counts + histogram.neutron_counts, dtype=np.float64)
    first, last = np.searchsorted(share / max(share[-1], 1.0), [0.01, 0.99])
    low, high = histogram.psd_edges[first], histogram.psd_edges[last + 1]
    margin = 0.15 * (high - low)
    return float(low - margin), float(high + margin)


def _draw_fit(ax: Axes, merit: FigureOfMerit | NotComputed | None) -> float:
    """Return the highest value of the sum."""
    if not isinstance(merit, FigureOfMerit):
        return 1.0
    at = np.linspace(merit.edges[0], merit.edges[-1], 500)
    gamma, neutron = (merit.expected_counts(at, band) for band in (merit.gamma, merit.neutron))
    ax.plot(at, gamma + neutron, color="black", linewidth=1)
    ax.plot(at, gamma, color=GAMMA_COLOUR, linewidth=2)
    ax.plot(at, neutron, color=NEUTRON_COLOUR, linewidth=2)
    return float((gamma + neutron).max())


def _fit_words(merit: FigureOfMerit | NotComputed | None) -> str:
    if isinstance(merit, FigureOfMerit):
        figure = f"FoM = {merit.value:.3f} \u00b1 {merit.error:.3f}\n$\\chi^2$/ndf = {merit.chi2:.0f}/{merit.n_degrees}"
        return f"{figure}: does not fit" if merit.misses else figure
    return "" if merit is None else fill(merit.not_computed.split(",")[0].split(" (")[0], 34)


def _fit_handles() -> list[Any]:
    lines = require_module("matplotlib.lines", extra="analysis")
    patches = require_module("matplotlib.patches", extra="analysis")
    return [
        patches.Patch(color=GAMMA_COLOUR, alpha=0.35, label="true gammas"),
        patches.Patch(color=NEUTRON_COLOUR, alpha=0.35, label="true neutrons"),
        lines.Line2D([], [], color=GAMMA_COLOUR, linewidth=2, label="fit, lower band"),
        lines.Line2D([], [], color=NEUTRON_COLOUR, linewidth=2, label="fit, upper band"),
        lines.Line2D([], [], color="0.25", marker="o", markersize=3, linestyle="", label="all pulses (fitted)"),
        lines.Line2D([], [], color="black", linewidth=1, label="fit, sum of both"),
    ]


def _charge_method(part: BinReport) -> str:
    computed = part.computed()
    return next((name for name in ("charge_best", "charge_nominal") if name in computed), "")


def _gates_line(psd_map: PsdMap) -> str:
    gates = psd_map.gates
    return (
        f"from {gates.gate_start_ns:.4g} ns to {gates.short_gate_end_ns:.4g} ns (short) "
        f"and {gates.long_gate_end_ns:.4g} ns (long) after the crossing"
    )
