"""How bodies lay out what they are given: every network takes prepared pulses of shape (channel, sample)."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def samples_first(keras: ModuleType, waveform: Any) -> Any:
    """Turn (channel, sample) into (sample, channel), as layers along the samples want it.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    waveform : KerasTensor, shape (pulse, channel, sample)
        The prepared input.
    """
    channels, samples = waveform.shape[1:]
    if channels == 1:
        # The order of the values stays, so nothing is moved.
        return keras.layers.Reshape((samples, 1), name="samples_first")(waveform)
    return keras.layers.Permute((2, 1), name="samples_first")(waveform)


def channels_first(keras: ModuleType, values: Any, *, name: str) -> Any:
    """Turn (sample, channel) into (channel, sample), as waveforms are given."""
    samples, channels = values.shape[1:]
    if channels == 1:
        return keras.layers.Reshape((1, samples), name=name)(values)
    return keras.layers.Permute((2, 1), name=name)(values)
