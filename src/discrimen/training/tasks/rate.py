"""What a code costs in bits, as a network learns it: noise instead of rounding, and a distribution for each number."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np

N_COMPONENTS = 3
"""Logistic distributions for each number of a code."""

_FIRST_WIDTH = 4.0
"""Of the distributions before the training, in steps."""

_LEAST_PROBABILITY = 1e-9


def rated_model(keras: ModuleType, model: Any, *, step: float) -> Any:
    """Return a network that rounds the code between the two halves of an auto-encoder, and says what it costs.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    model : keras.Model
        Its outputs are a waveform and the code that alone it is made of.
    step : float
        Of the quantisation. While the network is trained, uniform noise of this width stands for rounding.

    Returns
    -------
    keras.Model
        With the layers of `model`; gives the waveform in a row, and behind it the bits of the code.
    """
    waveform, code = model.outputs
    encoder, decoder = keras.Model(model.inputs[0], code), keras.Model(code, waveform)
    pulse = keras.Input(model.inputs[0].shape[1:], name="pulse")
    rounded = _rounding(keras, step)(encoder(pulse))
    bits = _rate(keras, step)(rounded)
    flat = keras.layers.Flatten(data_format="channels_last")(decoder(rounded))
    return keras.Model(pulse, keras.layers.Concatenate()([flat, bits]), name="rated")


def _rounding(keras: ModuleType, step: float) -> Any:
    ops = keras.ops

    class Rounding(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Uniform noise while trained, rounding afterwards."""

        def __init__(self) -> None:
            super().__init__(name="rounding")
            self.seed = keras.random.SeedGenerator()

        def call(self, code: Any, training: bool = False) -> Any:
            if training:
                return code + keras.random.uniform(ops.shape(code), -step / 2, step / 2, seed=self.seed)
            return ops.round(code / step) * step

    return Rounding()


def _rate(keras: ModuleType, step: float) -> Any:
    ops = keras.ops

    class Rate(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Bits of a code under a mixture of logistic distributions for each of its numbers."""

        def __init__(self) -> None:
            super().__init__(name="rate")

        def build(self, shape: tuple[int, ...]) -> None:
            wanted = (shape[-1], N_COMPONENTS)
            places = np.linspace(-_FIRST_WIDTH, _FIRST_WIDTH, N_COMPONENTS)
            self.share = self.add_weight(name="share", shape=wanted, initializer="zeros")
            self.middle = self.add_weight(name="middle", shape=wanted, initializer="zeros")
            self.width = self.add_weight(
                name="width", shape=wanted, initializer=keras.initializers.Constant(math.log(_FIRST_WIDTH))
            )
            self.middle.assign(np.broadcast_to(places, wanted))

        def call(self, code: Any) -> Any:
            steps = ops.expand_dims(code / step, -1)
            scale = ops.exp(-self.width)
            upper, lower = (ops.sigmoid((steps + edge - self.middle) * scale) for edge in (0.5, -0.5))
            probability = ops.sum(ops.softmax(self.share) * (upper - lower), axis=-1)
            bits = -ops.log(ops.maximum(probability, _LEAST_PROBABILITY)) / math.log(2)
            return ops.sum(bits, axis=-1, keepdims=True)

    return Rate()
