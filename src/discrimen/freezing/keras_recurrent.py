"""Recurrent layers of Keras, in one direction and in both."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft, Scaling
from discrimen.freezing.keras_activations import activation_name
from discrimen.freezing.keras_values import bias_of, require, weights
from discrimen.network.activations import ACTIVATIONS, Activation
from discrimen.network.layers import (
    GATE_ACTIVATIONS,
    Add,
    Concatenate,
    GateActivation,
    Gru,
    Layer,
    Lstm,
    Multiply,
    Reverse,
    SimpleRnn,
)


def _lstm(layer: Any) -> Layer:
    cell = layer.cell
    kernel = weights(layer, cell.kernel)
    return Lstm(
        kernel=kernel,
        recurrent_kernel=weights(layer, cell.recurrent_kernel),
        bias=bias_of(layer, cell, kernel.shape[-1]),
        sequences=layer.return_sequences,
        gate_activation=_gate_activation(layer),
    )


def _gru(layer: Any) -> Layer:
    cell = layer.cell
    kernel = weights(layer, cell.kernel)
    both = np.zeros((2, kernel.shape[-1]), np.float32)
    if cell.use_bias:
        # With the reset gate in front of the product there is a single bias.
        both[: 2 if cell.reset_after else 1] = weights(layer, cell.bias)
    return Gru(
        kernel=kernel,
        recurrent_kernel=weights(layer, cell.recurrent_kernel),
        bias=both[0],
        recurrent_bias=both[1],
        sequences=layer.return_sequences,
        gate_activation=_gate_activation(layer),
        reset_after=cell.reset_after,
    )


def _simple_rnn(layer: Any) -> Layer:
    cell = layer.cell
    kernel = weights(layer, cell.kernel)
    name = activation_name(layer, cell.activation)
    if name not in ACTIVATIONS or name == "softmax":
        raise SettingsError(f"layer '{layer.name}': activation {name!r} cannot be frozen in it")
    return SimpleRnn(
        kernel=kernel,
        recurrent_kernel=weights(layer, cell.recurrent_kernel),
        bias=bias_of(layer, cell, kernel.shape[-1]),
        sequences=layer.return_sequences,
        activation=cast(Activation, name),
    )


def _gate_activation(layer: Any) -> GateActivation:
    activation = activation_name(layer, layer.cell.activation)
    if activation != "tanh":
        raise SettingsError(f"layer '{layer.name}': activation must be tanh to be frozen, got {activation}")
    gates = activation_name(layer, layer.cell.recurrent_activation)
    if gates not in GATE_ACTIVATIONS:
        raise SettingsError(
            f"layer '{layer.name}': recurrent_activation must be {' or '.join(GATE_ACTIVATIONS)} to be frozen, "
            f"got {gates}"
        )
    return cast(GateActivation, gates)


_KINDS = {"LSTM": _lstm, "GRU": _gru, "SimpleRNN": _simple_rnn}


def _recurrent(draft: Draft, layer: Any, value: int) -> int:
    """Append a layer in its own direction; backwards, the first step that it gives is that of the last one read."""
    require(layer, stateful=False, return_state=False)
    if layer.go_backwards:
        value = draft.add(Reverse(), value)
    return draft.add(_KINDS[type(layer).__name__](layer), value)


def _bidirectional(draft: Draft, layer: Any, value: int) -> int:
    directions = layer.forward_layer, layer.backward_layer
    for each in directions:
        if type(each).__name__ not in _KINDS:
            raise SettingsError(
                f"layer '{layer.name}': {', '.join(_KINDS)} can be frozen in it, got {type(each).__name__}"
            )
    ahead, back = (_recurrent(draft, each, value) for each in directions)
    if layer.return_sequences:
        back = draft.add(Reverse(), back)
    if layer.merge_mode == "concat":
        return draft.add(Concatenate(), ahead, back)
    if layer.merge_mode == "mul":
        return draft.add(Multiply(), ahead, back)
    if layer.merge_mode not in ("sum", "ave"):
        raise SettingsError(f"layer '{layer.name}': merge_mode {layer.merge_mode!r} cannot be frozen, take 'concat'")
    total = draft.add(Add(), ahead, back)
    if layer.merge_mode == "sum":
        return total
    channels = draft.shapes[total][-1]
    return draft.add(Scaling(scale=np.full(channels, 0.5), shift=np.zeros(channels)), total)


RECURRENT_LAYERS = {**dict.fromkeys(_KINDS, _recurrent), "Bidirectional": _bidirectional}
"""Functions that append a recurrent layer of Keras behind a value, by its kind."""
