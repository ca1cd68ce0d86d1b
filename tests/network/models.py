"""Networks of random weights with every kind of input and output that a model may have."""

from __future__ import annotations

from collections.abc import Callable

from tests.network.pulses import FALLING, LENGTH, MASKED, TWO_CHANNELS
from tests.network.weights import Graph, Weights

from discrimen.network import layers
from discrimen.network.graph import Network, chain
from discrimen.network.height_curve import HeightCurve
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, ClassThreshold, Output, class_scores

Built = tuple[Network, ModelDescription]
STEPS = layers.Reshape(steps=LENGTH, channels=1)
FLAT = layers.Flatten()


def two_classes() -> Built:
    """What most models are: aligned falling pulses, gamma and neutron, thresholds of both kinds."""
    w = Weights(11)
    scores = class_scores(("gamma", "neutron"))
    thresholds = {"strict": 0.75, "by height": HeightCurve((50.0, 400.0, 900.0), (0.3, 0.8, 0.6))}
    described = ModelDescription(preparation=FALLING, outputs=(scores,)).with_thresholds(thresholds)
    return chain((FLAT, w.dense(20, 10, "relu"), w.dense(10, 4, "relu"), w.dense(4, 2))), described


def independent_classes() -> Built:
    w = Weights()
    thresholds = {"pile-up above half": ClassThreshold(0.5, "pile-up"), "sure": ClassThreshold(0.9, "neutron")}
    names = ("gamma", "neutron", "pile-up")
    scores = Output(
        name="flags", kind="classes", shape=(3,), unit="1", names=names, activation="sigmoid", thresholds=thresholds
    )
    return chain((FLAT, w.dense(20, 5, "tanh"), w.dense(5, 3))), ModelDescription(
        preparation=FALLING, outputs=(scores,)
    )


def two_channels() -> Built:
    """Two detectors side by side, convolved along the samples."""
    w = Weights()
    convolved = (layers.Permute(), w.conv(4, 2, 3, activation="relu"), layers.GlobalMaxPooling1D(), w.dense(3, 2))
    return chain(convolved), ModelDescription(preparation=TWO_CHANNELS)


def channels_as_steps() -> Built:
    w = Weights()
    convolved = (w.dense(20, 4, "relu"), w.conv(2, 4, 3), FLAT, w.dense(6, 2))
    return chain(convolved), ModelDescription(preparation=MASKED)


def convolutional_autoencoder() -> Built:
    w, g = Weights(), Graph()
    code = g.through((STEPS, w.conv(4, 1, 4, stride=2, padding="same", activation="relu"), FLAT, w.dense(40, 3)))
    back = (
        w.dense(3, 40, "relu"),
        layers.Reshape(steps=10, channels=4),
        w.transpose(4, 1, 4, stride=2, padding="same"),
    )
    waveform = g(layers.Permute(), g.through(back, code))
    outputs = (
        Output(name="reconstructed", kind="waveform", shape=(1, LENGTH), unit=PREPARED),
        Output(name="code", kind="code", shape=(3,), unit="1", activation="tanh"),
    )
    return g.network(waveform, code), ModelDescription(preparation=FALLING, outputs=outputs)


def variational_autoencoder() -> Built:
    w, g = Weights(), Graph()
    row = g.through((FLAT, w.dense(40, 8, "relu")))
    mean, log_variance = g(w.dense(8, 2), row), g(w.dense(8, 2), row)
    drawn = g(layers.Sample(), mean, log_variance)
    waveform = g.through((w.dense(2, 12, "relu"), w.dense(12, 40), layers.Reshape(steps=2, channels=20)), drawn)
    outputs = (Output(name="reconstructed", kind="waveform", shape=(2, LENGTH), unit=PREPARED),)
    return g.network(waveform), ModelDescription(preparation=TWO_CHANNELS, outputs=outputs)


def quantities_with_errors() -> Built:
    w = Weights()
    arrival = Output(
        name="arrival",
        kind="quantity",
        shape=(2,),
        unit="ns",
        names=("first", "second"),
        with_error=True,
        activation="softplus",
    )
    convolved = (FLAT, w.dense(20, 6, "silu"), w.dense(6, 4))
    return chain(convolved), ModelDescription(preparation=FALLING, outputs=(arrival,))


def everything_at_once() -> Built:
    """Classes, a waveform, quantities with and without errors, a count and a code, of channels that may be absent."""
    w, g = Weights(), Graph()
    inner = g.through((layers.Permute(), w.conv(5, 3, 4, activation="relu"), FLAT, w.dense(64, 8, "tanh")))
    heads = [g(w.dense(8, n_values), inner) for n_values in (3, 60, 2, 1, 1)]
    waveform = g(layers.Reshape(steps=3, channels=LENGTH), heads[1])
    outputs = (
        class_scores(("gamma", "neutron", "pile-up"), name="particle"),
        Output(name="denoised", kind="waveform", shape=(3, LENGTH), unit=PREPARED),
        Output(name="energy", kind="quantity", shape=(1,), unit="keVee", with_error=True, activation="softplus"),
        Output(name="pulses", kind="count", shape=(1,), unit="1", activation="exponential"),
        Output(name="position", kind="quantity", shape=(1,), unit="mm"),
        Output(name="code", kind="code", shape=(8,), unit="1"),
    )
    values = (heads[0], waveform, heads[2], heads[3], heads[4], inner)
    return g.network(*values), ModelDescription(preparation=MASKED, outputs=outputs)


MODELS: dict[str, Callable[[], Built]] = {
    make.__name__.replace("_", " "): make
    for make in (
        two_classes,
        independent_classes,
        two_channels,
        channels_as_steps,
        convolutional_autoencoder,
        variational_autoencoder,
        quantities_with_errors,
        everything_at_once,
    )
}
