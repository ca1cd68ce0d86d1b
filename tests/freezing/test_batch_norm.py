"""Batch normalisation against Keras: into the layer before, into the one behind, and as a layer of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from tests.inference.same_scores import assert_same_scores

from discrimen.errors import SettingsError
from discrimen.freezing.batch_norm import Scaling, folded
from discrimen.freezing.from_keras import layers_of
from discrimen.keras_jax import KerasSession, load_keras
from discrimen.network.layers import Dense, Keep, Layer

NORM = ("BatchNormalization", {})
STEPS = ("Reshape", {"target_shape": (6, 2)})
CHAINS: dict[str, tuple[list[tuple[str, dict[str, Any]]], list[str]]] = {
    "dense before": ([("Dense", {"units": 5}), NORM], ["Dense"]),
    "dense without bias before": ([("Dense", {"units": 5, "use_bias": False}), NORM], ["Dense"]),
    "dense on steps before": ([STEPS, ("Dense", {"units": 5}), NORM], ["Reshape", "Dense"]),
    "convolution before": (
        [STEPS, ("Conv1D", {"filters": 3, "kernel_size": 4, "padding": "same", "strides": 2}), NORM],
        ["Reshape", "Conv1D"],
    ),
    "transposed convolution before": (
        [STEPS, ("Conv1DTranspose", {"filters": 3, "kernel_size": 4, "padding": "same", "strides": 2}), NORM],
        ["Reshape", "Conv1DTranspose"],
    ),
    "activation behind": ([("Dense", {"units": 5}), NORM, ("ReLU", {})], ["Dense"]),
    "dropout between": ([("Dense", {"units": 5}), ("Dropout", {"rate": 0.5}), NORM], ["Dense"]),
    "dense behind": ([NORM, ("Dense", {"units": 5, "activation": "tanh"})], ["Dense"]),
    "dense behind an activation": (
        [("Dense", {"units": 5, "activation": "relu"}), NORM, ("Dense", {"units": 3})],
        ["Dense", "Dense"],
    ),
    "valid convolution behind": (
        [
            STEPS,
            NORM,
            ("Conv1D", {"filters": 3, "kernel_size": 4, "activation": "relu", "strides": 2}),
        ],
        ["Reshape", "Conv1D"],
    ),
    "convolution of length 1 behind": (
        [STEPS, NORM, ("Conv1D", {"filters": 3, "kernel_size": 1, "padding": "same", "strides": 4})],
        ["Reshape", "Conv1D"],
    ),
    "padded convolution behind": (
        [STEPS, NORM, ("Conv1D", {"filters": 3, "kernel_size": 4, "padding": "same"})],
        ["Reshape", "Conv1D", "Conv1D"],
    ),
    "transposed convolution behind": (
        [STEPS, NORM, ("Conv1DTranspose", {"filters": 3, "kernel_size": 4})],
        ["Reshape", "Conv1D", "Conv1DTranspose"],
    ),
    "alone": ([NORM], ["Dense"]),
    "alone on steps": ([STEPS, NORM, ("Flatten", {})], ["Reshape", "Conv1D", "Flatten"]),
    "alone, then an activation": ([STEPS, NORM, ("ReLU", {}), ("Flatten", {})], ["Reshape", "Conv1D", "Flatten"]),
    "behind a recurrent layer": ([STEPS, ("LSTM", {"units": 3}), NORM], ["Reshape", "Lstm", "Dense"]),
    "two": ([NORM, NORM, ("Activation", {"activation": "tanh"})], ["Dense"]),
    "on both sides": ([NORM, ("Dense", {"units": 4}), NORM, NORM, ("ELU", {})], ["Dense"]),
}


@pytest.fixture(scope="module")
def session() -> KerasSession:
    return load_keras("cpu")


def names(layers: tuple[Layer, ...]) -> list[str]:
    return [type(layer).__name__ for layer in layers]


@pytest.mark.parametrize("name", CHAINS)
def test_folded_network_computes_what_keras_computes(session: KerasSession, name: str) -> None:
    keras = session.keras
    chain, expected = CHAINS[name]
    model = keras.Sequential([keras.Input((12,)), *(getattr(keras.layers, kind)(**options) for kind, options in chain)])
    assert names(assert_same_scores(session, model)) == expected


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"scale": False, "center": False}])
@pytest.mark.parametrize("name", ["convolution before", "valid convolution behind", "alone on steps"])
def test_scale_and_centre_may_be_missing(session: KerasSession, name: str, options: dict[str, Any]) -> None:
    keras = session.keras
    chain = [(kind, options if kind == NORM[0] else given) for kind, given in CHAINS[name][0]]
    model = keras.Sequential([keras.Input((12,)), *(getattr(keras.layers, kind)(**given) for kind, given in chain)])
    assert_same_scores(session, model)


def test_epsilon_counts(session: KerasSession) -> None:
    keras = session.keras
    assert_same_scores(session, keras.Sequential([keras.Input((5,)), keras.layers.BatchNormalization(epsilon=0.5)]))


def test_output_that_a_shortcut_uses_too_is_left_as_it_is(session: KerasSession) -> None:
    keras = session.keras
    layers = keras.layers
    waveform = keras.Input((12,))
    shared = layers.Dense(6)(waveform)
    values = layers.BatchNormalization()(shared)
    values = layers.Activation("relu")(values)
    model = keras.Model(waveform, layers.Add()([layers.Dense(6)(values), shared]))
    assert names(assert_same_scores(session, model)) == ["Dense", "Keep", "Dense", "Dense", "AddKept"]


def test_normalised_value_that_a_shortcut_uses_too_is_left_as_it_is(session: KerasSession) -> None:
    keras = session.keras
    layers = keras.layers
    waveform = keras.Input((12,))
    shared = layers.BatchNormalization()(waveform)
    model = keras.Model(waveform, layers.Add()([layers.Dense(12)(shared), shared]))
    assert names(assert_same_scores(session, model)) == ["Dense", "Keep", "Dense", "AddKept"]


def test_sum_is_normalised_behind_the_addition(session: KerasSession) -> None:
    keras = session.keras
    layers = keras.layers
    waveform = keras.Input((12,))
    summed = layers.Add()([waveform, layers.Dense(12)(waveform)])
    model = keras.Model(waveform, layers.BatchNormalization()(summed))
    assert names(assert_same_scores(session, model)) == ["Keep", "Dense", "AddKept", "Dense"]


def test_weights_are_rounded_once() -> None:
    rng = np.random.default_rng(5)
    kernel, bias = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    first, second = (
        Scaling(scale=rng.normal(size=length), shift=rng.normal(size=length), along_steps=False) for length in (4, 3)
    )
    (layer,) = folded([first, Dense(kernel=kernel, bias=bias), second])
    assert isinstance(layer, Dense)
    assert layer.kernel.dtype == layer.bias.dtype == np.float32
    assert_array_equal(layer.kernel, (kernel * first.scale[:, np.newaxis] * second.scale).astype(np.float32))
    expected = (bias + first.shift @ kernel.astype(np.float64)) * second.scale + second.shift
    assert_array_equal(layer.bias, expected.astype(np.float32))


def test_activation_stays_behind_a_kept_value() -> None:
    dense = Dense(kernel=np.eye(2, dtype=np.float32), bias=np.zeros(2, np.float32))
    scaling = Scaling(scale=np.ones(2), shift=np.ones(2), along_steps=False)
    assert names(folded([dense, Keep(slot=0), scaling, Keep(slot=1), dense])) == [
        *("Dense", "Keep", "Dense", "Keep", "Dense")
    ]


@pytest.mark.parametrize(("shape", "axis"), [((6, 2), 1), ((2, 3, 4), -1)])
def test_other_axes_are_refused(session: KerasSession, shape: tuple[int, ...], axis: int) -> None:
    keras = session.keras
    model = keras.Sequential([keras.Input(shape), keras.layers.BatchNormalization(axis=axis, name="norm")])
    with pytest.raises(SettingsError, match=r"'norm'.*axis"):
        layers_of(model)


def test_variance_of_nothing_is_refused(session: KerasSession) -> None:
    keras = session.keras
    norm = keras.layers.BatchNormalization(epsilon=0.0, moving_variance_initializer="zeros", name="norm")
    with pytest.raises(SettingsError, match="'norm': variance and epsilon must add up to more than 0, got 0"):
        layers_of(keras.Sequential([keras.Input((5,)), norm]))
