"""Frozen models as ONNX, for other runtimes."""

from discrimen.network.export.onnx.model import (
    INPUT_TYPES,
    SHA256_KEY,
    SPEC_KEY,
    InputType,
    onnx_model,
    value_name,
    write_onnx,
)

__all__ = ["INPUT_TYPES", "SHA256_KEY", "SPEC_KEY", "InputType", "onnx_model", "value_name", "write_onnx"]
