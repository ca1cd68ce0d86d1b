"""A network: layers in the order of computation, each with the values that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.layers import MOST_VALUES, Layer, Shape

MOST_AT_ONCE = 2**22
"""Values of all pulses computed together that are there at one time; more pulses are computed one batch after
another."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A layer and the numbers of the values that it reads: 0 is the prepared input, k what node k - 1 gives."""

    layer: Layer
    inputs: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Layers that read each other's values.

    Parameters
    ----------
    nodes : tuple of Node
        In the order of computation.
    outputs : tuple of int
        The number of the value that each output of the model reads.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]


def chain(layers: Sequence[Layer]) -> Network:
    """Return the network of layers that each read the one before, with the last one's value as its only output."""
    return Network(tuple(Node(layer, (number,)) for number, layer in enumerate(layers)), (len(layers),))


def shapes_of(network: Network, input_shape: Shape) -> tuple[Shape, ...]:
    """Follow a prepared input through a network, before a single value is computed or room is made for it.

    Parameters
    ----------
    network : Network
        The network.
    input_shape : tuple of int
        Channels and samples of the prepared input.

    Returns
    -------
    tuple of tuple of int
        The shape of each value: of the input, then of what each node gives.

    Raises
    ------
    DataError
        If a layer does not fit what it reads, its weights do not fit each other, it makes more than
        :data:`~discrimen.network.layers.base.MOST_VALUES` values of a pulse, or a value is read that is not there.
    """
    shapes: list[Shape] = [input_shape]
    for number, node in enumerate(network.nodes):
        name = f"layer {number} ({type(node.layer).__name__})"
        _require_known(node, number, name)
        read = [shapes[value] for value in node.inputs]
        try:
            shape = node.layer.shape(*read)
            if prod(shape) > MOST_VALUES or min(shape) < 1:
                raise DataError(f"it would make {prod(shape)} values of a pulse, 1 to {MOST_VALUES} are allowed")
        except DataError as error:
            raise DataError(f"{name} does not fit values of shape {' and '.join(map(str, read))}: {error}") from error
        shapes.append(shape)
    for value in network.outputs:
        if not 0 <= value < len(shapes):
            raise DataError(f"an output reads value {value}, there are {len(shapes)}")
    return tuple(shapes)


def run(network: Network, waveforms: NDArray[Any], *, xp: Any = np) -> tuple[Any, ...]:
    """Send prepared pulses through a network, in the precision of the pulses.

    Parameters
    ----------
    network : Network
        The network.
    waveforms : array of float, shape (pulse, channel, sample)
        From :func:`discrimen.network.prepare.prepare`.
    xp : module
        The array library that computes: ``numpy``, or one with the same functions.

    Returns
    -------
    tuple of array
        What each output reads, before its activation, as (pulse, value).

    Raises
    ------
    DataError
        See :func:`shapes_of`.
    """
    shapes = shapes_of(network, waveforms.shape[1:])
    layers = [node.layer.cast(waveforms.dtype) for node in network.nodes]
    unread = _unread_after(network)
    n_at_once = max(1, MOST_AT_ONCE // _most_there(shapes, unread))
    batches = [
        _run_batch(network, layers, shapes, unread, waveforms[start : start + n_at_once], xp)
        for start in range(0, max(1, len(waveforms)), n_at_once)
    ]
    return tuple(xp.concatenate(parts) if len(parts) > 1 else parts[0] for parts in zip(*batches, strict=True))


def _run_batch(
    network: Network,
    layers: Sequence[Layer],
    shapes: Sequence[Shape],
    unread: Sequence[Sequence[int]],
    waveforms: Any,
    xp: Any,
) -> tuple[Any, ...]:
    values = {0: waveforms}
    for number, (layer, node) in enumerate(zip(layers, network.nodes, strict=True)):
        values[number + 1] = layer.compute(xp, *(values[read] for read in node.inputs))
        for value in unread[number]:
            del values[value]
    return tuple(values[number].reshape(len(waveforms), prod(shapes[number])) for number in network.outputs)


def _unread_after(network: Network) -> list[list[int]]:
    """Return for each node the values that neither a later node nor an output reads."""
    last = {value: value - 1 for value in range(1, len(network.nodes) + 1)}  # at least until it is made
    last |= {value: number for number, node in enumerate(network.nodes) for value in node.inputs}
    unread: list[list[int]] = [[] for _ in network.nodes]
    for value in last.keys() - set(network.outputs):
        unread[last[value]].append(value)
    return unread


def _most_there(shapes: Sequence[Shape], unread: Sequence[Sequence[int]]) -> int:
    """Return how many values of one pulse are there at one time."""
    there = most = prod(shapes[0])
    for number, values in enumerate(unread):
        there += prod(shapes[number + 1])
        most = max(most, there)
        there -= sum(prod(shapes[value]) for value in values)
    return most


def _require_known(node: Node, number: int, name: str) -> None:
    fewest, most = node.layer.inputs_wanted
    if not fewest <= len(node.inputs) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise DataError(f"{name} reads {wanted} values, got {len(node.inputs)}")
    for value in node.inputs:
        if not 0 <= value <= number:
            raise DataError(f"{name} reads value {value}, only {number + 1} are there before it")
