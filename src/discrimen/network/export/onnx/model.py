"""A frozen model as ONNX: the whole chain from raw samples to scores.

Input ``samples``: int16 of shape (pulse, sample), both free; the record needs ``shortest_record`` samples of the
preparation, what lies beyond its windows does not matter. Output ``scores``: float32 of shape (pulse, class), in the
order of the classes; NaN for a pulse that cannot be prepared.

The baseline is subtracted in the graph, so that an offset common to all samples changes nothing: uint16 samples of a
digitizer of up to 15 bits are the same bits as int16, those of 16 bits become int16 by turning over the highest bit
(``(samples ^ 0x8000).view(int16)``, an offset of -32768). Or ask for a graph of another input type.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

import numpy as np

from discrimen.errors import DataError, SettingsError, require_module
from discrimen.network.export.onnx.graph import IR_VERSION, OPSET, Graph
from discrimen.network.export.onnx.layers import add_layers
from discrimen.network.export.onnx.layout import rows
from discrimen.network.export.onnx.preparation import add_preparation
from discrimen.network.frozen_file import FrozenModel
from discrimen.network.model_spec import ModelSpec
from discrimen.output.files import complete_or_absent

InputType = Literal["int16", "uint16", "float32"]
INPUT_TYPES: tuple[str, ...] = get_args(InputType)
Runtime = Literal["any", "onnxruntime"]
SPEC_KEY = "discrimen"
"""Metadata property that holds the model's description as JSON."""
SHA256_KEY = "discrimen_sha256"
"""Metadata property that holds the SHA-256 of the frozen file, if it is known."""
_INPUT_KEY = "discrimen_input"


def onnx_model(
    frozen: FrozenModel,
    *,
    input_type: InputType = "int16",
    runtime: Runtime = "any",
    frozen_sha256: str | None = None,
) -> Any:
    """Build the ONNX model of a frozen one.

    Parameters
    ----------
    frozen : FrozenModel
        What to translate.
    input_type : {"int16", "uint16", "float32"}
        Of the raw samples. float32 holds integers of up to 24 bits; samples that are not finite give NaN.
    runtime : {"any", "onnxruntime"}
        What the graph is fast in; every runtime computes every graph.
    frozen_sha256 : str, optional
        Of the frozen file, for the metadata.

    Returns
    -------
    onnx.ModelProto
        Passed by ``onnx.checker``, shapes included.

    Raises
    ------
    DataError
        If the layers do not fit each other or the classes.
    SettingsError
        If there is no such input type.
    MissingExtraError
        If ``onnx`` is not installed.
    """
    if input_type not in INPUT_TYPES:
        raise SettingsError(f"input_type must be one of {', '.join(INPUT_TYPES)}, got {input_type!r}")
    onnx = require_module("onnx", extra="onnx")
    model = onnx.helper.make_model(
        _graph(onnx, frozen, input_type, runtime),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="discrimen",
    )
    onnx.helper.set_model_props(model, _metadata(frozen.spec, input_type, frozen_sha256))
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


def _graph(onnx: ModuleType, frozen: FrozenModel, input_type: InputType, runtime: Runtime) -> Any:
    spec = frozen.spec
    graph = Graph(onnx, columns_by_gemm=runtime == "onnxruntime")
    prepared = add_preparation(graph, "samples", spec.preparation, may_be_infinite=input_type == "float32")
    values = add_layers(graph, frozen.layers, rows(prepared.waveforms, spec.preparation.window_length))
    if values.shape != (len(spec.classes),):
        raise DataError(f"expected {len(spec.classes)} scores a pulse, the network gives {values.shape}")
    graph.add_column(values.name, prepared.mark, n_columns=len(spec.classes), output="scores")
    return graph.finish(
        inputs=[_described(onnx, "samples", input_type, ["pulse", "sample"])],
        outputs=[_described(onnx, "scores", "float32", ["pulse", len(spec.classes)])],
        description=f"Raw samples in ADC counts to scores of {', '.join(spec.classes)}, preparation included",
    )


def _described(onnx: ModuleType, name: str, dtype: str, shape: list[str | int]) -> Any:
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return onnx.helper.make_tensor_value_info(name, element, shape)


def _metadata(spec: ModelSpec, input_type: InputType, frozen_sha256: str | None) -> dict[str, str]:
    shortest = spec.preparation.shortest_record
    about = f"raw samples in ADC counts as {input_type}, shape (pulse, sample), at least {shortest} samples"
    if input_type == "int16":
        about += "; uint16 samples: turn over the highest bit (xor 0x8000) and take the bits as int16"
    values = {SPEC_KEY: json.dumps(spec.as_dict()), _INPUT_KEY: about}
    return values if frozen_sha256 is None else values | {SHA256_KEY: frozen_sha256}
