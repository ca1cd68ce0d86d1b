"""Heads: what makes the outputs of a model from what its body gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from types import ModuleType
from typing import Any

from discrimen.errors import SettingsError
from discrimen.network.outputs import Output

Decode = Callable[..., Any]
"""``decode(code, name=...)``: from a code to a waveform of shape (pulse, channel, sample); names the last layer."""


def add_heads(
    keras: ModuleType, values: Any, outputs: Sequence[Output], *, decode: Decode | None, taken: Sequence[str]
) -> list[Any]:
    """Put a head for each output on a body.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    values : KerasTensor, shape (pulse, value)
        What the body gives; the code of an auto-encoder.
    outputs : sequence of Output
        What the model should give.
    decode : callable or None
        Makes the waveform of an auto-encoder; other bodies have none, and a dense layer makes it.
    taken : sequence of str
        Names of the body's layers.

    Returns
    -------
    list of KerasTensor
        In the order of the outputs.

    Raises
    ------
    SettingsError
        If there is no head for an output, or the body has no code to give.
    """
    heads = []
    for output in outputs:
        name = _free(output.name, taken)
        if output.kind == "code":
            if decode is None or values.shape[1:] != output.shape:
                raise SettingsError(
                    f"output {output.name!r} is a code of shape {output.shape}, the body gives values of shape "
                    f"{values.shape[1:]}: take one of the auto-encoders, or leave the code out"
                )
            heads.append(values)
        elif output.kind == "waveform":
            heads.append(decode(values, name=name) if decode else _waveform(keras, values, output, name))
        elif output.with_error:
            heads.append(_with_error(keras, values, output, name))
        else:
            heads.append(_dense(keras, values, output, name))
    return heads


def in_spreads(keras: ModuleType, waveform: Any, spread: float) -> Any:
    """Divide a prepared waveform by the spread of its values; by 1 nothing is done."""
    return waveform if spread == 1 else keras.layers.Rescaling(1 / spread, name="in_spreads")(waveform)


def add_units(
    keras: ModuleType, values: Sequence[Any], outputs: Sequence[Output], *, waveform_spread: float = 1.0
) -> list[Any]:
    """Put a fixed last layer on every quantity, which turns what the network gives into the quantity's unit.

    Networks learn best what varies by about one: the training sets the layer by mean and spread of the values to
    learn; a plain dense layer, so that every engine knows it. Waveforms are multiplied by their spread.
    """
    given = []
    for each, output in zip(values, outputs, strict=True):
        if output.kind == "quantity":
            given.append(_unit_layer(keras, output)(each))
        elif output.kind == "waveform" and waveform_spread != 1:
            given.append(keras.layers.Rescaling(waveform_spread, name=f"{output.name}_in_unit")(each))
        else:
            given.append(each)
    return given


def unit_layer_name(output: Output) -> str:
    """Return the name of the layer that turns a quantity into its unit."""
    return f"{output.name}_in_unit".replace("/", "_")


def _unit_layer(keras: ModuleType, output: Output) -> Any:
    return keras.layers.Dense(
        output.n_values, kernel_initializer="identity", trainable=False, name=unit_layer_name(output)
    )


def _dense(keras: ModuleType, values: Any, output: Output, name: str) -> Any:
    if len(output.shape) != 1:
        raise SettingsError(
            f"output {output.name!r}: there is no head for a {output.kind} of shape {output.shape}; give it one axis"
        )
    return keras.layers.Dense(output.n_values, activation=output.activation, name=name)(values)


def _with_error(keras: ModuleType, values: Any, output: Output, name: str) -> Any:
    n_values = prod(output.shape)
    value = keras.layers.Dense(n_values, name=f"{name}_value")(values)
    deviation = keras.layers.Dense(n_values, activation="softplus", name=f"{name}_deviation")(values)
    return keras.layers.Concatenate(name=name)([value, deviation])


def _waveform(keras: ModuleType, values: Any, output: Output, name: str) -> Any:
    flat = keras.layers.Dense(prod(output.shape), activation=output.activation, name=f"{name}_flat")(values)
    return keras.layers.Reshape(output.shape, name=name)(flat)


def _free(name: str, taken: Sequence[str]) -> str:
    plain = name.replace("/", "_")
    return f"{plain}_output" if plain in taken else plain
