"""Layers of random weights, and graphs put together call by call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network import layers
from discrimen.network.graph import Network, Node
from discrimen.network.layers import Layer


class Weights:
    """Random weights of any shape, and layers with such weights."""

    def __init__(self, seed: int = 7) -> None:
        self._rng = np.random.default_rng(seed)

    def __call__(self, *shape: int) -> NDArray[np.float32]:
        return self._rng.normal(0, 0.6, shape).astype(np.float32)

    def dense(self, inputs: int, outputs: int, activation: Any = "linear") -> Layer:
        return layers.Dense(kernel=self(inputs, outputs), bias=self(outputs), activation=activation)

    def conv(self, length: int, inputs: int, outputs: int, **options: Any) -> Layer:
        """`inputs` are those of a group."""
        return layers.Conv1D(kernel=self(length, inputs, outputs), bias=self(outputs), **options)

    def transpose(self, length: int, outputs: int, inputs: int, **options: Any) -> Layer:
        return layers.Conv1DTranspose(kernel=self(length, outputs, inputs), bias=self(outputs), **options)

    def lstm(self, inputs: int, units: int, **options: Any) -> Layer:
        return layers.Lstm(**self._recurrent(inputs, units, gates=4), **options)

    def gru(self, inputs: int, units: int, **options: Any) -> Layer:
        return layers.Gru(**self._recurrent(inputs, units, gates=3), recurrent_bias=self(3 * units), **options)

    def rnn(self, inputs: int, units: int, **options: Any) -> Layer:
        return layers.SimpleRnn(**self._recurrent(inputs, units, gates=1), **options)

    def norm(self, channels: int) -> Layer:
        return layers.LayerNorm(gamma=self(channels), beta=self(channels), epsilon=np.array([1e-3], np.float32))

    def _recurrent(self, inputs: int, units: int, *, gates: int) -> dict[str, Any]:
        kernels = {"kernel": self(inputs, gates * units), "recurrent_kernel": self(units, gates * units)}
        return {**kernels, "bias": self(gates * units)}


class Graph:
    """Layers put together call by call; each call returns the number of the new value."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def __call__(self, layer: Layer, *inputs: int) -> int:
        self.nodes.append(Node(layer, inputs))
        return len(self.nodes)

    def through(self, layers: Sequence[Layer], value: int = 0) -> int:
        """Append a chain of layers behind a value."""
        for layer in layers:
            value = self(layer, value)
        return value

    def network(self, *outputs: int) -> Network:
        return Network(tuple(self.nodes), outputs)
