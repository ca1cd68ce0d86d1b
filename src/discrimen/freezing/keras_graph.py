"""The order in which a Keras model computes: one chain, whose earlier values may be added again later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from discrimen.errors import SettingsError
from discrimen.freezing.keras_layers import translated
from discrimen.freezing.slots import AddRemembered, Link, Remember

_SCOPE = "only chains of layers with residual additions can be frozen"


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """One use of a layer in a functional model.

    Parameters
    ----------
    layer : keras.Operation
        What is called.
    before, after : keras.KerasTensor
        The value that goes on along the chain, and what comes out.
    added : tuple of keras.KerasTensor
        For an addition, the earlier values that come on top.
    """

    layer: Any
    before: Any
    after: Any
    added: tuple[Any, ...] = ()


def chain_of(model: Any) -> Iterator[Link]:
    """Translate a model layer by layer, in the order of computation.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional; models within it are taken apart.

    Raises
    ------
    SettingsError
        If the model is no chain with residual additions, or a layer or one of its options has no counterpart.
    """
    kind = type(model).__name__
    if kind == "Sequential":
        for layer in model.layers:
            yield from _links_of(layer)
    elif kind == "Functional":
        yield from _functional_chain(model)
    else:
        raise SettingsError(f"only sequential and functional models can be frozen, this one is a {kind}")


def _links_of(layer: Any) -> Iterator[Link]:
    if type(layer).__name__ in ("Sequential", "Functional"):
        yield from chain_of(layer)
    else:
        yield from translated(layer)


def _functional_chain(model: Any) -> Iterator[Link]:
    for name, tensors in (("inputs", model.inputs), ("outputs", model.outputs)):
        if len(tensors) != 1:
            raise SettingsError(f"model '{model.name}' has {len(tensors)} {name}; {_SCOPE}, with one each")
    calls = _calls(model.inputs[0], model.outputs[0])
    marks = {id(tensor): object() for call in calls for tensor in call.added}
    yield from _remembered(model.inputs[0], marks)
    for call in calls:
        if call.added:
            yield from (AddRemembered(marks[id(tensor)]) for tensor in call.added)
        else:
            yield from _links_of(call.layer)
        yield from _remembered(call.after, marks)


def _remembered(tensor: Any, marks: dict[int, object]) -> Iterator[Link]:
    if id(tensor) in marks:
        yield Remember(marks[id(tensor)])


def _calls(first: Any, last: Any) -> list[_Call]:
    """Follow the chain from its end to its beginning and return it in the order of computation."""
    order = _order(first, last)
    calls: list[_Call] = []
    tensor = last
    while tensor is not first:
        calls.insert(0, _call_behind(tensor, order))
        tensor = calls[0].before
    on_chain = {id(first)} | {id(call.after) for call in calls}
    for call in calls:
        if not all(id(tensor) in on_chain for tensor in call.added):
            raise SettingsError(
                f"layer '{call.layer.name}' adds a branch with layers of its own (a projection on the shortcut?); "
                f"{_SCOPE}, whose shortcut is the unchanged output of an earlier layer"
            )
    return calls


def _call_behind(tensor: Any, order: dict[int, int]) -> _Call:
    """Describe the call that gave a value; of several values that are added, the one computed last is the chain."""
    layer, _, _ = tensor._keras_history
    node = _node(tensor)
    inputs = list(node.input_tensors)
    if type(layer).__name__ == "Add" and len(inputs) > 1:
        shapes = {tuple(value.shape) for value in inputs}
        if len(shapes) > 1:
            raise SettingsError(f"layer '{layer.name}' adds values of different shapes {sorted(map(str, shapes))}")
        *added, before = sorted(inputs, key=lambda value: order[id(value)])
        return _Call(layer, before, tensor, tuple(added))
    if len(inputs) != 1 or len(node.output_tensors) != 1:
        raise SettingsError(
            f"layer '{layer.name}' ({type(layer).__name__}) has {len(inputs)} inputs and "
            f"{len(node.output_tensors)} outputs; {_SCOPE}"
        )
    given = {name: value for name, value in node.arguments.kwargs.items() if value is not None and value is not False}
    if given or len(node.arguments.args) != 1:
        what = ", ".join(f"{name}={value!r}" for name, value in given.items()) or "further arguments"
        raise SettingsError(f"layer '{layer.name}' is called with {what}, which cannot be frozen")
    return _Call(layer, inputs[0], tensor)


def _order(first: Any, last: Any) -> dict[int, int]:
    """Give a number to each value that the last one comes from, higher than those that it comes from itself."""
    order: dict[int, int] = {}
    waiting = [last]
    while waiting:
        tensor = waiting[-1]
        missing = [] if tensor is first else [value for value in _node(tensor).input_tensors if id(value) not in order]
        if missing:
            waiting.extend(missing)
        else:
            order.setdefault(id(waiting.pop()), len(order))
    return order


def _node(tensor: Any) -> Any:
    layer, node_index, _ = tensor._keras_history
    return layer._inbound_nodes[node_index]
