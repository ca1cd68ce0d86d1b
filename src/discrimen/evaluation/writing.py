"""The report as files: JSON, a page of HTML, plots; each complete or absent."""

from __future__ import annotations

import json
import re
from pathlib import Path

from discrimen.evaluation.page import report_page, report_pictures
from discrimen.evaluation.pictures import write_pictures
from discrimen.evaluation.plots import figures
from discrimen.evaluation.report import Report
from discrimen.output.files import complete_or_absent

_NUMBERS_ONLY = re.compile(r"\[[^\[\]{}\"]*\]")


def write_report(report: Report, folder: Path | str, *, dots_per_inch: int = 120) -> tuple[Path, ...]:
    """Write ``report.json``, ``report.html`` and each plot as PNG and as PDF into a folder.

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
        The files: JSON, page, plots.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If matplotlib, mplhep or Jinja is not installed.
    """
    pictures = report_pictures(report, figures(report), dots_per_inch=dots_per_inch)
    texts = {"report.json": report_json(report), "report.html": report_page(report, pictures)}
    written = []
    for name, text in texts.items():
        written.append(Path(folder) / name)
        with complete_or_absent(written[-1]) as part:
            part.write_text(text, encoding="utf-8")
    return (*written, *write_pictures(pictures, Path(folder)))


def report_json(report: Report) -> str:
    """Return the report as JSON, indented, with each row of numbers on one line."""
    text = json.dumps(report.as_dict(), indent=1, allow_nan=False)
    return _NUMBERS_ONLY.sub(lambda match: re.sub(r"\s+", " ", match.group()), text) + "\n"
