"""Networks of random weights that use every layer and every option of it, on windows of 20 samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from discrimen.network import layers as spec
from discrimen.network.frozen_file import FrozenModel, GoldenVectors
from discrimen.network.layers import ACTIVATIONS, Layer
from discrimen.network.model_spec import ModelSpec
from discrimen.network.preparation import Preparation

LENGTH = 20
AS_IT_IS = Preparation(
    sample_period_ns=10.0, polarity=1, baseline_start=0, baseline_stop=1, window_length=LENGTH, scale="none"
)
"""For records that start with a zero: the network sees the samples."""


class Weights:
    """Random weights of any shape."""

    def __init__(self, seed: int = 7) -> None:
        self._rng = np.random.default_rng(seed)

    def __call__(self, *shape: int) -> np.ndarray:
        return self._rng.normal(0, 0.6, shape).astype(np.float32)

    def dense(self, inputs: int, outputs: int, activation: Any = "linear") -> Layer:
        return spec.Dense(kernel=self(inputs, outputs), bias=self(outputs), activation=activation)

    def conv(self, length: int, inputs: int, outputs: int, **options: Any) -> Layer:
        return spec.Conv1D(kernel=self(length, inputs, outputs), bias=self(outputs), **options)

    def transpose(self, length: int, outputs: int, inputs: int, **options: Any) -> Layer:
        return spec.Conv1DTranspose(kernel=self(length, outputs, inputs), bias=self(outputs), **options)

    def lstm(self, inputs: int, units: int, *, sequences: bool = False) -> Layer:
        kernels = {"kernel": self(inputs, 4 * units), "recurrent_kernel": self(units, 4 * units)}
        return spec.Lstm(**kernels, bias=self(4 * units), sequences=sequences)

    def gru(self, inputs: int, units: int, *, sequences: bool = False) -> Layer:
        kernels = {"kernel": self(inputs, 3 * units), "recurrent_kernel": self(units, 3 * units)}
        biases = {"bias": self(3 * units), "recurrent_bias": self(3 * units)}
        return spec.Gru(**kernels, **biases, sequences=sequences)


ONE_CHANNEL = spec.Reshape(steps=LENGTH, channels=1)
Make = Callable[[Weights], tuple[Layer, ...]]


def _pool(kind: Any, **options: Any) -> Make:
    return lambda w: (ONE_CHANNEL, w.conv(1, 1, 3), kind(**options), spec.Flatten())


NETWORKS: Mapping[str, Make] = {
    "dense": lambda w: (w.dense(20, 7, "relu"), w.dense(7, 3, "softmax")),
    "dense on steps": lambda w: (spec.Reshape(steps=5, channels=4), w.dense(4, 3, "softmax"), spec.Flatten()),
    "dense on convolved steps": lambda w: (ONE_CHANNEL, w.conv(3, 1, 4), w.dense(4, 3, "softmax"), spec.Flatten()),
    "conv valid": lambda w: (ONE_CHANNEL, w.conv(4, 1, 3, stride=3, activation="relu"), spec.Flatten()),
    "conv same": lambda w: (ONE_CHANNEL, w.conv(4, 1, 3, stride=3, padding="same"), spec.Flatten()),
    "conv even same": lambda w: (ONE_CHANNEL, w.conv(4, 1, 3, padding="same"), spec.Flatten()),
    "conv dilated": lambda w: (ONE_CHANNEL, w.conv(3, 1, 2, dilation=3, padding="same"), spec.Flatten()),
    "conv far": lambda w: (ONE_CHANNEL, w.conv(3, 1, 2, dilation=25, padding="same"), spec.Flatten()),
    "conv and dense": lambda w: (ONE_CHANNEL, w.conv(4, 1, 3), w.conv(2, 3, 5), spec.Flatten(), w.dense(80, 2)),
    "conv and softmax": lambda w: (ONE_CHANNEL, w.conv(4, 1, 3), spec.Flatten(), spec.Activate(activation="softmax")),
    "conv and relu": lambda w: (ONE_CHANNEL, w.conv(4, 1, 3), spec.Flatten(), spec.Activate(activation="relu")),
    "softmax of channels": lambda w: (ONE_CHANNEL, w.conv(3, 1, 4, activation="softmax"), spec.Flatten()),
    "max": _pool(spec.MaxPooling1D, size=3, stride=3),
    "max same": _pool(spec.MaxPooling1D, size=3, stride=2, padding="same"),
    "max sparse": _pool(spec.MaxPooling1D, size=2, stride=3, padding="same"),
    "average": _pool(spec.AveragePooling1D, size=4, stride=3),
    "average same": _pool(spec.AveragePooling1D, size=3, stride=2, padding="same"),
    "average even same": _pool(spec.AveragePooling1D, size=4, stride=1, padding="same"),
    "global max": lambda w: (ONE_CHANNEL, w.conv(4, 1, 3), spec.GlobalMaxPooling1D()),
    "global average": lambda w: (ONE_CHANNEL, w.conv(4, 1, 3), spec.GlobalAveragePooling1D()),
    "global average of steps": lambda w: (ONE_CHANNEL, w.lstm(1, 4, sequences=True), spec.GlobalAveragePooling1D()),
    "global max of samples": lambda w: (spec.Reshape(steps=5, channels=4), spec.GlobalMaxPooling1D()),
    "flat as it is": lambda w: (spec.Flatten(), w.dense(20, 2)),
    "reshape": lambda w: (spec.Reshape(steps=5, channels=4), w.conv(2, 4, 2), spec.Reshape(steps=0, channels=8)),
    "reshape convolved": lambda w: (
        ONE_CHANNEL,
        w.conv(1, 1, 3),
        spec.Reshape(steps=12, channels=5),
        w.conv(2, 5, 2),
        spec.Flatten(),
    ),
    "lstm": lambda w: (ONE_CHANNEL, w.lstm(1, 5), w.dense(5, 2, "softmax")),
    "lstm of channels": lambda w: (spec.Reshape(steps=5, channels=4), w.lstm(4, 3)),
    "lstm sequence": lambda w: (ONE_CHANNEL, w.lstm(1, 5, sequences=True), w.lstm(5, 3, sequences=True), w.gru(3, 2)),
    "lstm sequence flat": lambda w: (ONE_CHANNEL, w.lstm(1, 4, sequences=True), spec.Flatten(), w.dense(80, 2)),
    "dense on a sequence": lambda w: (ONE_CHANNEL, w.gru(1, 4, sequences=True), w.dense(4, 2, "tanh"), spec.Flatten()),
    "gru": lambda w: (ONE_CHANNEL, w.gru(1, 5), w.dense(5, 2, "softmax")),
    "conv, gru, conv": lambda w: (
        ONE_CHANNEL,
        w.conv(3, 1, 4),
        w.gru(4, 3, sequences=True),
        w.conv(2, 3, 2),
        spec.Flatten(),
    ),
    "transpose valid": lambda w: (spec.Reshape(steps=5, channels=4), w.transpose(3, 2, 4, stride=2), spec.Flatten()),
    "transpose same": lambda w: (
        spec.Reshape(steps=5, channels=4),
        w.transpose(5, 2, 4, stride=2, padding="same", activation="relu"),
        spec.Flatten(),
    ),
    "transpose short": lambda w: (spec.Reshape(steps=5, channels=4), w.transpose(2, 2, 4, stride=3), spec.Flatten()),
    "transpose short same": lambda w: (
        spec.Reshape(steps=5, channels=4),
        w.transpose(2, 2, 4, stride=3, padding="same"),
        spec.Flatten(),
    ),
    "upsampling": lambda w: (ONE_CHANNEL, w.conv(3, 1, 2), spec.UpSampling1D(size=3), w.conv(2, 2, 1), spec.Flatten()),
    "upsampling samples": lambda w: (ONE_CHANNEL, spec.UpSampling1D(size=2), spec.Flatten()),
    "upsampling a sequence": lambda w: (
        ONE_CHANNEL,
        w.gru(1, 2, sequences=True),
        spec.UpSampling1D(size=2),
        spec.Flatten(),
    ),
    "residual": lambda w: (
        ONE_CHANNEL,
        spec.Keep(slot=1),
        w.conv(3, 1, 1, padding="same", activation="relu"),
        spec.AddKept(slot=1),
        spec.Keep(slot=1),
        w.lstm(1, 1, sequences=True),
        spec.AddKept(slot=1),
        spec.Flatten(),
    ),
    "residual of rows": lambda w: (
        ONE_CHANNEL,
        w.conv(1, 1, 3),
        spec.Flatten(),
        spec.Keep(slot=0),
        spec.Reshape(steps=12, channels=5),
        w.conv(1, 5, 5),
        spec.Flatten(),
        spec.AddKept(slot=0),
    ),
} | {f"activation {name}": (lambda w, name=name: (w.dense(20, 6, name),)) for name in ACTIVATIONS}


def frozen(layers: tuple[Layer, ...], preparation: Preparation = AS_IT_IS, *, n_classes: int = 2) -> FrozenModel:
    """Return a frozen model with classes of any number, and golden vectors that promise nothing."""
    spec_of_model = ModelSpec(preparation=preparation, classes=tuple(f"class {number}" for number in range(n_classes)))
    golden = GoldenVectors(np.zeros((1, 1), np.int32), np.zeros((1, n_classes)), 1e-5)
    return FrozenModel(spec_of_model, layers, golden)
