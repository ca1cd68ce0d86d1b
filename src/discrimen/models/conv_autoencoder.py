"""Convolutional auto-encoder: strided convolutions down to a code, transposed ones back up to the waveform."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import PositiveInt

from discrimen.models.layout import channels_first, samples_first
from discrimen.models.options import Activation, AutoencoderOptions, VariationalOptions

_STRIDE = 2


class ConvAutoencoderOptions(AutoencoderOptions):
    """Numbers in the code, filters and their length in samples, and how often the samples are halved."""

    filters: PositiveInt = 8
    kernel: PositiveInt = 5
    halvings: PositiveInt = 2
    activation: Activation = "relu"


class ConvVariationalAutoencoderOptions(VariationalOptions, ConvAutoencoderOptions):
    """The same, and what a variational code costs."""


def body(keras: ModuleType, waveform: Any, *, options: ConvAutoencoderOptions) -> Any:
    """Build the encoder on a waveform of shape (channel, sample); gives the code."""
    values = samples_first(keras, waveform)
    for number in range(1, options.halvings + 1):
        values = keras.layers.Conv1D(name=f"encoder_{number}", **_convolution(options))(values)
    values = keras.layers.Flatten(data_format="channels_last", name="in_a_row")(values)
    return keras.layers.Dense(options.code, name="code")(values)


def decode(keras: ModuleType, code: Any, *, shape: tuple[int, int], options: ConvAutoencoderOptions, name: str) -> Any:
    """Build the decoder from the code to a waveform of shape (channel, sample); its last layer has the name."""
    layers = keras.layers
    channels, samples = shape
    lengths = [samples]
    for _ in range(options.halvings):
        lengths.append(-(-lengths[-1] // _STRIDE))
    values = layers.Dense(lengths[-1] * options.filters, activation=options.activation, name="decoder_in_a_row")(code)
    values = layers.Reshape((lengths[-1], options.filters), name="decoder_samples_first")(values)
    for number, length in enumerate(reversed(lengths[:-1]), start=1):
        values = layers.Conv1DTranspose(name=f"decoder_{number}", **_convolution(options))(values)
        if values.shape[1] > length:
            # An odd number of samples was rounded up when it was halved.
            values = layers.Cropping1D((0, values.shape[1] - length), name=f"decoder_cropping_{number}")(values)
    values = layers.Conv1D(
        channels, options.kernel, padding="same", data_format="channels_last", name="decoder_samples"
    )(values)
    return channels_first(keras, values, name=name)


def _convolution(options: ConvAutoencoderOptions) -> dict[str, Any]:
    # The layout is given because a user's keras.json may turn it round.
    return {
        "filters": options.filters,
        "kernel_size": options.kernel,
        "strides": _STRIDE,
        "padding": "same",
        "activation": options.activation,
        "data_format": "channels_last",
    }
