"""The sections of the frozen file: everything comes back, and what contradicts itself is refused."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from tests.network.networks import NETWORKS
from tests.network.pulses import frozen

from discrimen.errors import DataError
from discrimen.network.layers import Attention, Dense, Lstm, Reshape, Reverse, layer_from, options_of, weights_of
from discrimen.network.packing import outputs_read, pack_golden, pack_layers, pack_outputs, unpack_golden, unpack_layers


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_comes_back(name: str) -> None:
    network, described = NETWORKS[name]()
    nodes = tuple(unpack_layers(*map(memoryview, pack_layers(network))))
    assert len(nodes) == len(network.nodes)
    for read, written in zip(nodes, network.nodes, strict=True):
        assert (type(read.layer), read.inputs) == (type(written.layer), written.inputs)
        assert options_of(read.layer) == options_of(written.layer)
        for one, other in zip(weights_of(read.layer).items(), weights_of(written.layer).items(), strict=True):
            assert one[0] == other[0]
            assert np.array_equal(one[1], other[1])
    tolerances = tuple(0.5**number for number in range(len(network.outputs)))
    section = memoryview(pack_outputs(described.outputs, network.outputs, tolerances))
    assert outputs_read(section) == (network.outputs, tolerances)


@pytest.mark.parametrize("name", ["two classes", "everything at once"])
@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_golden_vectors_come_back(name: str, dtype: Any) -> None:
    model = frozen(*NETWORKS[name]())
    golden = model.golden
    given = type(golden)(
        samples=golden.samples.astype(dtype),
        present=golden.present,
        values=golden.values,
        tolerances=golden.tolerances,
    )
    read = unpack_golden(memoryview(pack_golden(given)), model.description, golden.tolerances)
    assert read.samples.dtype == dtype
    assert np.array_equal(read.samples, golden.samples)
    assert all(np.array_equal(one, other) for one, other in zip(read.values, golden.values, strict=True))
    assert (read.present is None) == (golden.present is None)
    assert golden.present is None or np.array_equal(read.present, golden.present)  # type: ignore[arg-type]


def table(code: int, inputs: tuple[int, ...], options: tuple[int, ...], arrays: bytes = b"", n: int = 0) -> bytes:
    counts = struct.pack("<5I", 1, code, len(inputs), len(options), n)
    return counts + struct.pack(f"<{len(inputs)}I{len(options)}i", *inputs, *options) + arrays


def array(shape: tuple[int, ...], start: int) -> bytes:
    return struct.pack(f"<I{len(shape)}IQ", len(shape), *shape, start)


DAMAGED: dict[str, tuple[bytes, str]] = {
    "unknown layer": (table(99, (0,), ()), "no layer with number 99; the file comes from a newer version"),
    "layer 0": (table(0, (0,), ()), "no layer with number 0"),
    "an option too few": (table(8, (0,), (3,)), "layer Reshape lacks its channels"),
    "an option too many": (table(22, (0,), (3,)), "layer Reverse has more weights or options"),
    "weights that nobody wants": (table(22, (0,), (), array((2,), 0), 1), "more weights or options"),
    "weights too few": (table(1, (0,), (0,), array((2, 2), 0), 1), "layer Dense lacks its bias"),
    "unknown activation": (table(11, (0,), (18,)), "no activation with number 18"),
    "negative activation": (table(11, (0,), (-1,)), "no activation with number -1"),
    "unknown padding": (table(3, (0,), (1, 1, 3)), "no padding with number 3"),
    "no size": (table(3, (0,), (0, 1, 0)), "size must lie between 1"),
    "huge option": (table(13, (0,), (2**24,)), "size must lie between 1 and 16777215"),
    "flag of 2": (table(16, (0, 0), (2,)), "along_steps must be 0 or 1, got 2"),
    "weights beyond the section": (
        table(18, (0,), (), array((5,), 0), 1),
        r"shape \(5,\) at 0 do not lie within the 4",
    ),
    "weights that begin beyond": (table(18, (0,), (), array((1,), 2**63), 1), "do not lie within"),
    "weights of a huge product": (table(18, (0,), (), array((2**31, 2**31, 2**31), 0), 1), "do not lie within"),
    "empty weights": (table(18, (0,), (), array((0,), 0), 1), "do not lie within"),
    "no axes": (table(18, (0,), (), struct.pack("<IQ", 0, 0), 1), "1 to 3 axes, got 0"),
    "four axes": (table(18, (0,), (), array((1, 1, 1, 1), 0), 1), "1 to 3 axes, got 4"),
    "a tail": (table(22, (0,), ()) + b"\0\0", "2 bytes too many behind the layers"),
    "countless inputs": (struct.pack("<5I", 1, 22, 2**32 - 1, 0, 0), "more inputs, options or weights than the file"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_layers_are_refused(name: str) -> None:
    content, message = DAMAGED[name]
    with pytest.raises(DataError, match=message):
        list(unpack_layers(memoryview(content), memoryview(np.ones(4, "<f4").tobytes())))


def test_truncated_layers_are_refused() -> None:
    layers, weights = pack_layers(NETWORKS["bidirectional"]()[0])
    for length in range(len(layers)):
        with pytest.raises((DataError, struct.error)):
            list(unpack_layers(memoryview(layers[:length]), memoryview(weights)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused(value: float) -> None:
    weights = np.array([0, value], "<f4").tobytes()
    with pytest.raises(DataError, match="weights are not finite"):
        list(unpack_layers(memoryview(struct.pack("<I", 0)), memoryview(weights)))


def test_damaged_golden_vectors_are_refused() -> None:
    model = frozen(*NETWORKS["two classes"]())
    content = pack_golden(model.golden)
    for damaged in (content[:-1], content + b"\0", struct.pack("<4I", 0, 20, 0, 0), content[:8] + b"\2" + content[9:]):
        with pytest.raises((DataError, struct.error)):
            unpack_golden(memoryview(damaged), model.description, model.golden.tolerances)


def test_options_keep_their_order() -> None:
    weights = [np.zeros((1, 4), np.float32), np.zeros((1, 4), np.float32), np.zeros(4, np.float32)]
    layer = layer_from(Lstm, [1, 1], weights)
    assert isinstance(layer, Lstm)
    assert (layer.sequences, layer.gate_activation) == (True, "hard_sigmoid")
    assert options_of(Reshape(steps=0, channels=7)) == {"steps": 0, "channels": 7}
    assert options_of(Reverse()) == {}
    assert list(options_of(Attention(heads=3)).values()) == [3]
    assert list(weights_of(Dense(kernel=weights[0], bias=weights[2]))) == ["kernel", "bias"]
