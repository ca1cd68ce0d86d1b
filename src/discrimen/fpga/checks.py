"""What the hardware flow cannot map, refused before anything is made: the layer or the limit, and the mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from discrimen.errors import FormatError, SettingsError, require_module
from discrimen.fpga.chip_model import DESCRIPTION
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.front_end_timing import timing_of

FABRIC_REGISTERS = 24_288
"""Of an ECP5-25k (LFE5U-25F), for which the flow places and routes."""

_WINDOW_SHARE = 0.6


def require_fitting(front_end: FrontEnd, *, adc_bits: int | None, samples_per_clock: int = 1) -> None:
    """Check that the front end can be made, before a library is imported.

    Parameters
    ----------
    front_end : FrontEnd
        What the network was trained behind.
    adc_bits : int or None
        Width of the ADC that is to be connected, if the user says.
    samples_per_clock : int
        1, 2 or 4.

    Raises
    ------
    SettingsError
        If the ADC has another width than the training data, or the window is too long for the fabric or too short for
        its own trigger.
    """
    if adc_bits is not None and adc_bits != front_end.adc_bits:
        raise SettingsError(
            f"the ADC has {adc_bits} bits, the network was trained on samples of {front_end.adc_bits}: train on "
            f"{adc_bits}-bit data, or connect the {min(adc_bits, front_end.adc_bits)} upper bits where these are enough"
        )
    value_bits = front_end.adc_bits + 1
    most = int(_WINDOW_SHARE * FABRIC_REGISTERS) // value_bits
    if front_end.length > most:
        raise SettingsError(
            f"a window of {front_end.length} samples of {value_bits} bits takes {front_end.length * value_bits} "
            f"registers, the fabric has {FABRIC_REGISTERS} (ECP5-25k) and the network needs the rest: at most {most} "
            "samples; train on a shorter window"
        )
    least = timing_of(front_end, samples_per_clock).least_length
    if front_end.length < least:
        raise SettingsError(
            f"a window of {front_end.length} samples ends before the front end has found its trigger: expected at "
            f"least {least} with {front_end.before} samples before the trigger, a peak in {front_end.peak_samples} and "
            f"{samples_per_clock} a clock; train on a longer window, or with fewer samples before the trigger"
        )


def require_mappable(model: Any, front_end: FrontEnd) -> None:
    """Check that every layer can be made of adders and that input and output are those of the front end.

    Parameters
    ----------
    model : keras.Model
        Network of HGQ2.
    front_end : FrontEnd
        What feeds it.

    Raises
    ------
    SettingsError
        Naming the layer, what is expected and what came.
    """
    require_mappable_layers(model, front_end)
    if len(model.outputs) != 1 or _size(model.outputs[0].shape) != 2:
        shapes = ", ".join(str(tuple(each.shape[1:])) for each in model.outputs)
        raise SettingsError(f"the network gives {shapes}, expected two logits, gamma and neutron")


def require_mappable_layers(model: Any, front_end: FrontEnd) -> None:
    """Check all that :func:`require_mappable` does but the outputs, which need not be two logits.

    Raises
    ------
    SettingsError
        Naming the layer, what is expected and what came.
    """
    for layer in _flat(model):
        _require_layer(layer)
    if len(model.inputs) != 1 or _size(model.inputs[0].shape) != front_end.length:
        shapes = ", ".join(str(tuple(each.shape[1:])) for each in model.inputs)
        raise SettingsError(
            f"the network takes {shapes}, the front end gives {front_end.length} samples: train both together"
        )


def _require_layer(layer: Any) -> None:
    name, kind = layer.name, type(layer).__name__
    if kind == "Softmax" or getattr(getattr(layer, "activation", None), "__name__", "") == "softmax":
        raise SettingsError(f"layer '{name}' ends in a softmax: leave it out, the chip compares logits")
    if kind == "InputLayer" or type(layer) in _registered(type(layer)):
        return
    raise SettingsError(
        f"layer '{name}' ({kind}) cannot be made of adders: expected layers of HGQ2 (QDense, QConv1D, QAdd, ...) and "
        "plain shape layers; put its counterpart of hgq.layers in its place and train again"
    )


def _registered(kind: type) -> Any:
    """Return the layers that alkaid can replay, with those of the library that this one comes from."""
    layers = require_module("alkaid.converter.builtin.keras.layers", extra="fpga")
    loader = require_module("alkaid.converter._plugin_loader", extra="fpga")
    loader.maybe_load_for(kind, "keras", lax=True)
    return layers._registry


def _flat(model: Any) -> list[Any]:
    """Return all layers, those of models within the model in their place."""
    return [inner for layer in model.layers for inner in (_flat(layer) if hasattr(layer, "layers") else [layer])]


def _size(shape: Any) -> int:
    size = 1
    for length in shape[1:]:
        size *= length or 0
    return size


def read_front_end(folder: Path) -> FrontEnd:
    """Read the front end of a chip model alone, so that what does not fit is refused before Keras is loaded.

    Raises
    ------
    FormatError
        If the description is missing or not what it should be.
    """
    path = folder / DESCRIPTION
    try:
        return FrontEnd.from_dict(json.loads(path.read_text(encoding="utf-8"))["front_end"])
    except FileNotFoundError as error:
        raise FormatError("there is no chip model here: make one with 'discrimen fpga train'", path) from error
    except (OSError, ValueError, KeyError, TypeError, SettingsError) as error:
        raise FormatError(f"does not describe a chip model: {error}", path) from error
