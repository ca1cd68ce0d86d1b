"""Which options somebody gave: one that does nothing is refused, for whoever gave it meant something by it."""

from __future__ import annotations

from collections.abc import Iterable

import typer

_NOT_GIVEN = ("DEFAULT", "DEFAULT_MAP")


def given_options(context: typer.Context) -> dict[str, str]:
    """Return the parameters that were given, with the names of their options as a user writes them."""
    given = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name not in _NOT_GIVEN:
            given[parameter.name or ""] = max(parameter.opts, key=len)
    return given


def refuse_idle(context: typer.Context, names: Iterable[str], *, without: str) -> None:
    """Refuse options that do nothing without another one.

    Parameters
    ----------
    context : typer.Context
        Of the call.
    names : iterable of str
        Parameters that must not be given.
    without : str
        What they would need, for the message.

    Raises
    ------
    typer.BadParameter
        If one is.
    """
    given = given_options(context)
    for name in names:
        if name in given:
            raise typer.BadParameter(f"{given[name]} does nothing without {without}: leave it out, or give {without}")
