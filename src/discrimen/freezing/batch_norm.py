"""Batch normalisation folded into its neighbours, so that it costs a frozen network nothing.

When scores are computed, batch normalisation is a fixed line for each channel (Ioffe and Szegedy, arXiv:1502.03167,
algorithm 2), and a line before or after a linear layer is another linear layer. All is computed in float64 and
rounded once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network import layers as spec
from discrimen.network.layers import Layer


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scaling:
    """y = scale * x + shift, for each channel.

    Parameters
    ----------
    scale, shift : ndarray of float64, shape (channel,)
        The line of each channel.
    along_steps : bool
        Whether the values have steps beside channels.
    """

    scale: NDArray[np.float64]
    shift: NDArray[np.float64]
    along_steps: bool


Linear = spec.Dense | spec.Conv1D | spec.Conv1DTranspose


def folded(sequence: Iterable[Layer | Scaling]) -> tuple[Layer, ...]:
    """Fold every scaling into a layer beside it, and every activation into the linear layer before it.

    A scaling goes into the layer before it if that is linear, without an activation; else into the layer behind it if
    that sees no padding; else it becomes a layer of its own. Only direct neighbours are joined: where a value is kept
    in between, it stays what it was.

    Parameters
    ----------
    sequence : iterable of Layer or Scaling
        In the order of computation.

    Returns
    -------
    tuple of Layer
        That compute the same.
    """
    done: list[Layer | Scaling] = []
    for item in sequence:
        before = done.pop() if done else None
        done.extend(_joined(before, item) if before is not None else (item,))
    return tuple(_rounded(_as_layer(item)) for item in done)


def _joined(before: Layer | Scaling, item: Layer | Scaling) -> tuple[Layer | Scaling, ...]:
    """Join two neighbours into one, if that can be."""
    if isinstance(item, Scaling):
        if isinstance(before, Scaling):
            return (replace(before, scale=before.scale * item.scale, shift=before.shift * item.scale + item.shift),)
        if isinstance(before, Linear) and before.activation == "linear":
            return (_scaled_outputs(before, item),)
    elif isinstance(before, Scaling):
        if isinstance(item, spec.Dense) or (isinstance(item, spec.Conv1D) and _sees_no_padding(item)):
            return (_scaled_inputs(item, before),)
        return _joined(_as_layer(before), item)
    elif isinstance(item, spec.Activate) and isinstance(before, Linear) and before.activation == "linear":
        return (replace(before, activation=item.activation),)
    return before, item


def _sees_no_padding(layer: spec.Conv1D) -> bool:
    return layer.padding == "valid" or len(layer.kernel) == 1


# A scaling in float64 makes the weights that it is multiplied with float64, until they are rounded in the end.


def _scaled_outputs(layer: Linear, scaling: Scaling) -> Layer:
    outputs_last = not isinstance(layer, spec.Conv1DTranspose)
    kernel: Any = layer.kernel * (scaling.scale if outputs_last else scaling.scale[:, np.newaxis])
    bias: Any = layer.bias * scaling.scale + scaling.shift
    return replace(layer, kernel=kernel, bias=bias)


def _scaled_inputs(layer: spec.Dense | spec.Conv1D, scaling: Scaling) -> Layer:
    kernel: Any = layer.kernel * scaling.scale[:, np.newaxis]
    shifts = (scaling.shift @ layer.kernel).reshape(-1, layer.kernel.shape[-1])
    bias: Any = layer.bias + shifts.sum(axis=0)
    return replace(layer, kernel=kernel, bias=bias)


def _as_layer(item: Layer | Scaling) -> Layer:
    if not isinstance(item, Scaling):
        return item
    diagonal: Any = np.diag(item.scale)
    shift: Any = item.shift
    if item.along_steps:
        return spec.Conv1D(kernel=diagonal[np.newaxis], bias=shift)
    return spec.Dense(kernel=diagonal, bias=shift)


def _rounded(layer: Layer) -> Layer:
    weights: dict[str, Any] = {name: value.astype(np.float32) for name, value in spec.weights_of(layer).items()}
    return replace(layer, **weights)
