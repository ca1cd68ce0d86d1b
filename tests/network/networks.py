"""Networks of random weights that use every layer, every option of it and every kind of output; windows of 20 samples.

Each is built again by its function in :data:`NETWORKS`; :func:`~tests.network.pulses.frozen` makes a whole model of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.network.models import FLAT, MODELS, STEPS, Built
from tests.network.pulses import COUNTS, frozen
from tests.network.weights import Graph, Weights

from discrimen.network import layers
from discrimen.network.activations import ACTIVATIONS
from discrimen.network.graph import Network, chain, shapes_of
from discrimen.network.layers import Layer
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation

__all__ = ["CHAINS", "GRAPHS", "MODELS", "NETWORKS", "Built", "frozen", "given_as_codes"]

FIVE_BY_FOUR = layers.Reshape(steps=5, channels=4)


def given_as_codes(network: Network, preparation: Preparation = COUNTS) -> Built:
    """Return a network with a description that gives out its values as they are."""
    shapes = shapes_of(network, preparation.shape)
    outputs = tuple(
        Output(name=f"values {number}", kind="code", shape=shapes[value], unit="1")
        for number, value in enumerate(network.outputs)
    )
    return network, ModelDescription(preparation=preparation, outputs=outputs)


def _chain(make: Callable[[Weights], Sequence[Layer]]) -> Callable[[], Built]:
    return lambda: given_as_codes(chain(make(Weights())))


def _graph(make: Callable[[Weights, Graph], Sequence[int]]) -> Callable[[], Built]:
    def build() -> Built:
        graph = Graph()
        outputs = make(Weights(), graph)
        return given_as_codes(graph.network(*outputs))

    return build


def _pooling(kind: Any, **options: Any) -> Callable[[], Built]:
    return _chain(lambda w: (STEPS, w.conv(1, 1, 3), kind(**options)))


def _on_four(*make: Callable[[Weights], Layer]) -> Callable[[], Built]:
    """Layers on 5 steps of 4 channels."""
    return _chain(lambda w: (FIVE_BY_FOUR, *(each(w) for each in make)))


def _activation(name: Any) -> Callable[[], Built]:
    return _chain(lambda w: (FLAT, w.dense(20, 6, name), w.dense(6, 3)))


def _activation_by_itself(name: Any) -> Callable[[], Built]:
    return _chain(lambda w: (STEPS, w.conv(3, 1, 3), layers.Activate(activation=name)))


CHAINS: dict[str, Callable[[], Built]] = (
    {
        "dense": _chain(lambda w: (FLAT, w.dense(20, 7, "relu"), w.dense(7, 3))),
        "dense, wide": _chain(lambda w: (FLAT, w.dense(20, 67, "relu"), w.dense(67, 33, "tanh"), w.dense(33, 1))),
        "dense on the samples of the channel": _chain(lambda w: (w.dense(20, 3),)),
        "dense on steps": _on_four(lambda w: w.dense(4, 3, "softmax")),
        "dense on convolved steps": _chain(lambda w: (STEPS, w.conv(3, 1, 4), w.dense(4, 3, "softmax"))),
        "convolution, valid": _chain(lambda w: (STEPS, w.conv(4, 1, 3, stride=3, activation="relu"))),
        "convolution, same": _chain(lambda w: (STEPS, w.conv(4, 1, 3, stride=3, padding="same"))),
        "convolution, same, even": _chain(lambda w: (STEPS, w.conv(4, 1, 3, padding="same"))),
        "convolution, same, longer than the steps": _chain(
            lambda w: (STEPS, w.conv(50, 1, 2, stride=3, padding="same"))
        ),
        "convolution, causal": _chain(lambda w: (STEPS, w.conv(4, 1, 3, padding="causal"))),
        "convolution, causal, dilated": _chain(lambda w: (STEPS, w.conv(3, 1, 5, padding="causal", dilation=4))),
        "convolution, causal, strides": _chain(lambda w: (STEPS, w.conv(3, 1, 2, padding="causal", stride=3))),
        "convolution, dilated": _chain(lambda w: (STEPS, w.conv(3, 1, 2, dilation=3))),
        "convolution, dilated, same": _chain(lambda w: (STEPS, w.conv(3, 1, 2, dilation=3, padding="same"))),
        "convolution, dilated, beyond the window": _chain(
            lambda w: (STEPS, w.conv(3, 1, 2, dilation=25, padding="same"))
        ),
        "convolution, two groups": _on_four(lambda w: w.conv(3, 2, 6, groups=2, padding="same", activation="tanh")),
        "convolution, depthwise": _on_four(lambda w: w.conv(3, 1, 4, groups=4)),
        "convolution, depthwise, multiplied": _on_four(lambda w: w.conv(2, 1, 8, groups=4, stride=2)),
        "convolution, groups, causal": _on_four(lambda w: w.conv(2, 2, 4, groups=2, padding="causal", dilation=2)),
        "convolution, many filters": _chain(lambda w: (STEPS, w.conv(5, 1, 17), w.conv(3, 17, 19, activation="relu"))),
        "convolutions and dense": _chain(lambda w: (STEPS, w.conv(4, 1, 3), w.conv(2, 3, 5), FLAT, w.dense(80, 2))),
        "separable": _on_four(lambda w: w.conv(3, 1, 8, groups=4, padding="same"), lambda w: w.conv(1, 8, 3)),
        "transposed, valid": _on_four(lambda w: w.transpose(3, 2, 4, stride=2)),
        "transposed, same": _on_four(lambda w: w.transpose(5, 2, 4, stride=2, padding="same", activation="relu")),
        "transposed, shorter than its stride": _on_four(lambda w: w.transpose(2, 2, 4, stride=3)),
        "transposed, shorter than its stride, same": _on_four(lambda w: w.transpose(2, 2, 4, stride=3, padding="same")),
        "largest": _pooling(layers.MaxPooling1D, size=3, stride=3),
        "largest, same": _pooling(layers.MaxPooling1D, size=3, stride=2, padding="same"),
        "largest, with gaps": _pooling(layers.MaxPooling1D, size=2, stride=3, padding="same"),
        "average": _pooling(layers.AveragePooling1D, size=4, stride=3),
        "average, same": _pooling(layers.AveragePooling1D, size=3, stride=2, padding="same"),
        "average, same, even": _pooling(layers.AveragePooling1D, size=4, stride=1, padding="same"),
        "largest of all": _pooling(layers.GlobalMaxPooling1D),
        "average of all": _pooling(layers.GlobalAveragePooling1D),
        "reshape": _chain(
            lambda w: (FIVE_BY_FOUR, w.conv(2, 4, 2), layers.Reshape(steps=0, channels=8), w.dense(8, 2))
        ),
        "reshape, convolved": _chain(
            lambda w: (STEPS, w.conv(1, 1, 3), layers.Reshape(steps=12, channels=5), w.conv(2, 5, 2))
        ),
        "upsampling": _chain(lambda w: (STEPS, w.conv(3, 1, 2), layers.UpSampling1D(size=3), w.conv(2, 2, 1))),
        "upsampling, twice": _on_four(lambda w: layers.UpSampling1D(size=2), lambda w: w.conv(3, 4, 2)),
        "permuted": _on_four(lambda w: layers.Permute(), lambda w: w.dense(5, 3)),
        "zeros in front and behind": _on_four(
            lambda w: layers.ZeroPadding1D(front=2, back=1),
            lambda w: w.conv(3, 4, 2),
            lambda w: layers.ZeroPadding1D(front=0, back=3),
        ),
        "cropped": _on_four(lambda w: layers.Cropping1D(front=1, back=0), lambda w: layers.Cropping1D(front=0, back=2)),
        "reversed": _on_four(lambda w: layers.Reverse(), lambda w: w.conv(2, 4, 2)),
        "neighbours": _on_four(lambda w: layers.Neighbours(sectors=2, rings=2, last=2), lambda w: w.dense(44, 3)),
        "neighbours, segments alone": _on_four(lambda w: layers.Neighbours(sectors=5, rings=1, last=4)),
        "neighbours in three rings": _chain(
            lambda w: (layers.Reshape(steps=10, channels=2), layers.Neighbours(sectors=3, rings=3, last=1))
        ),
        "layer normalisation": _on_four(lambda w: w.norm(4), lambda w: w.conv(2, 4, 2)),
        "layer normalisation of a row": _chain(lambda w: (FLAT, w.dense(20, 6), w.norm(6))),
        "one slope": _on_four(lambda w: layers.Prelu(slope=w(1))),
        "slope of each channel": _on_four(lambda w: layers.Prelu(slope=w(4)), lambda w: w.conv(2, 4, 2)),
        "slope of each step and channel": _on_four(lambda w: layers.Prelu(slope=w(5, 4))),
        "lstm": _chain(lambda w: (STEPS, w.lstm(1, 5), w.dense(5, 2))),
        "lstm of channels": _on_four(lambda w: w.lstm(4, 3)),
        "lstm, hard gates": _on_four(lambda w: w.lstm(4, 9, gate_activation="hard_sigmoid")),
        "lstm, sequences": _chain(lambda w: (STEPS, w.lstm(1, 5, sequences=True), w.lstm(5, 3, sequences=True))),
        "gru": _chain(lambda w: (STEPS, w.gru(1, 5), w.dense(5, 2))),
        "gru, reset before": _on_four(lambda w: w.gru(4, 5, reset_after=False)),
        "gru, hard gates": _on_four(lambda w: w.gru(4, 9, gate_activation="hard_sigmoid", sequences=True)),
        "gru, reset before, hard gates, sequences": _on_four(
            lambda w: w.gru(4, 3, reset_after=False, gate_activation="hard_sigmoid", sequences=True)
        ),
        "simple recurrent": _chain(lambda w: (STEPS, w.rnn(1, 5), w.dense(5, 2))),
        "simple recurrent, relu, sequences": _on_four(lambda w: w.rnn(4, 3, activation="relu", sequences=True)),
        "convolution, gru, convolution": _chain(
            lambda w: (STEPS, w.conv(3, 1, 4), w.gru(4, 3, sequences=True), w.conv(2, 3, 2), FLAT)
        ),
    }
    | {f"activation {name}": _activation(name) for name in ACTIVATIONS}
    | {f"activation {name} by itself": _activation_by_itself(name) for name in ACTIVATIONS}
)


def residual(w: Weights, g: Graph) -> Sequence[int]:
    entry = g.through((STEPS, w.conv(3, 1, 3, padding="same")))
    first = g(layers.Add(), g(w.conv(3, 3, 3, padding="same", activation="relu"), entry), entry)
    second = g(layers.Add(), entry, g(w.conv(1, 3, 3), first), first)
    return (g(w.dense(60, 2), g(FLAT, second)),)


def projected_shortcut(w: Weights, g: Graph) -> Sequence[int]:
    row = g(FLAT, 0)
    return (g(layers.Add(), g(w.dense(20, 6, "tanh"), row), g(w.dense(20, 6), row)),)


def doubled(w: Weights, g: Graph) -> Sequence[int]:
    value = g(w.dense(20, 4, "tanh"), g(FLAT, 0))
    return (g(layers.Multiply(), g(layers.Add(), value, value), value, value),)


def squeeze_and_excite(w: Weights, g: Graph) -> Sequence[int]:
    values = g.through((STEPS, w.conv(3, 1, 4, activation="relu")))
    gate = g.through((layers.GlobalAveragePooling1D(), w.dense(4, 2, "relu"), w.dense(2, 4, "sigmoid")), values)
    return (g(w.dense(72, 3), g(FLAT, g(layers.Multiply(), gate, values))),)


def side_by_side(w: Weights, g: Graph) -> Sequence[int]:
    steps = g(STEPS, 0)
    branches = [g(w.conv(length, 1, 3, padding="same"), steps) for length in (2, 3, 5)]
    joined = g(layers.Concatenate(), *branches, steps)
    return (g(w.conv(2, 10, 2), joined),)


def one_behind_another(w: Weights, g: Graph) -> Sequence[int]:
    steps = g(FIVE_BY_FOUR, 0)
    return (g(layers.Concatenate(along_steps=True), g(w.conv(2, 4, 4), steps), steps, steps),)


def rows_side_by_side(w: Weights, g: Graph) -> Sequence[int]:
    row = g(FLAT, 0)
    return (g(w.dense(25, 3), g(layers.Concatenate(), g(w.dense(20, 5, "relu"), row), row)),)


def densely_connected(w: Weights, g: Graph) -> Sequence[int]:
    values = [g(STEPS, 0)]
    for channels in (1, 3, 5):
        joined = values[0] if len(values) == 1 else g(layers.Concatenate(), *values)
        values.append(g(w.conv(3, channels, 2, padding="same", activation="relu"), joined))
    return (g(layers.GlobalMaxPooling1D(), g(layers.Concatenate(), *values)),)


def bidirectional(w: Weights, g: Graph) -> Sequence[int]:
    steps = g(FIVE_BY_FOUR, 0)
    ahead = g(w.gru(4, 3, sequences=True), steps)
    back = g.through((layers.Reverse(), w.lstm(4, 3, sequences=True), layers.Reverse()), steps)
    return (g(w.lstm(6, 2), g(layers.Concatenate(), ahead, back)),)


def attention_to_itself(w: Weights, g: Graph) -> Sequence[int]:
    steps = g(FIVE_BY_FOUR, 0)
    query, key, value = (g(w.dense(4, 6), steps) for _ in range(3))
    return (g(w.dense(6, 4), g(layers.Attention(heads=2), query, key, value)),)


def attention_to_others(w: Weights, g: Graph) -> Sequence[int]:
    steps = g(STEPS, 0)
    few = g(w.conv(5, 1, 3, stride=5), steps)
    query, key, value = g(w.dense(3, 4), few), g(w.dense(1, 4), steps), g(w.dense(1, 7), steps)
    return (g(layers.Attention(heads=1), query, key, value),)


def transformer(w: Weights, g: Graph) -> Sequence[int]:
    steps = g(w.dense(4, 6), g(FIVE_BY_FOUR, 0))
    normed = g(w.norm(6), steps)
    query, key, value = (g(w.dense(6, 6), normed) for _ in range(3))
    attended = g(layers.Add(), steps, g(w.dense(6, 6), g(layers.Attention(heads=3), query, key, value)))
    forward = g.through((w.norm(6), w.dense(6, 9, "gelu"), w.dense(9, 6)), attended)
    return (g(layers.GlobalAveragePooling1D(), g(layers.Add(), attended, forward)),)


def means_of_a_draw(w: Weights, g: Graph) -> Sequence[int]:
    row = g(FLAT, 0)
    drawn = g(layers.Sample(), g(w.dense(20, 3), row), g(w.dense(20, 3), row))
    return (g(w.dense(3, 4), drawn),)


def inner_values_given_out(w: Weights, g: Graph) -> Sequence[int]:
    """Outputs that other layers read, that two outputs share, and the input itself."""
    inner = g.through((STEPS, w.conv(3, 1, 2, activation="relu")))
    last = g(w.dense(36, 3), g(FLAT, inner))
    return last, inner, last, 0


GRAPHS: dict[str, Callable[[], Built]] = {
    make.__name__.replace("_", " "): _graph(make)
    for make in (
        residual,
        projected_shortcut,
        doubled,
        squeeze_and_excite,
        side_by_side,
        one_behind_another,
        rows_side_by_side,
        densely_connected,
        bidirectional,
        attention_to_itself,
        attention_to_others,
        transformer,
        means_of_a_draw,
        inner_values_given_out,
    )
}


NETWORKS: dict[str, Callable[[], Built]] = CHAINS | GRAPHS | MODELS
