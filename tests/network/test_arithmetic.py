"""Every layer of the reference engine against Keras, on random weights and random values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.inference.same_scores import assert_same_scores

from discrimen.errors import DataError
from discrimen.keras_jax import KerasSession, load_keras
from discrimen.models import ARCHITECTURES, build_model
from discrimen.network import arithmetic
from discrimen.network.arithmetic import run_layers
from discrimen.network.layers import (
    AddKept,
    AveragePooling1D,
    Conv1D,
    Conv1DTranspose,
    Dense,
    Keep,
    Layer,
    MaxPooling1D,
    Reshape,
    UpSampling1D,
)

LENGTH = 20
SEQUENCE = {"units": 3, "return_sequences": True}
CASES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "dense": [("Dense", {"units": 7, "activation": "relu"}), ("Dense", {"units": 3, "activation": "softmax"})],
    "no bias": [("Dense", {"units": 4, "use_bias": False})],
    "valid": [("Conv1D", {"filters": 3, "kernel_size": 4, "strides": 3})],
    "same": [("Conv1D", {"filters": 3, "kernel_size": 4, "strides": 3, "padding": "same"})],
    "dilated": [("Conv1D", {"filters": 2, "kernel_size": 3, "dilation_rate": 3, "padding": "same"})],
    "dilated, even": [("Conv1D", {"filters": 2, "kernel_size": 2, "dilation_rate": 3, "padding": "same"})],
    "two convolutions": [("Conv1D", {"filters": 5, "kernel_size": 3}), ("Conv1D", {"filters": 2, "kernel_size": 2})],
    "max": [("MaxPooling1D", {"pool_size": 3})],
    "max same": [("MaxPooling1D", {"pool_size": 3, "strides": 2, "padding": "same"})],
    "average": [("AveragePooling1D", {"pool_size": 4, "strides": 3})],
    "average same": [("AveragePooling1D", {"pool_size": 3, "strides": 2, "padding": "same"})],
    "global max": [("Conv1D", {"filters": 3, "kernel_size": 4}), ("GlobalMaxPooling1D", {})],
    "global average": [("Conv1D", {"filters": 3, "kernel_size": 4}), ("GlobalAveragePooling1D", {})],
    "flatten": [("Conv1D", {"filters": 3, "kernel_size": 4}), ("Flatten", {}), ("Dense", {"units": 2})],
    "reshape": [("Reshape", {"target_shape": (5, 4)}), ("Conv1D", {"filters": 2, "kernel_size": 2})],
    "same, longer than the steps": [("Conv1D", {"filters": 2, "kernel_size": 50, "strides": 3, "padding": "same"})],
    "max same, longer than the steps": [("MaxPooling1D", {"pool_size": 50, "strides": 7, "padding": "same"})],
    "pooling with gaps": [("MaxPooling1D", {"pool_size": 2, "strides": 5, "padding": "same"})],
    "transposed": [("Conv1D", {"filters": 3, "kernel_size": 4}), ("Conv1DTranspose", {"filters": 2, "kernel_size": 5})],
    "upsampling": [("Conv1D", {"filters": 3, "kernel_size": 4}), ("UpSampling1D", {"size": 3}), ("Flatten", {})],
    "dropout": [("Dropout", {"rate": 0.5})],
    "noise": [
        ("GaussianNoise", {"stddev": 0.5}),
        ("GaussianDropout", {"rate": 0.5}),
        ("AlphaDropout", {"rate": 0.5}),
        ("ActivityRegularization", {"l1": 0.5}),
        ("Identity", {}),
    ],
    "spatial dropout": [("SpatialDropout1D", {"rate": 0.5}), ("GlobalMaxPooling1D", {})],
    "relu layer": [("ReLU", {}), ("Dense", {"units": 3}), ("LeakyReLU", {"negative_slope": 0.0})],
    "elu layer": [("ELU", {}), ("Dense", {"units": 3}), ("Softmax", {})],
    "linear activation layer": [("Activation", {"activation": "linear"})],
    "repeated": [("Dense", {"units": 3}), ("RepeatVector", {"n": 4}), ("GRU", SEQUENCE)],
    "lstm": [("LSTM", {"units": 5})],
    "lstm sequence": [("LSTM", {"units": 5, "return_sequences": True}), ("LSTM", {"units": 3})],
    "gru": [("GRU", {"units": 5})],
    "gru sequence": [("GRU", {"units": 4, "return_sequences": True}), ("GRU", {"units": 3, "use_bias": False})],
    "activation layer": [("Activation", {"activation": "softmax"})],
} | {
    name: [("Dense", {"units": 6, "activation": name})] for name in ("tanh", "sigmoid", "elu", "gelu", "silu", "linear")
}
ON_ROWS = {
    *("dense", "no bias", "dropout", "noise", "activation layer", "relu layer", "elu layer", "linear activation layer"),
    *("tanh", "sigmoid", "elu", "gelu", "silu", "linear", "reshape", "repeated"),
}


@pytest.fixture(scope="module")
def session() -> KerasSession:
    return load_keras("cpu")


@pytest.mark.parametrize("name", CASES)
def test_layer_computes_what_keras_computes(session: KerasSession, name: str) -> None:
    keras = session.keras
    first = [] if name in ON_ROWS else [keras.layers.Reshape((LENGTH, 1))]
    layers = [getattr(keras.layers, kind)(**options) for kind, options in CASES[name]]
    model = keras.Sequential([keras.Input((LENGTH,)), *first, *layers])
    assert_same_scores(session, model)


def test_kernel_may_be_longer_than_the_steps_that_pooling_left(session: KerasSession) -> None:
    model = build_model(session.keras, "resnet", {"blocks": 5, "pool": 2}, window_length=75)
    assert model.get_layer("block_5_sum").output.shape[1] == 2
    assert_same_scores(session, model)


def test_dense_layer_for_each_step_is_a_dense_layer(session: KerasSession) -> None:
    keras = session.keras
    each_step = keras.layers.TimeDistributed(keras.layers.Dense(4, activation="tanh"))
    assert_same_scores(session, keras.Sequential([keras.Input((12,)), keras.layers.Reshape((6, 2)), each_step]))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_can_be_computed(session: KerasSession, architecture: str) -> None:
    model = build_model(session.keras, architecture, {}, window_length=75)
    assert_same_scores(session, model)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("length", [1, 2, 3, 6])
def test_transposed_convolution_puts_its_kernel_where_keras_does(
    session: KerasSession, length: int, padding: Any
) -> None:
    rng = np.random.default_rng(length)
    kernel, bias = rng.normal(size=(length, 3, 2)).astype(np.float32), np.array([1, 2, 3], np.float32)
    for stride in (1, 2, 3, 4, 7):
        for n_steps in (1, 5):
            values = rng.normal(size=(2, n_steps, 2)).astype(np.float32)
            layer = session.keras.layers.Conv1DTranspose(3, length, strides=stride, padding=padding)
            layer.build(values.shape)
            layer.set_weights([kernel, bias])
            ours = Conv1DTranspose(kernel=kernel, bias=bias, stride=stride, padding=padding)
            got = run_layers([Reshape(steps=n_steps, channels=2), ours], values.reshape(2, -1))
            assert_allclose(got, np.asarray(layer(values)), atol=1e-5)


def test_kept_values_are_added_and_their_numbers_can_be_given_again() -> None:
    double = Dense(kernel=2 * np.eye(3, dtype=np.float32), bias=np.zeros(3, np.float32))
    layers = [
        Keep(slot=0),
        double,
        Keep(slot=7),
        double,
        AddKept(slot=0),
        Keep(slot=0),
        AddKept(slot=7),
        AddKept(slot=0),
    ]
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert_array_equal(run_layers(layers, x), (4 * x + x) + 2 * x + (4 * x + x))


def test_batches_equal_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=(11, 6)).astype(np.float32)
    layers = [Keep(slot=0), Dense(kernel=np.ones((6, 6), np.float32), bias=np.ones(6, np.float32)), AddKept(slot=0)]
    whole = run_layers(layers, x)
    for most in (1, 12, 35):
        monkeypatch.setattr(arithmetic, "MOST_AT_ONCE", most)
        assert_array_equal(run_layers(layers, x), whole)
    assert run_layers(layers, x[:0]).shape == (0, 6)


def zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


ONE_CHANNEL = Reshape(steps=4, channels=1)
REFUSED: dict[str, tuple[list[Layer], str]] = {
    "dense": (
        [Dense(kernel=zeros(5, 2), bias=zeros(2))],
        r"layer 0 \(Dense\) does not fit values of shape \(4,\): it wants 5 channels",
    ),
    "bias": ([Dense(kernel=zeros(4, 2), bias=zeros(1))], r"bias must have shape \(2,\), got \(1,\)"),
    "axes": ([Dense(kernel=zeros(4, 2, 2), bias=zeros(2))], r"kernel must have 2 axes, got shape \(4, 2, 2\)"),
    "no steps": ([Conv1D(kernel=zeros(1, 4, 1), bias=zeros(1))], r"layer 0 \(Conv1D\).*wants steps and channels"),
    "too short": ([ONE_CHANNEL, Conv1D(kernel=zeros(5, 1, 1), bias=zeros(1))], "reaches over 5 steps .* 4 are there"),
    "pooling": ([ONE_CHANNEL, MaxPooling1D(size=5, stride=1)], r"layer 1 \(MaxPooling1D\).* over 5 steps"),
    "reshape": ([Reshape(steps=3, channels=2)], r"wants shape \(3, 2\), 6 values, and gets 4"),
    "transposed": ([ONE_CHANNEL, Conv1DTranspose(kernel=zeros(5, 1, 2), bias=zeros(1))], "wants 2 channels"),
    "never kept": ([Keep(slot=1), AddKept(slot=2)], r"layer 1 \(AddKept\).*nothing was kept under number 2"),
    "other shape": ([Keep(slot=1), ONE_CHANNEL, AddKept(slot=1)], r"of shape \(4, 1\): the values kept .* \(4,\)"),
    "upsampling": (
        [ONE_CHANNEL, UpSampling1D(size=2**24 - 1)],
        f"would make {4 * (2**24 - 1)} values of a pulse, at most {2**22} are allowed",
    ),
    "upsampling on and on": ([ONE_CHANNEL, *[UpSampling1D(size=2)] * 30], r"layer 21 \(UpSampling1D\)"),
    "far transposed": (
        [ONE_CHANNEL, Conv1DTranspose(kernel=zeros(1, 1, 1), bias=zeros(1), stride=2**23)],
        f"would make {2**25} values",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_layers_that_do_not_fit_are_refused_with_numbers(name: str) -> None:
    layers, message = REFUSED[name]
    with pytest.raises(DataError, match=message):
        run_layers(layers, np.zeros((3, 4), np.float32))


@pytest.mark.parametrize(
    "layer",
    [
        Conv1D(kernel=np.ones((3, 1, 1), np.float32), bias=zeros(1), dilation=2**24 - 1, padding="same"),
        MaxPooling1D(size=2**24 - 1, stride=1, padding="same"),
        AveragePooling1D(size=2**24 - 1, stride=1, padding="same"),
    ],
)
def test_padding_costs_neither_time_nor_memory(layer: Layer) -> None:
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    got = run_layers([ONE_CHANNEL, layer], x)[:, :, 0]
    expected = {"Conv1D": x, "MaxPooling1D": x[:, 3:], "AveragePooling1D": x.mean(axis=1, keepdims=True)}
    assert_array_equal(got, np.broadcast_to(expected[type(layer).__name__], x.shape))
