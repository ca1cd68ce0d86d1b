"""How much of a run may be unlike the pulses that a model was trained on, as options say it."""

from __future__ import annotations

from typing import Annotated

import typer

from discrimen.inference.verdict import MOST_OUTSIDE

MostOutsideOption = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Refuse a run of which surely more pulses are unlike those that the model was trained on; "
        f"by default {MOST_OUTSIDE:g}. docs/domain.md",
        min=0,
        max=1,
        show_default=False,
    ),
]


def share_outside(most_outside: float | None, *, accept: bool) -> float:
    """Return the share that is allowed, 1 where every run is taken.

    Raises
    ------
    typer.BadParameter
        If both options are given.
    """
    if accept and most_outside is not None:
        raise typer.BadParameter("--accept takes every run: leave out --most-outside")
    if accept:
        return 1.0
    return MOST_OUTSIDE if most_outside is None else most_outside
