"""Convolutional network: two banks of short filters look for shapes wherever they stand in the window."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import PositiveInt

from discrimen.errors import SettingsError
from discrimen.models.options import Activation, ArchitectureOptions


class CnnOptions(ArchitectureOptions):
    """Number of filters in each convolution, their length and the pooling between them, in samples."""

    filters: PositiveInt = 8
    kernel: PositiveInt = 5
    pool: PositiveInt = 2
    activation: Activation = "relu"


def build(keras: ModuleType, *, window_length: int, n_classes: int, options: CnnOptions) -> Any:
    """Build the network: input (window_length,), softmax output (n_classes,).

    Raises
    ------
    SettingsError
        If the window is shorter than the pooling.
    """
    if window_length < options.pool:
        raise SettingsError(f"the window must hold at least {options.pool} samples (option pool), got {window_length}")
    layers = keras.layers
    # The layout is given because a user's keras.json may turn it round.
    convolution: dict[str, Any] = {
        "padding": "same",
        "activation": options.activation,
        "data_format": "channels_last",
    }
    return keras.Sequential(
        [
            keras.Input((window_length,), name="waveform"),
            layers.Reshape((window_length, 1), name="one_channel"),
            layers.Conv1D(options.filters, options.kernel, name="convolution_1", **convolution),
            layers.MaxPooling1D(options.pool, data_format="channels_last", name="pooling"),
            layers.Conv1D(options.filters, options.kernel, name="convolution_2", **convolution),
            layers.GlobalAveragePooling1D(data_format="channels_last", name="average"),
            layers.Dense(n_classes, activation="softmax", name="scores"),
        ],
        name="cnn",
    )
