"""What exporters write as several nodes and is one thing: found in the graph and put back together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.freezing.onnx_import.graph import Op

TWO_CLASSES = "discrimen.TwoClasses"
"""Replaces (1 - p, p) with p a logistic function: the softmax of 0 and what that function reads."""

STANDARDISED = "discrimen.Standardised"
"""Replaces (x - mean) / sqrt(variance + epsilon): a layer normalisation without gamma and beta."""


def put_together(ops: Sequence[Op], constants: Mapping[str, NDArray[Any]]) -> list[Op]:
    """Put one node instead of the several that make a GELU, a layer normalisation or the scores of one sigmoid.

    Parameters
    ----------
    ops : sequence of Op
        In the order of computation.
    constants : mapping of str to ndarray
        By name.

    Returns
    -------
    list of Op
        The nodes that are replaced are still there, read by nobody.
    """
    result = list(ops)
    makers = {name: op for op in ops for name in op.outputs}
    readers: dict[str, list[Op]] = {}
    for op in ops:
        for name in op.inputs:
            readers.setdefault(name, []).append(op)
    for number, op in enumerate(ops):
        if op.kind == "Erf":
            found = _gelu(op, makers, readers, constants)
            if found is not None:
                read, end = found
                result[list(ops).index(end)] = Op(kind="Gelu", name=op.name, inputs=(read,), outputs=end.outputs)
        elif op.kind == "Div":
            result[number] = _standardised(op, makers, constants) or op
        elif op.kind == "Concat" and len(op.inputs) == 2:
            read = _two_classes(op, makers, constants)
            if read:
                result[number] = Op(kind=TWO_CLASSES, name=op.name, inputs=(read,), outputs=op.outputs)
    return result


def _gelu(
    erf: Op, makers: Mapping[str, Op], readers: Mapping[str, list[Op]], constants: Mapping[str, NDArray[Any]]
) -> tuple[str, Op] | None:
    """Find x * (1 + erf(x / sqrt(2))) / 2 around an error function; return x and the last node."""
    scaled = makers.get(erf.inputs[0])
    if scaled is None or scaled.kind not in ("Div", "Mul"):
        return None
    read = _other(scaled, np.sqrt(2) if scaled.kind == "Div" else np.sqrt(0.5), constants)
    plus = _only(readers, erf.outputs[0], "Add")
    if read is None or plus is None or _other(plus, 1.0, constants) != erf.outputs[0]:
        return None
    product = _only(readers, plus.outputs[0], "Mul")
    if product is None:
        return None
    factor = next((name for name in product.inputs if name != plus.outputs[0]), "")
    half = makers.get(factor)
    if half is not None and half.kind == "Mul" and _other(half, 0.5, constants) == read:
        return read, product
    if half is not None and half.kind == "Div" and _other(half, 2.0, constants) == read:
        return read, product
    last = _only(readers, product.outputs[0], "Mul")
    if last is None:
        return None
    if factor == read and _other(last, 0.5, constants) == product.outputs[0]:
        return read, last
    if _is(factor, 0.5, constants) and set(last.inputs) == {product.outputs[0], read}:
        return read, last
    return None


def _standardised(div: Op, makers: Mapping[str, Op], constants: Mapping[str, NDArray[Any]]) -> Op | None:
    """Find (x - mean) / sqrt(variance + epsilon) over the last axis, as PyTorch wrote it before operator set 17."""
    centred, root = (makers.get(name) for name in div.inputs)
    plus = _maker(root, "Sqrt", makers)
    if centred is None or centred.kind != "Sub" or plus is None or plus.kind != "Add":
        return None
    epsilon = next((name for name in plus.inputs if name in constants and constants[name].size == 1), None)
    variance = next((makers.get(name) for name in plus.inputs if name != epsilon), None)
    square, mean = _maker(variance, "ReduceMean", makers), makers.get(centred.inputs[1])
    if epsilon is None or square is None or mean is None or variance is None or mean.kind != "ReduceMean":
        return None
    by_power = square.kind == "Pow" and _is(square.inputs[1], 2.0, constants)
    squared = square.kind == "Mul" and set(square.inputs) == {div.inputs[0]}
    axes = mean.attributes.get("axes", [])
    same = axes == variance.attributes.get("axes") and mean.inputs[0] == centred.inputs[0]
    if not (same and len(axes) == 1 and (squared or (by_power and square.inputs[0] == div.inputs[0]))):
        return None
    attributes = {"axis": axes[0], "epsilon": float(np.ravel(constants[epsilon])[0])}
    return Op(kind=STANDARDISED, name=div.name, inputs=centred.inputs[:1], outputs=div.outputs, attributes=attributes)


def _maker(op: Op | None, kind: str, makers: Mapping[str, Op]) -> Op | None:
    """Return what makes the first input of a node of a kind."""
    return makers.get(op.inputs[0]) if op is not None and op.kind == kind else None


def _two_classes(concat: Op, makers: Mapping[str, Op], constants: Mapping[str, NDArray[Any]]) -> str:
    """Find (1 - p, p) of one logistic function p; return what that reads, or nothing."""
    minus, logistic = (makers.get(name) for name in concat.inputs)
    if minus is None or logistic is None or (minus.kind, logistic.kind) != ("Sub", "Sigmoid"):
        return ""
    if minus.inputs[1] != concat.inputs[1] or not _is(minus.inputs[0], 1.0, constants):
        return ""
    return logistic.inputs[0] if concat.attributes.get("axis") in (1, -1) else ""


def _only(readers: Mapping[str, list[Op]], name: str, kind: str) -> Op | None:
    found = readers.get(name, [])
    return found[0] if len(found) == 1 and found[0].kind == kind else None


def _other(op: Op, value: float, constants: Mapping[str, NDArray[Any]]) -> str | None:
    """Return the input beside a constant of that value."""
    for number, name in enumerate(op.inputs):
        if _is(name, value, constants) and len(op.inputs) == 2 and (op.kind != "Div" or number == 1):
            return op.inputs[1 - number]
    return None


def _is(name: str, value: float, constants: Mapping[str, NDArray[Any]]) -> bool:
    constant = constants.get(name)
    return constant is not None and constant.size == 1 and bool(np.isclose(np.ravel(constant)[0], value, rtol=1e-5))
