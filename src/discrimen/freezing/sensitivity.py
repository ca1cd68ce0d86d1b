"""How strongly each pulse feels each weight of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.freezing.cost import cost_of
from discrimen.freezing.places import WeightPlaces, arrays_of
from discrimen.keras_jax import KerasSession
from discrimen.network.graph import Network, run, shapes_of
from discrimen.network.layers import Dense

MOST_DIRECTIONS = 8
"""Outputs of more values are looked at along so many random directions instead of value by value."""

_MOST_AT_ONCE = 2**25
"""Values and derivatives of all pulses that are differentiated together."""


def sensitivities(
    network: Network,
    waveforms: NDArray[np.float32],
    tolerances: tuple[float, ...],
    places: NDArray[np.intp],
    *,
    session: KerasSession,
) -> NDArray[np.float32]:
    """Differentiate what a network gives by some of its weights.

    Parameters
    ----------
    network : Network
        The network.
    waveforms : ndarray of float32, shape (pulse, channel, sample)
        Prepared pulses.
    tolerances : tuple of float
        Of each output; what an output feels counts in this unit.
    places : ndarray of int, shape (place,)
        Which weights, counted through all layers.
    session : KerasSession
        Lends its JAX, which differentiates.

    Returns
    -------
    ndarray of float32, shape (pulse, place)
        The largest derivative of any value of any output, each divided by its output's tolerance.
    """
    jax = session.jax
    plan = _Plan.of(network, waveforms.shape[1:], places)
    directions = _directions(network, waveforms, tolerances)
    cost = cost_of(network, waveforms.shape[1:])
    most_at_once = max(1, _MOST_AT_ONCE // (cost.values + plan.n_derivatives + len(places)))
    found = np.empty((len(waveforms), len(places)), dtype=np.float32)
    with session.on_device():
        derivatives = jax.vmap(plan.derivatives(jax, [jax.numpy.asarray(each) for each in directions]))
        for chunk in _equal_chunks(len(waveforms), most_at_once):
            strongest, read = derivatives(waveforms[chunk])
            for part in plan.parts:
                found[np.ix_(chunk, part.which)] = plan.taken(part, strongest, read)
    return found


def _equal_chunks(n_pulses: int, most: int) -> list[NDArray[np.intp]]:
    """Part pulses into chunks of one size, because JAX compiles for each again; the last ones may come twice."""
    n_chunks = -(-n_pulses // most)
    size = -(-n_pulses // n_chunks)
    starts = np.minimum(np.arange(n_chunks) * size, n_pulses - size)
    return [start + np.arange(size) for start in starts]


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What is differentiated.

    The derivative by the kernel of a dense layer on a row of values is what it reads times the derivative by its bias,
    so its kernel, by far the largest part of wide networks, need not be differentiated for each pulse.
    """

    network: Network
    by_bias: frozenset[int]
    """Nodes whose kernel follows from their bias."""
    parts: Sequence[WeightPlaces]

    @classmethod
    def of(cls, network: Network, input_shape: tuple[int, ...], places: NDArray[np.intp]) -> _Plan:
        shapes = shapes_of(network, input_shape)
        rows = (
            number
            for number, node in enumerate(network.nodes)
            if isinstance(node.layer, Dense) and len(shapes[node.inputs[0]]) == 1
        )
        return cls(network, frozenset(rows), WeightPlaces.of(network, places))

    @property
    def n_derivatives(self) -> int:
        return sum(array.size for arrays in self._given() for array in arrays.values())

    def derivatives(self, jax: Any, directions: list[Any]) -> Any:
        """Return the function from a prepared pulse to its strongest derivatives, and what dense layers read."""
        xp = jax.numpy
        library = SimpleNamespace(**vars(xp), erf=jax.scipy.special.erf)
        given = [{name: xp.asarray(array) for name, array in arrays.items()} for arrays in self._given()]
        whole = [{name: xp.asarray(array) for name, array in arrays.items()} for arrays in arrays_of(self.network)]
        on_device = _with(self.network, whole)

        def of_pulse(waveform: Any) -> tuple[Any, Any]:
            def values(weights: Any) -> Any:
                return self._values(_with(on_device, weights), waveform, library)

            _, back, read = jax.vjp(values, given, has_aux=True)
            strongest = given
            for number, direction in enumerate(directions):
                sizes = jax.tree_util.tree_map(abs, back(direction)[0])
                strongest = jax.tree_util.tree_map(xp.maximum, strongest, sizes) if number else sizes
            return strongest, read

        return of_pulse

    def taken(self, part: WeightPlaces, strongest: Any, read: Any) -> NDArray[np.float32]:
        """Take from derivatives of some pulses those of some weights, shape (pulse, place)."""
        if part.name == "kernel" and part.node in self.by_bias:
            rows, columns = part.indices
            by_bias = np.asarray(strongest[part.node]["bias"])[:, columns]
            by_kernel: NDArray[np.float32] = np.abs(np.asarray(read[part.node])[:, rows]) * by_bias
            return by_kernel
        where: tuple[Any, ...] = (slice(None), *part.indices)
        derivatives: NDArray[np.float32] = np.asarray(strongest[part.node][part.name])[where]
        return derivatives

    def _given(self) -> list[dict[str, NDArray[np.float32]]]:
        """Return the weights that are differentiated by, of each node."""
        return [
            {"bias": arrays["bias"]} if number in self.by_bias else arrays
            for number, arrays in enumerate(arrays_of(self.network))
        ]

    def _values(self, network: Network, waveform: Any, library: Any) -> tuple[Any, dict[int, Any]]:
        """Return the values of all outputs in a row and, beside them, what each dense layer on a row reads."""
        nodes = sorted(self.by_bias)
        inputs = tuple(network.nodes[number].inputs[0] for number in nodes)
        values = run(replace(network, outputs=network.outputs + inputs), waveform[np.newaxis], xp=library)
        n_outputs = len(network.outputs)
        read = {number: value[0] for number, value in zip(nodes, values[n_outputs:], strict=True)}
        return library.concatenate([value[0] for value in values[:n_outputs]]), read


def _directions(
    network: Network, waveforms: NDArray[np.float32], tolerances: tuple[float, ...]
) -> list[NDArray[np.float32]]:
    sizes = [value.shape[1] for value in run(network, waveforms[:1])]
    scale = np.repeat([1 / tolerance for tolerance in tolerances], sizes)
    if sum(sizes) <= MOST_DIRECTIONS:
        return [row.astype(np.float32) for row in np.diag(scale)]
    signs = np.random.default_rng(7).choice([-1.0, 1.0], (MOST_DIRECTIONS, sum(sizes)))
    return [(row * scale).astype(np.float32) for row in signs]


def _with(network: Network, weights: Sequence[dict[str, Any]]) -> Network:
    """Return a network with some of its weights replaced, by node and name."""
    nodes = (
        replace(node, layer=replace(node.layer, **arrays)) if arrays else node
        for node, arrays in zip(network.nodes, weights, strict=True)
    )
    return replace(network, nodes=tuple(nodes))
