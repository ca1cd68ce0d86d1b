"""Frozen models as ONNX, for other runtimes."""

from discrimen.network.export.onnx.model import (
    DESCRIPTION_KEY,
    INPUT_TYPES,
    SHA256_KEY,
    InputType,
    onnx_model,
    value_name,
    write_onnx,
)

__all__ = ["DESCRIPTION_KEY", "INPUT_TYPES", "SHA256_KEY", "InputType", "onnx_model", "value_name", "write_onnx"]
