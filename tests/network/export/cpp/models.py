"""Frozen models for the header: every kind of layer, every preparation, every architecture; weights are random."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference.reference_predictor import score_exactly
from discrimen.network.frozen_file import FrozenModel, GoldenVectors
from discrimen.network.layers import (
    ACTIVATIONS,
    Activate,
    AddKept,
    AveragePooling1D,
    Conv1D,
    Conv1DTranspose,
    Dense,
    Flatten,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Gru,
    Keep,
    Layer,
    Lstm,
    MaxPooling1D,
    Reshape,
    UpSampling1D,
)
from discrimen.network.model_spec import ModelSpec
from discrimen.network.preparation import Alignment, Preparation, Scale

WINDOW = 20
Samples = NDArray[Any]


def raw_pulses(
    n_pulses: int, n_samples: int, *, polarity: int, baseline_adc: float = 8000, start: int = 6, seed: int = 1
) -> NDArray[np.int32]:
    """Pulses of many shapes, heights and places, in ADC counts."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_samples) - start - rng.uniform(0, 6, (n_pulses, 1))
    late = np.maximum(time, 0)
    shape = (np.exp(-late / rng.uniform(2, 9, (n_pulses, 1))) - np.exp(-late / 0.8)) * rng.uniform(
        50, 7000, (n_pulses, 1)
    )
    raw = baseline_adc + polarity * shape + rng.normal(0, 1.5, shape.shape)
    return np.rint(raw).astype(np.int32)


def frozen(
    layers: tuple[Layer, ...], preparation: Preparation, *, n_outputs: int, golden: Samples, tolerance: float = 1e-5
) -> FrozenModel:
    """A model whose golden vectors are those of the reference."""
    classes = tuple(f"class {number}" for number in range(n_outputs)) if n_outputs != 2 else ("gamma", "neutron")
    spec = ModelSpec(preparation=preparation, classes=classes, thresholds={"95 %": 0.4})
    return FrozenModel(spec, layers, GoldenVectors(golden, score_exactly(layers, spec, golden), tolerance))


