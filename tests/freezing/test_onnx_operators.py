"""Every ONNX operator that can be adopted, against ONNX Runtime, in the layouts that exporters write."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from discrimen.errors import FormatError, SettingsError
from discrimen.freezing.batch_norm import folded
from discrimen.freezing.onnx_import import read_onnx
from discrimen.network.graph import run
from discrimen.network.preparation import Channel, Preparation

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
helper = onnx.helper
RNG = np.random.default_rng(4)
ML = "ai.onnx.ml"


def weight(*shape, positive=False):
    values = RNG.uniform(0.5, 2, shape) if positive else RNG.normal(0, 0.7, shape)
    return values.astype(np.float32)


def node(kind, *inputs, outputs=("y",), **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def ints(*values):
    return np.array(values, np.int64)


def file_of(path, nodes, constants, shape, *, opset=17, outputs=("y",), batch="batch", domains=(), kind="FLOAT"):
    """Write a graph that takes `x` of a shape, pulses first."""
    floats = getattr(onnx.TensorProto, kind)
    graph = helper.make_graph(
        [nodes] if not isinstance(nodes, list | tuple) else list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", floats, [batch, *shape])],
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8), path)
    return path


def preparation_for(shape):
    n_channels, window = shape if len(shape) == 2 else (1, shape[0])
    channels = tuple(Channel(name=f"channel {number}") for number in range(n_channels))
    return Preparation(sample_period_ns=4, channels=channels, window_length=window, scale="none")


def kinds_of(network):
    return [type(node.layer).__name__ for node in network.nodes]


def assert_as_onnxruntime(path, shape, *, kinds=None):
    found = read_onnx(path, preparation_for(shape))
    network = found.draft.network(folded(found.draft, [output.value for output in found.outputs]))
    n_pulses = found.n_batch or 4
    values = RNG.normal(0, 1.5, (n_pulses, *shape)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = session.run([output.graph_name for output in found.outputs], {"x": values})
    waveforms = values.reshape(n_pulses, *(shape if len(shape) == 2 else (1, *shape))).astype(np.float64)
    for output, theirs, ours in zip(found.outputs, wanted, run(network, waveforms), strict=True):
        assert np.asarray(theirs).shape[1:] == output.shape or np.prod(theirs.shape[1:]) == 1
        assert np.ptp(theirs) > 1e-3
        assert_allclose(ours, np.asarray(theirs).reshape(n_pulses, -1), atol=1e-5 * max(1, np.abs(theirs).max()))
    if kinds is not None:
        assert kinds_of(network) == kinds


ACTIVATIONS = {
    "Relu": {},
    "Tanh": {},
    "Sigmoid": {},
    "Softplus": {},
    "Softsign": {},
    "Exp": {},
    "HardSwish": {},
    "HardSigmoid": {"alpha": 1 / 6, "beta": 0.5},
    "Selu": {},
    "Elu": {},
    "LeakyRelu": {"alpha": 0.3},
    "Softmax": {"axis": -1},
    "Identity": {},
    "Neg": {},
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_activations_of_rows(kind, tmp_path):
    path = file_of(tmp_path / "x.onnx", node(kind, "x", **ACTIVATIONS[kind]), {}, (6,))
    assert_as_onnxruntime(path, (6,))


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_activations_of_channels_and_steps(kind, tmp_path):
    path = file_of(tmp_path / "x.onnx", node(kind, "x", **ACTIVATIONS[kind]), {}, (3, 6))
    assert_as_onnxruntime(path, (3, 6))


def case(nodes, constants, shape, **options):
    return nodes, constants, shape, options


W3 = weight(5, 3, 3)
CASES = {
    "elu with another alpha": case(node("Elu", "x", alpha=0.6), {}, (6,)),
    "mish": case(node("Mish", "x"), {}, (6,), opset=18),
    "gelu": case(node("Gelu", "x"), {}, (6,), opset=20),
    "gelu by tanh": case(node("Gelu", "x", approximate="tanh"), {}, (6,), opset=20),
    "square root": case([node("Softplus", "x", outputs=["a"]), node("Sqrt", "a")], {}, (3, 6)),
    "softmax over the channels of steps": case(node("Softmax", "x", axis=1), {}, (3, 6)),
    "softmax of the old kind": case(node("Softmax", "x"), {}, (6,), opset=11),
    "one slope": case(node("PRelu", "x", "a"), {"a": weight(1)}, (3, 6)),
    "slopes of channels": case(node("PRelu", "x", "a"), {"a": weight(3, 1)}, (3, 6)),
    "slopes of steps": case(node("PRelu", "x", "a"), {"a": weight(6)}, (3, 6)),
    "clip": case(node("Clip", "x", "a", "b"), {"a": np.float32(0), "b": np.float32(6)}, (6,)),
    "clip by attributes": case(node("Clip", "x", min=0.0, max=6.0), {}, (6,), opset=9),
    "clip as relu": case(node("Clip", "x", "a"), {"a": np.float32(0)}, (6,)),
    "add a number": case(node("Add", "x", "a"), {"a": np.float32(1.5)}, (3, 6)),
    "add channels": case(node("Add", "a", "x"), {"a": weight(3, 1)}, (3, 6)),
    "add steps": case(node("Add", "x", "a"), {"a": weight(6)}, (3, 6)),
    "add everywhere": case(node("Add", "x", "a"), {"a": weight(1, 3, 6)}, (3, 6)),
    "constant minus": case(node("Sub", "a", "x"), {"a": weight(3, 1)}, (3, 6)),
    "minus constant": case(node("Sub", "x", "a"), {"a": weight(6)}, (6,)),
    "times": case(node("Mul", "x", "a"), {"a": weight(3, 1)}, (3, 6)),
    "divided": case(node("Div", "x", "a"), {"a": weight(6, positive=True)}, (3, 6)),
    "square": case(node("Pow", "x", "a"), {"a": np.float32(2)}, (3, 6)),
    "cube": case(node("Pow", "x", "a"), {"a": np.float32(3)}, (6,)),
    "tensors added": case([node("Tanh", "x", outputs=["t"]), node("Add", "x", "t")], {}, (3, 6)),
    "tensors subtracted": case([node("Tanh", "x", outputs=["t"]), node("Sub", "x", "t")], {}, (3, 6)),
    "tensors multiplied": case([node("Tanh", "x", outputs=["t"]), node("Mul", "x", "t")], {}, (3, 6)),
    "silu": case([node("Sigmoid", "x", outputs=["t"]), node("Mul", "x", "t")], {}, (3, 6), kinds=["Activate"]),
    "mish by parts": case(
        [node("Softplus", "x", outputs=["s"]), node("Tanh", "s", outputs=["t"]), node("Mul", "t", "x")],
        {},
        (3, 6),
        kinds=["Activate"],
    ),
    "gate of channels": case(
        [node("GlobalAveragePool", "x", outputs=["p"]), node("Sigmoid", "p", outputs=["g"]), node("Mul", "g", "x")],
        {},
        (3, 6),
    ),
    "gate of steps": case(
        [node("ReduceMax", "x", outputs=["p"], axes=[1]), node("Sigmoid", "p", outputs=["g"]), node("Mul", "g", "x")],
        {},
        (3, 6),
    ),
    "one gate for all": case(
        [node("ReduceMean", "x", outputs=["p"], axes=[1, 2]), node("Tanh", "p", outputs=["g"]), node("Mul", "g", "x")],
        {},
        (3, 6),
    ),
    "mean taken away": case([node("ReduceMean", "x", outputs=["p"], axes=[2]), node("Sub", "x", "p")], {}, (3, 6)),
    "batch normalisation": case(
        node("BatchNormalization", "x", "g", "b", "m", "v"),
        {"g": weight(3), "b": weight(3), "m": weight(3), "v": weight(3, positive=True)},
        (3, 6),
    ),
    "batch normalisation of rows": case(
        node("BatchNormalization", "x", "g", "b", "m", "v", epsilon=1e-3),
        {"g": weight(6), "b": weight(6), "m": weight(6), "v": weight(6, positive=True)},
        (6,),
    ),
    "layer normalisation": case(node("LayerNormalization", "x", "g", "b"), {"g": weight(6), "b": weight(6)}, (3, 6)),
    "layer normalisation of all": case(
        node("LayerNormalization", "x", "g", "b", axis=1), {"g": weight(3, 6), "b": weight(3, 6)}, (3, 6)
    ),
    "layer normalisation, written out": case(
        [
            node("ReduceMean", "x", outputs=["m"], axes=[-1]),
            node("Sub", "x", "m", outputs=["d"]),
            node("Pow", "d", "two", outputs=["p"]),
            node("ReduceMean", "p", outputs=["v"], axes=[-1]),
            node("Add", "v", "e", outputs=["a"]),
            node("Sqrt", "a", outputs=["s"]),
            node("Div", "d", "s", outputs=["n"]),
            node("Mul", "n", "g", outputs=["k"]),
            node("Add", "k", "b"),
        ],
        {"two": np.float32(2), "e": np.float32(1e-3), "g": weight(6), "b": weight(6)},
        (3, 6),
        opset=13,
        kinds=["LayerNorm", "Conv1D"],
    ),
    "gemm": case(node("Gemm", "x", "w", "b", alpha=0.5, beta=2.0), {"w": weight(6, 4), "b": weight(4)}, (6,)),
    "gemm, transposed, bias of one row": case(
        node("Gemm", "x", "w", "b", transB=1), {"w": weight(4, 6), "b": weight(1, 4)}, (6,)
    ),
    "gemm without a bias": case(node("Gemm", "x", "w"), {"w": weight(6, 4)}, (6,), opset=11),
    "matrix on steps": case(node("MatMul", "x", "w"), {"w": weight(6, 4)}, (3, 6), kinds=["Dense"]),
    "matrix and bias": case(
        [node("MatMul", "x", "w", outputs=["m"]), node("Add", "m", "b")],
        {"w": weight(6, 4), "b": weight(4)},
        (3, 6),
        kinds=["Dense"],
    ),
    "convolution": case(node("Conv", "x", "w", "b"), {"w": W3, "b": weight(5)}, (3, 9)),
    "convolution of one channel": case(
        node("Conv", "x", "w", pads=[1, 1]), {"w": weight(5, 1, 3)}, (1, 9), kinds=["Reshape", "Conv1D", "Permute"]
    ),
    "convolution, strides and odd padding": case(node("Conv", "x", "w", pads=[2, 0], strides=[2]), {"w": W3}, (3, 9)),
    "convolution, dilated and causal": case(
        node("Conv", "x", "w", pads=[4, 0], dilations=[2]), {"w": W3}, (3, 9), kinds=["Permute", "Conv1D", "Permute"]
    ),
    "convolution, automatic padding": case(
        node("Conv", "x", "w", auto_pad="SAME_UPPER", strides=[2]), {"w": weight(5, 3, 4)}, (3, 9)
    ),
    "convolution, automatic padding in front": case(
        node("Conv", "x", "w", auto_pad="SAME_LOWER"), {"w": weight(5, 3, 4)}, (3, 9)
    ),
    "convolution, groups": case(node("Conv", "x", "w", group=2), {"w": weight(6, 2, 3)}, (4, 9)),
    "convolution, depthwise": case(node("Conv", "x", "w", group=4), {"w": weight(4, 1, 3)}, (4, 9)),
    "lines around a depthwise convolution": case(
        [
            node("Mul", "x", "a", outputs=["m"]),
            node("Add", "m", "c", outputs=["s"]),
            node("Conv", "s", "w", outputs=["k"], group=2),
            node("Mul", "k", "d"),
        ],
        {"a": weight(4, 1), "c": weight(4, 1), "w": weight(6, 2, 3), "d": weight(6, 1)},
        (4, 9),
        kinds=["Permute", "Conv1D", "Permute"],
    ),
    "transposed convolution": case(
        node("ConvTranspose", "x", "w", "b"), {"w": weight(3, 5, 4), "b": weight(5)}, (3, 6)
    ),
    "transposed convolution, cut": case(
        node("ConvTranspose", "x", "w", strides=[2], pads=[1, 2]), {"w": weight(3, 5, 4)}, (3, 6)
    ),
    "transposed convolution, output padding": case(
        node("ConvTranspose", "x", "w", strides=[3], pads=[1, 1], output_padding=[2]), {"w": weight(3, 5, 3)}, (3, 6)
    ),
    "transposed convolution, long strides": case(
        node("ConvTranspose", "x", "w", "b", strides=[4]), {"w": weight(3, 5, 2), "b": weight(5)}, (3, 6)
    ),
    "transposed convolution, dilated": case(
        node("ConvTranspose", "x", "w", dilations=[2], pads=[1, 0]), {"w": weight(3, 5, 3)}, (3, 6)
    ),
    "largest of groups": case(node("MaxPool", "x", kernel_shape=[2], strides=[2]), {}, (3, 9)),
    "largest of groups, padded": case(node("MaxPool", "x", kernel_shape=[3], strides=[2], pads=[1, 1]), {}, (3, 8)),
    "largest of groups, padded far": case(node("MaxPool", "x", kernel_shape=[5], strides=[3], pads=[2, 2]), {}, (3, 9)),
    "largest of groups, padded and unfinished": case(
        node("MaxPool", "x", kernel_shape=[3], strides=[2], pads=[1, 1], ceil_mode=1), {}, (3, 8)
    ),
    "largest of groups, unfinished": case(node("MaxPool", "x", kernel_shape=[3], strides=[2], ceil_mode=1), {}, (3, 8)),
    "largest of groups, automatic": case(
        node("MaxPool", "x", kernel_shape=[3], strides=[2], auto_pad="SAME_UPPER"), {}, (3, 8)
    ),
    "mean of groups": case(node("AveragePool", "x", kernel_shape=[2], strides=[2]), {}, (3, 9)),
    "mean of groups, padding counts": case(
        node("AveragePool", "x", kernel_shape=[3], strides=[2], pads=[1, 1], count_include_pad=1), {}, (3, 9)
    ),
    "mean of groups, padding does not count": case(
        node("AveragePool", "x", kernel_shape=[3], strides=[1], pads=[1, 1]), {}, (3, 9)
    ),
    "largest of all": case(node("GlobalMaxPool", "x"), {}, (3, 9)),
    "mean over steps": case(node("ReduceMean", "x", axes=[2], keepdims=0), {}, (3, 9)),
    "mean over channels": case(node("ReduceMean", "x", axes=[1], keepdims=0), {}, (3, 9)),
    "mean over all": case(node("ReduceMean", "x", axes=[1, 2], keepdims=0), {}, (3, 9)),
    "sum over steps": case(node("ReduceSum", "x", "a", keepdims=0), {"a": ints(-1)}, (3, 9)),
    "mean by an input": case(node("ReduceMean", "x", "a", keepdims=0), {"a": ints(-1)}, (3, 9), opset=18),
    "flatten": case(node("Flatten", "x"), {}, (3, 9)),
    "flatten the other way": case(
        [node("Transpose", "x", outputs=["t"], perm=[0, 2, 1]), node("Flatten", "t")], {}, (3, 9)
    ),
    "reshape": case(node("Reshape", "x", "s"), {"s": ints(0, 9, 3)}, (3, 9)),
    "reshape into four axes and back": case(
        [node("Reshape", "x", "s", outputs=["t"]), node("Reshape", "t", "u")],
        {"s": ints(0, 1, 3, 9), "u": ints(-1, 27)},
        (3, 9),
    ),
    "squeeze": case(
        [node("Unsqueeze", "x", "a", outputs=["t"]), node("Tanh", "t", outputs=["h"]), node("Squeeze", "h", "a")],
        {"a": ints(2)},
        (3, 9),
    ),
    "squeeze one channel": case(node("Squeeze", "x", axes=[1]), {}, (1, 9), opset=11),
    "concatenate channels": case([node("Tanh", "x", outputs=["t"]), node("Concat", "x", "t", axis=1)], {}, (3, 9)),
    "concatenate steps": case([node("Tanh", "x", outputs=["t"]), node("Concat", "x", "t", axis=-1)], {}, (3, 9)),
    "concatenate rows": case([node("Tanh", "x", outputs=["t"]), node("Concat", "x", "t", axis=1)], {}, (9,)),
    "stack rows": case(
        [
            node("Tanh", "x", outputs=["t"]),
            node("Unsqueeze", "x", "a", outputs=["x1"]),
            node("Unsqueeze", "t", "a", outputs=["t1"]),
            node("Concat", "x1", "t1", axis=1),
        ],
        {"a": ints(1)},
        (9,),
    ),
    "slice of steps": case(node("Slice", "x", "s", "e", "a"), {"s": ints(2), "e": ints(-1), "a": ints(2)}, (3, 9)),
    "slice of channels": case(node("Slice", "x", "s", "e", "a"), {"s": ints(1), "e": ints(3), "a": ints(1)}, (3, 9)),
    "slice of a row": case(node("Slice", "x", "s", "e", "a"), {"s": ints(1), "e": ints(7), "a": ints(1)}, (9,)),
    "slice, every third": case(
        node("Slice", "x", "s", "e", "a", "n"), {"s": ints(1), "e": ints(9), "a": ints(2), "n": ints(3)}, (3, 9)
    ),
    "slice backwards": case(
        node("Slice", "x", "s", "e", "a", "n"),
        {"s": ints(-1), "e": ints(-(2**62)), "a": ints(2), "n": ints(-1)},
        (3, 9),
    ),
    "slice backwards, a part": case(
        node("Slice", "x", "s", "e", "a", "n"), {"s": ints(6), "e": ints(2), "a": ints(2), "n": ints(-1)}, (3, 9)
    ),
    "slice by attributes": case(node("Slice", "x", starts=[1], ends=[5], axes=[2]), {}, (3, 9), opset=9),
    "split": case(
        [node("Split", "x", "n", outputs=["a", "b"], axis=2), node("Concat", "b", "a", axis=2)],
        {"n": ints(4, 5)},
        (3, 9),
    ),
    "split of channels, evenly": case(
        [node("Split", "x", outputs=["a", "b"], axis=1), node("Sub", "a", "b")], {}, (4, 9), opset=11
    ),
    "gather the last step": case(node("Gather", "x", "i", axis=2), {"i": np.array(-1)}, (3, 9)),
    "gather a channel": case(node("Gather", "x", "i", axis=1), {"i": np.array(1)}, (3, 9)),
    "gather neighbours": case(node("Gather", "x", "i", axis=2), {"i": ints(2, 3, 4)}, (3, 9)),
    "pad steps": case(node("Pad", "x", "p"), {"p": ints(0, 0, 2, 0, 0, 1)}, (3, 9)),
    "pad channels": case(node("Pad", "x", "p"), {"p": ints(0, 1, 0, 0, 2, 0)}, (3, 9)),
    "pad a row": case(node("Pad", "x", "p"), {"p": ints(0, 1, 0, 2)}, (9,)),
    "pad less than nothing": case(node("Pad", "x", "p"), {"p": ints(0, 0, -2, 0, 0, 1)}, (3, 9)),
    "pad by attributes": case(node("Pad", "x", pads=[0, 0, 1, 0, 0, 2]), {}, (3, 9), opset=9),
    "repeat": case(
        node("Resize", "x", "", "s", mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        {"s": np.array([1, 1, 2], np.float32)},
        (3, 9),
    ),
    "cast and dropout": case([node("Cast", "x", outputs=["c"], to=1), node("Dropout", "c")], {}, (9,)),
    "scaler": case(node("Scaler", "x", domain=ML, offset=[0.5] * 9, scale=[2.0] * 9), {}, (9,), domains=(ML,)),
    "constant of the graph": case(
        [
            helper.make_node("Constant", [], ["c"], value=onnx.numpy_helper.from_array(weight(9))),
            node("Mul", "x", "c"),
        ],
        {},
        (9,),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_operator_computes_as_onnxruntime_does(name, tmp_path):
    nodes, constants, shape, options = CASES[name]
    kinds = options.get("kinds")
    options = {key: value for key, value in options.items() if key != "kinds"}
    path = file_of(tmp_path / "x.onnx", nodes, constants, shape, **options)
    assert_as_onnxruntime(path, shape, kinds=kinds)


def recurrent(kind, gates, *, directions=1, **attributes):
    units = 4
    constants = {
        "w": weight(directions, gates * units, 2),
        "r": weight(directions, gates * units, units),
        "b": weight(directions, 2 * gates * units),
    }
    return constants, {"hidden_size": units, **attributes}


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("reads", ["sequence", "state", "both"])
@pytest.mark.parametrize(("kind", "gates", "more"), [("LSTM", 4, {}), ("GRU", 3, {}), ("RNN", 1, {})])
def test_recurrent_layers_in_all_directions(kind, gates, more, direction, reads, tmp_path):
    directions = 2 if direction == "bidirectional" else 1
    constants, attributes = recurrent(kind, gates, directions=directions, direction=direction, **more)
    nodes = [
        node("Transpose", "x", outputs=["t"], perm=[2, 0, 1]),
        node(kind, "t", "w", "r", "b", outputs=["seq", "state"], **attributes),
        node("Transpose", "seq", outputs=["s1"], perm=[2, 0, 1, 3]),
        node("Reshape", "s1", "flat", outputs=["y"]),
        node("Transpose", "state", outputs=["h1"], perm=[1, 0, 2]),
        node("Reshape", "h1", "row", outputs=["h"]),
    ]
    constants |= {"flat": ints(0, 0, -1), "row": ints(0, -1)}
    outputs = {"sequence": ["y"], "state": ["h"], "both": ["y", "h"]}[reads]
    path = file_of(tmp_path / "x.onnx", nodes, constants, (2, 7), outputs=outputs)
    assert_as_onnxruntime(path, (2, 7))


@pytest.mark.parametrize(
    ("kind", "gates", "more"),
    [("GRU", 3, {"linear_before_reset": 1}), ("RNN", 1, {"activations": ["Relu"]})],
)
def test_further_kinds_of_recurrent_layers(kind, gates, more, tmp_path):
    constants, attributes = recurrent(kind, gates, **more)
    nodes = [
        node("Transpose", "x", outputs=["t"], perm=[2, 0, 1]),
        node(kind, "t", "w", "r", "b", outputs=["", "state"], **attributes),
        node("Squeeze", "state", "axis"),
    ]
    path = file_of(tmp_path / "x.onnx", nodes, constants | {"axis": ints(0)}, (2, 7))
    assert_as_onnxruntime(path, (2, 7))


def test_one_direction_is_taken_of_a_bidirectional_layer(tmp_path):
    constants, attributes = recurrent("LSTM", 4, directions=2, direction="bidirectional")
    nodes = [
        node("Transpose", "x", outputs=["t"], perm=[2, 0, 1]),
        node("LSTM", "t", "w", "r", "b", outputs=["", "state"], **attributes),
        node("Gather", "state", "second"),
    ]
    path = file_of(tmp_path / "x.onnx", nodes, constants | {"second": np.array(-1)}, (2, 7))
    assert_as_onnxruntime(path, (2, 7))


def test_samples_may_come_before_channels(tmp_path):
    nodes = [node("Transpose", "x", outputs=["t"], perm=[0, 2, 1]), node("Conv", "t", "w")]
    path = file_of(tmp_path / "x.onnx", nodes, {"w": weight(5, 1, 3)}, (9, 1))
    found = read_onnx(path, preparation_for((1, 9)))
    assert found.arrangement == "sample_channel"
    network = found.draft.network(folded(found.draft, [output.value for output in found.outputs]))
    values = RNG.normal(size=(3, 9, 1)).astype(np.float32)
    (wanted,) = onnxruntime.InferenceSession(str(path)).run(None, {"x": values})
    (ours,) = run(network, values.swapaxes(1, 2).astype(np.float64))
    assert_allclose(ours, wanted.reshape(3, -1), atol=1e-5)


def test_file_for_a_fixed_number_of_pulses(tmp_path):
    nodes = [node("Reshape", "x", "s", outputs=["t"]), node("Gemm", "t", "w")]
    path = file_of(tmp_path / "x.onnx", nodes, {"s": ints(1, 27), "w": weight(27, 2)}, (3, 9), batch=1)
    assert_as_onnxruntime(path, (3, 9))


GRAPH = helper.make_graph([], "inner", [], [])
REFUSED = {
    "attention": (
        [node("Transpose", "x", outputs=["t"], perm=[0, 2, 1]), node("MatMul", "x", "t")], {}, (3, 9), {},
        r"node 'y' \(MatMul\): multiplies two tensors.*attention",
    ),
    "division by the pulse": (
        [node("Tanh", "x", outputs=["t"]), node("Div", "x", "t")], {}, (9,), {}, "opset_version=17",
    ),
    "hard sigmoid of another slope": (node("HardSigmoid", "x"), {}, (9,), {}, r"alpha must be 0.1666667.*got 0.2"),
    "selu with other constants": (node("Selu", "x", alpha=1.0), {}, (9,), {}, "alpha must be"),
    "other limits": (
        node("Clip", "x", "a", "b"), {"a": np.float32(-1), "b": np.float32(1)}, (9,), {}, "0 and 6 can",
    ),
    "normalisation of another axis": (
        [
            node("ReduceMean", "x", outputs=["m"], axes=[1]),
            node("Sub", "x", "m", outputs=["d"]),
            node("Mul", "d", "d", outputs=["p"]),
            node("ReduceMean", "p", outputs=["v"], axes=[1]),
            node("Add", "v", "e", outputs=["a"]),
            node("Sqrt", "a", outputs=["s"]),
            node("Div", "d", "s"),
        ],
        {"e": np.float32(1e-3)}, (3, 9), {}, "normalises axis 1",
    ),
    "error function alone": (node("Erf", "x"), {}, (9,), {}, "Erf.*part of a GELU"),
    "unknown operator": (node("Sin", "x"), {}, (9,), {}, r"\(Sin\) cannot be adopted: known are"),
    "instance normalisation": (
        node("InstanceNormalization", "x", "a", "a"), {"a": weight(3)}, (3, 9), {}, "batch or layer normalisation",
    ),
    "quantised": (
        node("DequantizeLinear", "x", "a"), {"a": np.float32(0.1)}, (9,), {}, "before it is quantised",
    ),
    "quantised product": (node("QLinearMatMul", *"xabcdefg"), {k: weight(1) for k in "abcdefg"}, (9,), {}, "quantised"),
    "branch": (
        node("If", "c", then_branch=GRAPH, else_branch=GRAPH), {"c": np.array(True)}, (9,), {}, "graph of its own",
    ),
    "foreign operator": (node("Fused", "x", domain="com.microsoft"), {}, (9,), {}, "Fused of 'com.microsoft'"),
    "two dimensions": (
        [node("Unsqueeze", "x", "a", outputs=["t"]), node("Conv", "t", "w")],
        {"a": ints(1), "w": weight(2, 1, 3, 3)}, (9, 9), {}, r"acts along 2 axes.*Conv1d",
    ),
    "free length": (node("Relu", "x"), {}, ("length",), {}, r"got \(batch, length\).*fixed shape"),
    "four axes": (node("Relu", "x"), {}, (1, 3, 9), {}, "expected an input of"),
    "old operators": (node("Relu", "x"), {}, (9,), {"opset": 6}, "expected operator set 7 to 21, got 6"),
    "new operators": (node("Relu", "x"), {}, (9,), {"opset": 22}, "expected operator set 7 to 21, got 22"),
    "pulses mixed": (node("ReduceMean", "x", axes=[0]), {}, (9,), {}, "mixes pulses"),
    "softmax over pulses": (node("Softmax", "x", axis=0), {}, (9,), {}, "not that of the channels"),
    "reflection": (node("Pad", "x", "p", mode="reflect"), {"p": ints(0, 1, 0, 1)}, (9,), {}, "only zeros"),
    "padding with ones": (
        node("Pad", "x", "p", "v"), {"p": ints(0, 1, 0, 1), "v": np.float32(1)}, (9,), {}, "pads with 1",
    ),
    "places here and there": (node("Gather", "x", "i", axis=1), {"i": ints(0, 5)}, (9,), {}, "single places"),
    "training": (
        node("Dropout", "x", "r", "t"), {"r": np.float32(0.5), "t": np.array(True)}, (9,), {}, "at random",
    ),
    "cast to integers": (node("Cast", "x", to=7), {}, (9,), {}, "into another type"),
    "logarithm within": (
        [node("LogSoftmax", "x", outputs=["t"]), node("Relu", "t")], {}, (9,), {}, "inside a network",
    ),
    "state that does not begin at 0": (
        [
            node("Transpose", "x", outputs=["t"], perm=[2, 0, 1]),
            node("GRU", "t", "w", "r", "b", "", "h", outputs=["", "y"], hidden_size=4),
        ],
        recurrent("GRU", 3)[0] | {"h": np.ones((1, 1, 4), np.float32)}, (2, 7), {"batch": 1}, "does not begin at 0",
    ),
    "cell state": (
        [
            node("Transpose", "x", outputs=["t"], perm=[2, 0, 1]),
            node("LSTM", "t", "w", "r", "b", outputs=["", "", "y"], hidden_size=4),
        ],
        recurrent("LSTM", 4)[0], (2, 7), {}, "last cell state",
    ),
    "weights that do not fit": (node("Gemm", "x", "w"), {"w": weight(5, 2)}, (9,), {}, "made for 5 channels"),
    "missing input": (node("Add", "x", "nowhere"), {}, (9,), {}, "'nowhere'. is not there"),
    "powers": (node("Pow", "x", "a"), {"a": np.float32(0.5)}, (9,), {}, "powers 1, 2 and 3"),
    "scores in disorder": (
        node("LinearClassifier", "x", outputs=["l", "y"], domain=ML, coefficients=[1.0] * 27, intercepts=[0.0] * 3,
             classlabels_ints=[0, 1, 2], post_transform="LOGISTIC"),
        {}, (9,), {"domains": (ML,)}, "post_transform LOGISTIC on 3 classes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_adopted_is_refused_by_name(name, tmp_path):
    nodes, constants, shape, options, match = REFUSED[name]
    path = file_of(tmp_path / "x.onnx", nodes, constants, shape, **options)
    lengths = tuple(9 if isinstance(each, str) else each for each in shape)[-2:]
    with pytest.raises(FormatError, match=match):
        read_onnx(path, preparation_for(lengths))


def test_weights_in_other_files_are_refused(tmp_path):
    path = file_of(tmp_path / "x.onnx", node("Gemm", "x", "w"), {"w": weight(9, 200)}, (9,))
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, size_threshold=0, location="weights.bin")
    with pytest.raises(FormatError, match=r"'w'.*in other files"):
        read_onnx(path, preparation_for((9,)))


def test_two_inputs_are_refused(tmp_path):
    path = file_of(tmp_path / "x.onnx", node("Relu", "x"), {}, (9,))
    model = onnx.load(path)
    model.graph.input.append(helper.make_tensor_value_info("gain", onnx.TensorProto.FLOAT, [1, 1]))
    onnx.save(model, path)
    with pytest.raises(FormatError, match="one input, the pulses; got 'x', 'gain'"):
        read_onnx(path, preparation_for((9,)))


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"\x08\x08\x12\xff\xff"])
def test_damaged_files_are_refused(content, tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="no ONNX model"):
        read_onnx(path, preparation_for((9,)))


def test_absent_file_is_refused(tmp_path):
    with pytest.raises(FormatError, match="cannot be read: No such file"):
        read_onnx(tmp_path / "x.onnx", preparation_for((9,)))


def test_preparation_of_another_length_is_refused(tmp_path):
    path = file_of(tmp_path / "x.onnx", node("Relu", "x"), {}, (9,))
    with pytest.raises(SettingsError, match=r"takes values of shape \(9,\).*1 channel of 8 samples"):
        read_onnx(path, preparation_for((8,)))
