"""What goes into a translated model and what comes out of it, and weights that cannot be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.freezing.same_values import assert_same_values, code, described, kinds_of, scores

from discrimen.errors import SettingsError
from discrimen.freezing.from_keras import network_of
from discrimen.keras_jax import KerasSession
from discrimen.network.graph import run
from discrimen.network.layers import Dense
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, Output
from discrimen.network.preparation import one_channel
from discrimen.network.prepare.arrangement import arrangement_for

ENERGY = Output(name="energy", kind="quantity", shape=(1,), unit="keVee", with_error=True, activation="softplus")


def sequential(session: KerasSession, shape: tuple[int, ...], *layers: Any) -> Any:
    return session.keras.Sequential([session.keras.Input(shape), *layers])


@pytest.mark.parametrize(
    ("shape", "first"), [((12,), "Flatten"), ((12, 1), "Reshape"), ((1, 12), "Conv1D"), ((12, 3), "Permute")]
)
def test_pulses_are_laid_out_as_the_model_takes_them(session: KerasSession, shape: tuple[int, ...], first: str) -> None:
    keras = session.keras
    look = keras.layers.Dense(3) if len(shape) == 1 else keras.layers.Conv1D(3, 1)
    assert kinds_of(assert_same_values(session, sequential(session, shape, look)))[0] == first


@pytest.mark.parametrize("channels", [1, 3])
def test_lengths_left_open_are_those_of_the_pulses(session: KerasSession, channels: int) -> None:
    keras, layers = session.keras, session.keras.layers

    def build(length: int | None) -> Any:
        steps = keras.Input((length, channels))
        return keras.Model(steps, layers.Dense(2)(layers.GlobalMaxPooling1D()(layers.Conv1D(3, 4)(steps))))

    closed, opened = build(12), build(None)
    network = assert_same_values(session, closed)
    for variable, given in zip(opened.variables, closed.variables, strict=True):
        variable.assign(given.value)
    pulses = np.random.default_rng(2).normal(size=(4, channels, 12))
    (values,), (wanted,) = run(network_of(opened, described(closed)), pulses), run(network, pulses)
    assert np.array_equal(values, wanted)
    with pytest.raises(SettingsError, match=r"takes values of shape \(None, None\)"):
        arrangement_for((None, None), described(closed).preparation)


def test_several_channels_may_be_steps_too(session: KerasSession) -> None:
    network = assert_same_values(session, sequential(session, (3, 12), session.keras.layers.Conv1D(2, 2)))
    assert kinds_of(network) == ["Conv1D"]


def test_a_model_of_another_length_is_refused_with_both(session: KerasSession) -> None:
    model = sequential(session, (12,), session.keras.layers.Dense(2))
    preparation = one_channel(sample_period_ns=1, polarity=1, baseline_start=0, baseline_stop=1, window_length=13)
    with pytest.raises(SettingsError, match=r"shape \(12,\), but the preparation gives 1 channel of 13 samples"):
        network_of(model, ModelDescription(preparation=preparation, outputs=(code("x", 2),)))


def test_every_output_is_read_before_its_activation(session: KerasSession) -> None:
    keras, layers = session.keras, session.keras.layers
    x = keras.Input((20, 2))
    inner = layers.Flatten()(layers.Conv1D(4, 5, strides=4, activation="relu")(x))
    code_values = layers.Dense(3, activation="tanh")(inner)
    back = layers.Reshape((20, 2))(layers.Dense(40)(code_values))
    given = [
        layers.Dense(3, activation="softmax")(inner),
        back,
        layers.Dense(2, activation="softplus")(inner),
        layers.Activation("exponential")(layers.Dense(1)(code_values)),
        code_values,
        layers.Reshape((2, 1))(layers.Activation("sigmoid")(layers.Dense(2)(inner))),
    ]
    outputs = (
        scores("gamma neutron pile-up"),
        code("in the order of Keras", 40),
        ENERGY,
        Output(name="pulses", kind="count", shape=(1,), unit="1", activation="exponential"),
        code("code", 3, activation="tanh"),
        Output(name="flags", kind="classes", shape=(2,), unit="1", names=("clean", "saturated"), activation="sigmoid"),
    )
    network = assert_same_values(session, keras.Model(x, given), *outputs)
    activated = [node.layer for node in network.nodes if isinstance(node.layer, Dense)]
    # Only the code is read by others, behind its activation.
    assert sorted(layer.activation for layer in activated) == ["linear"] * 6
    assert kinds_of(network).count("Activate") == 1


def test_waveforms_come_out_channel_by_channel(session: KerasSession) -> None:
    keras, layers = session.keras, session.keras.layers
    model = sequential(session, (12, 3), layers.Conv1D(3, 3, padding="same"))
    waveform = Output(name="denoised", kind="waveform", shape=(3, 12), unit=PREPARED)
    as_it_is = assert_same_values(session, model)
    turned = network_of(model, described(model, waveform))
    pulses = np.random.default_rng(1).normal(size=(4, 3, 12))
    (values,), (wanted,) = run(turned, pulses), run(as_it_is, pulses)
    assert np.array_equal(values.reshape(4, 3, 12), wanted.reshape(4, 12, 3).swapaxes(1, 2))
    one = keras.Sequential([keras.Input((12, 1)), layers.Conv1D(1, 3, padding="same")])
    assert_same_values(session, one, Output(name="one", kind="waveform", shape=(1, 12), unit=PREPARED))


@pytest.mark.parametrize("ending", ["dense", "activation", "normalised", "pooled"])
def test_one_sigmoid_stands_for_two_classes(session: KerasSession, ending: str) -> None:
    layers = session.keras.layers
    ends = {
        "dense": [layers.Dense(1, activation="sigmoid")],
        "activation": [layers.Dense(1), layers.Dropout(0.1), layers.Activation("sigmoid")],
        "normalised": [layers.Dense(1), layers.BatchNormalization(), layers.Activation("sigmoid"), layers.Flatten()],
        "pooled": [layers.Reshape((5, 1)), layers.GlobalMaxPooling1D(), layers.Activation("sigmoid")],
    }
    model = sequential(session, (12,), layers.Dense(5, activation="relu"), *ends[ending])
    network = assert_same_values(session, model, scores("gamma neutron"))
    if ending in ("dense", "activation"):
        assert kinds_of(network) == ["Flatten", "Dense", "Dense"]


def test_logits_need_to_be_called_so(session: KerasSession) -> None:
    layers = session.keras.layers
    for units in (1, 2):
        model = sequential(session, (12,), layers.Dense(units))
        description = described(model, scores("gamma neutron"))
        with pytest.raises(
            SettingsError, match=r"probabilities by softmax, the network ends in linear values.*from_logits"
        ):
            network_of(model, description)
        model.set_weights([np.ones((12, units), np.float32), np.arange(units, dtype=np.float32)])
        network = network_of(model, description, from_logits=True)
        (logits,) = run(network, np.ones((1, 1, 12)))
        assert logits.tolist() == [[0.0, 12.0] if units == 1 else [12.0, 13.0]]


MISMATCHES: dict[str, tuple[list[tuple[str, dict[str, Any]]], Output, str]] = {
    "softmax for sigmoid": (
        [("Dense", {"units": 2, "activation": "softmax"})],
        scores("a b", "sigmoid"),
        "'scores' promises values by the activation sigmoid, the network ends in softmax",
    ),
    "two sigmoids for softmax": (
        [("Dense", {"units": 2, "activation": "sigmoid"})],
        scores("a b"),
        "by the activation softmax, the network ends in sigmoid",
    ),
    "relu for a quantity": (
        [("Dense", {"units": 2, "activation": "relu"})],
        ENERGY,
        "by the activation softplus, the network ends in relu: describe the output with the activation relu",
    ),
    "too few values": (
        [("Dense", {"units": 1, "activation": "softplus"})],
        ENERGY,
        r"'energy' of shape \(1,\) with errors needs 2 values, the network gives \(1,\)",
    ),
    "too many classes": (
        [("Dense", {"units": 3, "activation": "softmax"})],
        scores("a b"),
        r"needs 2 values, the network gives \(3,\)",
    ),
    "softmax of each step": (
        [("Reshape", {"target_shape": (6, 2)}), ("Softmax", {})],
        scores("a b c d e f g h i j k l"),
        "last softmax acts on 2 of 12 values at a time",
    ),
    "softmax of each step in a row": (
        [("Reshape", {"target_shape": (6, 2)}), ("Softmax", {}), ("Flatten", {})],
        scores("a b c d e f g h i j k l"),
        "ends in linear values",
    ),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_broken_promises_are_told_apart(session: KerasSession, name: str) -> None:
    chain, output, reason = MISMATCHES[name]
    layers = [getattr(session.keras.layers, kind)(**given) for kind, given in chain]
    model = sequential(session, (12,), *layers)
    with pytest.raises(SettingsError, match=reason):
        network_of(model, described(model, output))


def test_inputs_and_outputs_are_counted(session: KerasSession) -> None:
    keras = session.keras
    x, y = keras.Input((6,), name="first"), keras.Input((6,), name="second")
    model = keras.Model([x, y], keras.layers.Add()([x, y]))
    with pytest.raises(SettingsError, match=r"2 inputs \(first, second\), one can be frozen.*one array"):
        network_of(model, described(model))
    model = keras.Model(x, [keras.layers.Dense(2)(x), keras.layers.Dense(2)(x)])
    with pytest.raises(SettingsError, match="gives 2 outputs, its description has 1: scores"):
        network_of(model, described(model, scores("a b")))


@pytest.mark.parametrize("dtype", ["float16", "int32"])
def test_an_input_that_is_rounded_is_refused(session: KerasSession, dtype: str) -> None:
    keras = session.keras
    model = keras.Sequential([keras.Input((6,), dtype=dtype), keras.layers.Dense(2)])
    with pytest.raises(SettingsError, match=f"takes {dtype}, expected float32"):
        network_of(model, described(model))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16", "float16"])
def test_less_than_float32_is_refused_by_name(session: KerasSession, policy: str) -> None:
    layers = session.keras.layers
    model = sequential(session, (6,), layers.Dense(2), layers.Dense(2, dtype=policy, name="short"))
    with pytest.raises(SettingsError, match=f"'short' computes .*{policy.removeprefix('mixed_')}.*train .* in float32"):
        network_of(model, described(model))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("mode", ["int8", "float8"])
def test_quantised_layers_are_refused_by_name(session: KerasSession, mode: str) -> None:
    model = sequential(session, (6,), session.keras.layers.Dense(2), session.keras.layers.Dense(2, name="small"))
    model.layers[-1].quantize(mode)
    with pytest.raises(SettingsError, match=f"'small' is quantised \\({mode}\\).*as it was before"):
        network_of(model, described(model))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_layers_within_layers_are_looked_at_too(session: KerasSession) -> None:
    keras, layers = session.keras, session.keras.layers
    x = keras.Input((6, 2))
    for made in (
        layers.TimeDistributed(layers.Dense(2, dtype="bfloat16"))(x),
        layers.Bidirectional(layers.GRU(2, dtype="float16"))(x),
    ):
        model = keras.Model(x, made)
        with pytest.raises(SettingsError, match=r"computes or keeps its weights in b?float16"):
            network_of(model, described(model))
    heads = layers.MultiHeadAttention(2, 2)
    model = keras.Model(x, heads(x, x))
    heads.query_dense.quantize("int8")
    with pytest.raises(SettingsError, match=r"is quantised \(int8\)"):
        network_of(model, described(model))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["Dense", "GRU", "BatchNormalization", "Conv1D", "PReLU", "LayerNormalization"])
def test_weights_that_are_no_numbers_are_refused_by_name(session: KerasSession, kind: str, value: float) -> None:
    options = {"Dense": {"units": 2}, "GRU": {"units": 2}, "Conv1D": {"filters": 2, "kernel_size": 1}}.get(kind, {})
    layer = getattr(session.keras.layers, kind)(**options, name="burst")
    model = sequential(session, (6, 2), layer)
    weights = layer.weights[-1]
    weights.assign(np.full(weights.shape, value))
    with pytest.raises(SettingsError, match=r"'burst': its .* holds values that are not finite"):
        network_of(model, described(model))
