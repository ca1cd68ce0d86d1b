"""What computing a network costs for one pulse: multiplications, and values that must be held at one time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from discrimen.network.graph import Network, shapes_of
from discrimen.network.layers import Layer, Shape, weights_of


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a layer or a network, for one pulse.

    Parameters
    ----------
    multiplications : int
        Of weights with values.
    values : int
        That a derivative must hold: what each layer gives, and what each tap of its kernels reads.
    """

    multiplications: int
    values: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.multiplications + other.multiplications, self.values + other.values)


def cost_of(network: Network, input_shape: Shape) -> Cost:
    """Return what a network costs for one prepared pulse of a shape (channel, sample)."""
    return sum(layer_costs(network, input_shape), Cost(0, prod(input_shape)))


def layer_costs(network: Network, input_shape: Shape) -> Iterator[Cost]:
    """Yield what each layer costs, in their order."""
    shapes = shapes_of(network, input_shape)
    for node, made in zip(network.nodes, shapes[1:], strict=True):
        yield _of_layer(node.layer, [*(shapes[value] for value in node.inputs), made])


def _of_layer(layer: Layer, shapes: list[Shape]) -> Cost:
    """Count a kernel once at each step; which of input and output has more steps does not matter here."""
    n_steps = max(shape[0] if len(shape) == 2 else 1 for shape in shapes)
    kernels = [array for array in weights_of(layer).values() if array.ndim > 1]
    held = sum(array.size // array.shape[-1] + array.shape[-1] for array in kernels)
    return Cost(n_steps * sum(array.size for array in kernels), n_steps * held + prod(shapes[-1]))
