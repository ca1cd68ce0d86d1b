"""An ONNX file to a network: node by node, nothing of it executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.freezing.draft import Draft
from discrimen.freezing.onnx_import import pointwise, recurrent, shaping, weighted
from discrimen.freezing.onnx_import.assembly import ROW, STEPS_FIRST, Assembly, Axis, Held
from discrimen.freezing.onnx_import.constants import constant_of, folded
from discrimen.freezing.onnx_import.context import Context, Tensor
from discrimen.freezing.onnx_import.graph import OnnxGraph, Op, needed, read_graph
from discrimen.freezing.onnx_import.patterns import STANDARDISED, TWO_CLASSES, put_together
from discrimen.network import layers
from discrimen.network.layers import Shape
from discrimen.network.preparation import Preparation
from discrimen.network.prepare.arrangement import Arrangement, arrangement_for

_ANY_BATCH = (7919, 7907, 7901, 7883, 7879)
"""Prime numbers that stand for a free number of pulses: one that no other axis has."""

_LABELS = ("ArgMax", "ArrayFeatureExtractor", "TopK")
"""What makes the name of the class of the highest score: there are thresholds for that."""

_INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "InstanceNormalization": "it takes mean and variance of each pulse; use batch or layer normalisation",
        "GroupNormalization": "it takes mean and variance of each pulse; use batch or layer normalisation",
        "MatMulInteger": "export the network in floats, before it is quantised",
        "ConvInteger": "export the network in floats, before it is quantised",
        "DequantizeLinear": "export the network in floats, before it is quantised",
        "QuantizeLinear": "export the network in floats, before it is quantised",
        "DynamicQuantizeLinear": "export the network in floats, before it is quantised",
        "If": "branches cannot be adopted: export the network with its sizes fixed",
        "Loop": "loops cannot be adopted: export the network with its sizes fixed",
        "Scan": "loops cannot be adopted: export the network with its sizes fixed",
        "Erf": "the error function can be adopted as part of a GELU alone",
        "Normalizer": "end the network in a softmax",
        "TreeEnsembleClassifier": "trees are no network; discrimen evaluate has a boosted tree to compare with",
        "SVMClassifier": "a support vector machine is no network",
        "RandomNormalLike": "export the network for use, not for training",
        "Bernoulli": "export the network for use, not for training",
    }
)
_QUANTISED = "export the network in floats, before it is quantised"

_Translate = Callable[[Context, Op], Any]
_OPERATORS: Mapping[str, _Translate] = MappingProxyType(
    {**pointwise.OPERATORS, **weighted.OPERATORS, **shaping.OPERATORS, **recurrent.OPERATORS}
)
KNOWN_OPERATORS = tuple(sorted({*_OPERATORS, "Constant", "ZipMap"} - {STANDARDISED}))
"""Names of all operators that can be adopted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxOutput:
    """What one output of an ONNX file is.

    Parameters
    ----------
    name : str
        In the file; of the scores in front of a ZipMap, where there is one.
    value : int
        The number of its value in the draft.
    graph_name : str
        Of the output of the file.
    shape : tuple of int
        Of one pulse.
    labels : tuple
        Of the classes, where the file names them (ZipMap): strings or integers.
    logarithm : bool
        Whether the file gives the logarithm of the scores (LogSoftmax).
    """

    name: str
    value: int
    graph_name: str
    shape: Shape
    labels: tuple[Any, ...] = ()
    logarithm: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, where the file has them."""
        return self.labels if all(isinstance(label, str) for label in self.labels) else ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OnnxNetwork:
    """A network that was read from an ONNX file.

    Parameters
    ----------
    draft : Draft
        With the last activations, before layers are joined.
    outputs : tuple of OnnxOutput
        What is given.
    arrangement : str
        How the file wants prepared pulses laid out.
    n_batch : int or None
        How many pulses the file takes at once; None: any number.
    opset : int
        Version of its operators.
    producer : str
        What wrote it.
    """

    draft: Draft
    outputs: tuple[OnnxOutput, ...]
    arrangement: Arrangement
    n_batch: int | None
    opset: int
    producer: str


def read_onnx(path: Path | str, preparation: Preparation, *, outputs: Sequence[str] | None = None) -> OnnxNetwork:
    """Translate an ONNX file.

    Parameters
    ----------
    path : Path
        The file; opset 7 to 21, from PyTorch, skl2onnx or others.
    preparation : Preparation
        How pulses become its input.
    outputs : sequence of str, optional
        Names of its outputs that are wanted; by default all but labels of classes.

    Returns
    -------
    OnnxNetwork
        The network and what its outputs are.

    Raises
    ------
    FormatError
        If it cannot be read, or holds what cannot be adopted: the message names the node.
    SettingsError
        If the preparation does not give what the network takes.
    MissingExtraError
        If ``onnx`` is not installed.
    """
    path = Path(path)
    graph = read_graph(path)
    arrangement = arrangement_for(graph.input_shape, preparation)
    try:
        return _translated(graph, preparation, arrangement, outputs)
    except (SettingsError, DataError) as error:
        raise FormatError(str(error), path) from error


def output_names(path: Path | str) -> tuple[str, ...]:
    """Return the names of an ONNX file's outputs, labels of classes left out.

    Raises
    ------
    FormatError, MissingExtraError
        See :func:`read_onnx`.
    """
    graph = read_graph(path)
    makers = {name: op for op in graph.ops for name in op.outputs}
    return tuple(name for name in graph.outputs if not _is_label(_in_front_of_names(name, makers), graph.ops))


def _translated(
    graph: OnnxGraph, preparation: Preparation, arrangement: Arrangement, wanted: Sequence[str] | None
) -> OnnxNetwork:
    names = _outputs(graph, wanted)
    ops = needed(put_together(graph.ops, _all_constants(graph)), names)
    context = Context(
        assembly=Assembly(preparation.shape, graph.n_batch or _any_batch(graph)),
        tensors=dict(graph.constants),
        used=frozenset({*names, *(name for op in ops for name in op.inputs)}),
        ends=_ends(ops, names),
        opset=graph.opset,
    )
    context.tensors[graph.input_name] = _input(context.assembly, arrangement)
    for op in ops:
        _compute(context, op)
    context.assembly.draft.origin = "the network"
    return OnnxNetwork(
        draft=context.assembly.draft,
        outputs=tuple(_output(context, graph, name) for name in names),
        arrangement=arrangement,
        n_batch=graph.n_batch,
        opset=graph.opset,
        producer=graph.producer,
    )


def _compute(context: Context, op: Op) -> None:
    """Translate one node; what it gives is known by name afterwards."""
    inputs = [context.tensors.get(name) if name else None for name in op.inputs]
    context.assembly.draft.origin = op.name
    translate = _OPERATORS.get(op.kind)
    try:
        if op.kind == "Constant":
            given: Any = constant_of(op)
        elif op.kind == TWO_CLASSES:
            given = _two_classes(context, op)
        elif op.kind == "ZipMap" or (op.kind == "Normalizer" and _sums_to_one(context, op)):
            given = context.tensor(op, 0)
        elif not any(isinstance(each, Held) for each in inputs):
            given = folded(op, [None if isinstance(each, Held) else each for each in inputs])
        elif translate is None:
            raise SettingsError(f"{op.where} cannot be adopted: {_instead(op.kind)}")
        else:
            given = translate(context, op)
    except DataError as error:
        raise SettingsError(f"{op.where}: {error}") from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise SettingsError(f"{op.where}: its inputs or attributes do not fit it: {error}") from error
    tensors: Sequence[Tensor | None] = given if isinstance(given, tuple) else (given,)
    for name, tensor in zip(op.outputs, tensors, strict=False):
        if name and tensor is not None:
            context.tensors[name] = tensor


def _instead(kind: str) -> str:
    if kind in _INSTEAD:
        return _INSTEAD[kind]
    if "QLinear" in kind or "Quant" in kind or "Integer" in kind:
        return _QUANTISED
    return f"known are {', '.join(KNOWN_OPERATORS)}"


def _two_classes(context: Context, op: Op) -> Held:
    held = context.held(op)
    value = context.assembly.settled(held, ROW)
    layer = layers.Dense(kernel=np.array([[0, 1]], np.float32), bias=np.zeros(2, np.float32))
    return context.assembly.activated(Held((context.assembly.add(layer, value),), ROW), "softmax")


def _sums_to_one(context: Context, op: Op) -> bool:
    """Whether a Normalizer changes nothing because a softmax comes before it."""
    held = context.held(op)
    layer = context.assembly.layer_of(held.values[0])
    return op.attributes.get("norm") == "L1" and isinstance(layer, layers.Activate) and layer.activation == "softmax"


def _input(assembly: Assembly, arrangement: Arrangement) -> Held:
    if arrangement == "flat":
        return Held((assembly.reshaped_value(0, (int(np.prod(assembly.shapes[0])),)),), ROW)
    swapped = (Axis.PULSE, Axis.CHANNEL, Axis.STEP)
    return Held((0,), STEPS_FIRST if arrangement == "channel_sample" else swapped)


def _outputs(graph: OnnxGraph, wanted: Sequence[str] | None) -> list[str]:
    """Return the names of what is to be computed: the wanted outputs, or all that are no labels of classes."""
    makers = {name: op for op in graph.ops for name in op.outputs}
    found = {name: _in_front_of_names(name, makers) for name in graph.outputs}
    if wanted is None:
        return [inner for inner in found.values() if not _is_label(inner, graph.ops)]
    unknown = [name for name in wanted if name not in found and name not in found.values()]
    if unknown:
        raise SettingsError(f"there is no output '{unknown[0]}'; there are {', '.join(found)}")
    return [found.get(name, name) for name in wanted]


def _in_front_of_names(name: str, makers: Mapping[str, Op]) -> str:
    op = makers.get(name)
    return op.inputs[0] if op is not None and op.kind == "ZipMap" else name


def _is_label(name: str, ops: Sequence[Op]) -> bool:
    makers = {output: op for op in ops for output in op.outputs}
    op = makers.get(name)
    while op is not None and op.kind in ("Identity", "Cast", "Reshape", "Squeeze", "ArrayFeatureExtractor"):
        if op.kind == "ArrayFeatureExtractor":
            return True
        name, op = op.inputs[0], makers.get(op.inputs[0])
    return op is not None and (op.kind in _LABELS or (op.kind == "LinearClassifier" and op.outputs[0] == name))


def _ends(ops: Sequence[Op], names: Sequence[str]) -> frozenset[str]:
    """Return the outputs, and what only an Identity parts from them."""
    ends = set(names)
    for op in reversed(ops):
        if op.kind == "Identity" and ends.intersection(op.outputs):
            ends.update(op.inputs)
    return frozenset(ends)


def _output(context: Context, graph: OnnxGraph, name: str) -> OnnxOutput:
    tensor = context.tensors.get(name)
    if not isinstance(tensor, Held):
        raise SettingsError(f"output '{name}' is not computed from the pulses")
    assembly = context.assembly
    dims = assembly.dims(tensor)
    if tensor.pulse_axis != 0:
        raise SettingsError(f"output '{name}' of {dims}: expected the pulses along its first axis")
    if len(dims) not in (2, 3):
        tensor = assembly.reshaped(tensor, (dims[0], *([each for each in dims[1:] if each > 1] or [1])))
        dims = assembly.dims(tensor)
    if len(dims) not in (2, 3):
        raise SettingsError(f"output '{name}' has the shape {dims[1:]}, expected one or two axes")
    value = assembly.settled(tensor, ROW if len(dims) == 2 else STEPS_FIRST)
    makers = {output: op for op in graph.ops for output in op.outputs}
    graph_name = next((each for each in graph.outputs if _in_front_of_names(each, makers) == name), name)
    maker = makers.get(graph_name)
    attributes = maker.attributes if maker is not None and maker.kind == "ZipMap" else {}
    labels = attributes.get("classlabels_strings") or attributes.get("classlabels_int64s") or ()
    return OnnxOutput(
        name=name,
        value=value,
        graph_name=graph_name,
        shape=dims[1:],
        labels=tuple(labels),
        logarithm=tensor.logarithm,
    )


def _all_constants(graph: OnnxGraph) -> dict[str, Any]:
    return dict(graph.constants) | {
        op.outputs[0]: constant_of(op) for op in graph.ops if op.kind == "Constant" and op.outputs
    }


def _any_batch(graph: OnnxGraph) -> int:
    """Return a number of pulses that stands for any: a prime that no axis has."""
    return next(each for each in _ANY_BATCH if each not in _lengths(graph))


def _lengths(graph: OnnxGraph) -> set[int]:
    return {*graph.input_shape, *(length for array in graph.constants.values() for length in array.shape)}
