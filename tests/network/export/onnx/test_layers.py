"""Every layer in both runtimes against the reference in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.network.export.onnx.runtimes import RUNTIMES, Run
from tests.network.networks import FIVE_BY_FOUR, NETWORKS, Built, given_as_codes
from tests.network.pulses import TWO_CHANNELS, channels_there, frozen, raw_pulses
from tests.network.weights import Graph, Weights

from discrimen.errors import DataError
from discrimen.inference.reference_predictor import run_exactly
from discrimen.network import layers
from discrimen.network.activations import ACTIVATIONS
from discrimen.network.frozen_file import FrozenModel
from discrimen.network.graph import Network, chain
from discrimen.network.layers import Layer
from discrimen.network.preparation import Preparation

onnx = pytest.importorskip("onnx", reason="NO ONNX: pip install 'discrimen[onnx]'")

from discrimen.network.export.onnx import onnx_model  # noqa: E402
from discrimen.network.export.onnx.layers import add_layer  # noqa: E402

STEPS = layers.Reshape(steps=20, channels=1)


def assert_computes(run: Run, model: FrozenModel, *, tolerance: float = 2e-6) -> None:
    """Compare all outputs, relative to the largest value of each; the golden ones before the activations, too."""
    samples = raw_pulses(model.description.preparation, 17)
    present = channels_there(model.description.preparation, 17)
    expected = run_exactly(model, samples, present=present)
    given = run(onnx_model(model, input_type="float32"), samples.astype(np.float32), present)
    for output, found, wanted in zip(model.description.outputs, given, expected, strict=True):
        assert found.shape == wanted.shape
        assert np.isfinite(wanted).all()
        off = np.abs(found - wanted).max() / np.abs(wanted).max()
        assert off <= tolerance, f"{output.name} is off by {off:.2g} of the largest value"


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("name", NETWORKS)
def test_network_computes_what_the_reference_computes(name: str, run: Run) -> None:
    assert_computes(run, frozen(*NETWORKS[name]()))


def on_all_layouts(make: Callable[[Weights, Graph, int, int, int], int]) -> Built:
    """Give 5 steps of 4 channels as they come, from a convolution and from a recurrent layer, each once in front."""
    w, g = Weights(), Graph()
    steps = g(FIVE_BY_FOUR, 0)
    values = (steps, g(w.conv(1, 4, 4), steps), g(w.gru(4, 4, sequences=True), steps))
    return given_as_codes(g.network(*(make(w, g, *values[first:], *values[:first]) for first in range(3))))


JOINED: dict[str, Callable[[Weights, Graph, int, int, int], int]] = {
    "sum": lambda w, g, *values: g(layers.Add(), *values),
    "product": lambda w, g, *values: g(layers.Multiply(), *values),
    "gate": lambda w, g, *values: g(layers.Multiply(), g(layers.GlobalMaxPooling1D(), values[1]), values[0]),
    "channels": lambda w, g, *values: g(layers.Concatenate(), *values),
    "steps": lambda w, g, *values: g(layers.Concatenate(along_steps=True), *values),
    "rows": lambda w, g, *values: g(layers.Add(), *(g(layers.Flatten(), value) for value in values)),
    "dense": lambda w, g, *values: g(w.dense(20, 3), g(layers.Flatten(), values[0])),
    "dense on steps": lambda w, g, *values: g(w.dense(4, 3, "softmax"), values[0]),
    "reshape": lambda w, g, *values: g(w.conv(2, 10, 2), g(layers.Reshape(steps=2, channels=10), values[0])),
    "softmax": lambda w, g, *values: g(layers.Activate(activation="softmax"), values[0]),
    "norm": lambda w, g, *values: g(w.norm(4), values[0]),
    "slope": lambda w, g, *values: g(layers.Prelu(slope=w(5, 4)), values[0]),
    "slope of channels": lambda w, g, *values: g(layers.Prelu(slope=w(4)), values[0]),
    "swapped": lambda w, g, *values: g(w.dense(5, 2), g(layers.Permute(), values[0])),
    "chosen": lambda w, g, *values: g.through((layers.Reverse(), layers.Cropping1D(front=1, back=0)), values[0]),
    "more": lambda w, g, *values: g.through(
        (layers.UpSampling1D(size=2), layers.ZeroPadding1D(front=1, back=2)), values[0]
    ),
    "average": lambda w, g, *values: g(layers.GlobalAveragePooling1D(), values[0]),
    "attention": lambda w, g, *values: g(layers.Attention(heads=2), *values),
}


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("name", JOINED)
def test_order_of_the_axes_in_memory_does_not_matter(name: str, run: Run) -> None:
    assert_computes(run, frozen(*on_all_layouts(JOINED[name])))


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "softmax"])
def test_simple_recurrent_layer_has_every_activation(activation: Any, sequences: bool, run: Run) -> None:
    w = Weights()
    # Small weights: an exponential of its own state would leave all bounds.
    kernels = {"kernel": w(4, 3) / 4, "recurrent_kernel": w(3, 3) / 4, "bias": w(3) / 4}
    layer = layers.SimpleRnn(**kernels, activation=activation, sequences=sequences)
    assert_computes(run, frozen(*given_as_codes(chain((FIVE_BY_FOUR, layer)))))


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("kind", ["lstm", "gru", "gru, reset before"])
def test_hard_gates_are_computed_step_by_step(kind: str, sequences: bool, run: Run) -> None:
    w = Weights()
    options: dict[str, Any] = {"gate_activation": "hard_sigmoid", "sequences": sequences}
    layer = w.lstm(4, 3, **options) if kind == "lstm" else w.gru(4, 3, **options, reset_after=kind == "gru")
    assert_computes(run, frozen(*given_as_codes(chain((FIVE_BY_FOUR, layer)))))


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
def test_layer_norm_of_values_far_from_zero_keeps_their_differences(run: Run) -> None:
    w = Weights()
    far = layers.Dense(kernel=w(4, 6), bias=w(6) + np.float32(300))
    assert_computes(run, frozen(*given_as_codes(chain((FIVE_BY_FOUR, far, w.norm(6))))), tolerance=1e-4)


def graph_of(network: Network, *, preparation: Preparation | None = None) -> Any:
    built = given_as_codes(network) if preparation is None else given_as_codes(network, preparation)
    return onnx_model(frozen(*built)).graph


def operators(*layers: Layer) -> list[str]:
    return [node.op_type for node in graph_of(chain(layers)).node]


def test_chain_of_convolutions_moves_no_axes() -> None:
    w = Weights()
    found = operators(
        STEPS,
        w.conv(5, 1, 8, padding="same", activation="relu"),
        layers.MaxPooling1D(size=2, stride=2),
        w.conv(5, 8, 8, padding="same", activation="relu"),
        layers.Flatten(),
        w.dense(80, 2, "softmax"),
    )
    assert "Transpose" not in found
    assert found.count("Reshape") == 2


def test_convolution_along_the_samples_of_several_channels_moves_no_axes() -> None:
    w = Weights()
    convolved = (layers.Permute(), w.conv(5, 2, 3), layers.GlobalMaxPooling1D())
    found = [node.op_type for node in graph_of(chain(convolved), preparation=TWO_CHANNELS).node]
    assert "Transpose" not in found


def test_dense_network_reshapes_nothing() -> None:
    w = Weights()
    found = operators(layers.Flatten(), w.dense(20, 8, "relu"), w.dense(8, 2))
    assert not {"Transpose", "Reshape"} & set(found)


def test_chain_of_recurrent_layers_moves_axes_once() -> None:
    w = Weights()
    found = operators(STEPS, w.lstm(1, 4, sequences=True), w.gru(4, 3, sequences=True), w.rnn(3, 3), w.dense(3, 2))
    assert found.count("Transpose") == 1
    assert [found.count(operator) for operator in ("LSTM", "GRU", "RNN", "Loop", "Scan")] == [1, 1, 1, 0, 0]


def test_weights_that_every_step_reads_are_held_once() -> None:
    w = Weights()
    layer = w.lstm(1, 4, gate_activation="hard_sigmoid")
    shapes = [tuple(constant.dims) for constant in graph_of(chain((STEPS, layer))).initializer]
    assert shapes.count(layer.recurrent_kernel.shape) == 1


def test_layer_that_does_not_fit_is_named() -> None:
    model = frozen(*NETWORKS["dense"]())
    wrong = FrozenModel(model.description, chain((layers.Flatten(), Weights().dense(19, 3))), model.golden)
    with pytest.raises(DataError, match=r"layer 1 \(Dense\) does not fit values of shape \(20,\)"):
        onnx_model(wrong)


def test_output_that_does_not_fit_is_named() -> None:
    model = frozen(*NETWORKS["dense"]())
    wrong = FrozenModel(model.description, chain((layers.Flatten(), Weights().dense(20, 4))), model.golden)
    with pytest.raises(DataError, match=r"output 'values 0' needs 3 values, the network gives \(4,\)"):
        onnx_model(wrong)


def test_every_kind_of_layer_can_be_written() -> None:
    unwritten = {
        kind for kind in layers.LAYERS.values() if add_layer.dispatch(kind) is add_layer.dispatch(layers.Layer)
    }
    assert not unwritten
    tried = {type(node.layer) for make in NETWORKS.values() for node in make()[0].nodes}
    assert tried == set(layers.LAYERS.values())
