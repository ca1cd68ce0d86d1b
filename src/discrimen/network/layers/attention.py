"""Attention: each step gathers what other steps hold (Vaswani et al., arXiv:1706.03762)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from discrimen.errors import DataError
from discrimen.network.activations import activate
from discrimen.network.layers.base import Arrays, Layer, Shape, Values, steps_of

__all__ = ["Attention"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Attention(Layer):
    """softmax(query @ key) @ value for each head; heads lie side by side along the channels.

    Inputs are query, key and value, each (step, heads * channel); the factor 1 / sqrt(channel) is part of the query.
    """

    code: ClassVar[int] = 24
    inputs_wanted: ClassVar[tuple[int, int]] = (3, 3)
    heads: int

    def shape(self, *inputs: Shape) -> Shape:
        query, key, value = inputs
        steps = steps_of(query)
        if steps_of(key) != steps_of(value):
            raise DataError(f"keys and values must have as many steps, got {key[0]} and {value[0]}")
        if query[1] != key[1] or query[1] % self.heads or value[1] % self.heads:
            raise DataError(
                f"{self.heads} heads cannot share queries of {query[1]}, keys of {key[1]} and values of "
                f"{value[1]} channels"
            )
        return steps, value[1]

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        query, key, value = (each.reshape(*each.shape[:2], self.heads, each.shape[2] // self.heads) for each in inputs)
        weights = activate(xp, "softmax", xp.einsum("pqhc,pkhc->phqk", query, key))
        gathered = xp.einsum("phqk,pkhc->pqhc", weights, value)
        return gathered.reshape(*gathered.shape[:2], inputs[2].shape[2])
