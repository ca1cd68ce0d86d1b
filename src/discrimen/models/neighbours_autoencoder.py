"""Auto-encoder of neighbours: dense layers give the traces around the hit segment again, always in the same places.

For hits of a segmented crystal. What is learned of one segment serves for all. The traces around the hit segment and
the core's pass through linear layers, which hold a strong signal exactly, and through bent ones, which tell what is
noise; what comes out is put back into its channels. Traces farther away, each by itself, pass through a few numbers.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from discrimen.errors import SettingsError
from discrimen.models.neighbours_layer import neighbours_layer
from discrimen.models.options import Activation, ArchitectureOptions, Widths
from discrimen.models.variational import part_of_row
from discrimen.network.layers import N_AROUND, places_around

_SURE = 30.0
"""Softmax of this and zeros takes one value and leaves 1e-13 of the others."""


class NeighboursAutoencoderOptions(ArchitectureOptions):
    """Sectors and rings of the segments, last samples that tell the hit one, widths of the bent layers.

    `linear` are the numbers that the traces around the hit segment pass through beside them, `far` those of each trace
    farther away.
    """

    sectors: PositiveInt = 6
    rings: PositiveInt = 6
    last: PositiveInt = 5
    hidden: Widths = (384, 256)
    linear: PositiveInt = 128
    far: PositiveInt = 8
    activation: Activation = "relu"

    @property
    def n_segments(self) -> int:
        """How many channels are segments; they come first."""
        return self.sectors * self.rings


def body(keras: ModuleType, waveform: Any, *, options: NeighboursAutoencoderOptions) -> Any:
    """Build the body on a waveform of shape (channel, sample), segments first; gives all that the decoder takes.

    Raises
    ------
    SettingsError
        If there are fewer channels than segments, or fewer samples than those that tell the hit one.
    """
    layers, (channels, samples) = keras.layers, waveform.shape[1:]
    if channels < options.n_segments or samples < options.last:
        raise SettingsError(
            f"neighbours_autoencoder wants {options.n_segments} segments (options sectors, rings) of {options.last} "
            f"samples or more, got {channels} channels of {samples}"
        )
    seen = neighbours_layer(keras)(options.sectors, options.rings, options.last, name="neighbours")(waveform)
    n_values, n_near = seen.shape[1], _n_near(channels, options)
    values = seen
    for number, width in enumerate(options.hidden, start=1):
        values = layers.Dense(width, activation=options.activation, name=f"hidden_{number}")(values)
    straight = layers.Dense(options.linear, name="linear")(seen)
    which = part_of_row(keras, seen, n_near * samples, n_values, name="hit_segment")
    near = layers.Reshape((n_near, samples), name="near")(
        part_of_row(keras, seen, 0, n_near * samples, name="near_row")
    )
    covered = _put_back(keras, near, which, channels=channels, options=options, name="covered")
    far = layers.Subtract(name="far")([waveform, covered])
    few = layers.Dense(options.far, use_bias=False, name="far_numbers")(far)
    few = layers.Flatten(data_format="channels_last", name="far_in_a_row")(few)
    return layers.Concatenate(name="near_hit_and_far")([values, straight, which, few])


def decode(
    keras: ModuleType, code: Any, *, shape: tuple[int, int], options: NeighboursAutoencoderOptions, name: str
) -> Any:
    """Build the decoder from what the body gives to a waveform of shape (channel, sample); names its last layer."""
    layers, (channels, samples) = keras.layers, shape
    n_near, n_far = _n_near(channels, options), channels * options.far
    n_kept = code.shape[1] - n_far
    kept = part_of_row(keras, code, 0, n_kept - options.n_segments, name="decoder_kept")
    which = part_of_row(keras, code, n_kept - options.n_segments, n_kept, name="decoder_hit_segment")
    few = part_of_row(keras, code, n_kept, n_kept + n_far, name="decoder_far_row")
    near = layers.Dense(n_near * samples, name="decoder_near_row")(kept)
    near = layers.Reshape((n_near, samples), name="decoder_near")(near)
    near = _put_back(keras, near, which, channels=channels, options=options, name="decoder_in_place")
    few = layers.Reshape((channels, options.far), name="decoder_far_numbers")(few)
    far = layers.Dense(samples, use_bias=False, name="decoder_far")(few)
    return layers.Add(name=name)([near, far])


def _n_near(channels: int, options: NeighboursAutoencoderOptions) -> int:
    """Return how many traces the hit segment is seen with, itself and all channels that are no segments among them."""
    return N_AROUND + channels - options.n_segments


def _put_back(
    keras: ModuleType, near: Any, which: Any, *, channels: int, options: NeighboursAutoencoderOptions, name: str
) -> Any:
    """Put the traces around the hit segment, shape (trace, sample), back into their channels; zeros elsewhere.

    The place of each channel is asked of the hit segment by fixed layers: attention that knows its answer.
    """
    layers, n_slots = keras.layers, near.shape[1] + 1
    asked, names = _places_asked(channels, options), np.eye(n_slots, dtype=np.float32)
    query = _fixed(keras, which, asked, name=f"{name}_asked_row")
    key = _fixed(keras, which, np.zeros((options.n_segments, n_slots**2)), bias=names.ravel(), name=f"{name}_slots_row")
    query = layers.Reshape((channels, n_slots), name=f"{name}_asked")(query)
    key = layers.Reshape((n_slots, n_slots), name=f"{name}_slots")(key)
    slots = layers.ZeroPadding1D((0, 1), data_format="channels_last", name=f"{name}_and_nothing")(near)
    return layers.Attention(name=name)([query, slots, key])


def _places_asked(channels: int, options: NeighboursAutoencoderOptions) -> NDArray[np.float32]:
    """Return which slot each channel takes its trace from, by the hit segment: (segment, channel * slot)."""
    n_segments, n_near = options.n_segments, _n_near(channels, options)
    asked = np.zeros((n_segments, channels, n_near + 1), np.float32)
    others = np.arange(n_segments, channels)
    asked[:, others, N_AROUND + others - n_segments] = _SURE
    for segment, places in enumerate(places_around(options.sectors, options.rings)):
        there = np.flatnonzero(places >= 0)
        asked[segment, places[there], there] = _SURE
    asked[..., n_near] = np.where(asked.any(axis=2), 0, _SURE)
    return asked.reshape(n_segments, -1)


def _fixed(keras: ModuleType, row: Any, kernel: NDArray[Any], *, bias: NDArray[Any] | None = None, name: str) -> Any:
    """Multiply a row of values with a matrix that is not trained."""
    layer = keras.layers.Dense(
        kernel.shape[1], use_bias=bias is not None, kernel_initializer="zeros", trainable=False, name=name
    )
    layer.build(row.shape)
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    return layer(row)
