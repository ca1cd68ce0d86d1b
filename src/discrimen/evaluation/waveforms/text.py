"""The report on waveforms for an 80-column terminal."""

from __future__ import annotations

from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table

from discrimen.evaluation.report import NotComputed
from discrimen.evaluation.waveforms.evaluate import EFFICIENCY
from discrimen.evaluation.waveforms.page import leakage_words, summary
from discrimen.evaluation.waveforms.report import WaveformReport
from discrimen.metrics.latents import latents_words

_COLUMNS = {
    "residual_rms_adc": "left\n(ADC)",
    "nrmse": "NRMSE\n(%)",
    "charge_bias": "charge\noff (%)",
    "tail_bias": "tail\noff (%)",
    "time_spread_ns": "time\n(ns)",
}


def waveform_text(report: WaveformReport, *, width: int = 80) -> str:
    """Return the figures by range of light, what is known of the code, and the notes.

    Parameters
    ----------
    report : WaveformReport
        The result of an evaluation.
    width : int
        Columns of the terminal.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("keVee", "pulses", *_COLUMNS.values(), "leak in\n(%)", "leak out\n(%)"):
        table.add_column(heading, justify="left" if heading == "keVee" else "right", no_wrap=True)
    for part in report.ranges:
        figures = {} if isinstance(part.figures, NotComputed) else part.figures
        cells = [f"{figures[name].value:.3g}" if name in figures else "-" for name in _COLUMNS]
        leakages = (leakage_words(each) for each in (part.leakage_before, part.leakage_after))
        table.add_row(part.name.removesuffix(" keVee"), str(part.n_pulses), *cells, *leakages)
    out = StringIO()
    console = Console(file=out, width=width, highlight=False)
    console.print(summary(report), markup=False)
    console.print(table)
    console.print(
        f"left: rms of output minus {report.reference}; NRMSE: over that of the pulse; off: median error; time: half "
        f"the central 68 %; leak: gammas that charge comparison lets pass with {EFFICIENCY:.0%} of the neutrons",
        markup=False,
    )
    if report.latents is not None:
        console.print(f"{latents_words(report.latents.summary())}", markup=False)
    for note in report.notes:
        console.print(f"note: {note}", markup=False)
    return out.getvalue()
