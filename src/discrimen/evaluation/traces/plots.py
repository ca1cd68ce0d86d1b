"""Plots of a report on clean traces: rendering only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discrimen.evaluation.traces.report import TraceRange, TraceReport
from discrimen.output.range_figures import draw_ranges
from discrimen.output.ranges import FigureRange, Panel
from discrimen.output.waveform_pairs import WaveformPair, draw_waveform_pairs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = (
    Panel(label="noise (ADC counts)", series={"input_rms_adc": "before", "residual_rms_adc": "after"}),
    Panel(label="noise taken away (dB)", series={"gain_db": ""}),
    Panel(
        label="amplitude, off (%)",
        series={"amplitude_bias": "after", "input_amplitude_bias": "before"},
    ),
)


def draw_trace_plots(report: TraceReport) -> dict[str, Figure]:
    """Draw every plot that the report has data for.

    Returns
    -------
    dict of str to Figure
        ``traces``, one for each kind of traces against the energy, ``transients``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    drawn = {}
    if report.shown:
        pairs = [
            WaveformPair(
                title=each.title,
                input=each.recorded,
                output=each.denoised,
                others={"clean": each.clean},
                minus="clean",
            )
            for each in report.shown
        ]
        drawn["traces"] = draw_waveform_pairs(
            pairs, sample_period_ns=report.sample_period_ns, names=("recorded", "denoised")
        )
    for kind, ranges in report.kinds.items():
        if (known := _known(ranges[1:])) and len(known) > 1:
            drawn[kind.replace(" ", "_")] = draw_ranges(known, _PANELS, axis="energy")
    if known := _known(report.transients):
        drawn["transients"] = draw_ranges(known, _PANELS, axis="height of the transient over the noise")
    return drawn


def _known(ranges: tuple[TraceRange, ...]) -> list[FigureRange]:
    return [FigureRange(name=each.name, n_pulses=each.n_hits, figures=each.figures) for each in ranges if each.figures]
