"""Layers that act on each value, or on the channels of each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from discrimen.errors import DataError
from discrimen.network.activations import Activation, activate
from discrimen.network.layers.base import Arrays, Layer, Shape, Values, Weights, require_shape

__all__ = ["Activate", "LayerNorm", "Prelu", "Sample"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Activate(Layer):
    """An activation by itself; softmax over the last axis."""

    code: ClassVar[int] = 11
    activation: Activation

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return activate(xp, self.activation, inputs[0])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Prelu(Layer):
    """Values below 0 times a slope: one slope, one for each channel, or one for each step and channel."""

    code: ClassVar[int] = 18
    slope: Weights

    def shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        if self.slope.shape not in ((1,), shape[-1:], shape):
            raise DataError(f"its slope must have shape (1,), {shape[-1:]} or {shape}, got {self.slope.shape}")
        return shape

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return xp.where(inputs[0] > 0, inputs[0], self.slope * inputs[0])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LayerNorm(Layer):
    """Mean 0 and variance 1 over the channels of each step, then times gamma, plus beta.

    gamma and beta (channel,); epsilon (1,) is added to the variance.
    """

    code: ClassVar[int] = 19
    gamma: Weights
    beta: Weights
    epsilon: Weights

    def shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        require_shape("gamma", self.gamma, shape[-1:])
        require_shape("beta", self.beta, shape[-1:])
        require_shape("epsilon", self.epsilon, (1,))
        if not self.epsilon[0] > 0:
            raise DataError(f"its epsilon must be positive, got {self.epsilon[0]:g}")
        return shape

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        centred = inputs[0] - inputs[0].mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        return centred / xp.sqrt(variance + self.epsilon) * self.gamma + self.beta


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sample(Layer):
    """A draw from normal distributions given by their means and the logarithms of their variances.

    Without a seed it is the mean; only engines that are given a seed draw.
    """

    code: ClassVar[int] = 25
    inputs_wanted: ClassVar[tuple[int, int]] = (2, 2)

    def shape(self, *inputs: Shape) -> Shape:
        mean, log_variance = inputs
        if mean != log_variance:
            raise DataError(f"means and logarithms of variances must have one shape, got {mean} and {log_variance}")
        return mean

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        return inputs[0]
