"""A model as an ONNX graph, from a frozen file or from an ONNX file that was made from one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.errors import DataError, DiscrimenError, FormatError, require_module
from discrimen.network.export.onnx import DESCRIPTION_KEY, InputType, onnx_model, value_name
from discrimen.network.frozen_file import SUFFIX, read_frozen
from discrimen.network.golden import GoldenVectors
from discrimen.network.model_description import ModelDescription

ONNX_SUFFIX = ".onnx"


@dataclass(frozen=True, slots=True, eq=False)
class OnnxSource:
    """A model that can be had as an ONNX graph of any input type.

    Parameters
    ----------
    path : Path
        Where it comes from.
    description : ModelDescription
        What it is.
    content : bytes
        An ONNX file of it.
    golden : GoldenVectors or None
        Of a frozen file; an ONNX file carries none, it was checked when made.
    """

    path: Path
    description: ModelDescription
    content: bytes
    golden: GoldenVectors | None = None

    def serialised(self, input_type: InputType, *, before_activation: bool = False) -> bytes:
        """Return the ONNX model with raw samples of this type as its input.

        The graph's first step turns any type of number into float32, so that no other step changes.

        Parameters
        ----------
        input_type : {"int16", "uint16", "float32"}
            Of the raw samples.
        before_activation : bool
            Whether the graph gives out what each output reads instead, by the names of
            :func:`~discrimen.network.export.onnx.value_name`; for golden vectors. Of a pulse that cannot be prepared
            that may be anything.
        """
        onnx = require_module("onnx", extra="onnx")
        model = onnx.load_model_from_string(self.content)
        model.graph.input[0].type.tensor_type.elem_type = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(input_type))
        if before_activation:
            for output, described in zip(self.description.outputs, model.graph.output, strict=True):
                described.name = value_name(output)
        changed: bytes = model.SerializeToString()
        return changed


def read_onnx_source(path: Path | str) -> OnnxSource:
    """Read a frozen model or an ONNX file that was made from one.

    Raises
    ------
    FormatError
        If it is neither, or contradicts itself.
    SettingsError
        If a frozen model has an output whose name an ONNX graph needs for itself.
    MissingExtraError
        If ``onnx`` is not installed.
    """
    path = Path(path)
    if path.suffix == SUFFIX:
        frozen = read_frozen(path)
        try:
            content = onnx_model(frozen).SerializeToString()
        except DataError as error:
            raise FormatError(f"the frozen model cannot be computed: {error}", path) from error
        return OnnxSource(path, frozen.description, content, frozen.golden)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"cannot read the ONNX model: {error.strerror}", path) from error
    return OnnxSource(path, _description_in(content, path), content)


def input_type_for(dtype: np.dtype[Any]) -> InputType:
    """Return the input type of the graph that takes samples of a type.

    Raises
    ------
    DataError
        If they are neither integers of up to 32 bits nor float32.
    """
    if dtype.kind in "iu" and dtype.itemsize <= 2:
        return "uint16" if dtype.kind == "u" else "int16"
    if dtype.kind in "iuf" and dtype.itemsize == 4:
        return "float32"
    raise DataError(f"samples must be integers of up to 32 bits or float32, got {dtype}")


def _description_in(content: bytes, path: Path) -> ModelDescription:
    onnx = require_module("onnx", extra="onnx")
    protobuf = require_module("google.protobuf.message", extra="onnx")
    try:
        model = onnx.load_model_from_string(content)
    except protobuf.DecodeError as error:
        raise FormatError("this is no ONNX model, or a truncated one", path) from error
    properties = {item.key: item.value for item in model.metadata_props}
    if DESCRIPTION_KEY not in properties:
        raise FormatError(
            f"the ONNX model does not say what it is (metadata property '{DESCRIPTION_KEY}' is missing); "
            "make it with 'discrimen freeze --onnx'",
            path,
        )
    try:
        values = json.loads(properties[DESCRIPTION_KEY])
        if not isinstance(values, dict):
            raise DataError(f"expected a JSON object, got a {type(values).__name__}")
        description = ModelDescription.from_dict(values)
    except (DiscrimenError, ValueError, TypeError, RecursionError) as error:
        problem = (
            f"its description (metadata property '{DESCRIPTION_KEY}') cannot be read: {' '.join(str(error).split())}"
        )
        raise FormatError(problem, path) from error
    _require_entry(model.graph, description, path)
    return description


def _require_entry(graph: Any, description: ModelDescription, path: Path) -> None:
    """Refuse a graph that its description does not fit."""
    preparation = description.preparation
    samples = [0] if preparation.n_channels == 1 else [preparation.n_channels, 0]
    expected = [("samples", [0, *samples])]
    if preparation.masked:
        expected.append(("present", [0, preparation.n_channels]))
    expected += [(output.name, [0, output.n_values]) for output in description.outputs]
    # Axes of free length read as 0.
    found = [
        (value.name, [axis.dim_value for axis in value.type.tensor_type.shape.dim])
        for value in (*graph.input, *graph.output)
    ]
    if found != expected:
        raise FormatError(
            f"its description promises inputs and outputs {_in_words(expected)}, the graph has {_in_words(found)}; "
            "make it again from the frozen model",
            path,
        )


def _in_words(entry: list[tuple[str, list[int]]]) -> str:
    return ", ".join(f"{name} ({', '.join(str(length or 'any') for length in shape)})" for name, shape in entry)
