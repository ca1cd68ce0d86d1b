"""What the outputs of a Keras model end in, held against what is promised of them."""

from __future__ import annotations

from typing import Any

from discrimen.errors import SettingsError
from discrimen.network.outputs import Output

_LEAVE_VALUES = ("Dropout", "Flatten", "Identity", "Reshape")
"""Layers that leave values as they are where a network is not trained."""


def require_output(tensor: Any, output: Output) -> None:
    """Refuse an output that is not what is promised of it; one sigmoid may stand for two classes.

    Parameters
    ----------
    tensor : KerasTensor
        One of the model's outputs.
    output : Output
        The promise.

    Raises
    ------
    SettingsError
        If it has another number of values, or promises probabilities and does not end in softmax or sigmoid.
    """
    shape = tuple(tensor.shape[1:])
    last = last_activation(tensor)
    if output.kind != "classes":
        wanted = output.shape if output.kind == "waveform" else (output.n_values,)
        if shape not in (wanted, (output.n_values,)):
            raise SettingsError(f"output {output.name!r} is described with shape {wanted}, the network gives {shape}")
        return
    if shape == (1,) and output.n_values == 2 and last == "sigmoid":
        return
    if shape != (output.n_values,):
        raise SettingsError(
            f"output {output.name!r} is described with {output.n_values} classes, the network gives values of shape "
            f"{shape}"
        )
    if last != output.activation:
        raise SettingsError(
            f"output {output.name!r} promises probabilities by {output.activation}, the network ends in {last} values: "
            f"end it in {output.activation}"
        )


def last_activation(tensor: Any) -> str:
    """Return the name of the activation that a tensor comes out of; ``linear`` if it comes out of none."""
    made_by = tensor._keras_history
    layer = made_by.operation
    if hasattr(layer, "layers"):  # a network within the network
        return last_activation(layer.outputs[made_by.tensor_index])
    kind = type(layer).__name__
    if kind in _LEAVE_VALUES:
        return last_activation(layer._inbound_nodes[made_by.node_index].input_tensors[0])
    if kind == "Softmax":
        return "softmax"
    return str(getattr(getattr(layer, "activation", None), "__name__", "linear"))
