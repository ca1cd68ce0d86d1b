"""Dense auto-encoder: dense layers down to a code, and the same widths back up to the waveform."""

from __future__ import annotations

from math import prod
from types import ModuleType
from typing import Any

from discrimen.models.options import Activation, AutoencoderOptions, VariationalOptions, Widths


class DenseAutoencoderOptions(AutoencoderOptions):
    """Numbers in the code, and widths of the layers before it; those behind it have them in reverse."""

    hidden: Widths = (32,)
    activation: Activation = "relu"


class VariationalAutoencoderOptions(VariationalOptions, DenseAutoencoderOptions):
    """The same, and what a variational code costs."""


def body(keras: ModuleType, waveform: Any, *, options: DenseAutoencoderOptions) -> Any:
    """Build the encoder on a waveform of shape (channel, sample); gives the code."""
    values = keras.layers.Flatten(data_format="channels_last", name="in_a_row")(waveform)
    for number, width in enumerate(options.hidden, start=1):
        values = keras.layers.Dense(width, activation=options.activation, name=f"encoder_{number}")(values)
    return keras.layers.Dense(options.code, name="code")(values)


def decode(keras: ModuleType, code: Any, *, shape: tuple[int, int], options: DenseAutoencoderOptions, name: str) -> Any:
    """Build the decoder from the code to a waveform of shape (channel, sample); its last layer has the name."""
    values = code
    for number, width in enumerate(reversed(options.hidden), start=1):
        values = keras.layers.Dense(width, activation=options.activation, name=f"decoder_{number}")(values)
    flat = keras.layers.Dense(prod(shape), name="decoder_samples")(values)
    return keras.layers.Reshape(shape, name=name)(flat)
