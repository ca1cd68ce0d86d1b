"""The result of a search as files: JSON and a picture, each complete or absent."""

from __future__ import annotations

import json
from pathlib import Path

from discrimen.output.files import complete_or_absent
from discrimen.output.provenance import software_versions, utc_now
from discrimen.search.picture import search_figure
from discrimen.search.result import SearchResult


def write_result(result: SearchResult, *, dots_per_inch: int = 150) -> tuple[Path, ...]:
    """Write ``report.json`` and ``search.png`` into the folder of the search.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    report, picture = result.folder / "report.json", result.folder / "search.png"
    versions = software_versions("optuna", "keras", "jax", "numpy")
    with complete_or_absent(report) as part:
        told = {**result.as_dict(), "software": versions, "date_utc": utc_now()}
        part.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    with complete_or_absent(picture) as part:
        search_figure(result).savefig(part, format="png", dpi=dots_per_inch)
    return report, picture
