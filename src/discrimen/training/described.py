"""Whether a Keras model is the one that a description speaks of."""

from __future__ import annotations

from typing import Any

from discrimen.errors import SettingsError
from discrimen.models.ends import require_output
from discrimen.network.model_description import ModelDescription
from discrimen.network.prepare import arrangement_for


def require_described(model: Any, description: ModelDescription) -> None:
    """Refuse a model whose input or outputs are not those of its description.

    Parameters
    ----------
    model : keras.Model
        Built.
    description : ModelDescription
        Its description.

    Raises
    ------
    SettingsError
        If the prepared pulses do not fit its input, an output has another number of values, or one that promises
        probabilities does not end in softmax or sigmoid.
    """
    if len(model.inputs) != 1:
        raise SettingsError(f"expected one input, the network has {len(model.inputs)}")
    arrangement_for(tuple(model.inputs[0].shape[1:]), description.preparation)
    if len(model.outputs) != len(description.outputs):
        names = ", ".join(output.name for output in description.outputs)
        raise SettingsError(
            f"expected {len(description.outputs)} outputs ({names}), the network has {len(model.outputs)}"
        )
    for tensor, output in zip(model.outputs, description.outputs, strict=True):
        require_output(tensor, output)
