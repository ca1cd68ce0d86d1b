"""A line through the logits, so that a temperature or a shift costs a frozen network nothing."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.network.graph import Network, Node
from discrimen.network.layers import Dense
from discrimen.network.model_description import ModelDescription


def with_logits(
    network: Network, description: ModelDescription, *, factor: float, offset: NDArray[np.float64] | float = 0.0
) -> Network:
    """Return the network with the logits of its scores turned into factor * logits + offset.

    A linear dense layer that gives nothing but the logits takes both up; else a layer is added.

    Parameters
    ----------
    network : Network
        The network.
    description : ModelDescription
        Its description; the logits are what its first output of class probabilities reads.
    factor : float
        Positive; one over the temperature.
    offset : ndarray of float64, shape (class,), or float
        What is added.

    Raises
    ------
    SettingsError
        If the model gives no probabilities of classes, or the factor is not positive and finite.
    """
    if not (isfinite(factor) and factor > 0):
        raise SettingsError(f"logits are multiplied by a positive and finite factor, got {factor:g}")
    at = description.scores_at
    value = network.outputs[at]
    readers = sum(node.inputs.count(value) for node in network.nodes) + network.outputs.count(value)
    line = np.broadcast_to(np.asarray(offset, np.float64), (description.scores.n_values,))
    last = network.nodes[value - 1].layer if value else None
    nodes = list(network.nodes)
    if isinstance(last, Dense) and last.activation == "linear" and readers == 1:
        nodes[value - 1] = replace(nodes[value - 1], layer=_scaled(last, factor, line))
        return Network(tuple(nodes), network.outputs)
    diagonal: Any = np.eye(description.scores.n_values) * factor
    nodes.append(Node(Dense(kernel=diagonal.astype(np.float32), bias=line.astype(np.float32)), (value,)))
    return Network(tuple(nodes), (*network.outputs[:at], len(nodes), *network.outputs[at + 1 :]))


def _scaled(layer: Dense, factor: float, offset: NDArray[np.float64]) -> Dense:
    return replace(
        layer,
        kernel=(layer.kernel.astype(np.float64) * factor).astype(np.float32),
        bias=(layer.bias.astype(np.float64) * factor + offset).astype(np.float32),
    )
