"""The audit as files: JSON, and one page of HTML that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discrimen.audit.audit import Audit
from discrimen.audit.finding import Severity
from discrimen.audit.pictures import draw_pictures
from discrimen.output.files import write_files
from discrimen.output.page import render_page
from discrimen.output.pictures import data_uri, png_of
from discrimen.output.plain import json_text
from discrimen.output.provenance import command_line, software_versions, utc_now

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CAPTIONS: Mapping[str, str] = {
    "class_order": "Class order: the share of neutrons along the files. It should be flat within each run.",
    "parts": "Class balance of equal parts of the data set.",
    "give_aways": "Give-away tests: how well a classifier tells the classes from this alone. Each should hold 0.5.",
    "spectra": "Amplitude spectra: where only one class occurs, the network learns the energy instead of the shape.",
    "pretrigger": "Mean samples before the pulse. Nothing of the pulse reaches back there: the classes should agree.",
}


def write_audit(audit: Audit, folder: Path | str, *, split: Mapping[str, Any] | None = None) -> tuple[Path, ...]:
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
    about = {"versions": software_versions("numpy", "scipy"), "date_utc": utc_now(), "command_line": command_line()}
    values = {**audit.as_dict(), "plotted": audit.plotted, "split": split, **about}
    return write_files(folder, {"audit.json": json_text(values), "audit.html": audit_page(audit, draw_pictures(audit))})


def audit_page(audit: Audit, pictures: Mapping[str, Figure]) -> str:
    """Return the page.

    Parameters
    ----------
    audit : Audit
        What was found.
    pictures : mapping of str to Figure
        From :func:`discrimen.audit.pictures.draw_pictures`; they go into the page as PNG.
    """
    names = ", ".join(str(file["name"]) for file in audit.files)
    shown = [
        {"name": name, "source": data_uri(png_of(figure, dots_per_inch=110)), "caption": _CAPTIONS[name]}
        for name, figure in pictures.items()
    ]
    return render_page("audit.html", title=f"Audit of {names}", summary=summary(audit), audit=audit, shown=shown)


def summary(audit: Audit) -> str:
    """Return in one sentence what was looked at and what was found."""
    counts = {severity: len(audit.of_severity(severity)) for severity in Severity}
    told = ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in counts.items() if count)
    before = audit.pretrigger
    source = "the settings say" if before.source == "settings" else "the pulses show"
    n_pulses = audit.n_gamma + audit.n_neutron
    part = "" if audit.n_looked_at == n_pulses else f", {audit.n_looked_at} of them measured"
    return (
        f"{audit.n_gamma} gammas and {audit.n_neutron} neutrons{part}; before the pulse, as {source}: samples "
        f"{before.start} to {before.stop - 1}; found: {told or 'nothing'}"
    )
