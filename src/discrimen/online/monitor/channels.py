"""What is held of each channel beside its heat maps: shares of odd pulses, the last waveforms, and its drift."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.drift import DriftReference
from discrimen.online.monitor.bulletin import COUNTED
from discrimen.online.monitor.counts import NEUTRON, OTHER
from discrimen.online.monitor.drift_watch import WATCHED, DriftWatch
from discrimen.online.monitor.figures import Figures

N_SHOWN = 3
"""Waveforms of each class."""

_MOST_POINTS = 400
_PACE_S = 10.0
"""Over which the rate of a channel is taken."""

SHARES = ("saturated", "piled_up", "outside")


@dataclass(slots=True)
class Channel:
    """One channel of a digitizer.

    Parameters
    ----------
    place : tuple of int
        Board and channel.
    drift : DriftWatch
        Its drift.

    Attributes
    ----------
    counts : ndarray of int64
        Of :data:`~discrimen.online.monitor.bulletin.COUNTED`, since the last reset.
    n_examples : int
        Pulses that were looked at one by one.
    n_odd : dict of str to int
        How many of them are saturated, piled up, unlike the training.
    shown : dict of int to deque
        The last waveforms, by what they count as.
    shown_step : int
        Every how many samples of them are held.
    """

    place: tuple[int, int]
    drift: DriftWatch = field(default_factory=DriftWatch)
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(COUNTED), np.int64))
    n_examples: int = 0
    n_odd: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SHARES, 0))
    shown: dict[int, deque[NDArray[np.float32]]] = field(
        default_factory=lambda: {kind: deque(maxlen=N_SHOWN) for kind in (OTHER, NEUTRON)}
    )
    shown_step: int = 1
    _recent: deque[tuple[float, float, float, float]] = field(default_factory=deque)

    def count(self, counts: NDArray[np.int64], *, scale: float, seconds: float, now_s: float) -> None:
        """Add what was counted in some seconds; each pulse stands for `scale` ones."""
        self.counts += counts
        self._recent.append((now_s, seconds, counts[1] * scale, counts[2] * scale))
        while self._recent and self._recent[0][0] < now_s - _PACE_S:
            self._recent.popleft()

    def rates_hz(self, now_s: float) -> tuple[float, float]:
        """Return neutrons and others a second over the last ten seconds."""
        recent = [each for each in self._recent if each[0] >= now_s - _PACE_S]
        seconds = sum(each[1] for each in recent)
        if not seconds:
            return 0.0, 0.0
        return sum(each[2] for each in recent) / seconds, sum(each[3] for each in recent) / seconds

    def look(self, figures: Figures, here: NDArray[Any]) -> None:
        """Take the pulses of this channel from those of a bulletin."""
        self.n_examples += len(here)
        for name in SHARES:
            self.n_odd[name] += int(np.count_nonzero(getattr(figures, name)[here]))
        self.shown_step = step = -(-figures.upright.shape[1] // _MOST_POINTS) or 1
        for kind, held in self.shown.items():
            for at in here[figures.kinds[here] == kind][-N_SHOWN:]:
                held.append(figures.upright[at, ::step])
        self.drift.add({name: getattr(figures, name)[here] for name in WATCHED})

    def reset(self, reference: DriftReference | None = None) -> None:
        """Forget everything but the place."""
        fresh = Channel(self.place, DriftWatch(reference))
        for name in ("drift", "counts", "n_examples", "n_odd", "shown"):
            setattr(self, name, getattr(fresh, name))
