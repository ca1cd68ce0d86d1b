"""From bulletin to bulletin: what is new since the last one, and what is missing between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from discrimen.online.monitor.bulletin import COUNTED, Told

SILENCE_S = 2.5
"""Without a bulletin for so long, a stream that has not ended is missed."""

_TWO_STREAMS_S = 10.0
_MOST_GAPS = 200
_PS = 1e-12


@dataclass(frozen=True, slots=True)
class Gap:
    """Data that is missing.

    Parameters
    ----------
    begin_s, end_s : float
        When the monitor was not told, or was told of it.
    why : str
        In words.
    """

    begin_s: float
    end_s: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a bulletin adds.

    Parameters
    ----------
    seconds : float
        That it covers; 0 where nobody knows.
    n_pulses, n_counted : int
        That came, and that were counted by channel.
    channels : mapping of (board, channel) to ndarray of int64
        What was counted, as in :data:`~discrimen.online.monitor.bulletin.COUNTED`.
    """

    seconds: float
    n_pulses: int
    n_counted: int
    channels: Mapping[tuple[int, int], NDArray[np.int64]]

    @property
    def scale(self) -> float:
        """Pulses that each counted one stands for."""
        return self.n_pulses / self.n_counted if self.n_counted else 1.0


@dataclass(slots=True)
class Feed:
    """Follows the bulletins of one address.

    Attributes
    ----------
    last : Told or None
        The last bulletin.
    heard_s : float or None
        When it came.
    gaps : list of Gap
        The latest ones.
    n_bulletins_missed : int
        That never came, as their numbers say.
    n_restarts : int
        How often another stream took over.
    """

    last: Told | None = None
    heard_s: float | None = None
    gaps: list[Gap] = field(default_factory=list)
    n_bulletins_missed: int = 0
    n_restarts: int = 0
    _retired: set[int] = field(default_factory=set)
    _two_at_s: float | None = None

    def take(self, told: Told, now_s: float) -> News | None:
        """Take a bulletin; None if it is of a stream that another one has replaced."""
        if told.instance in self._retired:
            self._two_at_s = now_s
            return None
        before = self.last
        if before is not None and before.instance != told.instance:
            self._retired.add(before.instance)
            self.n_restarts += 1
            self._mark(now_s, "the stream was started again")
            before = None
        elif before is not None and told.number <= before.number:
            return None
        elif before is not None:
            self._mark_missing(before, told, now_s)
        news = _difference(before, told)
        self.last, self.heard_s = told, now_s
        return news

    def _mark_missing(self, before: Told, told: Told, now_s: float) -> None:
        n_missed = told.number - before.number - 1
        if n_missed:
            self.n_bulletins_missed += n_missed
        if self.heard_s is not None and now_s - self.heard_s > SILENCE_S:
            self._mark(now_s, f"nothing was heard of the stream for {now_s - self.heard_s:.0f} s")
        if told.n_lost > before.n_lost:
            self._mark(now_s, f"{told.n_lost - before.n_lost} messages of pulses were lost")
        if told.missing_ps > before.missing_ps:
            seconds = (told.missing_ps - before.missing_ps) * _PS
            self._mark(now_s, f"{seconds:.3g} s of the run were never sent")
        if told.n_garbage > before.n_garbage:
            self._mark(now_s, f"{told.n_garbage - before.n_garbage} messages could not be read")

    def _mark(self, now_s: float, why: str) -> None:
        begin_s = now_s if self.heard_s is None else self.heard_s
        self.gaps = [*self.gaps[1 - _MOST_GAPS :], Gap(begin_s, now_s, why)]

    def is_silent(self, now_s: float) -> bool:
        """Whether a stream that was there is missed."""
        waits = self.last is not None and not self.last.is_ended and self.heard_s is not None
        return waits and now_s - (self.heard_s or 0.0) > SILENCE_S

    def are_two(self, now_s: float) -> bool:
        """Whether two streams spoke at once a moment ago."""
        return self._two_at_s is not None and now_s - self._two_at_s < _TWO_STREAMS_S


def _difference(before: Told | None, told: Told) -> News:
    """Return what came between two bulletins; before the first one nobody knows, unless it is the first of all."""
    now = {(row[0], row[1]): np.array(row[2:], np.int64) for row in told.channels}
    if before is None and told.number > 0:
        return News(seconds=0.0, n_pulses=0, n_counted=0, channels={})
    then = {} if before is None else {(row[0], row[1]): np.array(row[2:], np.int64) for row in before.channels}
    nothing = np.zeros(len(COUNTED), np.int64)
    return News(
        seconds=max(0.0, told.seconds - (0.0 if before is None else before.seconds)),
        n_pulses=max(0, told.n_pulses - (0 if before is None else before.n_pulses)),
        n_counted=max(0, told.n_counted - (0 if before is None else before.n_counted)),
        channels={place: np.maximum(counts - then.get(place, nothing), 0) for place, counts in now.items()},
    )
