"""What a network gives against what the outputs of its model promise; the last activations are the outputs' own."""

from __future__ import annotations

from math import prod

import numpy as np

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft
from discrimen.network import layers as kinds
from discrimen.network.activations import Activation
from discrimen.network.outputs import Output

_MOVING = (kinds.Flatten, kinds.Reshape, kinds.Permute, kinds.Reverse, kinds.Cropping1D)
"""Layers that may as well come before an activation of each value by itself."""


def ending(draft: Draft, value: int, output: Output, *, from_logits: bool = False) -> int:
    """Return the value that an output of the model reads: the one before the network's last activation.

    Parameters
    ----------
    draft : Draft
        Of the network.
    value : int
        What the network gives.
    output : Output
        What is promised.
    from_logits : bool
        Whether linear values may stand for those before the output's activation.

    Raises
    ------
    SettingsError
        If the number of values or the activation is another one.
    """
    activation, value = before_activation(draft, value)
    n_values = prod(draft.shapes[value])
    one_for_two = n_values == 1 and output.kind == "classes" and output.n_values == 2 and output.activation == "softmax"
    promised = "sigmoid" if one_for_two else output.activation
    if activation != promised and not (from_logits and activation == "linear"):
        raise SettingsError(f"output {output.name!r} {_mismatch(output, activation)}")
    if one_for_two:
        return _as_two_logits(draft, value)
    if n_values != output.n_values:
        raise SettingsError(
            f"output {output.name!r} of shape {output.shape}{' with errors' if output.with_error else ''} needs "
            f"{output.n_values} values, the network gives {draft.shapes[value]}"
        )
    if activation == "softmax" and draft.shapes[value][-1] != n_values:
        raise SettingsError(
            f"output {output.name!r}: the network's last softmax acts on {draft.shapes[value][-1]} of {n_values} "
            "values at a time; let it act on all of them"
        )
    if output.kind == "classes":
        return draft.add(kinds.Flatten(), value)
    if output.kind == "waveform" and draft.shapes[value] == output.shape[::-1] != output.shape:
        return draft.add(kinds.Permute(), value)
    return value


def before_activation(draft: Draft, value: int) -> tuple[Activation, int]:
    """Return the last activation and the value before it, moved as the activated one was.

    Parameters
    ----------
    draft : Draft
        Of the network.
    value : int
        What the network gives.

    Returns
    -------
    activation : str
        Linear where there is none.
    value : int
        What it reads.
    """
    moved = []
    step, start = draft.step_behind(value), value
    while step is not None and isinstance(step.layer, _MOVING):
        moved.append(step.layer)
        start = step.inputs[0]
        step = draft.step_behind(start)
    if step is None or not isinstance(step.layer, kinds.Activate):
        return "linear", value
    activation, before = step.layer.activation, step.inputs[0]
    if activation == "softmax" and draft.shapes[before][-1] != prod(draft.shapes[before]):
        return ("softmax", before) if not moved else ("linear", value)
    return activation, draft.through(before, *reversed(moved))


def _as_two_logits(draft: Draft, value: int) -> int:
    """Give (0, z): the softmax of both is the sigmoid of z, for the second class."""
    step = draft.step_behind(value)
    if step is not None and isinstance(step.layer, kinds.Dense) and draft.shapes[value] == (1,):
        kernel, bias = np.pad(step.layer.kernel, ((0, 0), (1, 0))), np.pad(step.layer.bias, (1, 0))
        return draft.add(kinds.Dense(kernel=kernel, bias=bias), step.inputs[0])
    kernel, bias = np.array([[0, 1]], np.float32), np.zeros(2, np.float32)
    return draft.through(value, kinds.Flatten(), kinds.Dense(kernel=kernel, bias=bias))


def _mismatch(output: Output, activation: Activation) -> str:
    if activation == "linear" and output.kind == "classes":
        return (
            f"promises probabilities by {output.activation}, the network ends in linear values: say from_logits if it "
            f"was trained with from_logits=True, or append keras.layers.Activation({output.activation!r})"
        )
    return (
        f"promises values by the activation {output.activation}, the network ends in {activation}: "
        f"describe the output with the activation {activation}"
    )
