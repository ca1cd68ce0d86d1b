"""Neighbours network: dense layers on the hit segment and what lies around it, always in the same places.

For hits of a segmented crystal. Nearly all that tells where a gamma ray struck is in the traces of the hit segment, of
its eight neighbours and of the core; what is learned from one segment serves for the others, and which segment it was
is given beside.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import PositiveInt

from discrimen.errors import SettingsError
from discrimen.models.neighbours_layer import neighbours_layer
from discrimen.models.options import Activation, ArchitectureOptions, Widths


class NeighboursOptions(ArchitectureOptions):
    """Sectors and rings of the segments, last samples that tell the hit one, widths of the dense layers."""

    sectors: PositiveInt = 6
    rings: PositiveInt = 6
    last: PositiveInt = 5
    hidden: Widths = (384, 256, 128)
    activation: Activation = "relu"


def body(keras: ModuleType, waveform: Any, *, options: NeighboursOptions) -> Any:
    """Build the body on a waveform of shape (channel, sample), segments first.

    Raises
    ------
    SettingsError
        If there are fewer channels than segments, or fewer samples than those that tell the hit one.
    """
    channels, samples = waveform.shape[1:]
    n_segments = options.sectors * options.rings
    if channels < n_segments or samples < options.last:
        raise SettingsError(
            f"neighbours wants {n_segments} segments (options sectors, rings) of {options.last} samples or more, got "
            f"{channels} channels of {samples}"
        )
    layers, seen = (
        keras.layers,
        neighbours_layer(keras)(options.sectors, options.rings, options.last, name="neighbours"),
    )
    seen_values = seen(waveform)
    values = seen_values
    for number, width in enumerate(options.hidden, start=1):
        values = layers.Dense(width, activation=options.activation, name=f"hidden_{number}")(values)
    # Where the segment lies is a sum of its own: the dense layers are left with the place inside it.
    n_values = seen_values.shape[1]
    column = layers.Reshape((n_values, 1), name="in_a_column")(seen_values)
    which = layers.Cropping1D((n_values - n_segments, 0), name="hit_segment")(column)
    row = layers.Reshape((n_segments,), name="hit_segment_in_a_row")(which)
    return layers.Concatenate(name="place_and_segment")([values, row])
