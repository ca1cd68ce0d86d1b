"""The report on clean traces for an 80-column terminal."""

from __future__ import annotations

from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table

from discrimen.evaluation.traces.page import summary
from discrimen.evaluation.traces.report import TraceReport

_COLUMNS = {
    "input_rms_adc": "before\n(ADC)",
    "residual_rms_adc": "after\n(ADC)",
    "gain_db": "gain\n(dB)",
    "amplitude_bias": "amplitude\noff (%)",
}


def trace_text(report: TraceReport, *, width: int = 80) -> str:
    """Return the figures by kind and range, and the notes.

    Parameters
    ----------
    report : TraceReport
        The result of an evaluation.
    width : int
        Columns of the terminal.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("traces", "of", "hits", *_COLUMNS.values()):
        table.add_column(heading, justify="left" if heading in ("traces", "of") else "right", no_wrap=True)
    groups = {**report.kinds, "transients, over noise": report.transients}
    for kind, ranges in groups.items():
        for number, each in enumerate(ranges):
            cells = [f"{each.figures[name].value:.3g}" if name in each.figures else "-" for name in _COLUMNS]
            table.add_row(
                kind if number == 0 else "",
                each.name,
                str(each.n_hits),
                *cells,
                end_section=number + 1 == len(ranges),
            )
    out = StringIO()
    console = Console(file=out, width=width, highlight=False)
    console.print(summary(report), markup=False)
    console.print(table)
    console.print(
        "before, after: rms minus the clean traces; amplitude: slope against the clean traces, below 0 where signals "
        "are made smaller",
        markup=False,
    )
    for note in report.notes:
        console.print(f"note: {note}", markup=False)
    return out.getvalue()
