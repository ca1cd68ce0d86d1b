"""The two halves of a frozen auto-encoder, each a frozen model of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np

from discrimen.errors import SettingsError
from discrimen.network.frozen_file import FrozenModel, read_frozen, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import Network, Node, shapes_of
from discrimen.network.layers import Flatten, Layer, Reshape, Shape
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output
from discrimen.network.preparation import one_channel
from discrimen.output.provenance import sha256_of_file
from discrimen.pulses.detector import DetectorSettings

Part = Literal["encoder", "decoder"]
PART = "part"
"""Key in a part's provenance: which part it is of which model, and how that model prepares its pulses."""


def write_part(path: Path | str, name: Part, output: Path | str) -> FrozenModel:
    """Write one half of a frozen auto-encoder as a frozen file; see :func:`encoder_of` and :func:`decoder_of`.

    Raises
    ------
    FormatError
        If the path is no frozen file.
    SettingsError
        If the model has no such half.
    OutputError
        If the file system refuses.
    """
    make = {"encoder": encoder_of, "decoder": decoder_of}[name]
    part = make(read_frozen(path), sha256=sha256_of_file(path))
    write_frozen(part, output)
    return part


def encoder_of(frozen: FrozenModel, *, sha256: str = "") -> FrozenModel:
    """Return what makes the code of a pulse: the same input, and the code as its only output.

    Parameters
    ----------
    frozen : FrozenModel
        With a code among its outputs.
    sha256 : str
        Of the frozen file, for the provenance.

    Raises
    ------
    SettingsError
        If the model gives no code.
    """
    at = _code_at(frozen.description)
    network = _between(frozen.network, source=0, target=frozen.network.outputs[at], shape_layer=None)
    description = _as_part(frozen.description, "encoder", frozen.description.outputs[at], sha256)
    golden = golden_vectors(network, description, frozen.golden.samples, present=frozen.golden.present)
    return FrozenModel(description, network, golden)


def decoder_of(frozen: FrozenModel, *, sha256: str = "") -> FrozenModel:
    """Return what makes the waveform of a code, which it takes as a record of one channel.

    The numbers of the code, float32, are the samples, and are taken as they are: no baseline, polarity or scaling. The
    waveform is in the scale of the prepared pulses of the whole model; ``provenance["part"]["preparation"]`` says how
    that is made, and baseline and divisor of each pulse lead back to ADC counts
    (:class:`~discrimen.network.prepare.Restoration`).

    Parameters
    ----------
    frozen : FrozenModel
        With a code and a waveform among its outputs.
    sha256 : str
        Of the frozen file, for the provenance.

    Raises
    ------
    SettingsError
        If the model gives no code or no waveform, or the waveform is made of more than the code.
    """
    whole = frozen.description
    code_at, waveform_at = _code_at(whole), whole.waveform_at
    code = frozen.network.outputs[code_at]
    code_shape = shapes_of(frozen.network, whole.preparation.shape)[code]
    network = _between(
        frozen.network,
        source=code,
        target=frozen.network.outputs[waveform_at],
        shape_layer=_shape_layer(code_shape),
    )
    description = replace(
        _as_part(whole, "decoder", whole.outputs[waveform_at], sha256),
        preparation=one_channel(
            sample_period_ns=whole.preparation.sample_period_ns,
            polarity=1,
            baseline_start=0,
            baseline_stop=0,
            window_length=prod(code_shape),
            scale="none",
        ),
        settings=DetectorSettings(),
        domain=None,
    )
    codes = frozen.golden.values[code_at].astype(np.float32)[:, np.newaxis, :]
    return FrozenModel(description, network, golden_vectors(network, description, codes))


def _code_at(description: ModelDescription) -> int:
    at = description.code_at
    if description.outputs[at].activation != "linear":
        raise SettingsError(
            f"the code of this model passes through {description.outputs[at].activation} behind its network: "
            "its halves cannot be distinguished"
        )
    return at


def _as_part(whole: ModelDescription, part: str, output: Output, sha256: str) -> ModelDescription:
    told: Mapping[str, Any] = {"name": part, "of_sha256": sha256, "preparation": whole.preparation.as_dict()}
    return replace(whole, outputs=(output,), provenance={**whole.provenance, PART: told})


def _shape_layer(shape: Shape) -> Layer:
    """Return the layer that gives a record of one channel the shape of the code."""
    return Flatten() if len(shape) == 1 else Reshape(steps=shape[0], channels=shape[1])


def _between(network: Network, *, source: int, target: int, shape_layer: Layer | None) -> Network:
    """Return the layers that lead from one value, which becomes the input, to another."""
    needed = _needed(network, source=source, target=target)
    nodes = [] if shape_layer is None else [Node(shape_layer, (0,))]
    new_number = {source: len(nodes)}
    for value in sorted(needed - {source}):
        node = network.nodes[value - 1]
        nodes.append(Node(node.layer, tuple(new_number[read] for read in node.inputs)))
        new_number[value] = len(nodes)
    return Network(tuple(nodes), (new_number[target],))


def _needed(network: Network, *, source: int, target: int) -> set[int]:
    """Return the numbers of the values that a value is made of, back to the source."""
    needed, waiting = {source}, [target]
    while waiting:
        value = waiting.pop()
        if value in needed:
            continue
        if value == 0:
            raise SettingsError("the waveform of this model is made of the pulse itself, not of its code alone")
        needed.add(value)
        waiting += network.nodes[value - 1].inputs
    return needed
