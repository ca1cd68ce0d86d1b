"""Tables of the page: what stands in each cell, as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, isnan

from discrimen.evaluation.figures import FIGURES
from discrimen.evaluation.report import (
    BOUNDS,
    METHODS,
    BinReport,
    MethodResult,
    NotComputed,
    Reliability,
    Report,
    at_efficiency,
)
from discrimen.evaluation.text import percent
from discrimen.metrics import Leakage, LeakageRatio, Share, Temperature
from discrimen.output.tables import NOTHING, Cell, Line, TableRows


def leakage_rows(report: Report, *, efficiency: float) -> TableRows | None:
    """Return gamma leakage by method and range, the least of a real method marked; None if there is none."""
    names = report.shown_methods()
    if not names:
        return None
    found = {name: [_leakage(part, name, efficiency) for part in report.ranges] for name in names}
    real = [each for name, each in found.items() if name not in BOUNDS]
    least = [min((each.leakage for each in column if each), default=0.0) for column in zip(*real, strict=True)]
    lines = tuple(
        Line(
            METHODS[name],
            tuple(
                leakage_cell(each, best=name not in BOUNDS and 0 < each.leakage == best) if each else NOTHING
                for each, best in zip(found[name], least, strict=True)
            ),
        )
        for name in names
    )
    return TableRows(("method", *(part.name for part in report.ranges)), lines)


def method_rows(report: Report, *, efficiency: float) -> TableRows | None:
    """Return everything of every method in every range; None if nothing was computed."""
    if not report.shown_methods():
        return None
    leakages = tuple(f"leakage at {each:.3g}" for each in report.efficiencies)
    headings = [heading for figure in FIGURES for heading in figure.headings]
    heading = ("range and method", *headings, *leakages, "over network", "no score")
    lines = []
    for part in report.ranges:
        counts = Cell(f"{part.n_gamma} gammas, {part.n_neutron} neutrons")
        lines.append(Line(part.name, (counts, *(Cell("") for _ in heading[2:])), group=True))
        for name, result in part.computed().items():
            lines.append(Line(METHODS[name], tuple(_method_cells(part, name, result, efficiency))))
    return TableRows(heading, tuple(lines))


def operating_point_rows(report: Report) -> TableRows:
    """Return what thresholds on the network's score do in each range."""
    lines = []
    for part in report.ranges:
        for number, point in enumerate(part.operating_points):
            name = "score of 0.5" if point.name == "even" else point.name
            shares = tuple(_share_cell(share) for share in (point.efficiency, point.leakage))
            lines.append(Line(part.name, (Cell(name), Cell(point.score_text), *shares), group=number == 0))
    return TableRows(("range", "threshold", "score", "neutron efficiency (%)", "gamma leakage (%)"), tuple(lines))


def measured_rows(report: Report) -> TableRows | None:
    """Return what thresholds do in ranges of measured light; None where there is nothing to tell."""
    if isinstance(report.measured, NotComputed):
        return None
    lines = []
    for part in report.measured.ranges:
        for number, point in enumerate(part.operating_points):
            name = "score of 0.5" if point.name == "even" else point.name
            shares = tuple(_share_cell(share) for share in (point.efficiency, point.leakage))
            lines.append(Line(part.name, (Cell(name), Cell(point.score_text), *shares), group=number == 0))
    heading = (report.measured.unit, "threshold", "score", "neutron efficiency (%)", "gamma leakage (%)")
    return TableRows(heading, tuple(lines))


def calibration_rows(report: Report) -> TableRows | None:
    """Return calibration error and temperature of each range; None if there is none."""
    lines = []
    for part in report.ranges:
        found = part.calibration
        if isinstance(found, Reliability):
            error = found.error
            lines.append(
                Line(
                    part.name,
                    (
                        Cell(percent(error.value), f"{percent(error.low)} to {percent(error.high)}"),
                        Cell(percent(error.chance)),
                        Cell(percent(error.chance_high)),
                        _temperature_cell(found),
                    ),
                )
            )
    heading = ("range", "calibration error", "by chance", "by chance, at most", "temperature")
    return TableRows(heading, tuple(lines)) if lines else None


def run_rows(report: Report) -> TableRows:
    """Return how many pulses of each class each run holds."""
    lines = tuple(Line(run.name, (Cell(str(run.n_gamma)), Cell(str(run.n_neutron)))) for run in report.data.runs)
    return TableRows(("run", "gammas", "neutrons"), lines)


def leakage_cell(found: Leakage, *, best: bool = False) -> Cell:
    """Return a leakage in percent."""
    return Cell(percent(found.leakage), f"{percent(found.low)} to {percent(found.high)}", best)


def ratio_cell(ratios: Iterable[LeakageRatio], efficiency: float) -> Cell:
    """Return the ratio at an efficiency, if there is one."""
    ratio = at_efficiency(ratios, efficiency)
    if ratio is None or isnan(ratio.ratio):
        return NOTHING
    if ratio.ratio == inf:
        return Cell("infinite", f"at least {ratio.low:.3g}")
    return Cell(f"{ratio.ratio:.3g}", f"{ratio.low:.3g} to {ratio.high:.3g}")


def _leakage(part: BinReport, name: str, efficiency: float) -> Leakage | None:
    result = part.computed().get(name)
    return None if result is None else result.leakage_at(efficiency)


def _method_cells(part: BinReport, name: str, result: MethodResult, efficiency: float) -> Sequence[Cell]:
    unscored = result.n_gamma_unclassified + result.n_neutron_unclassified
    return [
        *(Cell(*cell) for figure in FIGURES for cell in figure.cells(result.figures[figure.name])),
        *(leakage_cell(each) if isinstance(each, Leakage) else Cell("not reached") for each in result.leakages),
        ratio_cell(part.leakage_over_network.get(name, ()), efficiency),
        Cell(str(unscored)),
    ]


def _share_cell(share: Share | NotComputed) -> Cell:
    if isinstance(share, NotComputed):
        return NOTHING
    return Cell(percent(share.value), f"{percent(share.low)} to {percent(share.high)}")


def _temperature_cell(found: Reliability) -> Cell:
    temperature = found.temperature
    if not isinstance(temperature, Temperature):
        return NOTHING
    return Cell(f"{temperature.value:.3f}", f"{temperature.low:.3f} to {temperature.high:.3f}")
