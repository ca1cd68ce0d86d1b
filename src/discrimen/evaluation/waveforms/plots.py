"""Plots of a report on waveforms: rendering only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.evaluation.report import NotComputed
from discrimen.evaluation.waveforms.report import ShownPlane, ShownPulse, WaveformRange, WaveformReport
from discrimen.metrics import Leakage
from discrimen.metrics.waveform_residuals import FIGURES, Estimate
from discrimen.output.latent_pictures import draw_correlation, draw_latent_plane
from discrimen.output.style import BLUE, GREY, ORANGE, VERMILION, house_style, legend_over, new_figure
from discrimen.output.waveform_pairs import WaveformPair, draw_waveform_pairs
from discrimen.pulses import Label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS = (
    ("residual_rms_adc",),
    ("gain_db",),
    ("nrmse",),
    ("charge_bias", "charge_spread"),
    ("tail_bias", "tail_spread"),
    ("time_spread_ns", "input_time_spread_ns"),
)


def draw_waveform_plots(report: WaveformReport, *, names: tuple[str, str] = ("input", "output")) -> dict[str, Figure]:
    """Draw every plot that the report has data for.

    Parameters
    ----------
    report : WaveformReport
        What was found.
    names : tuple of str
        What is called what went in and what came out.

    Returns
    -------
    dict of str to Figure
        ``pulses``, ``figures`` (ranges of light), ``residual``, ``latents`` and ``correlation`` (a code), ``worst``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    drawn = {"pulses": _draw_pulses(report.pulses, report, names)}
    bins = [part for part in report.ranges[1:] if not isinstance(part.figures, NotComputed)]
    if bins:
        drawn["figures"] = _draw_figures(bins)
    drawn["residual"] = _draw_residual(report)
    if report.plane is not None:
        drawn["latents"] = _draw_plane(report.plane)
    if report.latents is not None:
        drawn["correlation"] = draw_correlation(report.latents.correlation, active=report.latents.active)
    drawn["worst"] = _draw_pulses(report.worst, report, names)
    return drawn


def _draw_pulses(pulses: Sequence[ShownPulse], report: WaveformReport, names: tuple[str, str]) -> Figure:
    pairs = [
        WaveformPair(
            title=_title(pulse),
            input=pulse.recorded_adc,
            output=pulse.given_adc,
            others={} if pulse.clean_adc is None else {"clean": pulse.clean_adc},
            class_name=pulse.class_name,
            minus="output" if pulse.clean_adc is None else "clean",
        )
        for pulse in pulses
    ]
    return draw_waveform_pairs(pairs, sample_period_ns=report.sample_period_ns, names=names)


def _title(pulse: ShownPulse) -> str:
    light = "" if pulse.light_kevee is None else f", {pulse.light_kevee:.4g} keVee"
    return f"{pulse.class_name or 'pulse'}{light} (pulse {pulse.position}), residual rms {pulse.residual_rms_adc:.3g}"


