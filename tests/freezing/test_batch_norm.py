"""Batch normalisation against Keras: into the layer before, into the one behind, and as a layer of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.freezing.same_values import assert_same_values, described, kinds_of

from discrimen.errors import SettingsError
from discrimen.freezing.batch_norm import folded
from discrimen.freezing.draft import Draft, Scaling
from discrimen.freezing.from_keras import network_of
from discrimen.freezing.places import n_weights_of
from discrimen.keras_jax import KerasSession
from discrimen.network.graph import run
from discrimen.network.layers import Activate, Dense

NORM = ("BatchNormalization", {})
STEPS = ("Reshape", {"target_shape": (6, 2)})
CHAINS: dict[str, tuple[list[tuple[str, dict[str, Any]]], list[str]]] = {
    "dense before": ([("Dense", {"units": 5}), NORM], ["Flatten", "Dense"]),
    "dense without bias before": ([("Dense", {"units": 5, "use_bias": False}), NORM], ["Flatten", "Dense"]),
    "dense on steps before": ([STEPS, ("Dense", {"units": 5}), NORM], ["Reshape", "Dense"]),
    "convolution before": (
        [STEPS, ("Conv1D", {"filters": 3, "kernel_size": 4, "padding": "same", "strides": 2}), NORM],
        ["Reshape", "Conv1D"],
    ),
    "depthwise convolution before": (
        [STEPS, ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}), NORM],
        ["Reshape", "Conv1D"],
    ),
    "transposed convolution before": (
        [STEPS, ("Conv1DTranspose", {"filters": 3, "kernel_size": 4, "padding": "same", "strides": 2}), NORM],
        ["Reshape", "Conv1DTranspose"],
    ),
    "activation behind": (
        [("Dense", {"units": 5}), NORM, ("ReLU", {}), ("Dense", {"units": 2})],
        ["Flatten", "Dense", "Dense"],
    ),
    "dropout between": ([("Dense", {"units": 5}), ("Dropout", {"rate": 0.5}), NORM], ["Flatten", "Dense"]),
    "dense behind": ([NORM, ("Dense", {"units": 5})], ["Flatten", "Dense"]),
    "dense behind an activation": (
        [("Dense", {"units": 5, "activation": "relu"}), NORM, ("Dense", {"units": 3})],
        ["Flatten", "Dense", "Dense"],
    ),
    "valid convolution behind": (
        [STEPS, NORM, ("Conv1D", {"filters": 3, "kernel_size": 4, "strides": 2})],
        ["Reshape", "Conv1D"],
    ),
    "grouped convolution behind": (
        [("Reshape", {"target_shape": (3, 4)}), NORM, ("Conv1D", {"filters": 6, "kernel_size": 2, "groups": 2})],
        ["Reshape", "Conv1D"],
    ),
    "depthwise convolution behind": (
        [STEPS, NORM, ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2})],
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
    "causal convolution behind": (
        [STEPS, NORM, ("Conv1D", {"filters": 3, "kernel_size": 4, "padding": "causal"})],
        ["Reshape", "Conv1D", "Conv1D"],
    ),
    "transposed convolution behind": (
        [STEPS, NORM, ("Conv1DTranspose", {"filters": 3, "kernel_size": 4})],
        ["Reshape", "Conv1D", "Conv1DTranspose"],
    ),
    "alone": ([NORM], ["Flatten", "Dense"]),
    "alone on steps": ([STEPS, NORM, ("Flatten", {})], ["Reshape", "Conv1D", "Flatten"]),
    "alone, then an activation": (
        [STEPS, NORM, ("ReLU", {}), ("GlobalMaxPooling1D", {})],
        ["Reshape", "Conv1D", "GlobalMaxPooling1D"],
    ),
    "flattened, then dense": (
        [STEPS, ("ReLU", {}), NORM, ("Flatten", {}), ("Dense", {"units": 3})],
        ["Reshape", "Activate", "Flatten", "Dense"],
    ),
    "averaged, then dense": (
        [STEPS, ("ReLU", {}), NORM, ("GlobalAveragePooling1D", {}), ("Dense", {"units": 3})],
        ["Reshape", "Activate", "GlobalAveragePooling1D", "Dense"],
    ),
    "averaged in groups and cropped": (
        [
            STEPS,
            ("ReLU", {}),
            NORM,
            ("AveragePooling1D", {"padding": "same", "pool_size": 4}),
            ("Cropping1D", {"cropping": (0, 1)}),
        ],
        ["Reshape", "Activate", "AveragePooling1D", "Cropping1D", "Conv1D"],
    ),
    "averaged alone": (
        [STEPS, NORM, ("GlobalAveragePooling1D", {})],
        ["Reshape", "GlobalAveragePooling1D", "Dense"],
    ),
    "largest of it": ([STEPS, NORM, ("GlobalMaxPooling1D", {})], ["Reshape", "Conv1D", "GlobalMaxPooling1D"]),
    "behind a recurrent layer": ([STEPS, ("LSTM", {"units": 3}), NORM], ["Reshape", "Lstm", "Dense"]),
    "behind an activation that is no layer's": (
        [STEPS, ("MaxPooling1D", {}), ("ReLU", {}), NORM],
        ["Reshape", "MaxPooling1D", "Activate", "Conv1D"],
    ),
    "two": (
        [NORM, NORM, ("Activation", {"activation": "tanh"}), ("RepeatVector", {"n": 2})],
        ["Flatten", "Dense", "Reshape", "UpSampling1D"],
    ),
    "on both sides": ([NORM, ("Dense", {"units": 4}), NORM, NORM], ["Flatten", "Dense"]),
}


def sequential(keras: Any, chain: list[tuple[str, dict[str, Any]]]) -> Any:
    return keras.Sequential([keras.Input((12,)), *(getattr(keras.layers, kind)(**given) for kind, given in chain)])


@pytest.mark.parametrize("name", CHAINS)
def test_folded_network_computes_what_keras_computes(session: KerasSession, name: str) -> None:
    chain, expected = CHAINS[name]
    assert kinds_of(assert_same_values(session, sequential(session.keras, chain))) == expected


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"scale": False, "center": False}])
def test_scale_and_centre_may_be_missing(session: KerasSession, options: dict[str, Any]) -> None:
    for name in ("convolution before", "valid convolution behind", "alone on steps"):
        chain = [(kind, options if kind == NORM[0] else given) for kind, given in CHAINS[name][0]]
        assert_same_values(session, sequential(session.keras, chain))


def test_epsilon_counts(session: KerasSession) -> None:
    keras = session.keras
    assert_same_values(session, keras.Sequential([keras.Input((5,)), keras.layers.BatchNormalization(epsilon=0.5)]))


def test_value_that_a_shortcut_reads_too_is_left_as_it_is(session: KerasSession) -> None:
    keras, layers = session.keras, session.keras.layers
    waveform = keras.Input((12,))
    shared = layers.Dense(6)(waveform)
    values = layers.Activation("relu")(layers.BatchNormalization()(shared))
    model = keras.Model(waveform, layers.Add()([layers.Dense(6)(values), shared]))
    assert kinds_of(assert_same_values(session, model)) == ["Flatten", "Dense", "Dense", "Dense", "Add"]


def test_value_that_is_given_out_too_is_left_as_it_is(session: KerasSession) -> None:
    keras, layers = session.keras, session.keras.layers
    waveform = keras.Input((12,))
    values = layers.Dense(6)(waveform)
    model = keras.Model(waveform, [layers.BatchNormalization()(values), values])
    assert kinds_of(assert_same_values(session, model)) == ["Flatten", "Dense", "Dense"]
    values = layers.BatchNormalization()(layers.ReLU()(waveform))
    model = keras.Model(waveform, [layers.Dense(2)(values), values])
    assert kinds_of(assert_same_values(session, model)) == ["Flatten", "Activate", "Dense", "Dense"]
    values = layers.BatchNormalization()(layers.Reshape((6, 2))(waveform))
    model = keras.Model(waveform, [layers.GlobalAveragePooling1D()(values), values])
    assert kinds_of(assert_same_values(session, model)) == ["Reshape", "Conv1D", "GlobalAveragePooling1D"]


def test_normalised_value_that_a_shortcut_reads_too_is_left_as_it_is(session: KerasSession) -> None:
    keras, layers = session.keras, session.keras.layers
    waveform = keras.Input((12,))
    shared = layers.BatchNormalization()(waveform)
    model = keras.Model(waveform, layers.Add()([layers.Dense(12)(shared), shared]))
    assert kinds_of(assert_same_values(session, model)) == ["Flatten", "Dense", "Dense", "Add"]


def test_flattened_value_that_is_read_twice_stays_behind_its_normalisation(session: KerasSession) -> None:
    keras, layers = session.keras, session.keras.layers
    waveform = keras.Input((12,))
    steps = layers.BatchNormalization()(layers.ReLU()(layers.Reshape((6, 2))(waveform)))
    row = layers.Flatten()(steps)
    model = keras.Model(waveform, [layers.Dense(2)(row), layers.Dense(2)(row)])
    names = kinds_of(assert_same_values(session, model))
    assert names == ["Reshape", "Activate", "Conv1D", "Flatten", "Dense", "Dense"]


def test_a_diagonal_dense_layer_is_a_change_of_units(session: KerasSession) -> None:
    layers = session.keras.layers
    unit = layers.Dense(3)
    model = session.keras.Sequential([session.keras.Input((6,)), layers.Dense(3), unit])
    unit.set_weights([np.diag([2.0, 3.0, 4.0]), np.array([1.0, 0.0, -1.0])])
    model.layers[0].bias.assign(np.ones(3))
    network = network_of(model, described(model))
    assert kinds_of(network) == ["Flatten", "Dense"]
    assert run(network, np.ones((1, 1, 6)))[0].tolist() == [[3.0, 3.0, 3.0]]


def test_sum_is_normalised_behind_the_addition(session: KerasSession) -> None:
    keras, layers = session.keras, session.keras.layers
    waveform = keras.Input((12,))
    summed = layers.Add()([waveform, layers.Dense(12)(waveform)])
    model = keras.Model(waveform, layers.BatchNormalization()(summed))
    assert kinds_of(assert_same_values(session, model)) == ["Flatten", "Dense", "Add", "Dense"]


def test_weights_are_rounded_once() -> None:
    rng = np.random.default_rng(5)
    kernel, bias = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    first, second = (Scaling(scale=rng.normal(size=length), shift=rng.normal(size=length)) for length in (4, 3))
    draft = Draft((4,))
    ends = folded(draft, [draft.through(0, first, Dense(kernel=kernel, bias=bias), second)])
    (node,) = draft.network(ends).nodes
    assert isinstance(node.layer, Dense)
    assert node.layer.kernel.dtype == node.layer.bias.dtype == np.float32
    assert_array_equal(node.layer.kernel, (kernel * first.scale[:, np.newaxis] * second.scale).astype(np.float32))
    expected = (bias + first.shift @ kernel.astype(np.float64)) * second.scale + second.shift
    np.testing.assert_allclose(node.layer.bias, expected, rtol=1e-7)


def test_layers_that_no_output_needs_hinder_nothing() -> None:
    dense = Dense(kernel=np.eye(2, dtype=np.float32), bias=np.zeros(2, np.float32))
    draft = Draft((2,))
    value = draft.add(dense, 0)
    draft.add(Activate(activation="relu"), value)
    ends = folded(draft, [draft.add(Scaling(scale=np.full(2, 3.0), shift=np.ones(2)), value)])
    (node,) = draft.network(ends).nodes
    assert isinstance(node.layer, Dense)
    assert_array_equal(node.layer.kernel, 3 * np.eye(2))


def test_more_axes_than_a_pulse_has_are_refused(session: KerasSession) -> None:
    keras = session.keras
    model = keras.Sequential(
        [keras.Input((12,)), keras.layers.Reshape((2, 3, 2), name="cube"), keras.layers.BatchNormalization()]
    )
    with pytest.raises(SettingsError, match=r"'cube': only shapes of one or two axes"):
        network_of(model, described(model))


def test_variance_of_nothing_is_refused(session: KerasSession) -> None:
    keras = session.keras
    norm = keras.layers.BatchNormalization(epsilon=0.0, moving_variance_initializer="zeros", name="norm")
    model = keras.Sequential([keras.Input((5,)), norm])
    with pytest.raises(SettingsError, match="'norm': variance and epsilon must add up to more than 0, got 0"):
        network_of(model, described(model))


def test_scale_beyond_float32_is_refused_by_name(session: KerasSession) -> None:
    keras = session.keras
    norm = keras.layers.Rescaling(1e39, name="blown up")
    model = keras.Sequential([keras.Input((5,)), norm])
    with pytest.raises(SettingsError, match="'blown up': its kernel is not finite in float32"):
        network_of(model, described(model))


def test_a_scaling_along_many_channels_has_no_more_weights_than_they_need() -> None:
    draft = Draft((1, 500))
    scale, shift = np.linspace(1, 2, 500), np.linspace(-1, 1, 500)
    ends = folded(draft, [draft.add(Activate(activation="relu"), draft.add(Scaling(scale=scale, shift=shift), 0))])
    network = draft.network(ends)
    waveforms = np.random.default_rng(2).normal(size=(3, 1, 500))
    assert n_weights_of(network) == 2 * 500
    assert_allclose(run(network, waveforms)[0], np.maximum(scale * waveforms[:, 0] + shift, 0), rtol=1e-6, atol=1e-6)
