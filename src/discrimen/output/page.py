"""Pages of HTML that need nothing beside them: one frame, pictures inside the page, text always escaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from discrimen.errors import require_module
from discrimen.output.provenance import command_line

TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, **values: Any) -> str:
    """Fill a template of the package.

    Parameters
    ----------
    template : str
        Name of a file in the package's folder of templates, for example ``report.html``; it extends ``page.html``.
    **values
        What the template names; all text is escaped.

    Raises
    ------
    MissingExtraError
        If Jinja is not installed.
    """
    jinja = require_module("jinja2", extra="analysis")
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page: str = environment.get_template(template).render(command_line=command_line(), **values)
    return page
