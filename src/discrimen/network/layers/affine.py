"""Layers of weighted sums: dense, convolution and its transpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from discrimen.errors import DataError
from discrimen.network.activations import Activation, activate
from discrimen.network.layers.base import (
    Arrays,
    Layer,
    Padding,
    Shape,
    Values,
    Weights,
    require_axes,
    require_channels,
    require_shape,
    steps_of,
)
from discrimen.network.layers.visits import visits

__all__ = ["Conv1D", "Conv1DTranspose", "Dense"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Dense(Layer):
    """y = activation(x @ kernel + bias) on the last axis; kernel (input, output), bias (output,)."""

    code: ClassVar[int] = 1
    kernel: Weights
    bias: Weights
    activation: Activation = "linear"

    def shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        require_axes("kernel", self.kernel, 2)
        n_in, n_out = self.kernel.shape
        require_channels(shape, n_in)
        require_shape("bias", self.bias, (n_out,))
        return (*shape[:-1], n_out)

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return activate(xp, self.activation, inputs[0] @ self.kernel + self.bias)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Conv1D(Layer):
    """Cross-correlation along the steps.

    kernel (length, input channel / groups, output channel), bias (output channel,). ``same`` pads with zeros to
    ceil(steps / stride), the surplus zero behind; ``causal`` pads in front alone. With groups, each share of the output
    channels sees its share of the input channels; as many groups as input channels are a depthwise convolution.
    """

    code: ClassVar[int] = 2
    kernel: Weights
    bias: Weights
    activation: Activation = "linear"
    stride: int = 1
    dilation: int = 1
    padding: Padding = "valid"
    groups: int = 1

    def shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        require_axes("kernel", self.kernel, 3)
        length, n_in, n_out = self.kernel.shape
        steps = steps_of(shape)
        if n_out % self.groups:
            raise DataError(f"its {n_out} output channels cannot be shared by {self.groups} groups")
        require_channels(shape, n_in * self.groups)
        require_shape("bias", self.bias, (n_out,))
        visited = visits(steps, length, stride=self.stride, dilation=self.dilation, padding=self.padding)
        return visited.steps, n_out

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        (values,) = inputs
        length, n_in, n_out = self.kernel.shape
        visited = visits(values.shape[1], length, stride=self.stride, dilation=self.dilation, padding=self.padding)
        padded = visited.padded(xp, values, 0.0)
        result = self.bias
        for tap in range(length):
            taken = visited.taken(padded, tap)
            if self.groups == 1:
                result = result + taken @ self.kernel[tap]
            else:
                shared = taken.reshape(*taken.shape[:2], self.groups, n_in)
                kernel = self.kernel[tap].reshape(n_in, self.groups, n_out // self.groups)
                # One input a group is by far the most frequent case, and slow as so many products of single numbers.
                summed = shared * kernel[0] if n_in == 1 else xp.einsum("psgi,igo->psgo", shared, kernel)
                result = result + summed.reshape(*taken.shape[:2], n_out)
        return activate(xp, self.activation, result)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Conv1DTranspose(Layer):
    """The transpose of a convolution: each step adds its kernel to the output from ``step * stride`` on.

    kernel (length, output channel, input channel), bias (output channel,). ``valid`` gives
    ``(steps - 1) * stride + max(length, stride)`` steps; ``same`` gives ``steps * stride`` and cuts off
    ``length - stride`` steps, the surplus one behind. Steps that no kernel reaches, where the stride is the longer,
    hold the bias alone.
    """

    code: ClassVar[int] = 12
    kernel: Weights
    bias: Weights
    activation: Activation = "linear"
    stride: int = 1
    padding: Padding = "valid"

    def shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        require_axes("kernel", self.kernel, 3)
        length, n_out, n_in = self.kernel.shape
        steps = steps_of(shape)
        require_channels(shape, n_in)
        require_shape("bias", self.bias, (n_out,))
        if self.padding == "causal":
            raise DataError("its padding must be valid or same")
        if self.padding == "same":
            return steps * self.stride, n_out
        return (steps - 1) * self.stride + max(length, self.stride), n_out

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        (values,) = inputs
        length, n_out, _ = self.kernel.shape
        n_pulses, n_steps = values.shape[:2]
        pieces = -(-length // self.stride)
        # Each input step gives a row of `pieces` strides; the rows overlap when they are laid down stride after stride.
        kernel = xp.pad(self.kernel, ((0, pieces * self.stride - length), (0, 0), (0, 0)))
        rows = xp.einsum("psi,koi->psko", values, kernel).reshape(n_pulses, n_steps, pieces, self.stride * n_out)
        whole = sum(xp.pad(rows[:, :, piece], ((0, 0), (piece, pieces - 1 - piece), (0, 0))) for piece in range(pieces))
        whole = whole.reshape(n_pulses, (n_steps + pieces - 1) * self.stride, n_out)
        first = max(0, length - self.stride) // 2 if self.padding == "same" else 0
        n_outputs = self.shape(values.shape[1:])[0]
        return activate(xp, self.activation, whole[:, first : first + n_outputs] + self.bias)
