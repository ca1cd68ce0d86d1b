"""Gated recurrent unit: reads the pulse sample by sample."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import PositiveInt

from discrimen.models.options import ArchitectureOptions


class GruOptions(ArchitectureOptions):
    """Number of units of the recurrent layer."""

    units: PositiveInt = 16


def build(keras: ModuleType, *, window_length: int, n_classes: int, options: GruOptions) -> Any:
    """Build the network: input (window_length,), softmax output (n_classes,)."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((window_length,), name="waveform"),
            layers.Reshape((window_length, 1), name="sequence"),
            layers.GRU(options.units, name="gru"),
            layers.Dense(n_classes, activation="softmax", name="scores"),
        ],
        name="gru",
    )
