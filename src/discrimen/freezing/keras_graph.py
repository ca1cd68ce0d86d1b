"""The graph of a Keras model, walked in the order of computation, models within it included."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft
from discrimen.freezing.keras_layers import translated
from discrimen.freezing.keras_operators import joined_with_constant, joins_a_constant

_READ_BY_NAME: Mapping[str, tuple[str, ...]] = {"MultiHeadAttention": ("query", "value", "key")}
"""Layers whose values are distinguished by the names of their arguments."""


def walked(draft: Draft, model: Any, inputs: Sequence[int]) -> tuple[int, ...]:
    """Append all layers of a model that its outputs need.

    Parameters
    ----------
    draft : Draft
        Of the network.
    model : keras.Model
        Sequential or functional, built.
    inputs : sequence of int
        The values that stand for its inputs.

    Returns
    -------
    tuple of int
        The values of its outputs.

    Raises
    ------
    SettingsError
        If the model is of another kind, or a layer or one of its options has no counterpart.
    """
    graph = graph_of(model)
    if len(graph.inputs) != len(inputs):
        raise SettingsError(f"model '{model.name}' has {len(graph.inputs)} inputs, it is called with {len(inputs)}")
    known = {id(tensor): value for tensor, value in zip(graph.inputs, inputs, strict=True)}
    for node in _in_order(graph.outputs, known):
        given = _given(draft, node, known)
        for tensor, value in zip(node.output_tensors, given, strict=True):
            known[id(tensor)] = value
            _require_same_shape(draft, node.operation, tensor, value)
    return tuple(known[id(tensor)] for tensor in graph.outputs)


def graph_of(model: Any) -> Any:
    """Return the functional model that holds a model's graph.

    Raises
    ------
    SettingsError
        If it has none.
    """
    kind = type(model).__name__
    if kind not in ("Sequential", "Functional") or not type(model).__module__.startswith("keras."):
        raise SettingsError(
            f"only sequential and functional models can be frozen, '{model.name}' is a {kind}: its layers are joined "
            "by code; build it with keras.Model(inputs, outputs)"
        )
    graph = model._functional if kind == "Sequential" else model
    if graph is None:
        raise SettingsError(f"model '{model.name}' is not built yet: begin it with a keras.Input")
    return graph


def _given(draft: Draft, node: Any, known: Mapping[int, int]) -> tuple[int, ...]:
    layer = node.operation
    arguments = _arguments(node)
    if joins_a_constant(layer, arguments):
        (tensor,) = node.input_tensors
        return (joined_with_constant(draft, layer, arguments, known[id(tensor)]),)
    values = tuple(known[id(tensor)] for tensor in _tensors(layer, arguments))
    if type(layer).__name__ in ("Sequential", "Functional"):
        return walked(draft, layer, values)
    if len(node.output_tensors) != 1:
        raise SettingsError(
            f"layer '{layer.name}' ({type(layer).__name__}) gives {len(node.output_tensors)} values, which cannot be "
            "frozen: only its first one can, without return_state or the like"
        )
    return (translated(draft, layer, values),)


def _in_order(outputs: Sequence[Any], known: dict[int, int]) -> Iterator[Any]:
    """Give each node behind the outputs after those that it reads from; `known` grows on the way."""
    waiting = list(reversed(outputs))
    while waiting:
        tensor = waiting[-1]
        if id(tensor) in known:
            waiting.pop()
            continue
        node = _node(tensor)
        missing = [read for read in node.input_tensors if id(read) not in known]
        if missing:
            waiting.extend(reversed(missing))
        else:
            yield node


def _node(tensor: Any) -> Any:
    layer, number, _ = tensor._keras_history
    node = layer._inbound_nodes[number]
    if node.is_input:
        raise SettingsError(f"'{layer.name}' is no input of the model that reads it")
    return node


def _arguments(node: Any) -> dict[str, Any]:
    """Return the arguments of a call by their names."""
    given = node.arguments
    return dict(inspect.signature(node.operation.call).bind(*given.args, **given.kwargs).arguments)


def _tensors(layer: Any, arguments: Mapping[str, Any]) -> list[Any]:
    """Return the tensors that a call reads, in the order in which its layer tells them apart.

    Raises
    ------
    SettingsError
        If it is called with anything else that matters.
    """
    names = _READ_BY_NAME.get(type(layer).__name__, ())
    if not names:
        names = tuple(name for name, value in arguments.items() if _reads(value))
        if type(layer).__module__.startswith("keras.src.layers"):
            names = names[:1]
    further = {name: value for name, value in arguments.items() if name not in names and not _says_nothing(value)}
    if further:
        what = ", ".join(
            f"{name}={value if isinstance(value, int | float) else '...'}" for name, value in further.items()
        )
        raise SettingsError(f"layer '{layer.name}' is called with {what}, which cannot be frozen")
    return [tensor for name in names if name in arguments for tensor in _flat(arguments[name])]


def _reads(value: Any) -> bool:
    return bool(_flat(value))


def _says_nothing(value: Any) -> bool:
    if isinstance(value, list | tuple | dict):
        return all(map(_says_nothing, value.values() if isinstance(value, dict) else value))
    return value is None or value is False


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [tensor for name in sorted(value) for tensor in _flat(value[name])]
    if isinstance(value, list | tuple):
        return [tensor for each in value for tensor in _flat(each)]
    return [value] if hasattr(value, "_keras_history") else []


def _require_same_shape(draft: Draft, layer: Any, tensor: Any, value: int) -> None:
    wanted, found = tuple(tensor.shape[1:]), draft.shapes[value]
    if len(wanted) != len(found) or any(axis not in (None, length) for axis, length in zip(wanted, found, strict=True)):
        raise SettingsError(
            f"layer '{layer.name}' gives values of shape {wanted} in Keras, frozen it would give {found}: "
            "it cannot be frozen as it is used here"
        )
