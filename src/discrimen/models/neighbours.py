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
    layers = keras.layers
    seen = neighbours_layer(keras)(options.sectors, options.rings, options.last, name="neighbours")(waveform)
    values = seen
    for number, width in enumerate(options.hidden, start=1):
        values = layers.Dense(width, activation=options.activation, name=f"hidden_{number}")(values)
    column = layers.Reshape((seen.shape[1], 1), name="in_a_column")(seen)
    which = layers.Cropping1D((seen.shape[1] - n_segments, 0), name="hit_segment")(column)
    # Where the segment lies is a sum of its own: the dense layers are left with the place inside it.
    return layers.Concatenate(name="place_and_segment")(
        [
            _in_its_sector(layers, values, which, options=options),
            layers.Reshape((n_segments,), name="hit_segment_in_a_row")(which),
        ]
    )


def _in_its_sector(layers: Any, values: Any, which: Any, *, options: NeighboursOptions) -> Any:
    """Return the values in the places of the hit sector, zeros in those of the others.

    Along and across the hit segment are other directions in each sector: what follows has weights for each, and the
    dense layers need not know. A factor for each ring comes with it.
    """
    rings = layers.Reshape((options.rings, options.sectors), name="hit_ring_and_sector")(which)
    sectors = layers.Permute((2, 1), name="hit_sector_and_ring")(rings)
    width = values.shape[1]
    factors = layers.Conv1D(width, 1, use_bias=False, kernel_initializer="ones", name="factors_of_rings")(sectors)
    product = layers.Multiply(name="each_sector")([factors, layers.Reshape((1, width), name="as_a_step")(values)])
    return layers.Flatten(name="in_its_sector")(product)
