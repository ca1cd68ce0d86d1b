"""Every layer in both runtimes against the reference in float64."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.network.export.onnx.networks import AS_IT_IS, LENGTH, NETWORKS, ONE_CHANNEL, Weights, frozen
from tests.network.export.onnx.runtimes import RUNTIMES, Run

from discrimen.errors import DataError
from discrimen.network import layers as spec
from discrimen.network.arithmetic import run_layers
from discrimen.network.prepare import prepare

onnx = pytest.importorskip("onnx", reason="NO ONNX: pip install 'discrimen[onnx]'")

from discrimen.network.export.onnx import onnx_model  # noqa: E402


def waveforms() -> np.ndarray:
    samples = np.random.default_rng(3).normal(0, 1, (17, LENGTH)).astype(np.float32)
    samples[:, 0] = 0
    return samples


@pytest.mark.parametrize("run", RUNTIMES.values(), ids=RUNTIMES)
@pytest.mark.parametrize("name", NETWORKS)
def test_layer_computes_what_the_reference_computes(name: str, run: Run) -> None:
    layers = NETWORKS[name](Weights())
    samples = waveforms()
    assert prepare(samples, AS_IT_IS).valid.all()
    expected = run_layers(layers, samples)
    model = onnx_model(frozen(layers, n_classes=expected.shape[1]), input_type="float32")
    assert_allclose(run(model, samples), expected, atol=1e-5)


def test_every_kind_of_layer_is_tried() -> None:
    tried = {type(layer) for make in NETWORKS.values() for layer in make(Weights())}
    assert tried == set(spec.LAYERS.values())


def operators(*layers: spec.Layer, n_classes: int = 2) -> list[str]:
    return [node.op_type for node in onnx_model(frozen(layers, n_classes=n_classes)).graph.node]


def test_chain_of_convolutions_moves_no_axes() -> None:
    w = Weights()
    found = operators(
        ONE_CHANNEL,
        w.conv(5, 1, 8, padding="same", activation="relu"),
        spec.MaxPooling1D(size=2, stride=2),
        w.conv(5, 8, 8, padding="same", activation="relu"),
        spec.Flatten(),
        w.dense(80, 2, "softmax"),
    )
    assert "Transpose" not in found
    assert found.count("Reshape") == 2


def test_chain_of_recurrent_layers_moves_axes_once() -> None:
    w = Weights()
    found = operators(ONE_CHANNEL, w.lstm(1, 4, sequences=True), w.gru(4, 3, sequences=True), w.lstm(3, 2))
    assert found.count("Transpose") == 1
    assert [found.count(operator) for operator in ("LSTM", "GRU", "Loop", "Scan")] == [2, 1, 0, 0]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((Weights().dense(19, 2),), r"layer 0 \(Dense\) does not fit values of shape \(20,\)"),
        ((Weights().conv(3, 1, 2),), r"layer 0 \(Conv1D\)"),
        ((ONE_CHANNEL, Weights().conv(3, 2, 2)), r"layer 1 \(Conv1D\) does not fit values of shape \(20, 1\)"),
        ((ONE_CHANNEL, Weights().conv(21, 1, 2)), r"layer 1 \(Conv1D\)"),
        ((ONE_CHANNEL, spec.MaxPooling1D(size=21, stride=1)), r"layer 1 \(MaxPooling1D\)"),
        ((ONE_CHANNEL, Weights().lstm(2, 2)), r"layer 1 \(Lstm\)"),
        ((spec.GlobalMaxPooling1D(),), r"layer 0 \(GlobalMaxPooling1D\)"),
        ((spec.Reshape(steps=3, channels=7),), r"layer 0 \(Reshape\)"),
        ((spec.AddKept(slot=2),), r"layer 0 \(AddKept\)"),
        ((spec.Keep(slot=2), Weights().dense(20, 2), spec.AddKept(slot=2)), r"layer 2 \(AddKept\)"),
        ((Weights().dense(20, 3),), r"expected 2 scores a pulse, the network gives \(3,\)"),
    ],
)
def test_layer_that_does_not_fit_is_named(layers: tuple[spec.Layer, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        onnx_model(frozen(layers))
