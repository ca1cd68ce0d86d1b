"""Draw what a calibration of one channel fitted: spectra, edges and the line; nothing is fitted here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discrimen.calibration.calibrate import CalibratedChannel, SourceEdge
from discrimen.output.numbers import with_error
from discrimen.output.pictures import save_png
from discrimen.output.style import BLUE, GREY, ORANGE, VERMILION, house_style, new_figure, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNITS = {"peak_adc": "pulse height (ADC counts)", "long_charge_adc_ns": "charge over the long gate (ADC counts x ns)",
         "energy": "energy of the digitizer (its units)"}  # fmt: skip
_MOST_COLUMNS = 3
_INTERVAL = 1.96


def draw_calibration(one: CalibratedChannel, path: Path, *, quantity: str, title: str) -> None:
    """Draw into a PNG: a column for each edge, with what the fit misses below, and the line through the edges.

    Parameters
    ----------
    one : CalibratedChannel
        What was found.
    path : Path
        Where to write, whatever its suffix.
    quantity : str
        What was calibrated.
    title : str
        Above the picture.
    """
    several = len(one.edges) > 1
    n_panels = len(one.edges) + several
    n_columns = min(n_panels, _MOST_COLUMNS)
    n_rows = -(-n_panels // n_columns)
    with house_style():
        figure = new_figure(max(8.0, 5.2 * n_columns), 5.8 * n_rows + 0.6)
        axes = figure.subplots(2 * n_rows, n_columns, squeeze=False, gridspec_kw={"height_ratios": [3, 1] * n_rows})
        panels = [axes[2 * row : 2 * row + 2, column] for row in range(n_rows) for column in range(n_columns)]
        for (upper, lower), edge in zip(panels, one.edges, strict=False):
            _draw_edge(upper, edge)
            _draw_missed(lower, edge)
            upper.sharex(lower)
        if several:
            line_axes, below_axes = panels[n_panels - 1]
            _draw_line(line_axes, below_axes, one)
        for upper, lower in panels[:n_panels]:
            upper.tick_params(labelbottom=False)
            lower.set_xlabel(UNITS[quantity])
        for each in np.ravel(panels[n_panels:]):
            each.remove()
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
        figure.suptitle(title)
        save_png(figure, path)


def _draw_edge(axes: Axes, edge: SourceEdge) -> None:
    fit = edge.fit
    axes.stairs(fit.counts, fit.edges, color=GREY, fill=True, alpha=0.35, label="pulses")
    axes.stairs(fit.expected, fit.edges, color=BLUE, linewidth=1.8, baseline=None, label="fit")
    axes.stairs(fit.background, fit.edges, color=ORANGE, linewidth=1.6, linestyle="--", baseline=None,
                label="background in it")  # fmt: skip
    axes.axvspan(fit.position - _INTERVAL * fit.error, fit.position + _INTERVAL * fit.error, color=VERMILION,
                 alpha=0.25, linewidth=0)  # fmt: skip
    axes.axvline(fit.position, color=VERMILION, linewidth=1.4, label="edge and its 95 % interval")
    axes.set_ylabel("pulses per bin")
    whole_numbers(axes.yaxis)
    axes.set_ylim(0, 1.15 * float(fit.counts.max()))
    lines = " and ".join(f"{line:.1f}" for line in fit.group.lines_kev)
    axes.set_title(
        f"{edge.source}, {lines} keV: edge at {fit.group.edge_kev:.1f} keVee\n"
        f"{with_error(fit.position, fit.error)}, sigma {100 * fit.shape.resolution:.2f} %, "
        f"chi2 {fit.deviance:.0f} / {fit.freedom}",
        fontsize=11,
    )


def _draw_missed(axes: Axes, edge: SourceEdge) -> None:
    fit = edge.fit
    centres = (fit.edges[1:] + fit.edges[:-1]) / 2
    pulls = (fit.counts - fit.expected) / np.sqrt(np.maximum(fit.expected, 1.0))
    axes.axhline(0, color=BLUE, linewidth=1.4)
    axes.plot(centres, pulls, ".", color=GREY, markersize=5)
    axes.set_ylim(-max(4.5, 1.1 * float(np.abs(pulls).max())), max(4.5, 1.1 * float(np.abs(pulls).max())))
    axes.set_ylabel("(pulses - fit)\n/ error")


def _draw_line(axes: Axes, below: Axes, one: CalibratedChannel) -> None:
    line = one.line
    position = np.array([edge.fit.position for edge in one.edges])
    error = np.array([edge.fit.error for edge in one.edges])
    energy = np.array([edge.fit.group.edge_kev for edge in one.edges])
    at = np.array([0.0, 1.1 * position.max()])
    axes.plot(at, line.gain_kevee_per_unit * at + line.offset_kevee, color=BLUE, linewidth=1.6)
    axes.plot(position, energy, "o", color=VERMILION, markersize=6)
    axes.set_xlim(0, float(at[1]))
    axes.set_ylim(min(0.0, line.offset_kevee), None)
    axes.set_ylabel("light (keVee)")
    axes.set_title(
        f"{with_error(line.gain_kevee_per_unit, line.gain_error)} keVee a unit\n"
        f"offset {line.offset_kevee:z.2f} ± {line.offset_error:.2f} keVee"
        + (f", chi2 {line.chi2:.1f} / {line.freedom}" if line.freedom else ""),
        fontsize=11,
    )
    missed = line.gain_kevee_per_unit * position + line.offset_kevee - energy
    below.axhline(0, color=BLUE, linewidth=1.4)
    below.errorbar(position, missed, yerr=line.gain_kevee_per_unit * error, fmt="o", color=VERMILION, markersize=5)
    below.set_xlim(0, float(at[1]))
    below.set_ylabel("line - edge\n(keVee)")
