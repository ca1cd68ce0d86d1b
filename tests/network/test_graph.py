"""Values find their readers, whatever the graph and however many pulses are computed at once."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.network.networks import GRAPHS, NETWORKS
from tests.network.weights import Graph, Weights

from discrimen.errors import DataError
from discrimen.network import graph
from discrimen.network.graph import Network, Node, chain, run, shapes_of
from discrimen.network.layers import Activate, Add, Attention, Dense, Flatten

DOUBLE = Dense(kernel=2 * np.eye(3, dtype=np.float32), bias=np.zeros(3, np.float32))
X = np.arange(6.0).reshape(2, 1, 3)


def test_each_layer_reads_the_values_that_it_names() -> None:
    g = Graph()
    twice = g(DOUBLE, 0)
    four_times = g(DOUBLE, twice)
    total = g(Add(), 0, four_times, twice, four_times)
    values = run(g.network(total, 0, twice, total), X)
    for value, factor in zip(values, (11, 1, 2, 11), strict=True):
        assert_array_equal(value, factor * X[:, 0])


def test_a_chain_reads_one_value_after_another() -> None:
    network = chain([DOUBLE, DOUBLE, Flatten()])
    assert [node.inputs for node in network.nodes] == [(0,), (1,), (2,)]
    assert network.outputs == (3,)
    assert_array_equal(run(network, X)[0], 4 * X[:, 0])
    assert_array_equal(run(chain([]), X)[0], X[:, 0])


def test_shapes_are_those_of_the_computed_values() -> None:
    for name, build in GRAPHS.items():
        network, described = build()
        shapes = shapes_of(network, described.preparation.shape)
        whole = replace(network, outputs=tuple(range(len(shapes))))
        values = run(whole, np.ones((2, *described.preparation.shape)))
        assert [value.shape[1] for value in values] == [int(np.prod(shape)) for shape in shapes], name


@pytest.mark.parametrize("name", ["residual", "everything at once", "bidirectional", "transformer"])
def test_batches_equal_the_whole(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    network, described = NETWORKS[name]()
    waveforms = np.random.default_rng(0).normal(size=(11, *described.preparation.shape))
    whole = run(network, waveforms)
    for most in (1, 150, 700):
        monkeypatch.setattr(graph, "MOST_AT_ONCE", most)
        for parts, values in zip(run(network, waveforms), whole, strict=True):
            assert_allclose(parts, values, rtol=1e-12, atol=1e-12)
    for output, values in zip(described.outputs, run(network, waveforms[:0]), strict=True):
        assert values.shape == (0, output.n_values)


@pytest.mark.parametrize(
    ("nodes", "outputs", "message"),
    [
        ([Node(DOUBLE, (1,))], (1,), r"layer 0 \(Dense\) reads value 1, only 1 are there before it"),
        ([Node(DOUBLE, (0,)), Node(Add(), (1, 2))], (2,), r"layer 1 \(Add\) reads value 2, only 2 are there"),
        ([Node(DOUBLE, (-1,))], (1,), "reads value -1"),
        ([Node(DOUBLE, (0,))], (2,), "an output reads value 2, there are 2"),
        ([Node(DOUBLE, (0, 0))], (1,), r"layer 0 \(Dense\) reads 1 values, got 2"),
        ([Node(DOUBLE, ())], (1,), "reads 1 values, got 0"),
        ([Node(Add(), (0,))], (1,), r"layer 0 \(Add\) reads 2 to 64 values, got 1"),
        ([Node(Add(), (0,) * 65)], (1,), "reads 2 to 64 values, got 65"),
        ([Node(Attention(heads=1), (0, 0))], (1,), "reads 3 values, got 2"),
    ],
)
def test_values_that_are_not_there_are_refused(nodes: list[Node], outputs: tuple[int, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        run(Network(tuple(nodes), outputs), X)


def test_weights_are_left_as_they_are() -> None:
    network = chain([Flatten(), Weights().dense(3, 2)])
    before = network.nodes[1].layer
    run(network, X)
    assert network.nodes[1].layer is before


def test_values_that_nobody_reads_any_more_are_let_go() -> None:
    n_samples, n_layers = 50_000, 30
    network = chain([Activate(activation="tanh")] * n_layers)
    tracemalloc.start()
    run(network, np.ones((1, 1, n_samples)))
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 6 * 8 * n_samples
