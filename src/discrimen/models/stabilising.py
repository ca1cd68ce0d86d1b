"""Waveforms in a scale in which noise is alike at every height, and back.

Photons fluctuate as the square root of their number, so the noise of a pulse grows with it. The scale
y = 2 (sqrt(1 + x) - 1) above zero and y = x below, with x in units of about the noise of the electronics, makes it
alike at every height (F. J. Anscombe, Biometrika 35 (1948) 246), and its way back is x = y + max(y, 0)^2 / 4. Both have
the slope 1 at zero: noise below the baseline is kept, not cut off.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any


def stabilised(keras: ModuleType, waveform: Any, unit: float) -> Any:
    """Put layers on a waveform that bring it into the stabilised scale.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    waveform : KerasTensor
        Prepared.
    unit : float
        What is 1 there, in the scale of the prepared waveform.
    """
    layers = keras.layers
    in_units = layers.Rescaling(1 / unit, name="in_noise")(waveform)
    above = layers.ReLU(name="above_zero")(in_units)
    below = layers.Subtract(name="below_zero")([in_units, above])
    root = keras.ops.sqrt(layers.Rescaling(4.0, offset=4.0, name="above_zero_and_1")(above))
    return layers.Add(name="stabilised")([layers.Rescaling(1.0, offset=-2.0, name="root")(root), below])


def restored(keras: ModuleType, values: Any, unit: float, *, name: str) -> Any:
    """Put layers on values of the stabilised scale that bring them back; the last one has the name."""
    layers = keras.layers
    above = layers.ReLU(name=f"{name}_above_zero")(values)
    square = layers.Multiply(name=f"{name}_square")([above, above])
    quarter = layers.Rescaling(0.25, name=f"{name}_quarter")(square)
    whole = layers.Add(name=f"{name}_in_noise")([values, quarter])
    return layers.Rescaling(unit, name=name)(whole)


def in_stabilised_scale(ops: Any, waveforms: Any, unit: float) -> Any:
    """Return waveforms in the stabilised scale; `ops` is ``numpy`` or ``keras.ops``."""
    in_units = waveforms / unit
    above = ops.maximum(in_units, 0)
    return 2 * (ops.sqrt(1 + above) - 1) + in_units - above
