"""Convolutional network: two banks of short filters look for shapes wherever they stand in the window."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import PositiveInt

from discrimen.errors import SettingsError
from discrimen.models.layout import samples_first
from discrimen.models.options import Activation, ArchitectureOptions


class CnnOptions(ArchitectureOptions):
    """Number of filters in each convolution, their length and the pooling between them, in samples."""

    filters: PositiveInt = 8
    kernel: PositiveInt = 5
    pool: PositiveInt = 2
    activation: Activation = "relu"


def body(keras: ModuleType, waveform: Any, *, options: CnnOptions) -> Any:
    """Build the body on a waveform of shape (channel, sample).

    Raises
    ------
    SettingsError
        If the window is shorter than the pooling.
    """
    window_length = waveform.shape[2]
    if window_length < options.pool:
        raise SettingsError(f"the window must hold at least {options.pool} samples (option pool), got {window_length}")
    layers = keras.layers
    # The layout is given because a user's keras.json may turn it round.
    convolution: dict[str, Any] = {
        "padding": "same",
        "activation": options.activation,
        "data_format": "channels_last",
    }
    values = samples_first(keras, waveform)
    values = layers.Conv1D(options.filters, options.kernel, name="convolution_1", **convolution)(values)
    values = layers.MaxPooling1D(options.pool, data_format="channels_last", name="pooling")(values)
    values = layers.Conv1D(options.filters, options.kernel, name="convolution_2", **convolution)(values)
    return layers.GlobalAveragePooling1D(data_format="channels_last", name="average")(values)
