"""Every layer of Keras that can be frozen against Keras itself; all others are refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tests.freezing.same_values import assert_same_values, described, scores

from discrimen.errors import SettingsError
from discrimen.freezing.from_keras import network_of
from discrimen.keras_jax import KerasSession
from discrimen.models import ARCHITECTURES, build_model
from discrimen.network.activations import ACTIVATIONS
from discrimen.network.outputs import PREPARED, Output

Layers = Any
Made = Mapping[str, Any]

N_STEPS, N_CHANNELS = 12, 4
NAMED_ACTIVATIONS = (*(set(ACTIVATIONS) - {"gelu_tanh", "sqrt"}), "leaky_relu", "swish", "hard_swish")


def convolutions(layers: Layers, keras: ModuleType) -> Made:
    return {
        "strides": layers.Conv1D(3, 4, strides=3, activation="relu"),
        "same, strides": layers.Conv1D(3, 4, strides=3, padding="same"),
        "same, longer than the steps": layers.Conv1D(2, 50, strides=3, padding="same"),
        "dilated": layers.Conv1D(2, 3, dilation_rate=3),
        "dilated, same, even": layers.Conv1D(2, 2, dilation_rate=3, padding="same"),
        "causal": layers.Conv1D(3, 4, padding="causal", use_bias=False),
        "causal, dilated": layers.Conv1D(3, 3, padding="causal", dilation_rate=2),
        "causal, strides": layers.Conv1D(3, 3, padding="causal", strides=2),
        "groups": layers.Conv1D(6, 3, groups=2, padding="same", activation="tanh"),
        "channels first": layers.Conv1D(3, 2, data_format="channels_first", padding="same"),
        "depthwise": layers.DepthwiseConv1D(3, activation="tanh"),
        "depthwise, multiplied": layers.DepthwiseConv1D(3, depth_multiplier=2, strides=2, padding="same"),
        "depthwise, dilated": layers.DepthwiseConv1D(3, dilation_rate=2, use_bias=False),
        "separable": layers.SeparableConv1D(5, 3, depth_multiplier=3, activation="relu"),
        "separable, strides": layers.SeparableConv1D(5, 4, strides=2, padding="same"),
        "separable, dilated": layers.SeparableConv1D(2, 3, dilation_rate=2, padding="same", use_bias=False),
        "transposed": layers.Conv1DTranspose(2, 5, activation="relu"),
        "transposed, strides": layers.Conv1DTranspose(2, 5, strides=2, padding="same"),
        "transposed, short": layers.Conv1DTranspose(2, 2, strides=3),
    }


def poolings(layers: Layers, keras: ModuleType) -> Made:
    return {
        "max": layers.MaxPooling1D(3),
        "max, same": layers.MaxPooling1D(3, strides=2, padding="same"),
        "max, same, longer than the steps": layers.MaxPooling1D(50, strides=7, padding="same"),
        "max, with gaps": layers.MaxPooling1D(2, strides=5, padding="same"),
        "max, channels first": layers.MaxPooling1D(2, data_format="channels_first"),
        "average": layers.AveragePooling1D(4, strides=3),
        "average, same": layers.AveragePooling1D(3, strides=2, padding="same"),
        "global max": layers.GlobalMaxPooling1D(),
        "global max, axis kept": layers.GlobalMaxPooling1D(keepdims=True),
        "global average": layers.GlobalAveragePooling1D(),
        "global average, axis kept": layers.GlobalAveragePooling1D(keepdims=True),
        "global average, channels first": layers.GlobalAveragePooling1D(data_format="channels_first", keepdims=True),
    }


def shapings(layers: Layers, keras: ModuleType) -> Made:
    return {
        "flatten": layers.Flatten(),
        "flatten, channels first": layers.Flatten(data_format="channels_first"),
        "reshape": layers.Reshape((6, 8)),
        "reshape, one axis left open": layers.Reshape((3, -1)),
        "reshape to a row": layers.Reshape((-1,)),
        "permute": layers.Permute((2, 1)),
        "permute into the same": layers.Permute((1, 2)),
        "upsampling": layers.UpSampling1D(3),
        "zeros in front and behind": layers.ZeroPadding1D((1, 2)),
        "zeros": layers.ZeroPadding1D(2),
        "zeros, channels first": layers.ZeroPadding1D((0, 1), data_format="channels_first"),
        "cropped": layers.Cropping1D((2, 1)),
        "cropped behind": layers.Cropping1D((0, 3)),
    }


def normalisations(layers: Layers, keras: ModuleType) -> Made:
    rng = np.random.default_rng(8)
    adapted = layers.Normalization(axis=-1)
    adapted.adapt(rng.normal(3, 2, (50, N_STEPS, N_CHANNELS)).astype(np.float32))
    whole = {"mean": rng.normal(size=(N_STEPS, N_CHANNELS)), "variance": rng.uniform(1, 2, (N_STEPS, N_CHANNELS))}
    return {
        "batch": layers.BatchNormalization(),
        "batch, of each step": layers.BatchNormalization(axis=1, scale=False),
        "layer": layers.LayerNormalization(),
        "layer, epsilon": layers.LayerNormalization(epsilon=0.3, axis=[2]),
        "layer, without scale": layers.LayerNormalization(scale=False),
        "layer, without centre": layers.LayerNormalization(center=False),
        "adapted": adapted,
        "given": layers.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[0.3, 1.0, 2.0, 0.1]),
        "given for all": layers.Normalization(axis=None, mean=2.0, variance=0.3),
        "inverted": layers.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[0.3, 1.0, 2.0, 0.1], invert=True),
        "given for each step": layers.Normalization(axis=1, mean=np.arange(12.0), variance=np.arange(1.0, 13.0)),
        "given for each value": layers.Normalization(axis=(1, 2), **whole),
        "rescaling": layers.Rescaling(0.5, offset=-2.0),
        "rescaling of each channel": layers.Rescaling(2.0, offset=[1.0, 2.0, 3.0, 4.0]),
    }


def activations(layers: Layers, keras: ModuleType) -> Made:
    return {
        **{f"layer {name}": layers.Activation(name) for name in NAMED_ACTIVATIONS},
        **{f"dense {name}": layers.Dense(3, activation=name) for name in NAMED_ACTIVATIONS},
        "tanh approximation of gelu": layers.Activation(partial(keras.activations.gelu, approximate=True)),
        "another slope": layers.Activation(partial(keras.activations.leaky_relu, negative_slope=0.4)),
        "another alpha": layers.Activation(partial(keras.activations.elu, alpha=0.4)),
        "activation layer within": layers.Dense(3, activation=layers.LeakyReLU(negative_slope=0.1)),
        "relu": layers.ReLU(),
        "relu up to 6": layers.ReLU(max_value=6),
        "relu with a slope": layers.ReLU(negative_slope=0.1),
        "leaky": layers.LeakyReLU(),
        "leaky without slope": layers.LeakyReLU(negative_slope=0.0),
        "elu": layers.ELU(),
        "elu, alpha": layers.ELU(alpha=0.5),
        "slopes": layers.PReLU(),
        "slope of each channel": layers.PReLU(shared_axes=[1]),
        "slope of each step": layers.PReLU(shared_axes=[2]),
        "one slope": layers.PReLU(shared_axes=[1, 2]),
        "softmax": layers.Softmax(),
        "softmax over the steps": layers.Softmax(axis=1),
    }


def recurrent(layers: Layers, keras: ModuleType) -> Made:
    return {
        "lstm": layers.LSTM(5),
        "lstm, sequences, no bias": layers.LSTM(3, return_sequences=True, use_bias=False),
        "lstm, hard gates, backwards": layers.LSTM(3, recurrent_activation="hard_sigmoid", go_backwards=True),
        "lstm, backwards, sequences": layers.LSTM(3, go_backwards=True, return_sequences=True),
        "gru": layers.GRU(5),
        "gru, no bias": layers.GRU(3, use_bias=False, return_sequences=True),
        "gru, reset before": layers.GRU(3, reset_after=False, recurrent_activation="hard_sigmoid"),
        "gru, reset before, sequences": layers.GRU(3, reset_after=False, return_sequences=True),
        "gru, backwards": layers.GRU(3, go_backwards=True, return_sequences=True),
        "simple": layers.SimpleRNN(3),
        "simple, relu, sequences, backwards": layers.SimpleRNN(
            3, activation="relu", return_sequences=True, go_backwards=True
        ),
        "both ways": layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        "both ways, last": layers.Bidirectional(layers.GRU(3)),
        "both ways, sum": layers.Bidirectional(layers.GRU(3, reset_after=False), merge_mode="sum"),
        "both ways, product": layers.Bidirectional(layers.SimpleRNN(3, return_sequences=True), merge_mode="mul"),
        "both ways, average": layers.Bidirectional(layers.LSTM(3), merge_mode="ave"),
        "two kinds": layers.Bidirectional(layers.LSTM(3), backward_layer=layers.GRU(3, go_backwards=True)),
    }


def others(layers: Layers, keras: ModuleType) -> Made:
    return {
        "dense": layers.Dense(3),
        "dense, no bias": layers.Dense(3, use_bias=False),
        "dense for each step": layers.TimeDistributed(layers.Dense(3, activation="tanh")),
        "normalised for each step": layers.TimeDistributed(layers.LayerNormalization()),
        "dropout": layers.Dropout(0.5),
        "dropout of channels": layers.SpatialDropout1D(0.5),
        "noise": layers.GaussianNoise(0.5),
        "noise that multiplies": layers.GaussianDropout(0.5),
        "alpha dropout": layers.AlphaDropout(0.5),
        "activity regularisation": layers.ActivityRegularization(0.5),
        "identity": layers.Identity(),
    }


@pytest.mark.parametrize(
    "family",
    [convolutions, poolings, shapings, normalisations, activations, recurrent, others],
    ids=lambda family: family.__name__,
)
def test_layer_computes_what_keras_computes(session: KerasSession, family: Callable[..., Made]) -> None:
    """All layers of a family side by side, each with a dense layer behind it, in one model: one compilation."""
    layers = session.keras.layers
    waveform = session.keras.Input((N_STEPS * N_CHANNELS,))
    steps = layers.Reshape((N_STEPS, N_CHANNELS))(waveform)
    outputs = []
    for name, layer in family(layers, session.keras).items():
        values = layers.Flatten()(layer(steps))
        outputs.append(layers.Dense(2, name=f"values of {name}")(values))
    assert_same_values(session, session.keras.Model(waveform, outputs))


def test_rows_have_no_steps(session: KerasSession) -> None:
    layers = session.keras.layers
    row = session.keras.Input((6,))
    made = [
        *(layers.PReLU(), layers.PReLU(shared_axes=[1]), layers.LayerNormalization(), layers.Softmax(axis=1)),
        *(layers.BatchNormalization(axis=1), layers.Normalization(mean=np.arange(6.0), variance=np.arange(1.0, 7.0))),
        *(layers.Reshape((3, 2)), layers.RepeatVector(3), layers.Flatten(), layers.Permute((1,))),
    ]
    outputs = [layers.Dense(2)(layers.Flatten()(layer(row))) for layer in made]
    assert_same_values(session, session.keras.Model(row, outputs))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_can_be_frozen_with_every_output(session: KerasSession, architecture: str) -> None:
    energy = Output(name="energy", kind="quantity", shape=(1,), unit="keVee", with_error=True)
    outputs = (
        scores("gamma neutron"),
        Output(name="denoised", kind="waveform", shape=(2, 21), unit=PREPARED),
        energy,
        Output(name="pulses", kind="count", shape=(1,), unit="1"),
    )
    options = {"sectors": 2, "rings": 1} if architecture.startswith("neighbours") else {}
    model = build_model(session.keras, architecture, options, shape=(2, 21), outputs=outputs)
    assert_same_values(session, model, *outputs)


def test_kernel_may_be_longer_than_the_steps_that_pooling_left(session: KerasSession) -> None:
    outputs = (scores("gamma neutron"),)
    model = build_model(session.keras, "resnet", {"blocks": 5, "pool": 2}, shape=(1, 75), outputs=outputs)
    assert model.get_layer("block_5_sum").output.shape[1] == 2
    assert_same_values(session, model, *outputs)


def doubled(values: Any) -> Any:
    return 2 * values


def relu(values: Any) -> Any:
    """Has the name of one of Keras' functions."""
    return 2 * values


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "transposed, dilated": (
        "Conv1DTranspose",
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2},
        "dilation_rate must",
    ),
    "transposed, longer": (
        "Conv1DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1},
        "output_padding must be None",
    ),
    "relu up to 5": ("ReLU", {"max_value": 5.0}, "max_value must be None or 6 to be frozen, got 5"),
    "relu with slope up to 6": ("ReLU", {"max_value": 6.0, "negative_slope": 0.1}, "max_value must be None"),
    "relu from 1": ("ReLU", {"threshold": 1.0}, "threshold must be 0"),
    "softmax over both axes": ("Softmax", {"axis": (1, 2)}, r"axis must be one of the values' axes.*\(1, 2\)"),
    "layer norm over both axes": ("LayerNormalization", {"axis": (1, 2)}, "axis must be a single one"),
    "layer norm over the steps": ("LayerNormalization", {"axis": 1}, r"axis must be the channels \(-1\)"),
    "root mean square": ("RMSNormalization", {}, r"\(RMSNormalization\) cannot be frozen: use LayerNormalization"),
    "group norm": ("GroupNormalization", {"groups": 2}, r"\(GroupNormalization\) cannot be frozen: use LayerNorm"),
    "unit norm": ("UnitNormalization", {}, "use LayerNormalization"),
    "masking": ("Masking", {}, "pulses have a fixed length"),
    "adaptive": ("AdaptiveMaxPooling1D", {"output_size": 2}, "use MaxPooling1D"),
    "einsum": ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (4, 3)}, "use Dense"),
    "log softmax": (
        "Activation",
        {"activation": "log_softmax"},
        "activation 'log_softmax' cannot be frozen; linear, relu",
    ),
    "hard tanh": ("Dense", {"units": 2, "activation": "hard_tanh"}, "activation 'hard_tanh' cannot be frozen"),
    "own function": ("Dense", {"units": 2, "activation": doubled}, "'doubled' is none of Keras' activations"),
    "own function of a known name": ("Activation", {"activation": relu}, "'relu' is none of Keras' activations"),
    "lambda": ("Lambda", {"function": doubled}, r"\(Lambda\) cannot be frozen: its code .* never executed"),
    "lstm with relu": ("LSTM", {"units": 2, "activation": "relu"}, "activation must be tanh to be frozen, got relu"),
    "lstm with tanh gates": (
        "LSTM",
        {"units": 2, "recurrent_activation": "tanh"},
        "recurrent_activation must be sigmoid or hard_sigmoid to be frozen, got tanh",
    ),
    "stateful": ("GRU", {"units": 2, "stateful": True}, "stateful must be False"),
    "simple with softmax": ("SimpleRNN", {"units": 2, "activation": "softmax"}, "'softmax' cannot be frozen in it"),
    "reshape to three axes": ("Reshape", {"target_shape": (2, 2, 2)}, "one or two axes can be frozen, got"),
    "gelu with an option": (
        "Activation",
        {"activation": partial(relu, values=3)},
        "'relu' is none of Keras' activations",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_named(session: KerasSession, name: str) -> None:
    keras = session.keras
    kind, options, reason = REFUSED[name]
    layer = getattr(keras.layers, kind)(name="odd", **options)
    first = keras.Input(batch_shape=(3, 8)) if options.get("stateful") else keras.Input((8,))
    model = keras.Sequential([first, keras.layers.Reshape((4, 2)), layer])
    with pytest.raises(SettingsError, match=f"'odd'.*{reason}"):
        network_of(model, described(model))


def test_layers_within_layers_are_named(session: KerasSession) -> None:
    layers = session.keras.layers
    for layer, reason in (
        (layers.TimeDistributed(layers.Flatten(), name="odd"), "'odd': Dense, .* can be frozen in it.* got Flatten"),
        (layers.Bidirectional(layers.RNN(layers.GRUCell(2)), name="odd"), "'odd': LSTM, GRU, SimpleRNN can .* got RNN"),
        (layers.RNN(layers.GRUCell(2), name="odd"), r"'odd' \(RNN\) cannot be frozen: use LSTM"),
    ):
        model = session.keras.Sequential([session.keras.Input((4, 2)), layer, layers.Flatten()])
        with pytest.raises(SettingsError, match=reason):
            network_of(model, described(model))


def test_somebody_elses_layer_is_refused_whatever_its_name(session: KerasSession) -> None:
    class Dense(session.keras.layers.Dense):  # type: ignore[misc, name-defined]
        def call(self, inputs: Any) -> Any:
            return 2 * super().call(inputs)

    model = session.keras.Sequential([session.keras.Input((8,)), Dense(2, name="odd")])
    with pytest.raises(SettingsError, match=r"'odd' \(Dense\) is none of Keras' own"):
        network_of(model, described(model))
