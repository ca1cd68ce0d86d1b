"""ONNX recurrent operators: LSTM, GRU, RNN; forwards, backwards or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.onnx_import.assembly import Assembly, Axis, Held
from discrimen.freezing.onnx_import.context import Context, Tensor
from discrimen.freezing.onnx_import.graph import Op
from discrimen.network import layers
from discrimen.network.activations import Activation
from discrimen.network.layers import Layer

Weights = NDArray[np.float32]
Build = Callable[[Op, int, Weights, Weights, Weights, bool], Layer]
"""From the node, the direction's number, kernel, recurrent kernel (gates outermost) and both biases to a layer."""


def _recurrent(build: Build, *, gates: int, activations: list[str]) -> Callable[[Context, Op], tuple[Tensor, ...]]:
    def translate(context: Context, op: Op) -> tuple[Tensor, ...]:
        op.require(clip=0.0, layout=0, input_forget=0)
        _require_plain(context, op)
        assembly, held = context.assembly, context.held(op)
        value = assembly.settled(held, (Axis.STEP, Axis.PULSE, Axis.CHANNEL))
        kernels, recurrent = context.weights(op, 1), context.weights(op, 2)
        n_directions, _, units = recurrent.shape
        biases = context.bias(op, 3, n_directions * 2 * gates * units).reshape(n_directions, -1)
        _require_activations(op, activations * n_directions)
        wants_sequences, wants_state = (bool(name) and name in context.used for name in (*op.outputs, "", "")[:2])
        if any(name in context.used for name in op.outputs[2:]):
            raise SettingsError(f"{op.where}: its last cell state is read; only states can be adopted")
        sequences, states = [], []
        for number in range(n_directions):
            layer = build(op, number, kernels[number], recurrent[number], biases[number], wants_sequences)
            backwards = _is_backwards(op, number)
            read = assembly.add(layers.Reverse(), value) if backwards else value
            given = assembly.add(layer, read)
            states.append(_last(assembly, given) if wants_sequences and wants_state else given)
            sequences.append(assembly.add(layers.Reverse(), given) if backwards and wants_sequences else given)
        over = Axis.DIRECTION if n_directions > 1 else Axis.ONE
        return (
            Held(tuple(sequences), (Axis.STEP, over, Axis.PULSE, Axis.CHANNEL)),
            Held(tuple(states), (over, Axis.PULSE, Axis.CHANNEL)),
        )

    return translate


def _last(assembly: Assembly, sequences: int) -> int:
    steps, units = assembly.shapes[sequences]
    value = assembly.add(layers.Cropping1D(front=steps - 1, back=0), sequences) if steps > 1 else sequences
    return assembly.add(layers.Reshape(steps=0, channels=units), value)


def _is_backwards(op: Op, number: int) -> bool:
    direction = op.attributes.get("direction", "forward")
    return direction == "reverse" or (direction == "bidirectional" and number == 1)


def _require_plain(context: Context, op: Op) -> None:
    """Refuse lengths of their own for each pulse, states that do not begin at 0, and peepholes."""
    if op.input(4):
        raise SettingsError(f"{op.where}: lengths of its own for each pulse cannot be adopted; leave sequence_lens out")
    for number in (5, 6):
        begin = context.constant(op, number)
        if begin is not None and np.any(begin):
            raise SettingsError(f"{op.where}: its state does not begin at 0, which cannot be adopted")
    if op.input(7):
        raise SettingsError(f"{op.where}: peepholes cannot be adopted")


def _require_activations(op: Op, wanted: list[str]) -> None:
    found = op.attributes.get("activations", wanted)
    if [each.lower() for each in found] != [each.lower() for each in wanted] and op.kind != "RNN":
        raise SettingsError(f"{op.where}: expected the activations {', '.join(wanted)}, got {', '.join(found)}")


def _gated(array: Weights, order: list[int]) -> Weights:
    """Put the gates, blocks of the first axis, into our order and behind the inputs."""
    blocks = np.split(array, len(order))
    return np.ascontiguousarray(np.concatenate([blocks[each] for each in order]).T)


def _lstm(op: Op, number: int, kernel: Weights, recurrent: Weights, biases: Weights, sequences: bool) -> Layer:
    del op, number
    order = [0, 2, 3, 1]  # ONNX: input, output, forget, cell
    return layers.Lstm(
        kernel=_gated(kernel, order),
        recurrent_kernel=_gated(recurrent, order),
        bias=_gated(np.sum(np.split(biases, 2), axis=0), order),
        sequences=sequences,
    )


def _gru(op: Op, number: int, kernel: Weights, recurrent: Weights, biases: Weights, sequences: bool) -> Layer:
    del number
    bias, recurrent_bias = np.split(biases, 2)
    return layers.Gru(
        kernel=np.ascontiguousarray(kernel.T),
        recurrent_kernel=np.ascontiguousarray(recurrent.T),
        bias=bias,
        recurrent_bias=recurrent_bias,
        sequences=sequences,
        reset_after=bool(op.attributes.get("linear_before_reset", 0)),
    )


def _rnn(op: Op, number: int, kernel: Weights, recurrent: Weights, biases: Weights, sequences: bool) -> Layer:
    name = op.attributes.get("activations", ["Tanh"] * (number + 1))[number]
    known: dict[str, Activation] = {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid"}
    if name.lower() not in known:
        raise SettingsError(f"{op.where}: the activation {name} cannot be adopted; {', '.join(known)} can")
    return layers.SimpleRnn(
        kernel=np.ascontiguousarray(kernel.T),
        recurrent_kernel=np.ascontiguousarray(recurrent.T),
        bias=np.sum(np.split(biases, 2), axis=0),
        sequences=sequences,
        activation=known[name.lower()],
    )


OPERATORS: Mapping[str, Callable[[Context, Op], tuple[Tensor, ...]]] = MappingProxyType(
    {
        "LSTM": _recurrent(_lstm, gates=4, activations=["Sigmoid", "Tanh", "Tanh"]),
        "GRU": _recurrent(_gru, gates=3, activations=["Sigmoid", "Tanh"]),
        "RNN": _recurrent(_rnn, gates=1, activations=["Tanh"]),
    }
)
