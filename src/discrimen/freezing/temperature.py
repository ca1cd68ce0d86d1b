"""Temperature scaling folded into the last layer, so that it costs a frozen network nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from discrimen.errors import SettingsError
from discrimen.network.layers import Activate, Dense, Layer


def with_temperature(layers: Sequence[Layer], temperature: float) -> tuple[Layer, ...]:
    """Return the layers of a network whose logits are divided by a temperature: softmax(z) becomes softmax(z / T).

    Parameters
    ----------
    layers : sequence of Layer
        The last of them a Dense with softmax, or a linear Dense with a softmax behind it.
    temperature : float
        Positive; 1 changes nothing.

    Raises
    ------
    SettingsError
        If the temperature is not positive and finite, or the network ends in another way.
    """
    if not (isfinite(temperature) and temperature > 0):
        raise SettingsError(f"a temperature must be positive and finite, got {temperature:g}")
    behind: tuple[Layer, ...] = ()
    match tuple(layers):
        case (*before, Dense(activation="softmax") as dense):
            pass
        case (*before, Dense(activation="linear") as dense, Activate(activation="softmax") as last):
            behind = (last,)
        case _:
            names = ", ".join(type(layer).__name__ for layer in layers[-2:])
            raise SettingsError(
                f"a temperature needs a network that ends in a dense layer and a softmax, this one ends in: {names}; "
                "freeze it with --no-temperature"
            )
    scaled = replace(
        dense,
        kernel=(dense.kernel / np.float64(temperature)).astype(np.float32),
        bias=(dense.bias / np.float64(temperature)).astype(np.float32),
    )
    return (*before, scaled, *behind)
