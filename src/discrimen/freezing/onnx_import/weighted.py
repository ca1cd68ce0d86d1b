"""ONNX operators of weighted sums: matrices, convolutions, pooling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from discrimen.errors import SettingsError
from discrimen.freezing.onnx_import.assembly import CHANNELS_FIRST, ROW, Assembly, Axis, Held
from discrimen.freezing.onnx_import.context import Context, Tensor
from discrimen.freezing.onnx_import.graph import Op
from discrimen.network import layers
from discrimen.network.layers import Padding
from discrimen.network.layers.visits import visits

Translate = Callable[[Context, Op], Tensor | tuple[Tensor | None, ...]]


def _dense(context: Context, held: Held, kernel: np.ndarray, bias: np.ndarray) -> Held:
    value = context.assembly.add(layers.Dense(kernel=kernel, bias=bias), held.values[0])
    return replace(held, values=(value,))


def _gemm(context: Context, op: Op) -> Held:
    op.require(transA=0)
    held = context.held(op)
    held = context.assembly.with_axes(held, ROW)
    kernel = (context.weights(op, 1) * op.attributes.get("alpha", 1.0)).astype(np.float32)
    if op.attributes.get("transB", 0):
        kernel = kernel.T
    given = context.constant(op, 2)
    bias = np.zeros(1) if given is None else np.asarray(given)
    if bias.size > 1 and (1, bias.size) != (1, *bias.shape)[-2:]:
        raise SettingsError(f"{op.where}: its bias has shape {bias.shape}, expected one number for each output")
    spread = np.broadcast_to(bias.ravel() * op.attributes.get("beta", 1.0), (kernel.shape[1],))
    return _dense(context, held, np.ascontiguousarray(kernel), spread.astype(np.float32))


def _matmul(context: Context, op: Op) -> Held:
    if isinstance(context.tensor(op, 1), Held):
        raise SettingsError(
            f"{op.where}: multiplies two tensors that come from the pulses, as attention does, or a constant from "
            "the left; neither can be adopted: train such a network here (docs/extending.md)"
        )
    held, kernel = context.held(op), context.weights(op, 1)
    if kernel.ndim != 2:
        raise SettingsError(f"{op.where}: expected a matrix of weights, got shape {kernel.shape}")
    held = context.assembly.with_axes(held, _channels_last(context, held))
    return _dense(context, held, kernel, np.zeros(kernel.shape[1], np.float32))


def _channels_last(context: Context, held: Held) -> tuple[Axis, ...]:
    """Name the last axis the channels; of the others but the pulses, the one that is longer than 1 the steps."""
    dims, last = context.assembly.dims(held), len(held.axes) - 1
    steps = [number for number in range(last) if number != held.pulse_axis and dims[number] > 1]
    if held.pulse_axis == last or len(steps) > 1:
        raise SettingsError(f"a tensor of {dims} has more axes than pulses, steps and channels")
    return tuple(
        Axis.PULSE
        if number == held.pulse_axis
        else Axis.CHANNEL
        if number == last
        else Axis.STEP
        if number in steps
        else Axis.ONE
        for number in range(len(dims))
    )


def _linear_classifier(context: Context, op: Op) -> tuple[None, Held]:
    held = context.assembly.with_axes(context.held(op), ROW)
    intercepts = np.asarray(op.attributes.get("intercepts", [0.0]), np.float32)
    kernel = np.asarray(op.attributes["coefficients"], np.float32).reshape(len(intercepts), -1).T
    transform = op.attributes.get("post_transform", "NONE")
    whole = np.vstack([kernel, intercepts])
    opposite = len(intercepts) == 2 and np.allclose(whole[:, 0], -whole[:, 1])
    if transform == "LOGISTIC" and opposite:
        # Two logistic functions of z and -z are the softmax of 0 and z.
        second = np.array([0, 1], np.float32)
        kernel, intercepts = kernel * second, intercepts * second
    elif transform != "SOFTMAX":
        raise SettingsError(
            f"{op.where}: post_transform {transform} on {len(intercepts)} classes cannot be adopted; "
            "LOGISTIC on two classes and SOFTMAX can"
        )
    return None, context.assembly.activated(_dense(context, held, kernel, intercepts), "softmax")


def _conv(context: Context, op: Op) -> Held:
    held, weights = context.held(op), context.weights(op, 1)
    _require_one_dimension(op, weights.ndim - 2)
    value = context.assembly.settled(held, CHANNELS_FIRST)
    n_out, _, length = weights.shape
    stride, dilation = _first(op, "strides"), _first(op, "dilations")
    n_steps = context.assembly.shapes[value][0]
    reach = (length - 1) * dilation + 1
    front, back = _pads(op, n_steps, reach, stride)
    value, padding = _padded(context, value, reach=reach, stride=stride, front=front, back=back)
    layer = layers.Conv1D(
        kernel=np.ascontiguousarray(weights.transpose(2, 1, 0)),
        bias=context.bias(op, 2, n_out),
        stride=stride,
        dilation=dilation,
        padding=padding,
        groups=op.attributes.get("group", 1),
    )
    return Held((context.assembly.add(layer, value),), CHANNELS_FIRST)


def _padded(context: Context, value: int, *, reach: int, stride: int, front: int, back: int) -> tuple[int, Padding]:
    """Name the padding where it has a name, else put zeros on both sides."""
    n_steps = context.assembly.shapes[value][0]
    if (front, back) == (0, 0):
        return value, "valid"
    steps = (n_steps + front + back - reach) // stride + 1
    for padding in ("same", "causal"):
        named = visits(n_steps, reach, stride=stride, padding=padding)
        if named.steps == steps and named.front == front:
            return value, padding
    return context.assembly.add(layers.ZeroPadding1D(front=front, back=back), value), "valid"


def _conv_transpose(context: Context, op: Op) -> Held:
    held, weights = context.held(op), context.weights(op, 1)
    _require_one_dimension(op, weights.ndim - 2)
    op.require(group=1, auto_pad="NOTSET")
    if "output_shape" in op.attributes:
        raise SettingsError(f"{op.where}: output_shape cannot be adopted; give pads and output_padding")
    value = context.assembly.settled(held, CHANNELS_FIRST)
    stride, dilation = _first(op, "strides"), _first(op, "dilations")
    extra = (op.attributes.get("output_padding") or [0])[0]
    front, back = op.attributes.get("pads") or (0, 0)
    n_in, n_out, length = weights.shape
    # Zeros between the taps are a dilation; zeros behind them the steps that only an output padding makes.
    reach = (length - 1) * dilation + 1
    kernel = np.zeros((reach + extra, n_out, n_in), np.float32)
    kernel[:reach:dilation] = weights.transpose(2, 1, 0)
    layer = layers.Conv1DTranspose(kernel=kernel, bias=context.bias(op, 2, n_out), stride=stride)
    value = context.assembly.add(layer, value)
    back += max(0, stride - reach - extra)
    if front or back:
        value = context.assembly.add(layers.Cropping1D(front=front, back=back), value)
    return Held((value,), CHANNELS_FIRST)


def _max_pool(context: Context, op: Op) -> Held:
    op.require(storage_order=0)
    held, size, stride = context.held(op), _pool_size(op), _first(op, "strides")
    _require(op, "dilations", [1])
    if len(op.outputs) > 1 and op.outputs[1] in context.used:
        raise SettingsError(f"{op.where}: where the largest values lie cannot be adopted, only what they are")
    value = context.assembly.settled(held, CHANNELS_FIRST)
    front, back = _pool_pads(op, context.assembly.shapes[value][0], size, stride)
    n_steps = context.assembly.shapes[value][0]
    visited = ((n_steps + front + back - size) // stride) * stride + size
    back = max(0, visited - n_steps - front)
    # A step at the edge again and again changes no maximum: each group that reaches over the edge holds that step.
    value = _edges_repeated(context, value, front=front, back=back)
    return Held((context.assembly.add(layers.MaxPooling1D(size=size, stride=stride), value),), CHANNELS_FIRST)


def _edges_repeated(context: Context, value: int, *, front: int, back: int) -> int:
    assembly = context.assembly
    n_steps = assembly.shapes[value][0]
    parts = [value]
    if front:
        first = assembly.add(layers.Cropping1D(front=0, back=n_steps - 1), value) if n_steps > 1 else value
        parts.insert(0, _again(assembly, first, front))
    if back > 0:
        last = assembly.add(layers.Cropping1D(front=n_steps - 1, back=0), value) if n_steps > 1 else value
        parts.append(_again(assembly, last, back))
    return assembly.add(layers.Concatenate(along_steps=True), *parts) if len(parts) > 1 else value


def _again(assembly: Assembly, value: int, times: int) -> int:
    return assembly.add(layers.UpSampling1D(size=times), value) if times > 1 else value


def _average_pool(context: Context, op: Op) -> Held:
    held, size, stride = context.held(op), _pool_size(op), _first(op, "strides")
    _require(op, "dilations", [1])
    value = context.assembly.settled(held, CHANNELS_FIRST)
    n_steps = context.assembly.shapes[value][0]
    front, back = _pool_pads(op, n_steps, size, stride)
    given = _pads(op, n_steps, size, stride)
    padding: Padding = "valid"
    if back > given[1]:
        raise SettingsError(f"{op.where}: ceil_mode with an unfinished group cannot be adopted; export without it")
    if (front, back) != (0, 0) and op.attributes.get("count_include_pad", 0):
        value = context.assembly.add(layers.ZeroPadding1D(front=front, back=back), value)
    elif (front, back) != (0, 0):
        named = visits(n_steps, size, stride=stride, padding="same")
        if named.front != front or named.steps != (n_steps + front + back - size) // stride + 1:
            raise SettingsError(f"{op.where}: padding of {front} and {back} steps that do not count cannot be adopted")
        padding = "same"
    layer = layers.AveragePooling1D(size=size, stride=stride, padding=padding)
    return Held((context.assembly.add(layer, value),), CHANNELS_FIRST)


def _global_pool(kind: type[layers.GlobalAveragePooling1D | layers.GlobalMaxPooling1D]) -> Translate:
    def translate(context: Context, op: Op) -> Held:
        value = context.assembly.settled(context.held(op), CHANNELS_FIRST)
        return Held((context.assembly.add(kind(), value),), (Axis.PULSE, Axis.CHANNEL, Axis.ONE))

    return translate


def _pool_size(op: Op) -> int:
    shape = op.attributes["kernel_shape"]
    _require_one_dimension(op, len(shape))
    return int(shape[0])


def _pool_pads(op: Op, n_steps: int, size: int, stride: int) -> tuple[int, int]:
    """Return how far the groups reach over both edges."""
    front, back = _pads(op, n_steps, size, stride)
    if front >= size or back >= size:
        raise SettingsError(f"{op.where}: its padding {front}, {back} is as long as its groups of {size}")
    over = n_steps + front + back - size
    if op.attributes.get("ceil_mode", 0) and over % stride:
        steps = -(-over // stride) + 1
        if (steps - 1) * stride < n_steps + front:
            back += stride - over % stride
    return front, back


def _pads(op: Op, n_steps: int, reach: int, stride: int) -> tuple[int, int]:
    automatic = op.attributes.get("auto_pad", "NOTSET")
    if automatic == "NOTSET":
        front, back = op.attributes.get("pads") or (0, 0)
        return int(front), int(back)
    if automatic == "VALID":
        return 0, 0
    total = max(0, (-(-n_steps // stride) - 1) * stride + reach - n_steps)
    smaller, larger = total // 2, total - total // 2
    return (smaller, larger) if automatic == "SAME_UPPER" else (larger, smaller)


def _first(op: Op, name: str) -> int:
    return int((op.attributes.get(name) or [1])[0])


def _require(op: Op, name: str, wanted: list[int]) -> None:
    if op.attributes.get(name, wanted) != wanted:
        raise SettingsError(f"{op.where}: {name} must be {wanted} to be adopted, got {op.attributes[name]}")


def _require_one_dimension(op: Op, found: int) -> None:
    if found != 1:
        raise SettingsError(
            f"{op.where}: acts along {found} axes; only along the one of the samples can be adopted (Conv1d, MaxPool1d)"
        )


OPERATORS: Mapping[str, Translate] = MappingProxyType(
    {
        "Gemm": _gemm,
        "MatMul": _matmul,
        "LinearClassifier": _linear_classifier,
        "Conv": _conv,
        "ConvTranspose": _conv_transpose,
        "MaxPool": _max_pool,
        "AveragePool": _average_pool,
        "GlobalAveragePool": _global_pool(layers.GlobalAveragePooling1D),
        "GlobalMaxPool": _global_pool(layers.GlobalMaxPooling1D),
    }
)
