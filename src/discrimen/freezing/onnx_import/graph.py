"""An ONNX file as plain data: nodes, constants, one input, outputs. Nothing of the file is executed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, SettingsError, require_module

OLDEST_OPSET, NEWEST_OPSET = 7, 21
_MEND_OPSET = "export it again with an operator set in between, for example torch.onnx.export(..., opset_version=17)"
_STANDARD = ("", "ai.onnx")
_LEARN = "ai.onnx.ml"
_FLOATS = ("float32", "float64", "float16")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Op:
    """One node of the graph.

    Parameters
    ----------
    kind : str
        The operator's name.
    name : str
        The node's, or its first output's.
    inputs, outputs : tuple of str
        Names of values; empty where an optional one is left out.
    attributes : mapping
        Numbers, strings, lists of them, or arrays.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The node, for people."""
        return f"node '{self.name}' ({self.kind})"

    def input(self, number: int) -> str:
        """Return the name of an input, empty if it is left out."""
        return self.inputs[number] if number < len(self.inputs) else ""

    def require(self, **wanted: Any) -> None:
        """Refuse attributes of other values than these, which are their defaults."""
        for name, value in wanted.items():
            found = self.attributes.get(name, value)
            if found != value:
                raise SettingsError(f"{self.where}: {name} must be {value!r} to be adopted, got {found!r}")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OnnxGraph:
    """What an ONNX file holds.

    Parameters
    ----------
    ops : tuple of Op
        In the order of computation.
    constants : mapping of str to ndarray
        Weights and other constants by name.
    input_name : str
        Of the only input that is no constant.
    input_shape : tuple of int
        Of one pulse.
    n_batch : int or None
        How many pulses the graph takes at once; None: any number.
    outputs : tuple of str
        Names of the outputs, in their order.
    opset : int
        Version of the operators.
    producer : str
        What wrote the file.
    """

    ops: tuple[Op, ...]
    constants: Mapping[str, NDArray[Any]]
    input_name: str
    input_shape: tuple[int, ...]
    n_batch: int | None
    outputs: tuple[str, ...]
    opset: int
    producer: str


def read_graph(path: Path | str) -> OnnxGraph:
    """Read an ONNX file.

    Raises
    ------
    FormatError
        If it cannot be read, has weights in other files, several inputs, a shape that is not fixed, functions or
        operators of its own, or an operator set that is not known.
    MissingExtraError
        If ``onnx`` is not installed.
    """
    onnx = require_module("onnx", extra="onnx")
    path = Path(path)
    try:
        model = onnx.load(path, load_external_data=False)
        graph = model.graph
        _refuse_what_is_elsewhere(onnx, model, path)
        opset = _opset(model, path)
        constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
        name, n_batch, shape = _input(graph, constants, path)
        ops = tuple(_op(onnx, node, path) for node in graph.node)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}", path) from error
    except (ValueError, TypeError, KeyError) as error:
        raise FormatError(f"this is no ONNX model: {' '.join(str(error).split())[:200]}", path) from error
    except Exception as error:
        # The reader of protocol buffers has an exception of its own, in a package that is not ours to import.
        if type(error).__name__ != "DecodeError":
            raise
        raise FormatError("this is no ONNX model, or it is damaged", path) from error
    return OnnxGraph(
        ops=ops,
        constants=constants,
        input_name=name,
        input_shape=shape,
        n_batch=n_batch,
        outputs=tuple(value.name for value in graph.output),
        opset=opset,
        producer=f"{model.producer_name} {model.producer_version}".strip() or "unknown",
    )


def needed(ops: Iterable[Op], names: Iterable[str]) -> tuple[Op, ...]:
    """Return the nodes that some values come from, in their order."""
    wanted = set(names)
    kept: list[Op] = []
    for op in reversed(tuple(ops)):
        if wanted.intersection(op.outputs):
            kept.insert(0, op)
            wanted.update(op.inputs)
    return tuple(kept)


def _refuse_what_is_elsewhere(onnx: Any, model: Any, path: Path) -> None:
    graph = model.graph
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise FormatError(
                f"its weights ('{tensor.name}') lie in other files: export it into one, for example "
                "torch.onnx.export(..., external_data=False)",
                path,
            )
    if len(graph.sparse_initializer):
        raise FormatError("it holds sparse weights: export it with dense ones", path)
    if not len(graph.node):
        raise FormatError("this is no ONNX model, or it has no nodes", path)


def _opset(model: Any, path: Path) -> int:
    versions = {each.domain: int(each.version) for each in model.opset_import}
    opset = next((versions[domain] for domain in _STANDARD if domain in versions), 0)
    if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise FormatError(f"expected operator set {OLDEST_OPSET} to {NEWEST_OPSET}, got {opset}: {_MEND_OPSET}", path)
    return opset


def _input(graph: Any, constants: Mapping[str, Any], path: Path) -> tuple[str, int | None, tuple[int, ...]]:
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        names = ", ".join(f"'{value.name}'" for value in inputs) or "none"
        raise FormatError(f"expected one input, the pulses; got {names}", path)
    tensor = inputs[0].type.tensor_type
    if not tensor.HasField("shape"):
        raise FormatError(f"the shape of input '{inputs[0].name}' is not said: export it with a fixed shape", path)
    dims = [int(dim.dim_value) if dim.HasField("dim_value") else 0 for dim in tensor.shape.dim]
    if len(dims) not in (2, 3) or any(dim < 1 for dim in dims[1:]):
        shown = ", ".join(dim.dim_param or str(dim.dim_value or "?") for dim in tensor.shape.dim)
        raise FormatError(
            f"expected an input of (pulse, sample) or (pulse, channel, sample) with all but the pulses fixed, "
            f"got ({shown}): export it with a fixed shape",
            path,
        )
    return inputs[0].name, dims[0] or None, tuple(dims[1:])


def _op(onnx: Any, node: Any, path: Path) -> Op:
    name = node.name or next(iter(node.output), node.op_type)
    if node.domain not in (*_STANDARD, _LEARN):
        raise FormatError(
            f"node '{name}' is the operator {node.op_type} of '{node.domain}', which is not part of ONNX: "
            "export the network with standard operators only",
            path,
        )
    attributes = {}
    for attribute in node.attribute:
        if attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
            raise FormatError(
                f"node '{name}' ({node.op_type}) holds a graph of its own; branches and loops cannot be adopted: "
                "export the network with its sizes fixed",
                path,
            )
        attributes[attribute.name] = _plain(onnx, attribute)
    return Op(
        kind=node.op_type,
        name=name,
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        attributes=attributes,
    )


def _plain(onnx: Any, attribute: Any) -> Any:
    if attribute.type == onnx.AttributeProto.TENSOR:
        if attribute.t.data_location == onnx.TensorProto.EXTERNAL:
            raise ValueError(f"the constant '{attribute.name}' lies in another file")
        return onnx.numpy_helper.to_array(attribute.t)
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if attribute.type == onnx.AttributeProto.STRINGS:
        return [each.decode("utf-8", errors="replace") for each in value]
    return list(value) if attribute.type in (onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else value


def as_float32(values: Any) -> NDArray[np.float32]:
    """Return an array of any float type as float32."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiu" and array.dtype.name != "bfloat16":
        raise SettingsError(f"expected weights of floats, got {array.dtype}")
    return array.astype(np.float32)
