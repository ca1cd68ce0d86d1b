"""Trace network: the same dense layer looks at the trace of each channel, further dense layers at all it saw.

For hits of many channels. A transient looks alike in whatever segment it is induced: what to look for in a trace
is learned once, from all channels; where it was seen stays known. With 37 traces of 45 samples and the default options
that takes half of the weights of `mlp` of the same widths.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import PositiveInt

from discrimen.models.options import Activation, ArchitectureOptions, Widths


class TracesOptions(ArchitectureOptions):
    """Numbers that are kept of each trace, widths of the dense layers behind, and their activation."""

    features: PositiveInt = 20
    hidden: Widths = (128, 64)
    activation: Activation = "relu"


def body(keras: ModuleType, waveform: Any, *, options: TracesOptions) -> Any:
    """Build the body on a waveform of shape (channel, sample)."""
    layers = keras.layers
    values = layers.Dense(options.features, activation=options.activation, name="traces")(waveform)
    values = layers.Flatten(data_format="channels_last", name="in_a_row")(values)
    for number, width in enumerate(options.hidden, start=1):
        values = layers.Dense(width, activation=options.activation, name=f"hidden_{number}")(values)
    return values
