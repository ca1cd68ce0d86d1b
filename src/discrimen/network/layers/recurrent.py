"""Recurrent layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from discrimen.errors import DataError
from discrimen.network.activations import Activation, activate
from discrimen.network.layers.base import (
    Arrays,
    GateActivation,
    Layer,
    Shape,
    Values,
    Weights,
    require_axes,
    require_channels,
    require_shape,
    steps_of,
)

__all__ = ["Gru", "Lstm", "SimpleRnn"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Lstm(Layer):
    """Long short-term memory, gates in the order input, forget, cell, output.

    kernel (channel, 4 units), recurrent_kernel (units, 4 units), bias (4 units,); tanh for candidate and output.
    """

    code: ClassVar[int] = 9
    kernel: Weights
    recurrent_kernel: Weights
    bias: Weights
    sequences: bool = False
    gate_activation: GateActivation = "sigmoid"

    def shape(self, *inputs: Shape) -> Shape:
        return _shape(self, inputs[0], gates=4)

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        (values,) = inputs
        states = []
        state = cell = xp.zeros((len(values), self.recurrent_kernel.shape[0]), dtype=values.dtype)
        for step in range(values.shape[1]):
            gates = values[:, step] @ self.kernel + state @ self.recurrent_kernel + self.bias
            entry, forget, candidate, output = xp.split(gates, 4, axis=1)
            cell = _gate(self, xp, forget) * cell + _gate(self, xp, entry) * xp.tanh(candidate)
            state = _gate(self, xp, output) * xp.tanh(cell)
            states.append(state)
        return xp.stack(states, axis=1) if self.sequences else state


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Gru(Layer):
    """Gated recurrent unit, gates in the order update, reset, candidate.

    kernel (channel, 3 units), recurrent_kernel (units, 3 units), bias and recurrent_bias (3 units,). The reset gate
    acts on the state's product with its kernel (``reset_after``), or on the state before it.
    """

    code: ClassVar[int] = 10
    kernel: Weights
    recurrent_kernel: Weights
    bias: Weights
    recurrent_bias: Weights
    sequences: bool = False
    gate_activation: GateActivation = "sigmoid"
    reset_after: bool = True

    def shape(self, *inputs: Shape) -> Shape:
        require_shape("recurrent bias", self.recurrent_bias, self.bias.shape)
        return _shape(self, inputs[0], gates=3)

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        (values,) = inputs
        units = self.recurrent_kernel.shape[0]
        states = []
        state = xp.zeros((len(values), units), dtype=values.dtype)
        for step in range(values.shape[1]):
            update, reset, candidate = xp.split(values[:, step] @ self.kernel + self.bias, 3, axis=1)
            both = state @ self.recurrent_kernel[:, : 2 * units] + self.recurrent_bias[: 2 * units]
            keep = _gate(self, xp, update + both[:, :units])
            opened = _gate(self, xp, reset + both[:, units:])
            kernel, bias = self.recurrent_kernel[:, 2 * units :], self.recurrent_bias[2 * units :]
            if self.reset_after:
                new = xp.tanh(candidate + opened * (state @ kernel + bias))
            else:
                new = xp.tanh(candidate + (opened * state) @ kernel + bias)
            state = keep * state + (1 - keep) * new
            states.append(state)
        return xp.stack(states, axis=1) if self.sequences else state


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SimpleRnn(Layer):
    """state = activation(x @ kernel + state @ recurrent_kernel + bias)."""

    code: ClassVar[int] = 23
    kernel: Weights
    recurrent_kernel: Weights
    bias: Weights
    sequences: bool = False
    activation: Activation = "tanh"

    def shape(self, *inputs: Shape) -> Shape:
        if self.activation == "softmax":
            raise DataError("its activation must act on each value by itself, got softmax")
        return _shape(self, inputs[0], gates=1)

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        (values,) = inputs
        states = []
        state = xp.zeros((len(values), self.recurrent_kernel.shape[0]), dtype=values.dtype)
        for step in range(values.shape[1]):
            driven = values[:, step] @ self.kernel + state @ self.recurrent_kernel + self.bias
            state = activate(xp, self.activation, driven)
            states.append(state)
        return xp.stack(states, axis=1) if self.sequences else state


def _gate(layer: Lstm | Gru, xp: Arrays, values: Values) -> Values:
    return activate(xp, layer.gate_activation, values)


def _shape(layer: Lstm | Gru | SimpleRnn, shape: Shape, *, gates: int) -> Shape:
    steps = steps_of(shape)
    require_axes("kernel", layer.kernel, 2)
    require_axes("recurrent kernel", layer.recurrent_kernel, 2)
    units = layer.recurrent_kernel.shape[0]
    require_channels(shape, layer.kernel.shape[0])
    require_shape("kernel", layer.kernel, (layer.kernel.shape[0], gates * units))
    require_shape("recurrent kernel", layer.recurrent_kernel, (units, gates * units))
    require_shape("bias", layer.bias, (gates * units,))
    return (steps, units) if layer.sequences else (units,)
