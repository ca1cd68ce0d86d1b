"""What single changed weights do to a network's values, where a derivative of 0 does not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.freezing.cost import Cost, cost_of, layer_costs
from discrimen.freezing.places import WeightPlaces
from discrimen.network.graph import Network, run, shapes_of
from discrimen.network.layers import Conv1D, Dense, Layer, weights_of

CHANGE = np.float32(1.5)
"""A changed weight is so many times the weight."""

_MOST_AT_ONCE = 2**22
"""Values of all layers and of all pulses that are computed together."""

_Values = NDArray[np.float32]


def effects(
    network: Network,
    waveforms: _Values,
    tolerances: tuple[float, ...],
    places: NDArray[np.intp],
    *,
    most_multiplications: int,
) -> NDArray[np.float32]:
    """Change single weights by half and compute again: what a derivative of 0 does not tell.

    A unit that no pulse excites has no derivative, but a larger weight may wake it. Only what a change reaches is
    computed again: of the layer the channel that has the weight, and what follows for the pulses that feel it there.

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
    most_multiplications : int
        When so many are made, the places left, the last ones, are not looked at any more.

    Returns
    -------
    ndarray of float32, shape (pulse, place)
        The largest change of any value of any output, each divided by its output's tolerance; 0 where it was not
        looked at.
    """
    found = np.zeros((len(waveforms), len(places)), dtype=np.float32)
    if not len(places):
        return found
    changes = _changes(network, places)
    shape = waveforms.shape[1:]
    n_at_once = max(1, _MOST_AT_ONCE // cost_of(network, shape).values)
    costs = list(layer_costs(network, shape))
    for start in range(0, len(waveforms), n_at_once):
        pulses = slice(start, start + n_at_once)
        block = _Block.of(network, waveforms[pulses], tolerances)
        left = most_multiplications * block.n_pulses / len(waveforms)
        for column, change in enumerate(changes):
            if left < 0:
                break
            found[pulses, column], spent = block.effect(change, costs)
            left -= spent
    return found


def _changes(network: Network, places: NDArray[np.intp]) -> list[_Change]:
    """Return the changes of weights in the order of their places."""
    found = {
        int(which): _Change(part.node, part.name, tuple(int(axis[number]) for axis in part.indices))
        for part in WeightPlaces.of(network, places)
        for number, which in enumerate(part.which)
    }
    return [found[number] for number in range(len(places))]


@dataclass(frozen=True, slots=True)
class _Change:
    """One weight: of which node, in which array, where. Layers are changed when they are asked for: they are large."""

    node: int
    name: str
    index: tuple[int, ...]

    def whole(self, layer: Layer) -> tuple[Layer, Layer]:
        """Return the layer before and after the change."""
        return layer, _changed(layer, self.name, self.index)

    def alone(self, layer: Layer) -> tuple[Layer, Layer, float]:
        """Return the same for the only output channel that the weight reaches, and its share of multiplications."""
        one = _one_channel(layer, self.index[-1])
        if one is layer:
            return layer, _changed(layer, self.name, self.index), 1.0
        n_channels = weights_of(layer)[self.name].shape[-1]
        return one, _changed(one, self.name, (*self.index[:-1], 0)), 1 / n_channels


def _changed(layer: Layer, name: str, index: tuple[int, ...]) -> Layer:
    array = weights_of(layer)[name].copy()
    array[index] *= CHANGE
    options: dict[str, Any] = {name: array}
    return replace(layer, **options)


def _one_channel(layer: Layer, channel: int) -> Layer:
    """Return a layer that gives only one of its output channels, where that is possible; else the layer."""
    if not isinstance(layer, Dense | Conv1D) or layer.activation == "softmax":
        return layer
    if isinstance(layer, Conv1D) and layer.groups > 1:
        return layer
    only = slice(channel, channel + 1)
    return replace(layer, kernel=layer.kernel[..., only], bias=layer.bias[only])


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Some pulses with all values that the unchanged network makes of them."""

    network: Network
    tolerances: tuple[float, ...]
    values: Sequence[_Values]

    @classmethod
    def of(cls, network: Network, waveforms: _Values, tolerances: tuple[float, ...]) -> _Block:
        shapes = shapes_of(network, waveforms.shape[1:])
        rows = run(replace(network, outputs=tuple(range(len(shapes)))), waveforms)
        shaped = (row.reshape(len(waveforms), *shape) for row, shape in zip(rows, shapes, strict=True))
        return cls(network, tolerances, tuple(shaped))

    @property
    def n_pulses(self) -> int:
        return len(self.values[0])

    def effect(self, change: _Change, costs: Sequence[Cost]) -> tuple[_Values, float]:
        """Return the effect of a change on each pulse, and how many multiplications that took."""
        effect = np.zeros(self.n_pulses, dtype=np.float32)
        read = [self.values[value] for value in self.network.nodes[change.node].inputs]
        layer = self.network.nodes[change.node].layer
        one, changed_one, share = change.alone(layer)
        before, after = (each.compute(np, *read) for each in (one, changed_one))
        felt = np.flatnonzero((before != after).reshape(self.n_pulses, -1).any(axis=1))
        spent = 2 * self.n_pulses * share * costs[change.node].multiplications
        if len(felt):
            # Both are computed from the same pulses: a matrix product rounds by how many there are.
            old, new = (self._outputs(change.node, each, felt) for each in change.whole(layer))
            for before_it, after_it, tolerance in zip(old, new, self.tolerances, strict=True):
                moved = np.abs(after_it - before_it).reshape(len(felt), -1).max(axis=1) / tolerance
                effect[felt] = np.maximum(effect[felt], moved)
            spent += 2 * len(felt) * sum(cost.multiplications for cost in costs[change.node :])
        return effect, spent

    def _outputs(self, first: int, layer: Layer, felt: NDArray[np.intp]) -> list[_Values]:
        """Compute some pulses again from one node on, with a layer in its place."""
        again: dict[int, _Values] = {}

        def value(number: int) -> _Values:
            return again[number] if number in again else self.values[number][felt]

        for number, node in enumerate(self.network.nodes[first:], start=first):
            if number == first or any(read in again for read in node.inputs):
                read = [value(each) for each in node.inputs]
                again[number + 1] = (layer if number == first else node.layer).compute(np, *read)
        return [value(number) for number in self.network.outputs]
