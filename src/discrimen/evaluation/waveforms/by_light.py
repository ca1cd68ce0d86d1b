"""The figures of a report on waveforms by ranges of light, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterator

from discrimen.evaluation.report import NotComputed
from discrimen.evaluation.waveforms.report import WaveformRange, WaveformReport
from discrimen.metrics.waveform_residuals import FIGURES, Estimate, figure_panel, figure_words
from discrimen.output.ranges import FigureRange, Panel

_BEFORE, _AFTER = "leakage_before", "leakage_after"

WORDS = {**figure_words(FIGURES), _BEFORE: "leakage in (%)", _AFTER: "leakage out (%)"}
"""Headings by the name of the figure."""

PANELS = (
    figure_panel("residual_rms_adc"),
    figure_panel("gain_db"),
    figure_panel("nrmse"),
    figure_panel("charge_bias", "charge_spread"),
    figure_panel("tail_bias", "tail_spread"),
    figure_panel("time_spread_ns", "input_time_spread_ns"),
    Panel(
        label="gamma leakage of charge\ncomparison (%)",
        series={_BEFORE: "went in", _AFTER: "came out"},
        logarithmic=True,
    ),
)
"""Of the picture."""


def figure_ranges(report: WaveformReport) -> tuple[FigureRange, ...]:
    """Return all ranges, that of all pulses first, with the leakages in per cent among the figures."""
    return tuple(
        FigureRange(name=part.name, n_pulses=part.n_pulses, figures=dict(_figures(part))) for part in report.ranges
    )


def _figures(part: WaveformRange) -> Iterator[tuple[str, Estimate]]:
    if isinstance(part.figures, NotComputed):
        return
    yield from part.figures.items()
    for name in (_BEFORE, _AFTER):
        found = getattr(part, name)
        if not isinstance(found, NotComputed):
            yield name, Estimate(100 * found.leakage, 100 * found.low, 100 * found.high)
