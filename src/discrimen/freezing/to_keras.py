"""A network to a Keras model that computes the same, for training on and for all that works on trained models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from discrimen.errors import SettingsError
from discrimen.keras_jax import KerasSession
from discrimen.models.neighbours_layer import neighbours_layer
from discrimen.network import layers as kinds
from discrimen.network.activations import Activation
from discrimen.network.graph import Network, shapes_of
from discrimen.network.layers import Layer, Shape
from discrimen.network.outputs import Output

_UNIFORM = ("PReLU", "LayerNormalization")
"""Layers whose weights begin as equal numbers anyway."""

_BY_ITSELF = ("gelu_tanh", "sqrt")
"""Activations that Keras knows by no name; they follow their layer."""

_TANH_GELU = 2 * np.sqrt(2 / np.pi), 2 * np.sqrt(2 / np.pi) * 0.044715


def keras_model_of(network: Network, input_shape: Shape, outputs: Sequence[Output], session: KerasSession) -> Any:
    """Build a functional Keras model of a network, with its weights.

    Parameters
    ----------
    network : Network
        The network.
    input_shape : tuple of int
        Channels and samples of the prepared input.
    outputs : sequence of Output
        Of the model; their activations become its last layers.
    session : KerasSession
        Where to build it.

    Returns
    -------
    keras.Model
        Takes values of shape (pulse, channel, sample) and gives finished outputs.

    Raises
    ------
    SettingsError
        If a layer has no counterpart.
    """
    shapes = shapes_of(network, input_shape)
    with session.on_device():
        build = _Building(session.keras)
        first = session.keras.Input(input_shape, name="pulse")
        tensors = [first]
        for number, node in enumerate(network.nodes):
            build.number = number
            layer = node.layer
            make = _LAYERS.get(type(layer))
            if make is None:
                raise SettingsError(f"layer {number} ({type(layer).__name__}) has no counterpart in Keras here")
            read = [shapes[value] for value in node.inputs]
            tensors.append(make(build, layer, read, *(tensors[value] for value in node.inputs)))
        build.number = len(network.nodes)
        ends = []
        for value, output in zip(network.outputs, outputs, strict=True):
            ends.append(build.activated(tensors[value], output.activation))
            build.number += 1
        return session.keras.Model(first, ends if len(ends) > 1 else ends[0], name="adopted")


class _Building:
    """Makes Keras layers with names and weights."""

    def __init__(self, keras: Any) -> None:
        self.keras = keras
        self.number = 0

    def __call__(self, kind: str, tensor: Any, *weights: Any, suffix: str = "", **options: Any) -> Any:
        """Call a new layer on a tensor, or a list of them, and give it weights."""
        if weights and kind not in _UNIFORM:
            # Drawing weights that are replaced at once takes longer than all the rest.
            options["kernel_initializer"] = "zeros"
        if "units" in options and kind != "Dense":
            options["recurrent_initializer"] = "zeros"
        layer = getattr(self.keras.layers, kind)(name=f"{kind.lower()}_{self.number}{suffix}", **options)
        result = layer(tensor)
        if weights:
            layer.set_weights([np.asarray(each, dtype=np.float32) for each in weights])
        return result

    def activated(self, tensor: Any, activation: Activation) -> Any:
        """Call an activation on a tensor."""
        if activation == "linear":
            return tensor
        if activation == "sqrt":
            return self.keras.ops.sqrt(self("ReLU", tensor, suffix="_positive"))
        if activation != "gelu_tanh":
            return self("Activation", tensor, suffix="_end", activation=activation)
        # Keras knows it by a function with an argument, which no file holds: x * sigmoid(x * (a + b * x**2)).
        offset, scale = _TANH_GELU
        squared = self("Multiply", [tensor, tensor], suffix="_squared")
        factor = self("Rescaling", squared, suffix="_factor", scale=float(scale), offset=float(offset))
        inner = self("Multiply", [tensor, factor], suffix="_inner")
        gate = self("Activation", inner, suffix="_gate", activation="sigmoid")
        return self("Multiply", [tensor, gate], suffix="_gated")


_Make = Callable[..., Any]


def _own_activation(activation: Activation) -> str:
    return "linear" if activation in _BY_ITSELF else activation


def _behind(build: _Building, tensor: Any, activation: Activation) -> Any:
    return build.activated(tensor, activation) if activation in _BY_ITSELF else tensor


def _dense(build: _Building, layer: kinds.Dense, _: list[Shape], tensor: Any) -> Any:
    activation = _own_activation(layer.activation)
    units = layer.kernel.shape[1]
    made = build("Dense", tensor, layer.kernel, layer.bias, units=units, activation=activation)
    return _behind(build, made, layer.activation)


def _conv1d(build: _Building, layer: kinds.Conv1D, _: list[Shape], tensor: Any) -> Any:
    kernel, dilation = layer.kernel, layer.dilation
    if layer.stride > 1 and dilation > 1:
        # Keras has no stride beside a dilation: zeros between the taps are the same.
        kernel = np.zeros(((len(kernel) - 1) * dilation + 1, *kernel.shape[1:]), np.float32)
        kernel[::dilation] = layer.kernel
        dilation = 1
    made = build(
        "Conv1D",
        tensor,
        kernel,
        layer.bias,
        filters=kernel.shape[2],
        kernel_size=kernel.shape[0],
        strides=layer.stride,
        dilation_rate=dilation,
        padding=layer.padding,
        groups=layer.groups,
        activation=_own_activation(layer.activation),
    )
    return _behind(build, made, layer.activation)


def _conv1d_transpose(build: _Building, layer: kinds.Conv1DTranspose, _: list[Shape], tensor: Any) -> Any:
    length, n_out, _n_in = layer.kernel.shape
    made = build(
        "Conv1DTranspose",
        tensor,
        layer.kernel,
        layer.bias,
        filters=n_out,
        kernel_size=length,
        strides=layer.stride,
        padding=layer.padding,
        activation=_own_activation(layer.activation),
    )
    return _behind(build, made, layer.activation)


def _lstm(build: _Building, layer: kinds.Lstm, _: list[Shape], tensor: Any) -> Any:
    return _recurrent(build, "LSTM", layer, tensor, layer.bias, recurrent_activation=layer.gate_activation)


def _gru(build: _Building, layer: kinds.Gru, _: list[Shape], tensor: Any) -> Any:
    both = layer.bias, layer.recurrent_bias
    bias = np.stack(both) if layer.reset_after else np.add(*both)
    gates, after = layer.gate_activation, layer.reset_after
    return _recurrent(build, "GRU", layer, tensor, bias, recurrent_activation=gates, reset_after=after)


def _simple_rnn(build: _Building, layer: kinds.SimpleRnn, _: list[Shape], tensor: Any) -> Any:
    if layer.activation in _BY_ITSELF:
        raise SettingsError(
            f"a simple recurrent layer that ends in {layer.activation} has no counterpart in Keras here"
        )
    return _recurrent(build, "SimpleRNN", layer, tensor, layer.bias, activation=layer.activation)


def _recurrent(
    build: _Building,
    kind: str,
    layer: kinds.Lstm | kinds.Gru | kinds.SimpleRnn,
    tensor: Any,
    bias: Any,
    **options: Any,
) -> Any:
    if kind != "SimpleRNN":
        options["use_cudnn"] = False
    return build(
        kind,
        tensor,
        layer.kernel,
        layer.recurrent_kernel,
        bias,
        units=layer.recurrent_kernel.shape[0],
        return_sequences=layer.sequences,
        **options,
    )


def _pooling(kind: str) -> _Make:
    def make(build: _Building, layer: kinds.MaxPooling1D, _: list[Shape], tensor: Any) -> Any:
        return build(kind, tensor, pool_size=layer.size, strides=layer.stride, padding=layer.padding)

    return make


def _plain(kind: str, **options: Any) -> _Make:
    return lambda build, _layer, _shapes, tensor: build(kind, tensor, **options)


def _reshape(build: _Building, layer: kinds.Reshape, _: list[Shape], tensor: Any) -> Any:
    shape = (layer.channels,) if layer.steps == 0 else (layer.steps, layer.channels)
    return build("Reshape", tensor, target_shape=shape)


def _reverse(build: _Building, _layer: kinds.Reverse, _: list[Shape], tensor: Any) -> Any:
    return build.keras.ops.flip(tensor, axis=1)


def _neighbours(build: _Building, layer: kinds.Neighbours, _: list[Shape], tensor: Any) -> Any:
    return neighbours_layer(build.keras)(layer.sectors, layer.rings, layer.last)(tensor)


def _upsampling(build: _Building, layer: kinds.UpSampling1D, _: list[Shape], tensor: Any) -> Any:
    return build("UpSampling1D", tensor, size=layer.size)


def _zero_padding(build: _Building, layer: kinds.ZeroPadding1D, _: list[Shape], tensor: Any) -> Any:
    return build("ZeroPadding1D", tensor, padding=(layer.front, layer.back))


def _cropping(build: _Building, layer: kinds.Cropping1D, _: list[Shape], tensor: Any) -> Any:
    return build("Cropping1D", tensor, cropping=(layer.front, layer.back))


def _activate(build: _Building, layer: kinds.Activate, _: list[Shape], tensor: Any) -> Any:
    return build.activated(tensor, layer.activation)


def _prelu(build: _Building, layer: kinds.Prelu, shapes: list[Shape], tensor: Any) -> Any:
    (shape,) = shapes
    if layer.slope.size == 1 and layer.slope[0] >= 0:
        return build("LeakyReLU", tensor, negative_slope=float(layer.slope.ravel()[0]))
    if layer.slope.shape == shape:
        return build("PReLU", tensor, layer.slope)
    slopes = np.broadcast_to(layer.slope, shape[-1:])
    if len(shape) == 1:
        return build("PReLU", tensor, slopes)
    return build("PReLU", tensor, slopes[np.newaxis], shared_axes=[1])


def _layer_norm(build: _Building, layer: kinds.LayerNorm, _: list[Shape], tensor: Any) -> Any:
    return build("LayerNormalization", tensor, layer.gamma, layer.beta, epsilon=float(layer.epsilon[0]))


def _add(build: _Building, _layer: kinds.Add, _: list[Shape], *tensors: Any) -> Any:
    return build("Add", list(tensors))


def _multiply(build: _Building, _layer: kinds.Multiply, shapes: list[Shape], *tensors: Any) -> Any:
    n_axes = max(map(len, shapes))
    spread = [
        tensor if len(shape) == n_axes else build("Reshape", tensor, suffix=f"_row_{number}", target_shape=(1, *shape))
        for number, (tensor, shape) in enumerate(zip(tensors, shapes, strict=True))
    ]
    return build("Multiply", spread)


def _concatenate(build: _Building, layer: kinds.Concatenate, _: list[Shape], *tensors: Any) -> Any:
    return build("Concatenate", list(tensors), axis=1 if layer.along_steps else -1)


_LAYERS: Mapping[type[Layer], _Make] = MappingProxyType(
    {
        kinds.Dense: _dense,
        kinds.Conv1D: _conv1d,
        kinds.Conv1DTranspose: _conv1d_transpose,
        kinds.Lstm: _lstm,
        kinds.Gru: _gru,
        kinds.SimpleRnn: _simple_rnn,
        kinds.MaxPooling1D: _pooling("MaxPooling1D"),
        kinds.AveragePooling1D: _pooling("AveragePooling1D"),
        kinds.GlobalMaxPooling1D: _plain("GlobalMaxPooling1D"),
        kinds.GlobalAveragePooling1D: _plain("GlobalAveragePooling1D"),
        kinds.Flatten: _plain("Flatten"),
        kinds.Permute: _plain("Permute", dims=(2, 1)),
        kinds.Reshape: _reshape,
        kinds.Reverse: _reverse,
        kinds.Neighbours: _neighbours,
        kinds.UpSampling1D: _upsampling,
        kinds.ZeroPadding1D: _zero_padding,
        kinds.Cropping1D: _cropping,
        kinds.Activate: _activate,
        kinds.Prelu: _prelu,
        kinds.LayerNorm: _layer_norm,
        kinds.Add: _add,
        kinds.Multiply: _multiply,
        kinds.Concatenate: _concatenate,
    }
)
"""Functions that call a Keras layer of a kind on a tensor; attention and draws come from no foreign file."""