def layer_cases() -> dict[str, tuple[tuple[Layer, ...], int]]:
    """Networks on a window of 20 samples, each with its number of scores."""
    rng = np.random.default_rng(7)

    def weights(*shape: int) -> NDArray[np.float32]:
        return rng.normal(0, 0.6, shape).astype(np.float32)

    def conv(length: int, inputs: int, outputs: int, **options: Any) -> Conv1D:
        return Conv1D(kernel=weights(length, inputs, outputs), bias=weights(outputs), **options)

    def transposed(length: int, inputs: int, outputs: int, **options: Any) -> Conv1DTranspose:
        return Conv1DTranspose(kernel=weights(length, outputs, inputs), bias=weights(outputs), **options)

    def lstm(inputs: int, units: int, *, sequences: bool = False) -> Lstm:
        return Lstm(
            kernel=weights(inputs, 4 * units),
            recurrent_kernel=weights(units, 4 * units),
            bias=weights(4 * units),
            sequences=sequences,
        )

    def gru(inputs: int, units: int, *, sequences: bool = False) -> Gru:
        return Gru(
            kernel=weights(inputs, 3 * units),
            recurrent_kernel=weights(units, 3 * units),
            bias=weights(3 * units),
            recurrent_bias=weights(3 * units),
            sequences=sequences,
        )

    def dense(inputs: int, outputs: int, activation: Any = "linear") -> Dense:
        return Dense(kernel=weights(inputs, outputs), bias=weights(outputs), activation=activation)

    channel, pairs, flat = Reshape(steps=20, channels=1), Reshape(steps=10, channels=2), Flatten()
    return {
        **{f"dense_{name}": ((dense(20, 6, name),), 6) for name in ACTIVATIONS},
        "dense_wide": ((dense(20, 83, "relu"), dense(83, 3, "softmax")), 3),
        "dense_one": ((dense(20, 1, "sigmoid"),), 1),
        "dense_on_steps": ((pairs, dense(2, 5, "softmax"), flat), 50),
        "conv_valid": ((channel, conv(4, 1, 3, stride=3, activation="relu"), flat), 18),
        "conv_same": ((channel, conv(4, 1, 3, stride=3, padding="same"), flat), 21),
        "conv_same_stride_beyond_kernel": ((channel, conv(2, 1, 3, stride=5, padding="same"), flat), 12),
        "conv_dilated": ((channel, conv(3, 1, 9, dilation=3, padding="same"), flat), 180),
        "conv_dilated_valid": ((pairs, conv(3, 2, 2, dilation=4), flat), 4),
        "conv_longer_than_input": ((Reshape(steps=4, channels=5), conv(7, 5, 3, padding="same"), flat), 12),
        "conv_deep": ((pairs, conv(3, 2, 5, activation="tanh"), conv(2, 5, 17, activation="softmax"), flat), 119),
        "max_valid": ((pairs, MaxPooling1D(size=3, stride=3), flat), 6),
        "max_same": ((channel, MaxPooling1D(size=5, stride=3, padding="same"), flat), 7),
        "average_valid": ((pairs, AveragePooling1D(size=4, stride=3), flat), 6),
        "average_same": ((channel, AveragePooling1D(size=5, stride=3, padding="same"), flat), 7),
        "global_max": ((pairs, GlobalMaxPooling1D()), 2),
        "global_average": ((pairs, GlobalAveragePooling1D()), 2),
        "reshape_to_row": ((pairs, conv(2, 2, 4), Reshape(steps=0, channels=36)), 36),
        "lstm_last": ((channel, lstm(1, 5)), 5),
        "lstm_sequences": ((pairs, lstm(2, 9, sequences=True), lstm(9, 3)), 3),
        "gru_last": ((channel, gru(1, 5)), 5),
        "gru_sequences": ((pairs, gru(2, 9, sequences=True), gru(9, 3, sequences=True), flat), 30),
        "activate_softmax": ((pairs, Activate(activation="softmax"), flat), 20),
        "activate_tanh": ((Activate(activation="tanh"),), 20),
        "transposed_valid": ((pairs, transposed(3, 2, 3, stride=2, activation="relu"), flat), 63),
        "transposed_same": ((pairs, transposed(4, 2, 3, stride=3, padding="same"), flat), 90),
        "transposed_short": ((pairs, transposed(2, 2, 1, stride=3), flat), 30),
        "transposed_short_same": ((pairs, transposed(2, 2, 1, stride=3, padding="same"), flat), 30),
        "up_sampling": ((pairs, UpSampling1D(size=3), flat), 60),
        "kept": (
            (
                pairs,
                Keep(slot=0),
                conv(3, 2, 2, padding="same", activation="relu"),
                Keep(slot=7),
                AddKept(slot=0),
                Keep(slot=0),
                conv(3, 2, 2, padding="same"),
                AddKept(slot=7),
                AddKept(slot=0),
                flat,
            ),
            20,
        ),
        "nothing": ((), 20),
    }


def layer_models() -> dict[str, FrozenModel]:
    preparation = Preparation(
        sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=5, window_start=2, window_length=WINDOW
    )
    golden = raw_pulses(12, 25, polarity=-1, seed=2)
    return {
        name: frozen(layers, preparation, n_outputs=n_outputs, golden=golden)
        for name, (layers, n_outputs) in layer_cases().items()
    }


ALIGNMENTS = {
    "fixed": None,
    "at_sample": Alignment(fraction=0.3, position=4),
    "between": Alignment(fraction=0.5, position=30, interpolate=True),
    "before": Alignment(fraction=0.9, position=-15, interpolate=True),
}
PREPARATIONS: list[tuple[int, str, Scale]] = [
    (1, "fixed", "peak"),
    (1, "fixed", "area"),
    (1, "fixed", "none"),
    (1, "at_sample", "peak"),
    (1, "at_sample", "none"),
    (1, "between", "area"),
    (1, "before", "peak"),
    (-1, "fixed", "peak"),
    (-1, "at_sample", "area"),
    (-1, "between", "peak"),
    (-1, "between", "none"),
]


def preparation_models() -> dict[str, FrozenModel]:
    """Models without layers: the scores are the prepared window."""
    models = {}
    for polarity, name, scale in PREPARATIONS:
        alignment = ALIGNMENTS[name]
        preparation = Preparation(
            sample_period_ns=2.0,
            polarity=polarity,
            baseline_start=1,
            baseline_stop=6,
            window_start=0 if alignment else 3,
            window_length=37,
            alignment=alignment,
            scale=scale,
        )
        golden = raw_pulses(9, 60, polarity=polarity, start=8, seed=3)
        # ADC counts are not close to one.
        tolerance = 5e-3 if scale == "none" else 1e-5
        sign = "rising" if polarity > 0 else "falling"
        models[f"{sign}_{name}_{scale}"] = frozen((), preparation, n_outputs=37, golden=golden, tolerance=tolerance)
    return models
