"""What the options of every architecture share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveInt

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


class AutoencoderOptions(ArchitectureOptions):
    """Numbers in the code, and the weight of a term of the loss that keeps them from saying the same.

    `decorrelation` is in units of the mean square of the residual for a mean squared correlation of 1.
    """

    code: PositiveInt = 8
    decorrelation: NonNegativeFloat = 0.0

    @property
    def code_costs(self) -> bool:
        """Whether the loss has more terms than the residual."""
        return self.decorrelation > 0


class VariationalOptions(AutoencoderOptions):
    """Weight of the divergence, 1 for the evidence lower bound with the noise before the pulse, and its warm-up."""

    beta: NonNegativeFloat = 1.0
    warm_up_epochs: NonNegativeInt = 5

    @property
    def code_costs(self) -> bool:
        """Yes: its divergence."""
        return True
