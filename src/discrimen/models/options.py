"""What the options of every architecture share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PositiveInt

Activation = Literal["relu", "tanh", "sigmoid", "elu", "gelu", "silu"]


def _widths_from_text(value: object) -> object:
    """Read ``10,4`` as it comes from a command line; a single number is one layer."""
    if isinstance(value, str):
        return [width.strip() for width in value.split(",") if width.strip()]
    return (value,) if isinstance(value, int) else value


Widths = Annotated[tuple[PositiveInt, ...], BeforeValidator(_widths_from_text)]
"""Widths of dense layers, first to last; none is no such layer."""


class ArchitectureOptions(BaseModel):
    """Options of one architecture; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