def _draw_figures(bins: Sequence[WaveformRange]) -> Figure:
    there = [panel for panel in _PANELS if any(panel[0] in _figures(part) for part in bins)]
    leaks = [part for part in bins if isinstance(part.leakage_before, Leakage)]
    n_panels = len(there) + bool(leaks)
    n_rows = -(-n_panels // 3)
    with house_style():
        figure = new_figure(12.5, 3.9 * n_rows)
        grid = list(figure.subplots(n_rows, 3, squeeze=False).flat)
        for unused in grid[n_panels:]:
            unused.set_axis_off()
        for axes, panel in zip(grid, there, strict=False):
            _draw_panel(axes, bins, panel)
        if leaks:
            _draw_leakages(grid[len(there)], leaks)
        for axes in grid[:n_panels]:
            axes.grid(visible=True)
        return figure


def _figures(part: WaveformRange) -> dict[str, Estimate]:
    return dict(part.figures) if not isinstance(part.figures, NotComputed) else {}


def _draw_panel(axes: Axes, bins: Sequence[WaveformRange], panel: Sequence[str]) -> None:
    for number, name in enumerate(panel):
        words, unit, _ = FIGURES[name]
        found = [(part, _figures(part)[name]) for part in bins if name in _figures(part)]
        places = np.array([bins.index(part) for part, _ in found], dtype=np.float64) + 0.12 * (number - 0.5)
        _bars(axes, places, [each for _, each in found], number, words.split(", ")[-1])
        axes.set_ylabel(f"{words.split(', ')[0]} ({unit})" if unit else words.split(", ")[0])
    if len(panel) > 1:
        axes.axhline(0, color=GREY, linewidth=0.8)
        legend_over(axes, n_columns=2)
    _light_axis(axes, bins)


def _draw_leakages(axes: Axes, bins: Sequence[WaveformRange]) -> None:
    for number, (attribute, words) in enumerate((("leakage_before", "went in"), ("leakage_after", "came out"))):
        found = [getattr(part, attribute) for part in bins]
        shown = [(at, each) for at, each in enumerate(found) if isinstance(each, Leakage) and each.leakage > 0]
        places = np.array([at for at, _ in shown], dtype=np.float64) + 0.12 * (number - 0.5)
        scaled = [Estimate(100 * each.leakage, 100 * each.low, 100 * each.high) for _, each in shown]
        _bars(axes, places, scaled, number, words)
        # None leaked: an arrow hangs from the upper end of the interval.
        none = [(at, each) for at, each in enumerate(found) if isinstance(each, Leakage) and each.leakage == 0]
        axes.plot(
            [at + 0.12 * (number - 0.5) for at, _ in none],
            [100 * each.high for _, each in none],
            color=(BLUE, VERMILION)[number],
            marker=r"$\downarrow$",
            markersize=9,
            linestyle="",
        )
    axes.set_yscale("log")
    axes.set_ylabel("gamma leakage of charge\ncomparison (%)")
    legend_over(axes, n_columns=2)
    _light_axis(axes, bins)


def _bars(axes: Axes, places: NDArray[Any], found: Sequence[Estimate], number: int, label: str) -> None:
    values = np.array([each.value for each in found])
    down = values - np.array([each.low for each in found])
    up = np.array([each.high for each in found]) - values
    errors = np.maximum([down, up], 0)
    colour, marker = ((BLUE, "o"), (VERMILION, "s"))[number]
    axes.errorbar(places, values, yerr=errors, color=colour, marker=marker, linestyle="", capsize=3, label=label)


def _light_axis(axes: Axes, bins: Sequence[WaveformRange]) -> None:
    axes.set_xticks(range(len(bins)), [part.name.removesuffix(" keVee") for part in bins], rotation=30, fontsize=10)
    axes.set_xlim(-0.5, len(bins) - 0.5)
    axes.set_xlabel("light (keVee)")


def _draw_residual(report: WaveformReport) -> Figure:
    shape = report.residual_shape
    time_ns = report.sample_period_ns * np.arange(len(shape.rms_adc))
    with house_style():
        figure = new_figure(8.0, 4.0)
        axes = figure.subplots()
        axes.plot(time_ns, shape.rms_adc, color=BLUE, label="rms")
        axes.plot(time_ns, shape.mean_adc, color=ORANGE, linestyle="--", label="mean")
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_xlabel("time in window (ns)")
        axes.set_ylabel(f"output minus {report.reference}\n(ADC counts)")
        axes.grid(visible=True)
        legend_over(axes, n_columns=2)
        return figure


def _draw_plane(shown: ShownPlane) -> Figure:
    classes = {}
    if shown.label is not None:
        classes = {kind.name.lower(): shown.label == kind for kind in (Label.GAMMA, Label.NEUTRON)}
    return draw_latent_plane(
        shown.plane.points, shown.plane.names, classes=classes, size=shown.size, size_name=shown.size_name
    )
