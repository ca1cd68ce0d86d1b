"""How strongly each pulse feels each weight of a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.keras_jax import KerasSession
from discrimen.network.graph import Network, run
from discrimen.network.layers import weights_of

MOST_DIRECTIONS = 8
"""Outputs of more values are looked at along so many random directions instead of value by value."""

_MOST_AT_ONCE = 2**23


def sensitivities(
    network: Network, waveforms: NDArray[np.float32], tolerances: tuple[float, ...], *, session: KerasSession
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Differentiate what a network gives by its weights, some pulses at a time.

    Parameters
    ----------
    network : Network
        The network.
    waveforms : ndarray of float32, shape (pulse, channel, sample)
        Prepared pulses.
    tolerances : tuple of float
        Of each output; what an output feels counts in this unit.
    session : KerasSession
        Lends its JAX, which differentiates.

    Yields
    ------
    slice
        Which pulses.
    ndarray of float32, shape (pulse, weight)
        The largest derivative of any value of any output, each divided by its output's tolerance.
    """
    jax = session.jax
    library = SimpleNamespace(**vars(jax.numpy), erf=jax.scipy.special.erf)
    weights = [list(weights_of(node.layer).values()) for node in network.nodes]
    sizes = [array.size for arrays in weights for array in arrays]
    n_at_once = max(1, _MOST_AT_ONCE // max(1, sum(sizes)))
    directions = _directions(network, waveforms, tolerances)

    def felt(given: Any, waveform: Any, direction: Any) -> Any:
        values = run(_with_weights(network, given), waveform[np.newaxis], xp=library)
        return jax.numpy.concatenate([value[0] for value in values]) @ direction

    with session.on_device():
        gradient = jax.vmap(jax.grad(felt), in_axes=(None, 0, None))
        for start in range(0, len(waveforms), n_at_once):
            chunk = slice(start, start + n_at_once)
            strongest: Any = 0.0
            for direction in directions:
                arrays = jax.tree_util.tree_leaves(gradient(weights, waveforms[chunk], direction))
                flat = [np.abs(np.asarray(each).reshape(len(waveforms[chunk]), -1)) for each in arrays]
                strongest = np.maximum(strongest, np.concatenate(flat, axis=1))
            yield chunk, strongest


def effects(
    network: Network, waveforms: NDArray[np.float32], tolerances: tuple[float, ...], places: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Change single weights by half and compute anew: what a derivative of 0 does not tell.

    A unit that no pulse excites has no derivative, but a larger weight may wake it.

    Parameters
    ----------
    network, waveforms, tolerances
        As of :func:`sensitivities`.
    places : ndarray of int, shape (place,)
        Which weights, counted through all layers.

    Returns
    -------
    ndarray of float32, shape (pulse, place)
        The largest change of any value of any output, each divided by its output's tolerance.
    """
    weights = [list(weights_of(node.layer).values()) for node in network.nodes]
    flat = np.concatenate([array.ravel() for arrays in weights for array in arrays])
    before = run(network, waveforms)
    found = np.empty((len(waveforms), len(places)), dtype=np.float32)
    for column, place in enumerate(places):
        changed = flat.copy()
        changed[place] *= np.float32(1.5)
        after = run(_with_weights(network, _as_arrays(changed, weights)), waveforms)
        moved = [
            np.abs(new - old).max(axis=1) / tolerance
            for new, old, tolerance in zip(after, before, tolerances, strict=True)
        ]
        found[:, column] = np.max(moved, axis=0)
    return found


def _as_arrays(flat: NDArray[np.float32], like: list[list[NDArray[Any]]]) -> list[list[NDArray[np.float32]]]:
    parts: list[list[NDArray[np.float32]]] = []
    start = 0
    for arrays in like:
        parts.append([])
        for array in arrays:
            parts[-1].append(flat[start : start + array.size].reshape(array.shape))
            start += array.size
    return parts


def _directions(
    network: Network, waveforms: NDArray[np.float32], tolerances: tuple[float, ...]
) -> list[NDArray[np.float32]]:
    sizes = [value.shape[1] for value in run(network, waveforms[:1])]
    scale = np.repeat([1 / tolerance for tolerance in tolerances], sizes)
    if sum(sizes) <= MOST_DIRECTIONS:
        return [row.astype(np.float32) for row in np.diag(scale)]
    signs = np.random.default_rng(7).choice([-1.0, 1.0], (MOST_DIRECTIONS, sum(sizes)))
    return [(row * scale).astype(np.float32) for row in signs]


def _with_weights(network: Network, weights: Any) -> Network:
    nodes = []
    for node, arrays in zip(network.nodes, weights, strict=True):
        named = dict(zip(weights_of(node.layer), arrays, strict=True))
        nodes.append(replace(node, layer=replace(node.layer, **named)))
    return Network(tuple(nodes), network.outputs)
