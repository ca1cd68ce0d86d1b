"""Single weights of a network, counted through all its layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.network.graph import Network
from discrimen.network.layers import weights_of


def arrays_of(network: Network) -> list[dict[str, NDArray[np.float32]]]:
    """Return the weights of each node by name."""
    return [weights_of(node.layer) for node in network.nodes]


def n_weights_of(network: Network) -> int:
    """Return how many weights a network has."""
    return sum(array.size for arrays in arrays_of(network) for array in arrays.values())


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WeightPlaces:
    """Some weights of one array.

    Parameters
    ----------
    node : int
        Whose layer has them.
    name : str
        Of the array.
    indices : tuple of ndarray of int, each of shape (place,)
        Where in the array they stand, one axis after the other.
    which : ndarray of int, shape (place,)
        Which of all places that were asked for they are.
    """

    node: int
    name: str
    indices: tuple[NDArray[np.intp], ...]
    which: NDArray[np.intp]

    @classmethod
    def of(cls, network: Network, places: NDArray[np.intp]) -> list[WeightPlaces]:
        """Sort places by the array that they stand in."""
        found, start = [], 0
        for node, arrays in enumerate(arrays_of(network)):
            for name, array in arrays.items():
                which = np.flatnonzero((places >= start) & (places < start + array.size))
                if len(which):
                    indices = np.unravel_index(places[which] - start, array.shape)
                    found.append(cls(node=node, name=name, indices=indices, which=which))
                start += array.size
        return found
