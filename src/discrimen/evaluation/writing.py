"""The report as files: JSON and plots, each complete or absent."""

from __future__ import annotations

import json
import re
from pathlib import Path

from discrimen.evaluation.plots import figures
from discrimen.evaluation.report import Report
from discrimen.output import complete_or_absent

_NUMBERS_ONLY = re.compile(r"\[[^\[\]{}\"]*\]")


def write_report(report: Report, folder: Path | str, *, dots_per_inch: int = 150) -> tuple[Path, ...]:
    """Write ``report.json`` and one PNG for each plot into a folder.

    Parameters
    ----------
    report : Report
        The result of an evaluation.
    folder : Path
        Made if need be; files of the same names are replaced.
    dots_per_inch : int
        Of the plots.

    Returns
    -------
    tuple of Path
        The files, the JSON first.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    json_path = Path(folder) / "report.json"
    with complete_or_absent(json_path) as part:
        part.write_text(report_json(report), encoding="utf-8")
    written = [json_path]
    for name, figure in figures(report).items():
        path = Path(folder) / f"{name}.png"
        with complete_or_absent(path) as part:
            figure.savefig(part, format="png", dpi=dots_per_inch)
        written.append(path)
    return tuple(written)


def report_json(report: Report) -> str:
    """Return the report as JSON, indented, with each row of numbers on one line."""
    text = json.dumps(report.as_dict(), indent=1, allow_nan=False)
    return _NUMBERS_ONLY.sub(lambda match: re.sub(r"\s+", " ", match.group()), text) + "\n"
