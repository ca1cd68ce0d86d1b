"""The audit as files: JSON and a page of HTML, each complete or absent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from discrimen.audit.audit import Audit
from discrimen.audit.page import audit_page
from discrimen.audit.pictures import figures
from discrimen.output.files import complete_or_absent
from discrimen.output.provenance import software_versions, utc_now


def write_audit(audit: Audit, folder: Path | str, *, split: Mapping[str, Any] | None = None) -> tuple[Path, Path]:
    """Write ``audit.json`` and ``audit.html`` into a folder.

    Parameters
    ----------
    audit : Audit
        What was found.
    folder : Path
        Made if need be; files of the same names are replaced.
    split : mapping, optional
        The split that training would make, plain data, for the JSON.

    Returns
    -------
    tuple of Path
        JSON and HTML.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If matplotlib is not installed.
    """
    json_path, page_path = Path(folder) / "audit.json", Path(folder) / "audit.html"
    page = audit_page(audit, figures(audit))
    about = {"versions": software_versions("numpy", "scipy"), "date_utc": utc_now()}
    values = audit.as_dict() | {"charts": audit.charts.as_dict(), "split": split} | about
    with complete_or_absent(json_path) as part:
        part.write_text(json.dumps(_without_nan(values), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    with complete_or_absent(page_path) as part:
        part.write_text(page, encoding="utf-8")
    return json_path, page_path


def _without_nan(value: object) -> object:
    """Replace numbers that are not finite by None: JSON has none of them."""
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and value - value != 0 else value
