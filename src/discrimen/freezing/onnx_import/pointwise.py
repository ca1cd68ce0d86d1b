"""ONNX operators that act on each number, and sums and products."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.onnx_import.assembly import Axis, Held
from discrimen.freezing.onnx_import.context import Context, Tensor
from discrimen.freezing.onnx_import.graph import Op, as_float32
from discrimen.freezing.onnx_import.patterns import STANDARDISED
from discrimen.network import layers
from discrimen.network.activations import Activation

Translate = Callable[[Context, Op], Tensor]
_FLOAT_TYPES = (1, 10, 11, 16)


def _activation(activation: Activation, **wanted: Any) -> Translate:
    def translate(context: Context, op: Op) -> Held:
        _require_close(op, **wanted)
        return context.assembly.activated(context.held(op), activation)

    return translate


def _same(context: Context, op: Op) -> Tensor:
    return context.tensor(op, 0)


def _dropout(context: Context, op: Op) -> Held:
    training = context.constant(op, 2)
    if training is not None and bool(np.ravel(training)[0]):
        raise SettingsError(f"{op.where}: drops values at random when scores are computed; export the network for use")
    return context.held(op)


def _cast(context: Context, op: Op) -> Held:
    if op.attributes.get("to") not in _FLOAT_TYPES:
        raise SettingsError(f"{op.where}: turns floats into another type, which cannot be adopted")
    return context.held(op)


def _softmax(context: Context, op: Op) -> Held:
    held = context.held(op)
    dims = context.assembly.dims(held)
    axis = op.attributes.get("axis", -1 if context.opset >= 13 else 1) % len(dims)
    if context.opset < 13 and any(dim > 1 for dim in dims[axis + 1 :]):
        raise SettingsError(f"{op.where}: before operator set 13 it sums over all axes from {axis} on; export it again")
    if len(held.values) > 1 or axis == held.pulse_axis:
        raise SettingsError(f"{op.where}: axis {axis} is not that of the channels")
    if held.axes[axis] is Axis.STEP:
        swap = {Axis.STEP: Axis.CHANNEL, Axis.CHANNEL: Axis.STEP}
        held = context.assembly.with_axes(held, tuple(swap.get(each, each) for each in held.axes))
    return context.assembly.activated(held, "softmax")


def _log_softmax(context: Context, op: Op) -> Held:
    if not context.ends.intersection(op.outputs):
        raise SettingsError(
            f"{op.where}: the logarithm of a softmax is taken as a softmax where it is an output; inside a network it "
            "cannot be adopted"
        )
    return replace(_softmax(context, op), logarithm=True)


def _leaky_relu(context: Context, op: Op) -> Held:
    return _with_slope(context, context.held(op), op.attributes.get("alpha", 0.01))


def _elu(context: Context, op: Op) -> Held:
    alpha = op.attributes.get("alpha", 1.0)
    held = context.assembly.activated(context.held(op), "elu")
    return held if alpha == 1 else _with_slope(context, held, alpha)


def _with_slope(context: Context, held: Held, slope: float) -> Held:
    layer = layers.Prelu(slope=np.array([slope], np.float32))
    return replace(held, values=tuple(context.assembly.add(layer, value) for value in held.values))


def _prelu(context: Context, op: Op) -> Held:
    held, slope = context.held(op), context.weights(op, 1)
    if slope.size == 1:
        return _with_slope(context, held, float(slope.ravel()[0]))
    dims = context.assembly.dims(held)
    lengths = (1,) * (len(dims) - slope.ndim) + slope.shape
    at = [number for number, length in enumerate(lengths) if length > 1]
    if len(at) > 1 or lengths[at[0]] != dims[at[0]] or at[0] == held.pulse_axis:
        raise SettingsError(f"{op.where}: expected one slope, or one for each channel; got shape {slope.shape}")
    if held.axes[at[0]] is Axis.STEP:
        swap = {Axis.STEP: Axis.CHANNEL, Axis.CHANNEL: Axis.STEP}
        held = context.assembly.with_axes(held, tuple(swap.get(each, each) for each in held.axes))
    value = context.assembly.add(layers.Prelu(slope=slope.ravel()), held.values[0])
    return replace(held, values=(value,))


def _clip(context: Context, op: Op) -> Held:
    low, high = (op.attributes.get(name, context.constant(op, number)) for number, name in ((1, "min"), (2, "max")))
    bounds = tuple(None if each is None else float(np.ravel(each)[0]) for each in (low, high))
    if bounds == (0.0, 6.0):
        return context.assembly.activated(context.held(op), "relu6")
    if bounds[0] == 0.0 and (bounds[1] is None or bounds[1] >= np.finfo(np.float32).max):
        return context.assembly.activated(context.held(op), "relu")
    raise SettingsError(f"{op.where}: limits of {bounds[0]} and {bounds[1]} cannot be adopted; 0 and 6 can (ReLU6)")


def _gelu(context: Context, op: Op) -> Held:
    tanh = op.attributes.get("approximate", "none") == "tanh"
    return context.assembly.activated(context.held(op), "gelu_tanh" if tanh else "gelu")


def _add(context: Context, op: Op) -> Held:
    return _both(context, op, lambda held, other: context.assembly.affine(held, np.ones(()), other), "added")


def _mul(context: Context, op: Op) -> Held:
    return _both(context, op, lambda held, other: context.assembly.affine(held, other, np.zeros(())), "multiplied")


def _both(context: Context, op: Op, with_constant: Callable[[Held, NDArray[np.float64]], Held], joined: str) -> Held:
    one, other = context.tensor(op, 0), context.tensor(op, 1)
    if isinstance(one, Held) and isinstance(other, Held):
        result: Held = getattr(context.assembly, joined)(context.held(op, 0), context.held(op, 1))
        return result
    number = 0 if isinstance(one, Held) else 1
    return with_constant(context.held(op, number), _exact(context, op, 1 - number))


def _sub(context: Context, op: Op) -> Held:
    one, other = context.tensor(op, 0), context.tensor(op, 1)
    if not isinstance(one, Held):
        return context.assembly.affine(context.held(op, 1), -np.ones(()), _exact(context, op, 0))
    if not isinstance(other, Held):
        return context.assembly.affine(context.held(op, 0), np.ones(()), -_exact(context, op, 1))
    negative = context.assembly.affine(context.held(op, 1), -np.ones(()), np.zeros(()))
    return context.assembly.added(context.held(op, 0), negative)


def _div(context: Context, op: Op) -> Held:
    if isinstance(context.tensor(op, 1), Held):
        raise SettingsError(
            f"{op.where}: divides by what is computed from the pulse, which cannot be adopted; a layer normalisation "
            "is one operator from operator set 17 on: export with opset_version=17"
        )
    divisor = _exact(context, op, 1)
    if not np.all(divisor):
        raise SettingsError(f"{op.where}: divides by 0")
    return context.assembly.affine(context.held(op), 1 / divisor, np.zeros(()))


def _neg(context: Context, op: Op) -> Held:
    return context.assembly.affine(context.held(op), -np.ones(()), np.zeros(()))


def _pow(context: Context, op: Op) -> Held:
    held, power = context.held(op), _exact(context, op, 1)
    if power.size != 1 or float(power.ravel()[0]) not in (1.0, 2.0, 3.0):
        raise SettingsError(f"{op.where}: only the powers 1, 2 and 3 can be adopted, got {power.ravel()[:3].tolist()}")
    result = held
    for _ in range(int(power.ravel()[0]) - 1):
        result = context.assembly.multiplied(result, held)
    return result


def _batch_normalisation(context: Context, op: Op) -> Held:
    op.require(training_mode=0, spatial=1)
    held = context.held(op)
    gamma, beta, mean, variance = (context.weights(op, number).astype(np.float64) for number in range(1, 5))
    total = variance + op.attributes.get("epsilon", 1e-5)
    if not (total > 0).all():
        raise SettingsError(f"{op.where}: variance and epsilon must add up to more than 0, got {total.min():g}")
    scale = gamma / np.sqrt(total)
    behind = (1,) * (len(held.axes) - 2)
    return context.assembly.affine(held, scale.reshape(-1, *behind), (beta - mean * scale).reshape(-1, *behind))


def _layer_normalisation(context: Context, op: Op) -> Held:
    held = context.held(op)
    dims = context.assembly.dims(held)
    first = op.attributes.get("axis", -1) % len(dims)
    if first <= held.pulse_axis or any(name in context.used for name in op.outputs[1:]):
        raise SettingsError(f"{op.where}: expected to act on the axes behind the pulses, with one output")
    if op.kind == STANDARDISED and first != len(dims) - 1:
        raise SettingsError(f"{op.where}: normalises axis {first} of {dims}, only the last one can be adopted")
    gamma = context.weights(op, 1) if op.input(1) else np.ones(dims[-1], np.float32)
    over = tuple(Axis.CHANNEL if number == len(dims) - 1 else Axis.STEP for number in range(first, len(dims)))
    if len(over) == 1:
        axes = tuple(
            Axis.PULSE
            if number == held.pulse_axis
            else Axis.ONE
            if dims[number] == 1 and number < len(dims) - 1
            else Axis.CHANNEL
            if number == len(dims) - 1
            else Axis.STEP
            for number in range(len(dims))
        )
        settled = context.assembly.with_axes(held, axes)
    else:
        settled = context.assembly.reshaped(held, (*dims[:first], int(np.prod(dims[first:]))))
        if len(settled.axes) > 2:
            raise SettingsError(f"{op.where}: acts on axes {first} and on, with others before them")
    layer = layers.LayerNorm(
        gamma=gamma.ravel(),
        beta=context.bias(op, 2, gamma.size),
        epsilon=np.array([op.attributes.get("epsilon", 1e-5)], np.float32),
    )
    normed = replace(settled, values=(context.assembly.add(layer, settled.values[0]),))
    return normed if len(over) == 1 else context.assembly.reshaped(normed, dims)


def _scaler(context: Context, op: Op) -> Held:
    offset, scale = (np.asarray(op.attributes.get(name, [0.0]), np.float64) for name in ("offset", "scale"))
    return context.assembly.affine(context.held(op), scale, -offset * scale)


def _exact(context: Context, op: Op, number: int) -> NDArray[np.float64]:
    constant = context.constant(op, number)
    if constant is None:
        raise SettingsError(f"{op.where}: its input {number} is missing")
    return as_float32(constant).astype(np.float64)


def _require_close(op: Op, **wanted: Any) -> None:
    for name, (value, default) in wanted.items():
        found = op.attributes.get(name, default)
        if not np.isclose(found, value, rtol=1e-6, atol=1e-7):
            raise SettingsError(f"{op.where}: {name} must be {value:.7g} to be adopted, got {found:.7g}")


OPERATORS: Mapping[str, Translate] = MappingProxyType(
    {
        "Identity": _same,
        "Dropout": _dropout,
        "Cast": _cast,
        "Relu": _activation("relu"),
        "Tanh": _activation("tanh"),
        "Sigmoid": _activation("sigmoid"),
        "Softplus": _activation("softplus"),
        "Softsign": _activation("softsign"),
        "Exp": _activation("exponential"),
        "Sqrt": _activation("sqrt"),
        "Mish": _activation("mish"),
        "HardSwish": _activation("hard_silu"),
        "HardSigmoid": _activation("hard_sigmoid", alpha=(1 / 6, 0.2), beta=(0.5, 0.5)),
        "Selu": _activation("selu", alpha=(1.6732632, 1.6732632), gamma=(1.0507010, 1.0507010)),
        "Elu": _elu,
        "LeakyRelu": _leaky_relu,
        "PRelu": _prelu,
        "Clip": _clip,
        "Gelu": _gelu,
        "Softmax": _softmax,
        "LogSoftmax": _log_softmax,
        "Add": _add,
        "Sub": _sub,
        "Mul": _mul,
        "Div": _div,
        "Neg": _neg,
        "Pow": _pow,
        "BatchNormalization": _batch_normalisation,
        "LayerNormalization": _layer_normalisation,
        STANDARDISED: _layer_normalisation,
        "Scaler": _scaler,
    }
)
