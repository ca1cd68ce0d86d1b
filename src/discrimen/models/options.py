"""What the options of every architecture share."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Activation = Literal["relu", "tanh", "sigmoid", "elu", "gelu", "silu"]


class ArchitectureOptions(BaseModel):
    """Options of one architecture; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
