"""How much work the scores of one pulse are, counted from the layers."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from discrimen.network import layers as spec
from discrimen.network.shapes import Shape, shapes_of

_GATES = {spec.Lstm: 4, spec.Gru: 3}


def multiply_adds(layers: Sequence[spec.Layer], window_length: int) -> int:
    """Count the multiply-adds of the matrix products and convolutions of one pulse.

    Preparation, activations, pooling and the gates' own products are not counted, so that a share of the machine's
    peak is what the network itself makes of it. Padding counts as if it were data.

    Parameters
    ----------
    layers : sequence of Layer
        The network.
    window_length : int
        Samples of a prepared waveform.

    Raises
    ------
    DataError
        If the layers do not fit each other.
    """
    shapes = shapes_of(layers, window_length)
    return sum(map(_of_layer, layers, shapes[:-1], shapes[1:]))


def intermediate_bytes(layers: Sequence[spec.Layer], window_length: int) -> int:
    """Estimate the bytes that a runtime which computes layer after layer holds for one pulse.

    All values of all layers in float32, those of the gates of recurrent layers and the prepared waveform in float64
    among them: runtimes reuse some of it, so that this is an upper estimate.
    """
    shapes = shapes_of(layers, window_length)
    values = 4 * window_length + sum(prod(shape) for shape in shapes)
    for layer, shape in zip(layers, shapes[:-1], strict=True):
        if isinstance(layer, spec.Lstm | spec.Gru):
            values += shape[0] * len(layer.recurrent_kernel) * (_GATES[type(layer)] + 1)
    return 4 * values


def _of_layer(layer: spec.Layer, before: Shape, after: Shape) -> int:
    if isinstance(layer, spec.Dense):
        return prod(before[:-1]) * layer.kernel.size
    if isinstance(layer, spec.Conv1D):
        return after[0] * layer.kernel.size
    if isinstance(layer, spec.Conv1DTranspose):
        return before[0] * layer.kernel.size
    if isinstance(layer, spec.Lstm | spec.Gru):
        return before[0] * (layer.kernel.size + layer.recurrent_kernel.size)
    return 0
