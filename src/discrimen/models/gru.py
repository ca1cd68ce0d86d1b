"""Gated recurrent unit: reads the pulse sample by sample."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import PositiveInt

from discrimen.models.layout import samples_first
from discrimen.models.options import ArchitectureOptions


class GruOptions(ArchitectureOptions):
    """Number of units of the recurrent layer."""

    units: PositiveInt = 16


def body(keras: ModuleType, waveform: Any, *, options: GruOptions) -> Any:
    """Build the body on a waveform of shape (channel, sample)."""
    return keras.layers.GRU(options.units, name="gru")(samples_first(keras, waveform))
