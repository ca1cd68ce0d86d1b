"""Multi-layer perceptron: dense layers of any width and depth. 75-10-4-2 is NEDA's reference network."""

from __future__ import annotations

from types import ModuleType
from typing import Annotated, Any

from pydantic import BeforeValidator, PositiveInt

from discrimen.models.options import Activation, ArchitectureOptions


def _widths_from_text(value: object) -> object:
    """Read ``10,4`` as it comes from a command line; a single number is one layer."""
    if isinstance(value, str):
        return [width.strip() for width in value.split(",") if width.strip()]
    return (value,) if isinstance(value, int) else value


class MlpOptions(ArchitectureOptions):
    """Widths of the hidden layers, first to last, and their activation; no hidden layer is a logistic regression."""

    hidden: Annotated[tuple[PositiveInt, ...], BeforeValidator(_widths_from_text)] = (10, 4)
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
