"""The report on positions as files: JSON, a page of HTML that needs nothing beside it, plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from discrimen.evaluation.positions.parting import FIGURE_WORDS as PARTING_WORDS
from discrimen.evaluation.positions.parting import Parting, PartingRange
from discrimen.evaluation.positions.plots import PARTED_BY, draw_position_plots, parting_picture
from discrimen.evaluation.positions.report import PositionRange, PositionReport
from discrimen.metrics.position import FIGURE_WORDS, RADII, Clustering
from discrimen.metrics.quantity import QUANTITY_WORDS
from discrimen.output.pictures import picture
from discrimen.output.ranges import FigureRange, cell_of, range_rows
from discrimen.output.stage_report import PageTable, StagePage, write_stage_report
from discrimen.output.tables import Cell, Line, TableRows, table_of
from discrimen.pulses.hits import COORDINATES

_CAPTIONS: Mapping[str, str] = {
    "residuals": "What was found minus the truth, in each coordinate.",
    "pulls": "Residuals over their predicted errors; the line is what errors that hold give.",
    "maps": "Where the hits were, and where they were found: points, lines or rims on the right alone are made by the "
    "method.",
}
_OF_DISTANCE = {name: words for name, words in FIGURE_WORDS.items() if name in RADII or name == "rms_3d_mm"}
_OF_COORDINATE = {
    "rms_mm": "rms (mm)",
    "fwhm_mm": "FWHM (mm)",
    "bias_mm": "mean error (mm)",
    "pull_mean": "pull, mean",
    "pull_width": "pull, rms",
    "coverage": "within its error (%)",
}
_OF_RANGES = {
    "median_3d_mm": "median (mm)",
    "radius_68_mm": "68 % within (mm)",
    "radius_95_mm": "95 % within (mm)",
    "rms_3d_mm": "rms (mm)",
    **{f"{axis}_rms_mm": f"{axis}, rms (mm)" for axis in COORDINATES},
    **{f"{axis}_coverage": f"{axis}, within its error (%)" for axis in COORDINATES},
}
_AGAINST = "Figures against the {group}, with intervals."


def write_position_report(report: PositionReport, folder: Path | str) -> tuple[Path, ...]:
    """Write ``report.json``, ``report.html`` and each plot as PNG and as PDF into a folder.

    Parameters
    ----------
    report : PositionReport
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
    return write_stage_report(position_page(report), folder, name="report", values=report.as_dict())


def position_page(report: PositionReport, *, pictures: bool = True) -> StagePage:
    """Return what stands on the page, with pictures or without."""
    words = (
        f"{report.confidence:.0%} intervals. Distance: in space, between what was found and the truth. Pull: residual "
        "over predicted error; where these hold, pulls have mean 0 and rms 1, and 68.3 % of the hits are within."
    )
    tables = [
        PageTable("All hits", range_rows(figure_ranges(report.groups["all"]), _OF_DISTANCE, counted="hits")),
        PageTable("Each coordinate", _coordinate_rows(report.all), words),
    ]
    if len(report.groups) > 1:
        tables.append(PageTable("By energy and place", _group_rows(report), _group_words(report)))
    tables += _parting_tables(report.parting)
    if report.further:
        tables.append(PageTable("Further quantities", _further_rows(report)))
    tables.append(
        PageTable(
            "Clustering on a grid",
            _clustering_rows(report.clustering),
            "0: none; 1: all positions on the points of a grid of this pitch. More than by chance, where the truth has "
            "none, is made by the method.",
        )
    )
    captions = dict(_CAPTIONS) | {parting_picture(group): _AGAINST.format(group=group) for group in PARTED_BY}
    captions |= {_file_name(group): _AGAINST.format(group=group) for group in report.groups}
    return StagePage(
        title="Positions judged",
        done=(summary(report),),
        tables=tuple(tables),
        notes=report.notes,
        pictures=tuple(
            picture(figure, name=name, caption=captions[name])
            for name, figure in (draw_position_plots(report) if pictures else {}).items()
        ),
        origin={"Files": list(report.files), "Model": _without_history(report.model)},
    )


def _coordinate_rows(every: PositionRange) -> TableRows:
    """Return a column for each coordinate."""
    lines: list[Sequence[str | Cell]] = []
    for ending, words in _OF_COORDINATE.items():
        found = [every.figures.get(f"{axis}_{ending}") for axis in COORDINATES]
        if any(each is not None for each in found):
            lines.append((words, *map(cell_of, found)))
    return table_of(("figure", *COORDINATES), lines)


