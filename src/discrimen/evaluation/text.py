"""The report for an 80-column terminal."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table

from discrimen.evaluation.report import (
    BinReport,
    MethodResult,
    NotComputed,
    Reliability,
    Report,
    at_efficiency,
)
from discrimen.metrics import POOR_FIT_REMARK, FigureOfMerit, Share, Temperature
from discrimen.pulse_shape import CLASSIC_METHODS

_COLUMNS = {
    "network": "network",
    "charge_nominal": "charge,\nnominal",
    "charge_best": "charge,\nbest",
    **{method.name: method.heading for method in CLASSIC_METHODS},
    "record_bound": "record\nbound",
    "photon_bound": "photon\nbound",
}
MAIN_METHODS = ("network", "charge_nominal", "charge_best", "photon_bound")
_OTHERS = (*(method.name for method in CLASSIC_METHODS), "record_bound")
OTHER_METHODS = tuple(("network", *_OTHERS[first : first + 3]) for first in range(0, len(_OTHERS), 3))
"""Several tables: eighty columns do not hold all methods."""


def leakage_table(report: Report, *, efficiency: float = 0.95, methods: Sequence[str] = MAIN_METHODS) -> Table:
    """Return gamma leakage per range of energy and method, in percent with its interval.

    With best gates, a last column is the leakage of charge comparison with them over that of the network.

    Parameters
    ----------
    report : Report
        The result of an evaluation.
    efficiency : float
        One of the neutron efficiencies of the report.
    methods : sequence of str
        Which methods, by the names of :data:`~discrimen.evaluation.report.METHODS`.
    """
    shown = report.shown_methods(methods)
    table = _table(f"Gamma leakage (%) at {efficiency:.0%} neutron efficiency, {report.confidence:.0%} interval")
    table.add_column("keVee")
    for name in shown:
        table.add_column(_COLUMNS[name], justify="right")
    with_ratio = "charge_best" in shown
    if with_ratio:
        table.add_column("best over\nnetwork", justify="right")
    for part in report.ranges:
        cells = [_leakage_cell(part, name, efficiency) for name in shown]
        if with_ratio:
            cells.append(_ratio_cell(part, efficiency))
        table.add_row(_range_name(part), *cells)
    return table


def auc_table(report: Report, *, methods: Sequence[str] = MAIN_METHODS) -> Table:
    """Return the number of pulses and the area under the curve per range of energy and method."""
    shown = report.shown_methods(methods)
    table = _table("Area under the ROC curve")
    table.add_column("keVee")
    for heading in ("gammas", "neutrons"):
        table.add_column(heading, justify="right")
    for name in shown:
        table.add_column(_COLUMNS[name], justify="right")
    for part in report.ranges:
        computed = part.computed()
        table.add_row(
            _range_name(part),
            str(part.n_gamma),
            str(part.n_neutron),
            *(f"{computed[name].auc.value:.5f}" if name in computed else "-" for name in shown),
        )
    return table


def gates_table(report: Report) -> Table:
    """Return gates and figure of merit of charge comparison per range of energy."""
    table = _table(f"Charge comparison: PSD = {report.psd_definition}, gates in ns")
    for heading in ("keVee", "gates", "start", "short", "long", "cut", "FoM", "chi2/ndf"):
        table.add_column(heading, justify="left" if heading in ("keVee", "gates") else "right")
    for part in report.ranges:
        for name in ("charge_nominal", "charge_best"):
            result = part.computed().get(name)
            if result is not None:
                table.add_row(_range_name(part), name.removeprefix("charge_"), *_gates_cells(result))
    return table


def calibration_table(report: Report) -> Table:
    """Return per range of energy how far the network's score is from a probability, and the temperature it wants."""
    table = _table("Calibration of the network (error and what chance alone makes of it, in %)")
    for heading in ("keVee", "error", "interval", "by chance", "temperature"):
        table.add_column(heading, justify="left" if heading == "keVee" else "right")
    for part in report.ranges:
        found = part.calibration
        if isinstance(found, Reliability):
            error = found.error
            interval = f"{percent(error.low)}-{percent(error.high)}"
            cells = (percent(error.value), interval, percent(error.chance), _temperature_cell(found))
            table.add_row(_range_name(part), *cells)
    return table


def operating_point_table(report: Report) -> Table:
    """Return per range of energy what thresholds on the network's score do."""
    table = _table("Thresholds on the network's score: shares that pass (%)")
    _add_point_columns(table, "keVee")
    for part in report.ranges:
        for point in part.operating_points:
            shares = (_share_cell(share) for share in (point.efficiency, point.leakage))
            table.add_row(_range_name(part), point.name, point.score_text, *shares)
    return table


def _add_point_columns(table: Table, unit: str) -> None:
    table.add_column(unit, no_wrap=True)
    table.add_column("threshold", overflow="fold")
    for heading in ("score", "neutrons", "gammas"):
        table.add_column(heading, justify="right", no_wrap=heading != "score")


