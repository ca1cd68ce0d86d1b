"""Residual network: a deeper convolutional network, each of whose blocks corrects what it is given.

He et al., arXiv:1512.03385: the output of a block is its input plus what two convolutions make of it, so that more
blocks do not make the training harder. Batch normalisation stands before each activation; frozen, it costs nothing.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import PositiveInt

from discrimen.errors import SettingsError
from discrimen.models.layout import samples_first
from discrimen.models.options import Activation, ArchitectureOptions

_MOMENTUM = 0.9
"""Of the moving averages; Keras' 0.99 needs hundreds of steps until they have forgotten their first values."""


class ResnetOptions(ArchitectureOptions):
    """Number of filters in each convolution, their length in samples, residual blocks, and the pooling before each."""

    filters: PositiveInt = 8
    kernel: PositiveInt = 5
    blocks: PositiveInt = 2
    pool: PositiveInt = 2
    activation: Activation = "relu"


def body(keras: ModuleType, waveform: Any, *, options: ResnetOptions) -> Any:
    """Build the body on a waveform of shape (channel, sample); a pooling of 1 is left out.

    Raises
    ------
    SettingsError
        If the window is too short to be pooled before each block.
    """
    shortest, window_length = options.pool**options.blocks, waveform.shape[2]
    if window_length < shortest:
        raise SettingsError(
            f"the window must hold at least {shortest} samples (option pool {options.pool} before each of "
            f"{options.blocks} blocks), got {window_length}"
        )
    layers = keras.layers
    values = _convolution(layers, samples_first(keras, waveform), options, name="entry")
    values = layers.Activation(options.activation, name="entry_activation")(values)
    for number in range(1, options.blocks + 1):
        if options.pool > 1:
            # The layout is given because a user's keras.json may turn it round.
            pooling = layers.MaxPooling1D(options.pool, data_format="channels_last", name=f"pooling_{number}")
            values = pooling(values)
        values = _block(layers, values, options, name=f"block_{number}")
    return layers.GlobalAveragePooling1D(data_format="channels_last", name="average")(values)


def _block(layers: ModuleType, entry: Any, options: ResnetOptions, *, name: str) -> Any:
    values = _convolution(layers, entry, options, name=f"{name}_a")
    values = layers.Activation(options.activation, name=f"{name}_a_activation")(values)
    values = _convolution(layers, values, options, name=f"{name}_b")
    values = layers.Add(name=f"{name}_sum")([values, entry])
    return layers.Activation(options.activation, name=f"{name}_activation")(values)


def _convolution(layers: ModuleType, values: Any, options: ResnetOptions, *, name: str) -> Any:
    convolution = layers.Conv1D(
        options.filters, options.kernel, padding="same", use_bias=False, data_format="channels_last", name=name
    )
    return layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_normalisation")(convolution(values))
