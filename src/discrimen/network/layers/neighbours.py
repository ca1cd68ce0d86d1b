"""Neighbours: a segmented detector seen from the segment that was hit.

Segments of a crystal lie in rings of sectors, number = sector + sectors * ring. What is learned of one segment then
serves for all: the network sees the hit segment and what lies around it always in the same places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.layers.base import Arrays, Layer, Shape, Values, steps_of

__all__ = ["N_AROUND", "Neighbours", "places_around"]

N_AROUND = 9
"""The hit segment and the eight around it: three rings of three sectors."""


def places_around(sectors: int, rings: int) -> NDArray[np.int64]:
    """Return the segments around each segment, ring after ring, shape (segment, 9); -1 where there is no ring."""
    ring, sector = np.divmod(np.arange(sectors * rings), sectors)
    by_ring, by_sector = np.divmod(np.arange(N_AROUND), 3) - np.array([[1], [1]])
    rings_of = ring[:, np.newaxis] + by_ring
    segments = (sector[:, np.newaxis] + by_sector) % sectors + sectors * rings_of
    return np.where((rings_of >= 0) & (rings_of < rings), segments, -1)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Neighbours(Layer):
    """The traces around the hit segment, then all channels that are no segments, then which segment was hit.

    Inputs are steps, of which the first are the segments, and their samples. The hit segment is that with the largest
    sum of its `last` last samples, the first of equal ones. Traces beyond the rings are zeros; the hit segment is given
    as a 1 among zeros.
    """

    code: ClassVar[int] = 26
    sectors: int
    rings: int
    last: int

    def shape(self, *inputs: Shape) -> Shape:
        channels, samples = steps_of(inputs[0]), inputs[0][1]
        n_segments = self.sectors * self.rings
        if channels < n_segments:
            raise DataError(f"it wants {n_segments} segments or more channels, and gets {channels}")
        if samples < self.last:
            raise DataError(f"it looks at the last {self.last} samples, and gets {samples}")
        return ((N_AROUND + channels - n_segments) * samples + n_segments,)

    def compute(self, xp: Arrays, *inputs: Values) -> Values:
        values = inputs[0]
        n_pulses, channels, samples = values.shape
        n_segments = self.sectors * self.rings
        hit = values[:, :n_segments, samples - self.last :].sum(axis=2).argmax(axis=1)
        table = places_around(self.sectors, self.rings)
        places = xp.asarray(np.where(table < 0, channels, table))[hit]
        padded = xp.concatenate([values, xp.zeros_like(values[:, :1])], axis=1)
        around = xp.take_along_axis(padded, places[:, :, np.newaxis], axis=1)
        seen = xp.concatenate([around, values[:, n_segments:]], axis=1).reshape(n_pulses, -1)
        is_hit = (hit[:, np.newaxis] == xp.arange(n_segments)).astype(values.dtype)
        return xp.concatenate([seen, is_hit], axis=1)