def measured_table(report: Report) -> Table | None:
    """Return what thresholds do in ranges of measured light; None where there is nothing to tell."""
    if isinstance(report.measured, NotComputed):
        return None
    table = _table("What classify gives, in measured light: shares that pass (%)")
    _add_point_columns(table, report.measured.unit)
    for part in report.measured.ranges:
        for point in part.operating_points:
            shares = (_share_cell(share) for share in (point.efficiency, point.leakage))
            table.add_row(part.name, point.name, point.score_text, *shares)
    return table


def report_text(report: Report, *, width: int = 80) -> str:
    """Return the whole report in plain text: leakage, areas, gates, figures of merit, definitions, notes.

    Parameters
    ----------
    report : Report
        The result of an evaluation.
    width : int
        Columns of the terminal.
    """
    stream = StringIO()
    console = Console(file=stream, width=width, force_terminal=False, color_system=None, highlight=False)
    efficiency = report.main_efficiency
    for line in report.head:
        console.print(line, markup=False)
    if report.overall.computed():
        for methods in (MAIN_METHODS, *OTHER_METHODS):
            if methods is MAIN_METHODS or len(report.shown_methods(methods)) > 1:
                console.print(leakage_table(report, efficiency=efficiency, methods=methods))
                console.print(auc_table(report, methods=methods))
    if any(isinstance(part.calibration, Reliability) for part in report.ranges):
        console.print(calibration_table(report))
    if not report.overall.computed() or len(report.overall.operating_points) > 1:
        console.print(operating_point_table(report))
    if (measured := measured_table(report)) is not None:
        console.print(measured)
    if any(name.startswith("charge_") for part in report.ranges for name in part.computed()):
        console.print(gates_table(report))
    for line in _lines(report):
        console.print(line, markup=False)
    return stream.getvalue()


def poor_fits(report: Report) -> bool:
    """Return whether a figure of merit of the report bears the star of a fit that misses."""
    merits = (each.figure_of_merit for part in report.ranges for each in part.computed().values())
    return any(isinstance(merit, FigureOfMerit) and merit.misses for merit in merits)


def _table(title: str) -> Table:
    # As wide as its title, which would wrap otherwise.
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        min_width=len(title),
    )


def _lines(report: Report) -> list[str]:
    lines = []
    if any(name.startswith("charge_") for part in report.ranges for name in part.computed()):
        lines.append(
            f"FoM = {report.figure_of_merit_definition}, fitted to all pulses of the range, whatever their class"
        )
        if poor_fits(report):
            lines.append(POOR_FIT_REMARK)
        lines.append("cut: pulses of which a gate reaches beyond the record and ends with it")
    lines += [f"note: {note}" for note in report.notes]
    ranges: dict[str, list[str]] = {}
    # Where nothing was computed, a note says why.
    for part in report.ranges if report.overall.computed() else ():
        reasons = {result.not_computed for result in part.methods.values() if not isinstance(result, MethodResult)}
        for reason in sorted(reasons):
            ranges.setdefault(reason, []).append(part.name)
    for reason, names in ranges.items():
        where = "everywhere" if len(names) == len(report.ranges) else ", ".join(names)
        lines.append(f"not computed ({where}): {reason}")
    return lines


def _gates_cells(result: MethodResult) -> list[str]:
    if result.gates is None:
        return []
    gates, merit = result.gates, result.figure_of_merit
    edges = (gates.gate_start_ns, gates.short_gate_end_ns, gates.long_gate_end_ns)
    cells = [*(f"{edge:.4g}" for edge in edges), str(result.n_truncated)]
    if not isinstance(merit, FigureOfMerit):
        return [*cells, "no fit", "-"]
    return [*cells, f"{merit.value:.3f}±{merit.error:.3f}{merit.mark}", f"{merit.chi2:.0f}/{merit.n_degrees}"]


def _leakage_cell(part: BinReport, name: str, efficiency: float) -> str:
    result = part.computed().get(name)
    if result is None:
        return "-"
    leakage = result.leakage_at(efficiency)
    if leakage is None:
        return "not reached"
    return f"{percent(leakage.leakage)}\n{percent(leakage.low)}-{percent(leakage.high)}"


def _ratio_cell(part: BinReport, efficiency: float) -> str:
    ratio = at_efficiency(part.leakage_over_network.get("charge_best", ()), efficiency)
    return f"{ratio.ratio:.3g}\n{ratio.low:.3g}-{ratio.high:.3g}" if ratio is not None and ratio.low > 0 else "-"


def _share_cell(share: Share | NotComputed) -> str:
    return (
        "-"
        if isinstance(share, NotComputed)
        else f"{percent(share.value)} ({percent(share.low)}-{percent(share.high)})"
    )


def _temperature_cell(calibration: Reliability) -> str:
    found = calibration.temperature
    return f"{found.value:.3f} ({found.low:.3f}-{found.high:.3f})" if isinstance(found, Temperature) else "-"


def _range_name(part: BinReport) -> str:
    return "all" if part.energy is None else f"{part.energy.low_kevee:g}-{part.energy.high_kevee:g}"


def percent(share: float) -> str:
    """Return a share in percent with two or three significant digits."""
    percent = 100 * share
    if percent == 0:
        return "0"
    return f"{percent:.1f}" if percent >= 10 else f"{percent:.2f}" if percent >= 0.1 else f"{percent:.2g}"
