"""Plots of a report on waveforms: rendering only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from discrimen.evaluation.waveforms.by_light import PANELS, figure_ranges
from discrimen.evaluation.waveforms.report import ShownPlane, ShownPulse, WaveformReport
from discrimen.output.latent_pictures import draw_correlation, draw_latent_plane
from discrimen.output.range_figures import draw_ranges
from discrimen.output.style import BLUE, GREY, ORANGE, house_style, legend_over, new_figure
from discrimen.output.waveform_pairs import WaveformPair, draw_waveform_pairs
from discrimen.pulses import Label

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    bins = [each for each in figure_ranges(report)[1:] if each.figures]
    if bins:
        drawn["figures"] = draw_ranges(bins, PANELS)
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
    light = "" if pulse.light_kevee is None else f", {pulse.light_kevee:.3g} keVee"
    left = f"rms left {pulse.residual_rms_adc:.3g} ADC counts"
    return f"{pulse.class_name or 'pulse'}{light} (pulse {pulse.position}), {left}"


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
