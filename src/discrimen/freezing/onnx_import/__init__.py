"""ONNX files, from PyTorch and others, to networks: one kind of operator a file."""

from discrimen.freezing.onnx_import.graph import read_graph
from discrimen.freezing.onnx_import.translate import (
    KNOWN_OPERATORS,
    OnnxNetwork,
    OnnxOutput,
    output_names,
    read_onnx,
)

__all__ = ["KNOWN_OPERATORS", "OnnxNetwork", "OnnxOutput", "output_names", "read_graph", "read_onnx"]
