"""Patch network: the same few filters look at each overlapping patch of the waveform, dense layers at all they saw.

A convolution with a stride, as the patches of Dosovitskiy et al., arXiv:2010.11929, here overlapping; its answers keep
their place in the window, where a global average would lose it. Shared filters need fewer weights and training pulses
than a dense layer of the same reach. A single convolution with a stride costs little: at the default options fewer than
four thousand multiply-adds for 75 samples.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import PositiveInt

from discrimen.models.layout import samples_first
from discrimen.models.options import Activation, ArchitectureOptions, Widths


class PatchesOptions(ArchitectureOptions):
    """Number of filters, length of a patch and step between patches in samples, widths of the dense layers behind."""

    filters: PositiveInt = 8
    kernel: PositiveInt = 8
    stride: PositiveInt = 4
    hidden: Widths = (16,)
    activation: Activation = "relu"


def body(keras: ModuleType, waveform: Any, *, options: PatchesOptions) -> Any:
    """Build the body on a waveform of shape (channel, sample); zeros surround the window."""
    layers = keras.layers
    # The layout is given because a user's keras.json may turn it round.
    patches = layers.Conv1D(
        options.filters,
        options.kernel,
        strides=options.stride,
        padding="same",
        activation=options.activation,
        data_format="channels_last",
        name="patches",
    )
    values = patches(samples_first(keras, waveform))
    values = layers.Flatten(data_format="channels_last", name="in_a_row")(values)
    for number, width in enumerate(options.hidden, start=1):
        values = layers.Dense(width, activation=options.activation, name=f"hidden_{number}")(values)
    return values
