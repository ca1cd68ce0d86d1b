"""Every layer of the reference engine against Keras, on random weights and random values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from discrimen.errors import DataError
from discrimen.freezing.from_keras import layers_of
from discrimen.inference.layer_math import run_layers
from discrimen.keras_jax import KerasSession, load_keras
from discrimen.models import ARCHITECTURES, build_model
from discrimen.spec.layers import Dense

LENGTH = 20
CASES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "dense": [("Dense", {"units": 7, "activation": "relu"}), ("Dense", {"units": 3, "activation": "softmax"})],
    "no bias": [("Dense", {"units": 4, "use_bias": False})],
    "valid": [("Conv1D", {"filters": 3, "kernel_size": 4, "strides": 3})],
    "same": [("Conv1D", {"filters": 3, "kernel_size": 4, "strides": 3, "padding": "same"})],
    "dilated": [("Conv1D", {"filters": 2, "kernel_size": 3, "dilation_rate": 3, "padding": "same"})],
    "two convolutions": [("Conv1D", {"filters": 5, "kernel_size": 3}), ("Conv1D", {"filters": 2, "kernel_size": 2})],
    "max": [("MaxPooling1D", {"pool_size": 3})],
    "max same": [("MaxPooling1D", {"pool_size": 3, "strides": 2, "padding": "same"})],
    "average": [("AveragePooling1D", {"pool_size": 4, "strides": 3})],
    "average same": [("AveragePooling1D", {"pool_size": 3, "strides": 2, "padding": "same"})],
    "global max": [("Conv1D", {"filters": 3, "kernel_size": 4}), ("GlobalMaxPooling1D", {})],
    "global average": [("Conv1D", {"filters": 3, "kernel_size": 4}), ("GlobalAveragePooling1D", {})],
    "flatten": [("Conv1D", {"filters": 3, "kernel_size": 4}), ("Flatten", {}), ("Dense", {"units": 2})],
    "reshape": [("Reshape", {"target_shape": (5, 4)}), ("Conv1D", {"filters": 2, "kernel_size": 2})],
    "dropout": [("Dropout", {"rate": 0.5})],
    "lstm": [("LSTM", {"units": 5})],
    "lstm sequence": [("LSTM", {"units": 5, "return_sequences": True}), ("LSTM", {"units": 3})],
    "gru": [("GRU", {"units": 5})],
    "gru sequence": [("GRU", {"units": 4, "return_sequences": True}), ("GRU", {"units": 3, "use_bias": False})],
    "activation layer": [("Activation", {"activation": "softmax"})],
} | {
    name: [("Dense", {"units": 6, "activation": name})] for name in ("tanh", "sigmoid", "elu", "gelu", "silu", "linear")
}
ON_ROWS = {"dense", "no bias", "dropout", "activation layer", "tanh", "sigmoid", "elu", "gelu", "silu", "linear"}


@pytest.fixture(scope="module")
def session() -> KerasSession:
    return load_keras("cpu")


def randomise(model: Any, rng: np.random.Generator) -> None:
    model.set_weights([rng.normal(0, 0.7, weights.shape) for weights in model.get_weights()])


def assert_same_scores(session: KerasSession, model: Any, *, tolerance: float) -> None:
    rng = np.random.default_rng(3)
    randomise(model, rng)
    waveforms = rng.normal(0, 1, (17, model.input_shape[1])).astype(np.float32)
    with session.on_device():
        expected = np.asarray(model(waveforms))
    got = run_layers(layers_of(model), waveforms)
    assert got.shape == expected.shape
    assert_allclose(got, expected, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
def test_layer_computes_what_keras_computes(session: KerasSession, name: str) -> None:
    keras = session.keras
    first = [] if name in ON_ROWS or name == "reshape" else [keras.layers.Reshape((LENGTH, 1))]
    layers = [getattr(keras.layers, kind)(**options) for kind, options in CASES[name]]
    model = keras.Sequential([keras.Input((LENGTH,)), *first, *layers])
    assert_same_scores(session, model, tolerance=2e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
def test_every_architecture_can_be_computed(session: KerasSession, architecture: str) -> None:
    model = build_model(session.keras, architecture, {}, window_length=75)
    assert_same_scores(session, model, tolerance=1e-5)


def test_layer_that_does_not_fit_is_named() -> None:
    wrong = Dense(kernel=np.zeros((5, 2), np.float32), bias=np.zeros(2, np.float32))
    with pytest.raises(DataError, match=r"layer 0 \(Dense\) does not fit values of shape \(4,\)"):
        run_layers([wrong], np.zeros((3, 4), np.float32))
