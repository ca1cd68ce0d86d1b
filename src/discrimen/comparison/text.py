"""The comparison for an 80-column terminal."""

from __future__ import annotations

from io import StringIO
from math import inf

from rich import box
from rich.console import Console
from rich.table import Table

from discrimen.comparison.result import ComparedRange, Comparison, Figures, Group
from discrimen.evaluation.text import percent


def comparison_text(comparison: Comparison, *, width: int = 80) -> str:
    """Return every group as a table: area, leakage, and the leakage against that of the reference.

    Parameters
    ----------
    comparison : Comparison
        What was found.
    width : int
        Columns of the terminal.
    """
    stream = StringIO()
    console = Console(file=stream, width=width, force_terminal=False, color_system=None, highlight=False)
    for group in comparison.groups:
        console.print(_table(group, comparison))
        for note in group.notes:
            console.print(f"note: {note}", markup=False)
    return stream.getvalue()


def against_heading(group: Group) -> str:
    """Return what the last column is."""
    return "over reference" if group.paired else "minus reference (%)"


def against_words(group: Group, part: ComparedRange, entry: str, efficiency: float) -> tuple[str, str]:
    """Return the leakage against the reference's, and its interval; empty where there is none."""
    if entry == group.reference:
        return "reference", ""
    against = part.against.get(entry)
    found = None if against is None else against.leakage_at(efficiency)
    if found is None:
        return "-", ""
    if found.ratio is None:
        difference = found.difference
        return signed_percent(
            difference.value
        ), f"{signed_percent(difference.low)} to {signed_percent(difference.high)}"
    ratio = found.ratio
    if ratio.ratio != ratio.ratio:
        return "none leaks", ""
    if ratio.ratio == inf:
        return "infinite", f"at least {ratio.low:.3g}"
    return f"{ratio.ratio:.3g}", f"{ratio.low:.3g} to {ratio.high:.3g}"


def signed_percent(value: float) -> str:
    """Return a difference of shares in percent."""
    return f"-{percent(-value)}" if value < 0 else percent(value)


def _table(group: Group, comparison: Comparison) -> Table:
    efficiency = comparison.main_efficiency
    title = f"{group.title}: gamma leakage (%) at {efficiency:.0%} neutron efficiency"
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for heading in ("keVee", "", "AUC", "leakage", against_heading(group)):
        table.add_column(heading, justify="left" if heading in ("keVee", "") else "right")
    for part in group.ranges:
        energy = part.energy
        name = "all" if energy is None else f"{energy.low_kevee:g}-{energy.high_kevee:g}"
        for number, entry in enumerate(group.entries):
            table.add_row(name if number == 0 else "", entry, *_cells(group, part, entry, efficiency))
    return table


def _cells(group: Group, part: ComparedRange, entry: str, efficiency: float) -> list[str]:
    figures = part.figures[entry]
    if not isinstance(figures, Figures):
        return ["too few", "-", "-"]
    leakage = figures.leakage_at(efficiency)
    value, interval = against_words(group, part, entry, efficiency)
    words = "not reached"
    if leakage is not None:
        words = f"{percent(leakage.leakage)} ({percent(leakage.low)}-{percent(leakage.high)})"
    return [f"{figures.auc.value:.5f}", words, f"{value} ({interval})" if interval else value]
