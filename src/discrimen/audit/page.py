"""The audit as one page of HTML that needs nothing beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from discrimen.audit.audit import Audit
from discrimen.audit.finding import Severity
from discrimen.output.page import render_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DOTS_PER_INCH = 110

_CAPTIONS: Mapping[str, str] = {
    "class_order": "Class order: the share of neutrons along the files. It should be flat within each run.",
    "parts": "Class balance of equal parts of the data set.",
    "leaks": "Leak tests: how well a classifier tells the classes from this alone. Each should hold 0.5.",
    "spectra": "Amplitude spectra: where only one class occurs, the network learns the energy instead of the shape.",
    "pretrigger": "Mean samples before the pulse. Nothing of the pulse reaches back there: the classes should agree.",
}


def audit_page(audit: Audit, pictures: Mapping[str, Figure]) -> str:
    """Return the page.

    Parameters
    ----------
    audit : Audit
        What was found.
    pictures : mapping of str to Figure
        From :func:`discrimen.audit.pictures.figures`; they go into the page as PNG.
    """
    names = ", ".join(str(file["name"]) for file in audit.files)
    shown = [
        {"name": name, "source": _data_uri(figure), "caption": _CAPTIONS[name]} for name, figure in pictures.items()
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


def _data_uri(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
