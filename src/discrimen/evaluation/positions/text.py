"""The report on positions for an 80-column terminal."""

from __future__ import annotations

from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table

from discrimen.evaluation.positions.page import seen_clustering, summary
from discrimen.evaluation.positions.parting import Parting
from discrimen.evaluation.positions.report import PositionReport
from discrimen.pulses.hits import COORDINATES

_COLUMNS = {
    "median_3d_mm": "median\n(mm)",
    "radius_68_mm": "68 %\n(mm)",
    "radius_95_mm": "95 %\n(mm)",
    "rms_3d_mm": "rms\n(mm)",
    **{f"{axis}_rms_mm": f"{axis} rms\n(mm)" for axis in COORDINATES},
}

_PARTED_BY = {"distance": "distance", "share of the second": "second has"}
_PARTING_COLUMNS = {
    "taken_for_two": "for two\n(%)",
    "median_first_mm": "first\n(mm)",
    "median_second_mm": "second\n(mm)",
    "share_rms": "share\nrms",
}


def position_text(report: PositionReport, *, width: int = 80) -> str:
    """Return the figures by range, and the notes.

    Parameters
    ----------
    report : PositionReport
        The result of an evaluation.
    width : int
        Columns of the terminal.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("hits of", "hits", *_COLUMNS.values()):
        table.add_column(heading, justify="left" if heading == "hits of" else "right", no_wrap=True)
    for name, each, begins in report.lines():
        if begins:
            table.add_section()
        cells = [f"{each.figures[figure].value:.2f}" if figure in each.figures else "-" for figure in _COLUMNS]
        table.add_row(name, str(each.n_hits), *cells)
    out = StringIO()
    console = Console(file=out, width=width, highlight=False)
    console.print(summary(report), markup=False)
    console.print(table)
    console.print("median, 68 %, 95 %, rms: of the distance between what was found and the truth", markup=False)
    coverage = [report.all.figures.get(f"{axis}_coverage") for axis in COORDINATES]
    told = [f"{axis} {each.value:.1f} %" for axis, each in zip(COORDINATES, coverage, strict=True) if each is not None]
    if told:
        console.print(f"within the predicted error (68.3 % if it holds): {', '.join(told)}", markup=False)
    for name, figures in report.further.items():
        if figures:
            inside = f", within its error {figures['coverage'].value:.1f} %" if "coverage" in figures else ""
            spread = f"the truth varies by {figures['spread'].value:.3g}"
            console.print(f"{name}: rms {figures['rms'].value:.3g} ({spread}){inside}", markup=False)
    if report.parting is not None:
        console.print(_parting_table(report.parting))
        console.print("for two: hits taken for two; first, second: median distance, in the order that fits better")
    for note in (seen_clustering(report), *report.notes):
        if note is not None:
            console.print(f"note: {note}", markup=False)
    return out.getvalue()


def _parting_table(parting: Parting) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("interactions", "hits", *_PARTING_COLUMNS.values()):
        table.add_column(heading, justify="left" if heading == "interactions" else "right", no_wrap=True)
    for group, ranges in parting.groups.items():
        for number, each in enumerate(ranges):
            cells = [f"{each.figures[name].value:.3g}" if name in each.figures else "-" for name in _PARTING_COLUMNS]
            taken = each.figures.get("taken_for_two")
            if taken is not None:
                cells[0] = f"{taken.value:.1f} ({taken.low:.1f}-{taken.high:.1f})"
            name = each.name if group == "number" else f"{_PARTED_BY[group]} {each.name}"
            table.add_row(name, str(each.n_hits), *cells, end_section=number + 1 == len(ranges))
    return table
