"""Which traces of a hit are of which kind: where charge is collected, around it, elsewhere, and the reference's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from discrimen.network.hits_domain import END_SAMPLES, NET_SHARE
from discrimen.network.layers import places_around
from discrimen.pulses.hits import SEGMENT_NAMES

HIT, NEIGHBOURS, OTHERS, REFERENCE = "hit segment", "neighbours", "other segments", "reference"
_SECTORS = _RINGS = 6


def kinds_of(
    above_adc: NDArray[np.float32], there: NDArray[np.bool_], names: Sequence[str], *, reference: int
) -> dict[str, NDArray[np.bool_]]:
    """Return which traces are of each kind, by its name, shape (hit, channel) each.

    Parameters
    ----------
    above_adc : ndarray of float32, shape (hit, channel, sample)
        Clean traces above their baseline, upwards.
    there : ndarray of bool, shape (hit, channel)
        Which channels are there.
    names : sequence of str
        Of the channels; neighbours are known of the 36 segments A1 to F6, otherwise all segments are `other` ones.
    reference : int
        The channel of all charge, for example the core.
    """
    ends = above_adc[:, :, -END_SAMPLES:].mean(axis=2)
    segments = np.arange(len(names)) != reference
    largest = np.where(segments & there, np.abs(ends), -1).argmax(axis=1)
    collected = (np.abs(ends) > NET_SHARE * np.abs(ends[:, [reference]])) & segments
    collected[np.arange(len(ends)), largest] = True
    near = (collected.astype(np.int64) @ _around(names)) > 0
    kinds = {HIT: collected, NEIGHBOURS: near & ~collected, OTHERS: ~near & ~collected & segments}
    return {kind: members & there for kind, members in kinds.items()} | {REFERENCE: ~segments & there}


def _around(names: Sequence[str]) -> NDArray[np.int64]:
    """Return which channels lie beside which, shape (channel, channel)."""
    beside = np.zeros((len(names), len(names)), np.int64)
    if not set(SEGMENT_NAMES) <= set(names):
        return beside
    at = np.array([list(names).index(name) for name in SEGMENT_NAMES])
    for segment, places in enumerate(places_around(_SECTORS, _RINGS)):
        beside[at[segment], at[places[places >= 0]]] = 1
    return beside
