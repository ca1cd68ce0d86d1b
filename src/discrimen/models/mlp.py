"""Multi-layer perceptron: dense layers of any width and depth. 75-10-4-2 is NEDA's reference network."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from discrimen.models.options import Activation, ArchitectureOptions, Widths


class MlpOptions(ArchitectureOptions):
    """Widths of the hidden layers, first to last, and their activation; no hidden layer is a logistic regression."""

    hidden: Widths = (10, 4)
    activation: Activation = "relu"


def body(keras: ModuleType, waveform: Any, *, options: MlpOptions) -> Any:
    """Build the body on a waveform of shape (channel, sample); all samples of all channels in a row."""
    values = keras.layers.Flatten(data_format="channels_last", name="in_a_row")(waveform)
    for number, width in enumerate(options.hidden, start=1):
        values = keras.layers.Dense(width, activation=options.activation, name=f"hidden_{number}")(values)
    return values
