"""Whether a Keras model is the one that a description speaks of."""

from __future__ import annotations

from typing import Any

from discrimen.errors import SettingsError
from discrimen.models.ends import require_output
from discrimen.network.model_spec import ModelSpec
from discrimen.network.prepare import arrangement_for


def require_described(model: Any, spec: ModelSpec) -> None:
    """Refuse a model whose input or outputs are not those of its description.

    Parameters
    ----------
    model : keras.Model
        Built.
    spec : ModelSpec
        Its description.

    Raises
    ------
    SettingsError
        If the prepared pulses do not fit its input, an output has another number of values, or one that promises
        probabilities does not end in softmax or sigmoid.
    """
    if len(model.inputs) != 1:
        raise SettingsError(f"expected one input, the network has {len(model.inputs)}")
    arrangement_for(tuple(model.inputs[0].shape[1:]), spec.preparation)
    if len(model.outputs) != len(spec.outputs):
        names = ", ".join(output.name for output in spec.outputs)
        raise SettingsError(f"expected {len(spec.outputs)} outputs ({names}), the network has {len(model.outputs)}")
    for tensor, output in zip(model.outputs, spec.outputs, strict=True):
        require_output(tensor, output)
