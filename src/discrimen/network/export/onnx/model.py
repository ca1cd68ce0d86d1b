"""A frozen model as ONNX: the whole chain from raw samples to all outputs.

Input ``samples``: int16 of shape (pulse, channel, sample), for one channel (pulse, sample); the record needs
``shortest_record`` samples of the preparation, what lies beyond its windows does not matter. Where channels may be
absent, a second input ``present``: bool of shape (pulse, channel). One output for each of the model, by its name:
float32 of shape (pulse, value); NaN for a pulse that cannot be prepared.

Where a baseline is subtracted, it is done in the graph, so that an offset common to all samples changes nothing: uint16
samples of a digitizer of up to 15 bits are the same bits as int16, those of 16 bits become int16 by turning over the
highest bit (``(samples ^ 0x8000).view(int16)``, an offset of -32768). Or ask for a graph of another input type.
"""

from __future__ import annotations

import json
from dataclasses import replace
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

import numpy as np

from discrimen.errors import DataError, SettingsError, require_module
from discrimen.network.export.onnx.activations import add_activation
from discrimen.network.export.onnx.graph import IR_VERSION, OPSET, PREFIX, Graph
from discrimen.network.export.onnx.layers import add_layer
from discrimen.network.export.onnx.layout import Layout, Values, as_rows
from discrimen.network.export.onnx.preparation import add_preparation
from discrimen.network.frozen_file import FrozenModel
from discrimen.network.graph import shapes_of
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation
from discrimen.output.files import complete_or_absent

InputType = Literal["int16", "uint16", "float32"]
INPUT_TYPES: tuple[str, ...] = get_args(InputType)
DESCRIPTION_KEY = "discrimen"
"""Metadata property that holds the model's description as JSON."""
SHA256_KEY = "discrimen_sha256"
"""Metadata property that holds the SHA-256 of the frozen file, if it is known."""
_INPUT_KEY = "discrimen_input"


def onnx_model(
    frozen: FrozenModel,
    *,
    input_type: InputType = "int16",
    frozen_sha256: str | None = None,
) -> Any:
    """Build the ONNX model of a frozen one.

    Parameters
    ----------
    frozen : FrozenModel
        What to translate.
    input_type : {"int16", "uint16", "float32"}
        Of the raw samples. float32 holds integers of up to 24 bits; samples that are not finite give NaN.
    frozen_sha256 : str, optional
        Of the frozen file, for the metadata.

    Returns
    -------
    onnx.ModelProto
        Passed by ``onnx.checker``, shapes included.

    Raises
    ------
    DataError
        If the layers do not fit each other or the outputs.
    SettingsError
        If there is no such input type, or an output has a name that the graph needs for itself.
    MissingExtraError
        If ``onnx`` is not installed.
    """
    if input_type not in INPUT_TYPES:
        raise SettingsError(f"input_type must be one of {', '.join(INPUT_TYPES)}, got {input_type!r}")
    onnx = require_module("onnx", extra="onnx")
    model = onnx.helper.make_model(
        _graph(onnx, frozen, input_type),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="discrimen",
    )
    onnx.helper.set_model_props(model, _metadata(frozen.description, input_type, frozen_sha256))
    onnx.checker.check_model(model, full_check=True)
    return model


def write_onnx(
    frozen: FrozenModel, path: Path | str, *, input_type: InputType = "int16", frozen_sha256: str | None = None
) -> None:
    """Write the ONNX model of a frozen one; the file appears when it is complete.

    Raises
    ------
    DataError, SettingsError, MissingExtraError
        As :func:`onnx_model`.
    OutputError
        If the file system refuses.
    """
    content = onnx_model(frozen, input_type=input_type, frozen_sha256=frozen_sha256).SerializeToString(
        deterministic=True
    )
    with complete_or_absent(path) as part:
        part.write_bytes(content)


def value_name(output: Output) -> str:
    """Return the name of the value in the graph that an output reads, before its activation."""
    return f"{PREFIX}value/{output.name}"


def _graph(onnx: ModuleType, frozen: FrozenModel, input_type: InputType) -> Any:
    preparation, outputs = frozen.description.preparation, frozen.description.outputs
    inputs: dict[str, tuple[str, list[str | int]]] = {"samples": (input_type, ["pulse", *_samples_axes(preparation)])}
    if preparation.masked:
        inputs["present"] = ("bool", ["pulse", preparation.n_channels])
    for output in outputs:
        if output.name in inputs or output.name.startswith(PREFIX):
            raise SettingsError(f"an ONNX graph has another use for the name {output.name!r}: give the output another")
    shapes = shapes_of(frozen.network, preparation.shape)
    graph = Graph(onnx)
    prepared = add_preparation(graph, "samples", "present", preparation)
    flat = (prod(preparation.shape),)
    values = [Values(name=prepared.waveforms, layout=Layout.ROWS, held=flat, shape=preparation.shape)]
    for node in frozen.network.nodes:
        values.append(add_layer(node.layer, graph, *(values[number] for number in node.inputs)))
    for output, number in zip(outputs, frozen.network.outputs, strict=True):
        if prod(shapes[number]) != output.n_values:
            raise DataError(
                f"output {output.name!r} needs {output.n_values} values, the network gives {shapes[number]}"
            )
        rows = as_rows(graph, values[number])
        rows = replace(rows, name=graph.node("Identity", rows.name, output=value_name(output)))
        finished = add_activation(graph, output.activation, rows)
        graph.node("Add", finished.name, prepared.mark, output=output.name)
    return graph.finish(
        inputs=[_described(onnx, name, *each) for name, each in inputs.items()],
        outputs=[_described(onnx, output.name, "float32", ["pulse", output.n_values]) for output in outputs],
        description=f"Raw samples in ADC counts to {', '.join(map(_in_words, outputs))}, preparation included",
    )


def _samples_axes(preparation: Preparation) -> list[str | int]:
    return ["sample"] if preparation.n_channels == 1 else [preparation.n_channels, "sample"]


def _in_words(output: Output) -> str:
    of = f" of {', '.join(output.names)}" if output.names else f" ({output.kind})"
    return f"{output.name}{of}"


def _described(onnx: ModuleType, name: str, dtype: str, shape: list[str | int]) -> Any:
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return onnx.helper.make_tensor_value_info(name, element, shape)


def _metadata(description: ModelDescription, input_type: InputType, frozen_sha256: str | None) -> dict[str, str]:
    shape = ", ".join(map(str, ["pulse", *_samples_axes(description.preparation)]))
    shortest = description.preparation.shortest_record
    about = f"raw samples in ADC counts as {input_type}, shape ({shape}), at least {shortest} samples"
    if input_type == "int16" and all(
        each.baseline_start < each.baseline_stop for each in description.preparation.channels
    ):
        about += "; uint16 samples: turn over the highest bit (xor 0x8000) and take the bits as int16"
    values = {DESCRIPTION_KEY: json.dumps(description.as_dict()), _INPUT_KEY: about}
    return values if frozen_sha256 is None else values | {SHA256_KEY: frozen_sha256}
