"""How much work the scores of one pulse are, counted from the layers."""

from __future__ import annotations

from math import prod

from discrimen.network import layers as description
from discrimen.network.graph import Network, shapes_of
from discrimen.network.layers import Shape

_GATES = {description.Lstm: 4, description.Gru: 3, description.SimpleRnn: 1}


def multiply_adds(network: Network, input_shape: Shape) -> int:
    """Count the multiply-adds of the matrix products and convolutions of one pulse.

    Preparation, activations, pooling and the gates' own products are not counted, so that a share of the machine's
    peak is what the network itself makes of it. Padding counts as if it were data.

    Parameters
    ----------
    network : Network
        The network.
    input_shape : tuple of int
        Channels and samples of a prepared pulse.

    Raises
    ------
    DataError
        If the layers do not fit each other.
    """
    shapes = shapes_of(network, input_shape)
    return sum(
        _of_layer(node.layer, [shapes[value] for value in node.inputs], shape)
        for node, shape in zip(network.nodes, shapes[1:], strict=True)
    )


def intermediate_bytes(network: Network, input_shape: Shape) -> int:
    """Estimate the bytes that a runtime which computes layer after layer holds for one pulse.

    All values of all layers in float32, those of the gates of recurrent layers and the prepared waveform in float64
    among them: runtimes reuse some of it, so that this is an upper estimate.
    """
    shapes = shapes_of(network, input_shape)
    values = 4 * prod(input_shape) + sum(prod(shape) for shape in shapes)
    for node in network.nodes:
        if isinstance(node.layer, description.Lstm | description.Gru | description.SimpleRnn):
            steps = shapes[node.inputs[0]][0]
            values += steps * len(node.layer.recurrent_kernel) * (_GATES[type(node.layer)] + 1)
    return 4 * values


def _of_layer(layer: description.Layer, read: list[Shape], after: Shape) -> int:
    before = read[0]
    if isinstance(layer, description.Dense):
        return prod(before[:-1]) * layer.kernel.size
    if isinstance(layer, description.Conv1D):
        return after[0] * layer.kernel.size
    if isinstance(layer, description.Conv1DTranspose):
        return before[0] * layer.kernel.size
    if isinstance(layer, description.Attention):
        return before[0] * read[1][0] * (before[1] + read[2][1])
    if isinstance(layer, description.Lstm | description.Gru | description.SimpleRnn):
        return before[0] * (layer.kernel.size + layer.recurrent_kernel.size)
    return 0
