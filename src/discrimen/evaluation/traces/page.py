"""The report on clean traces as files: JSON, a page of HTML that needs nothing beside it, plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from discrimen.evaluation.traces.plots import draw_trace_plots
from discrimen.evaluation.traces.report import TraceRange, TraceReport
from discrimen.metrics.trace_residuals import FIGURES
from discrimen.output.pictures import picture
from discrimen.output.ranges import FigureRange, range_rows
from discrimen.output.stage_report import PageTable, StagePage, write_stage_report

_WORDS = {name: words for name, (words, _) in FIGURES.items()}
_CAPTIONS = {
    "traces": "Hits as recorded, without noise and denoised: the segment that collects the charge, the neighbour with "
    "the largest transient, the reference.",
    "transients": "Transients of neighbours by their height over the noise: how far their amplitude is off. Below 0 %: "
    "they are made smaller.",
}


def write_trace_report(report: TraceReport, folder: Path | str) -> tuple[Path, ...]:
    """Write ``report.json``, ``report.html`` and each plot as PNG and as PDF into a folder.

    Parameters
    ----------
    report : TraceReport
        The result of an evaluation.
    folder : Path
        Made if need be; files of the same names are replaced.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If matplotlib or Jinja is not installed.
    """
    return write_stage_report(trace_page(report), folder, name="report", values=report.as_dict())


def trace_page(report: TraceReport) -> StagePage:
    """Return what stands on the page."""
    words = (
        f"{report.confidence:.0%} intervals, which count hits. Noise: rms of what was recorded, and of what came out, "
        "minus the clean trace, over the whole record. Amplitude: slope against the clean traces."
    )
    tables = [
        PageTable(f"Traces: {kind}", range_rows(figure_ranges(ranges), _WORDS), words if number == 0 else "")
        for number, (kind, ranges) in enumerate(report.kinds.items())
    ]
    if report.transients:
        tables.append(
            PageTable(
                "Transients of neighbours by height over noise",
                range_rows(figure_ranges(report.transients), _WORDS),
                "Signed: negative ones apart.",
            )
        )
    return StagePage(
        title="Denoised traces judged",
        done=(summary(report),),
        tables=tuple(tables),
        notes=report.notes,
        pictures=tuple(
            picture(figure, name=name, caption=_CAPTIONS.get(name, f"Against the energy: {name.replace('_', ' ')}."))
            for name, figure in draw_trace_plots(report).items()
        ),
        origin={"Files": list(report.files), "Model": dict(report.model)},
    )


def figure_ranges(ranges: Sequence[TraceRange]) -> tuple[FigureRange, ...]:
    """Return ranges as tables and plots take them."""
    return tuple(FigureRange(name=each.name, n_pulses=each.n_hits, figures=each.figures) for each in ranges)


def summary(report: TraceReport) -> str:
    """Return in a sentence what was judged, and how well it did."""
    name = report.model.get("architecture", {}).get("name", "a model")
    figures = report.kinds["all"][0].figures
    found = ""
    if figures:
        before, after, gain = (figures[name].value for name in ("input_rms_adc", "residual_rms_adc", "gain_db"))
        found = f"; noise {before:.3g} ADC counts before, {after:.3g} after ({gain:.1f} dB)"
    return (
        f"{name}, computed by {report.model['backend']}; {report.n_judged} of {report.n_hits} hits judged on all their "
        f"traces{found}."
    )