def _group_rows(report: PositionReport) -> TableRows:
    """Return a line for each range, all groups below each other."""
    shown = {name: words for name, words in _OF_RANGES.items() if name in report.all.figures}
    counts_places = report.all.n_places is not None
    lines = [
        Line(
            name,
            (
                Cell(str(each.n_hits)),
                *([Cell(str(each.n_places))] if counts_places else []),
                *(cell_of(each.figures.get(figure)) for figure in shown),
            ),
            group=begins,
        )
        for name, each, begins in report.lines()
    ]
    return TableRows(("hits of", "hits", *(["places"] if counts_places else []), *shown.values()), tuple(lines))


def _group_words(report: PositionReport) -> str:
    seen = [group for group in report.groups if group != "all"]
    told = f"By the true {', '.join(seen)}; a hit stands once in each group. report.json has every figure of each line."
    if "distance to a wall" in seen:
        told += (
            " Walls: planes between rings and between sectors, surface, bore and back. Charge that is freed near one "
            "may be collected behind it."
        )
    return told


def _further_rows(report: PositionReport) -> TableRows:
    """Return a line for each quantity, in its own unit."""
    lines: list[Sequence[str | Cell]] = [
        (name, *(cell_of(figures.get(figure)) for figure in QUANTITY_WORDS)) for name, figures in report.further.items()
    ]
    return table_of(("quantity", *QUANTITY_WORDS.values()), lines)


def _parting_tables(parting: Parting | None) -> list[PageTable]:
    if parting is None:
        return []
    words = (
        f"Taken for two: hits whose probability of two interactions is {parting.limit:.3g} and more, from where on 5 % "
        "of the single interactions were taken for two when the model was trained. Distances from the truth in the "
        "order of the two that fits better."
    )
    return [
        PageTable(f"One or two interactions, by {group}", range_rows(figure_ranges(ranges), PARTING_WORDS), words)
        for group, ranges in parting.groups.items()
    ]


def figure_ranges(ranges: Sequence[PositionRange | PartingRange]) -> tuple[FigureRange, ...]:
    """Return ranges as tables and plots take them."""
    return tuple(FigureRange(name=each.name, n_pulses=each.n_hits, figures=each.figures) for each in ranges)


def summary(report: PositionReport) -> str:
    """Return in a sentence what was judged, and how well it did."""
    architecture = report.model.get("architecture", {})
    name = architecture.get("name") or report.model.get("name", "a method")
    by = f", computed by {report.model['backend']}" if "backend" in report.model else ""
    figures = report.all.figures
    found = ""
    if "median_3d_mm" in figures:
        median, rms = figures["median_3d_mm"], figures["rms_3d_mm"]
        found = (
            f"; median distance {median.value:.3g} mm ({median.low:.3g} to {median.high:.3g}), rms {rms.value:.3g} mm; "
            f"the middle of the segment alone would give {report.without_network_mm:.3g} mm"
        )
    return f"{name}{by}; {report.all.n_hits} of {report.n_hits} hits judged{found}."


def seen_clustering(report: PositionReport) -> str | None:
    """Return in a sentence on which grids positions cluster, None for none."""
    seen = [f"{each.pitch_mm:g} mm" for each in report.clustering if each.is_seen]
    return f"positions cluster on a grid of {', '.join(seen)}, which the truth does not" if seen else None


def _clustering_rows(clustering: Sequence[Clustering]) -> TableRows:
    lines = [
        (
            f"{each.pitch_mm:g} mm",
            *(f"{found:.3f} ({true:.3f})" for found, true in zip(each.found, each.truth, strict=True)),
            f"{each.by_chance:.3f}",
        )
        for each in clustering
    ]
    return table_of(("pitch", *(f"{axis}: found (truth)" for axis in COORDINATES), "by chance"), lines)


def _file_name(group: str) -> str:
    return group.replace(" ", "_")


def _without_history(model: Mapping[str, Any]) -> dict[str, Any]:
    provenance = model.get("provenance", {})
    kept = provenance if isinstance(provenance, Mapping) else {}
    return {**model, "provenance": {name: value for name, value in kept.items() if name != "history"}}
