"""The comparison as files: JSON, a page of HTML, a picture of each group; each complete or absent."""

from __future__ import annotations

import json
from pathlib import Path

from discrimen.comparison.pictures import draw_pictures
from discrimen.comparison.result import Comparison, Figures, Group
from discrimen.comparison.text import against_heading, against_words
from discrimen.evaluation.page_tables import leakage_cell
from discrimen.output.files import write_files
from discrimen.output.page import render_page
from discrimen.output.pictures import picture, picture_files
from discrimen.output.plain import json_text
from discrimen.output.provenance import command_line
from discrimen.output.tables import NOTHING, Cell, Line, TableRows


def write_comparison(comparison: Comparison, folder: Path | str) -> tuple[Path, ...]:
    """Write ``comparison.json``, ``comparison.html`` and a picture of each group as PNG and PDF.

    Parameters
    ----------
    comparison : Comparison
        What was found.
    folder : Path
        Made if need be; files of the same names are replaced.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If matplotlib or Jinja is not installed.
    """
    drawn = draw_pictures(comparison).items()
    pictures = [
        picture(figure, name=name, caption=_caption(group))
        for group, (name, figure) in zip(comparison.groups, drawn, strict=True)
    ]
    groups = [
        {
            "title": group.title,
            "notes": group.notes,
            "rows": _rows(group, comparison.main_efficiency),
            "picture": picture_of,
        }
        for group, picture_of in zip(comparison.groups, pictures, strict=True)
    ]
    page = render_page(
        "comparison.html",
        title="Comparison",
        groups=groups,
        efficiency=f"{comparison.main_efficiency:.0%}",
        confidence=f"{comparison.confidence:.0%}",
        origin={name: json.dumps(about, indent=1) for name, about in comparison.origin.items()},
        made=f"Made {comparison.created_utc} with "
        + ", ".join(f"{name} {version}" for name, version in comparison.software.items()),
    )
    texts = {
        "comparison.json": json_text({**comparison.as_dict(), "command_line": command_line()}),
        "comparison.html": page,
    }
    return write_files(folder, {**texts, **picture_files(pictures)})


def _caption(group: Group) -> str:
    if group.paired:
        return (
            f"Left: leakage of each. Right: leakage over that of {group.reference}, on the same pulses; above 1 is "
            "worse. Ratios over or of nothing are left to the table."
        )
    return f"Left: leakage of each. Right: leakage minus that of {group.reference}; above 0 is worse."


def _rows(group: Group, efficiency: float) -> TableRows:
    heading = (
        "range",
        "entry",
        "gammas",
        "neutrons",
        "AUC",
        "AUC minus reference",
        "leakage (%)",
        against_heading(group),
    )
    lines = []
    for part in group.ranges:
        for number, entry in enumerate(group.entries):
            found = part.figures[entry]
            cells = [Cell(entry), Cell(str(part.n_gamma[entry])), Cell(str(part.n_neutron[entry]))]
            if isinstance(found, Figures):
                leakage, against = found.leakage_at(efficiency), part.against.get(entry)
                cells += [
                    Cell(f"{found.auc.value:.5f}", f"{found.auc.low:.5f} to {found.auc.high:.5f}"),
                    NOTHING
                    if against is None
                    else Cell(f"{against.auc.value:+z.5f}", f"{against.auc.low:+z.5f} to {against.auc.high:+z.5f}"),
                    Cell("not reached") if leakage is None else leakage_cell(leakage),
                    Cell(*against_words(group, part, entry, efficiency)),
                ]
            else:
                cells += [Cell("too few pulses"), NOTHING, NOTHING, NOTHING]
            lines.append(Line(part.name if number == 0 else "", tuple(cells), group=number == 0))
    return TableRows(heading, tuple(lines))
