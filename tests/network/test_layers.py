"""The arithmetic of the layers by themselves; Keras is their measure in the tests of freezing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.network.networks import NETWORKS
from tests.network.pulses import frozen
from tests.network.weights import Weights

from discrimen.errors import DataError
from discrimen.network.activations import ACTIVATIONS
from discrimen.network.graph import chain, run, shapes_of
from discrimen.network.layers import (
    GATE_ACTIVATIONS,
    LAYERS,
    PADDINGS,
    Activate,
    Add,
    Attention,
    AveragePooling1D,
    Concatenate,
    Conv1D,
    Conv1DTranspose,
    Cropping1D,
    Dense,
    Gru,
    Layer,
    LayerNorm,
    MaxPooling1D,
    Multiply,
    Neighbours,
    Permute,
    Prelu,
    Reshape,
    Sample,
    SimpleRnn,
    UpSampling1D,
    ZeroPadding1D,
    options_of,
    places_around,
)

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_computes_alike_in_both_precisions(name: str) -> None:
    network, described = NETWORKS[name]()
    model = frozen(network, described)
    waveforms = RNG.normal(size=(5, *described.preparation.shape))
    exact, short = run(network, waveforms), run(network, waveforms.astype(np.float32))
    for output, values, rounded, golden in zip(described.outputs, exact, short, model.golden.values, strict=True):
        assert values.shape == rounded.shape == (5, output.n_values)
        assert (values.dtype, rounded.dtype) == (np.float64, np.float32)
        assert np.isfinite(golden).all()
        assert np.std(golden, axis=0).max() > 1e-3
        assert_allclose(rounded, values, atol=1e-5 * max(1, np.abs(values).max()))


def test_networks_leave_no_layer_and_no_option_out() -> None:
    layers = [node.layer for build in NETWORKS.values() for node in build()[0].nodes]
    assert {type(layer) for layer in layers} == set(LAYERS.values())
    assert {code: kind.code for code, kind in LAYERS.items()} == {code: code for code in range(1, 27)}
    for kind in LAYERS.values():
        for option in options_of(next(layer for layer in layers if type(layer) is kind)):
            seen = {getattr(layer, option) for layer in layers if type(layer) is kind}
            least = {"padding": {"valid", "same"}, "gate_activation": set(GATE_ACTIVATIONS)}.get(option, set())
            assert len(seen) > 1, (kind, option)
            assert seen >= least, (kind, option)
    assert {layer.padding for layer in layers if isinstance(layer, Conv1D)} == set(PADDINGS)
    for kind in (Dense, Activate):
        assert {layer.activation for layer in layers if isinstance(layer, kind)} == set(ACTIVATIONS)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("length", [1, 2, 3, 6])
@pytest.mark.parametrize("stride", [1, 2, 3, 4, 7])
def test_transposed_convolution_adds_its_kernel_from_each_step_on(length: int, padding: Any, stride: int) -> None:
    kernel, bias = RNG.normal(size=(length, 3, 2)).astype(np.float32), np.array([1, 2, 3], np.float32)
    layer = Conv1DTranspose(kernel=kernel, bias=bias, stride=stride, padding=padding)
    for n_steps in (1, 5):
        values = RNG.normal(size=(2, n_steps, 2))
        whole = np.zeros((2, (n_steps - 1) * stride + max(length, stride), 3))
        for step in range(n_steps):
            whole[:, step * stride : step * stride + length] += np.einsum("pi,loi->plo", values[:, step], kernel)
        if padding == "same":
            first = max(0, length - stride) // 2
            whole = whole[:, first : first + n_steps * stride]
        assert layer.shape((n_steps, 2)) == whole.shape[1:]
        assert_allclose(layer.compute(np, values), whole + bias, atol=1e-12)


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 3), (3, 2)])
@pytest.mark.parametrize("padding", PADDINGS)
def test_groups_are_convolutions_side_by_side(padding: Any, stride: int, dilation: int) -> None:
    w = Weights()
    options: dict[str, Any] = {"stride": stride, "dilation": dilation, "padding": padding}
    both = w.conv(3, 2, 6, groups=2, **options)
    assert isinstance(both, Conv1D)
    values = RNG.normal(size=(4, 11, 4))
    halves = [
        Conv1D(kernel=both.kernel[:, :, part], bias=both.bias[part], **options).compute(np, values[:, :, inputs])
        for part, inputs in ((slice(0, 3), slice(0, 2)), (slice(3, 6), slice(2, 4)))
    ]
    assert_allclose(both.compute(np, values), np.concatenate(halves, axis=2), atol=1e-12)


def test_causal_convolution_sees_nothing_of_what_comes() -> None:
    layer = Weights().conv(4, 2, 3, padding="causal", dilation=2)
    values = RNG.normal(size=(3, 15, 2))
    changed = values.copy()
    changed[:, 9:] += 1
    before, after = layer.compute(np, values), layer.compute(np, changed)
    assert before.shape == (3, 15, 3)
    assert_array_equal(before[:, :9], after[:, :9])
    assert (before[:, 9:] != after[:, 9:]).any()


def test_a_draw_without_a_seed_is_its_mean() -> None:
    mean = RNG.normal(size=(3, 4))
    assert_array_equal(Sample().compute(np, mean, RNG.normal(size=(3, 4))), mean)


def zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


STEPS = Reshape(steps=4, channels=1)
REFUSED: dict[str, tuple[list[Layer], str]] = {
    "dense": (
        [Dense(kernel=zeros(5, 2), bias=zeros(2))],
        r"layer 0 \(Dense\) does not fit values of shape \(1, 4\): its weights are made for 5 channels, 4 come",
    ),
    "bias": ([Dense(kernel=zeros(4, 2), bias=zeros(1))], r"bias must have shape \(2,\), got \(1,\)"),
    "axes": ([Dense(kernel=zeros(4, 2, 2), bias=zeros(2))], "kernel must have 2 axes, got 3"),
    "no steps": (
        [Reshape(steps=0, channels=4), Conv1D(kernel=zeros(1, 4, 1), bias=zeros(1))],
        r"layer 1 \(Conv1D\).*needs steps and channels, a row of 4 values comes",
    ),
    "too short": ([STEPS, Conv1D(kernel=zeros(5, 1, 1), bias=zeros(1))], "reaches over 5 steps .* 4 are there"),
    "groups": ([Conv1D(kernel=zeros(1, 2, 3), bias=zeros(3), groups=2)], "3 output channels cannot be shared by 2"),
    "channels of groups": ([Conv1D(kernel=zeros(1, 3, 2), bias=zeros(2), groups=2)], "made for 6 channels, 4 come"),
    "pooling": ([STEPS, MaxPooling1D(size=5, stride=1)], r"layer 1 \(MaxPooling1D\).* over 5 steps"),
    "causal pooling": ([STEPS, MaxPooling1D(size=2, stride=1, padding="causal")], "padding must be valid or same"),
    "reshape": ([Reshape(steps=3, channels=2)], r"wants shape \(3, 2\), 6 values, and gets 4"),
    "transposed": ([STEPS, Conv1DTranspose(kernel=zeros(5, 1, 2), bias=zeros(1))], "made for 2 channels"),
    "upsampling": (
        [STEPS, UpSampling1D(size=2**24 - 1)],
        rf"would make {4 * (2**24 - 1)} values of a pulse, 1 to {2**22} are allowed",
    ),
    "upsampling on and on": ([STEPS, *[UpSampling1D(size=2)] * 30], r"layer 21 \(UpSampling1D\)"),
    "far transposed": (
        [STEPS, Conv1DTranspose(kernel=zeros(1, 1, 1), bias=zeros(1), stride=2**23)],
        f"would make {2**25} values",
    ),
    "padded without end": ([STEPS, ZeroPadding1D(front=2**23, back=0)], "would make 8388612 values"),
    "cropped away": ([STEPS, Cropping1D(front=2, back=2)], "leaves out 2 and 2 steps, 4 are there"),
    "slopes": ([Prelu(slope=zeros(3))], r"slope must have shape \(1,\), \(4,\) or \(1, 4\), got \(3,\)"),
    "norm": ([LayerNorm(gamma=zeros(3), beta=zeros(4), epsilon=zeros(1) + 1)], r"gamma must have shape \(4,\)"),
    "norm without epsilon": ([LayerNorm(gamma=zeros(4), beta=zeros(4), epsilon=zeros(1))], "epsilon must be positive"),
    "gru": (
        [Gru(kernel=zeros(4, 6), recurrent_kernel=zeros(2, 6), bias=zeros(6), recurrent_bias=zeros(2))],
        "recurrent bias must have shape",
    ),
    "recurrent units": (
        [SimpleRnn(kernel=zeros(4, 3), recurrent_kernel=zeros(2, 2), bias=zeros(2))],
        r"kernel must have shape \(4, 2\)",
    ),
    "recurrent softmax": (
        [SimpleRnn(kernel=zeros(4, 2), recurrent_kernel=zeros(2, 2), bias=zeros(2), activation="softmax")],
        "act on each value by itself",
    ),
    "permuted row": ([Reshape(steps=0, channels=4), Permute()], "needs steps and channels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_layers_that_do_not_fit_are_refused_with_numbers(name: str) -> None:
    layers, message = REFUSED[name]
    with pytest.raises(DataError, match=message):
        shapes_of(chain(layers), (1, 4))


JOINS_REFUSED: dict[str, tuple[Layer, list[tuple[int, ...]], str]] = {
    "sum": (Add(), [(4, 2), (4, 1)], r"adds values of one shape, got \(4, 2\), \(4, 1\)"),
    "product": (Multiply(), [(4, 2), (4,)], "values of one shape, or rows of channels"),
    "channels": (Concatenate(), [(4, 2), (3, 2)], "fitting shapes side by side"),
    "row beside steps": (Concatenate(), [(4, 2), (2,)], "fitting shapes side by side"),
    "steps": (Concatenate(along_steps=True), [(4, 2), (4, 3)], "fitting shapes side by side"),
    "rows": (Concatenate(along_steps=True), [(4,), (4,)], "needs steps and channels"),
    "draw": (Sample(), [(4,), (3,)], "must have one shape"),
    "keys and values": (Attention(heads=2), [(4, 2), (5, 2), (4, 2)], "must have as many steps, got 5 and 4"),
    "heads": (Attention(heads=2), [(4, 2), (5, 2), (5, 3)], "2 heads cannot share queries of 2, keys of 2 and values"),
    "queries and keys": (Attention(heads=1), [(4, 2), (5, 3), (5, 3)], "1 heads cannot share"),
}


@pytest.mark.parametrize("name", JOINS_REFUSED)
def test_values_that_cannot_be_joined_are_refused_with_numbers(name: str) -> None:
    layer, shapes, message = JOINS_REFUSED[name]
    with pytest.raises(DataError, match=message):
        layer.shape(*shapes)


@pytest.mark.parametrize(
    "layer",
    [
        Conv1D(kernel=np.ones((3, 1, 1), np.float32), bias=zeros(1), dilation=2**24 - 1, padding="same"),
        Conv1D(kernel=np.ones((3, 1, 1), np.float32), bias=zeros(1), dilation=2**24 - 1, padding="causal"),
        MaxPooling1D(size=2**24 - 1, stride=1, padding="same"),
        AveragePooling1D(size=2**24 - 1, stride=1, padding="same"),
    ],
)
def test_a_kernel_that_reaches_further_than_any_file_needs_is_refused(layer: Layer) -> None:
    with pytest.raises(DataError, match=r"reaches over .* at most 65536 are allowed"):
        layer.shape((4, 1))


def test_neighbours_are_those_of_the_hit_segment_and_zeros_beyond_the_rings() -> None:
    assert places_around(6, 6)[15].tolist() == [8, 9, 10, 14, 15, 16, 20, 21, 22]
    assert places_around(6, 6)[0].tolist() == [-1, -1, -1, 5, 0, 1, 11, 6, 7]
    values = np.arange(13.0)[:, np.newaxis] + np.zeros((2, 13, 3))
    values[0, 7] += 100  # of 4 sectors and 3 rings: sector 3 of the middle ring
    values[1, 2, 2] = 50
    values[1, 9, :2] = 70  # not among the last samples
    found = Neighbours(sectors=4, rings=3, last=1).compute(np, values)
    rows = found[:, :30].reshape(2, 10, 3)
    assert rows[0, :, 0].tolist() == [2, 3, 0, 6, 107, 4, 10, 11, 8, 12]
    assert rows[1, :, 2].tolist() == [0, 0, 0, 1, 50, 3, 5, 6, 7, 12]
    assert found[:, 30:].argmax(axis=1).tolist() == [7, 2]
    assert found[:, 30:].sum() == 2
