"""Multi-layer perceptron: dense layers of any width and depth. 75-10-4-2 is NEDA's reference network."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from discrimen.models.options import Activation, ArchitectureOptions, Widths


class MlpOptions(ArchitectureOptions):
    """Widths of the hidden layers, first to last, and their activation; no hidden layer is a logistic regression."""

    hidden: Widths = (10, 4)
    activation: Activation = "relu"


def build(keras: ModuleType, *, window_length: int, n_classes: int, options: MlpOptions) -> Any:
    """Build the network: input (window_length,), softmax output (n_classes,)."""
    layers = keras.layers
    hidden = [
        layers.Dense(width, activation=options.activation, name=f"hidden_{number}")
        for number, width in enumerate(options.hidden, start=1)
    ]
    output = layers.Dense(n_classes, activation="softmax", name="scores")
    return keras.Sequential([keras.Input((window_length,), name="waveform"), *hidden, output], name="mlp")
