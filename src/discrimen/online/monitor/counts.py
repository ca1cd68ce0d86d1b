"""Counts of each channel since a stream began, cheap enough for every pulse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.online.message import PULSE_COLUMNS
from discrimen.online.monitor.bulletin import COUNTED
from discrimen.pulses import PulseFlag

SATURATED = np.uint32(PulseFlag.SATURATED_GATE | PulseFlag.SATURATED_INPUT)
PILE_UP = np.uint32(PulseFlag.PILE_UP)

UNSCORED, OTHER, NEUTRON = 0, 1, 2
"""What a pulse counts as."""

_WORDS = PULSE_COLUMNS.itemsize // 4
_FLAGS, _PLACE = PULSE_COLUMNS.fields["flags"][1] // 4, PULSE_COLUMNS.fields["board"][1] // 4  # type: ignore[index]


class ChannelCounts:
    """Counts pulses by channel and kind.

    Attributes
    ----------
    n_pulses : int
        That were counted.
    """

    def __init__(self) -> None:
        self._places = np.empty(0, np.uint32)
        self._counts = np.zeros((0, len(COUNTED)), np.int64)
        self.n_pulses = 0

    def add(self, columns: Any, kinds: NDArray[Any]) -> None:
        """Count pulses.

        Parameters
        ----------
        columns : buffer
            The columns of pulses as they travel.
        kinds : ndarray of int, shape (pulse,)
            What each counts as.
        """
        # Board and channel lie side by side, and are one number together.
        words = np.frombuffer(columns, np.uint32).reshape(-1, _WORDS)
        places, flags = words[:, _PLACE], words[:, _FLAGS]
        slots = self._slots(places)
        n_slots = len(self._places)
        by_kind = np.bincount(slots * 3 + kinds, minlength=3 * n_slots).reshape(n_slots, 3)
        self._counts[:, 0] += by_kind.sum(axis=1)
        self._counts[:, 1] += by_kind[:, NEUTRON]
        self._counts[:, 2] += by_kind[:, OTHER]
        self._counts[:, 3] += by_kind[:, UNSCORED]
        if flags.any():
            for column, bits in ((4, SATURATED), (5, PILE_UP)):
                self._counts[:, column] += np.bincount(slots[(flags & bits) != 0], minlength=n_slots)
        self.n_pulses += len(places)

    def _slots(self, places: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return where each channel is counted, new ones at the end."""
        known = self._places
        if len(known):
            slots = np.minimum(np.searchsorted(known, places), len(known) - 1)
            if (known[slots] == places).all():
                return slots
        merged = np.union1d(known, places)
        counts = np.zeros((len(merged), len(COUNTED)), np.int64)
        counts[np.searchsorted(merged, known)] = self._counts
        self._places, self._counts = merged, counts
        return np.searchsorted(merged, places)

    def rows(self) -> list[list[int]]:
        """Return board, channel and counts of each channel."""
        counts = self._counts.tolist()
        return [[place & 0xFFFF, place >> 16, *row] for place, row in zip(self._places.tolist(), counts, strict=True)]
