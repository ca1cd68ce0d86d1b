"""The tap of a stream: counts what passes and takes a few pulses aside, for a small and bounded share of the time.

Every message costs a look at its head. Whether its pulses are counted by channel, too, depends on how long that took so
far: at most :data:`MOST_SHARE` of the time is spent, and what is left out is told. Nothing here knows sockets; time
comes from a clock that is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from discrimen.online.message import CAN_SEND_AGAIN, Head, Message
from discrimen.online.monitor.bulletin import Bulletin, Examples, Told, no_examples
from discrimen.online.monitor.counts import NEUTRON, OTHER, UNSCORED, ChannelCounts

PERIOD_S = 0.5
"""Between two bulletins."""

MOST_SHARE = 0.005
"""Of the time, for looking at pulses."""

EXAMPLES_HZ = 4000.0
"""Pulses a second that are taken aside, at most."""

EXAMPLE_BYTES_HZ = 4e6
"""And bytes of their samples."""

_MOST_AT_ONCE, _FEWEST_AT_ONCE = 200, 20
_MOST_LATENCIES = 4096
_COUNTED_AT_ONCE = 1000
_LONGEST_LOOK_S, _LONGEST_LOOK_A_PULSE_S, _LONGEST_BULLETIN_S = 0.5e-3, 100e-9, 5e-3
_FIRST_S = 0.005
"""May be spent at once: the first look takes longer than any other."""

_SUMS = ("n_messages", "n_pulses", "n_repeated", "n_lost", "missing_ps", "overlap_ps")


@dataclass(slots=True)
class Covered:
    """How far a source has come.

    Attributes
    ----------
    next_sequence : int or None
        Number of the message that follows.
    end_ps : int
        End of the time that was covered.
    under_way : deque of (int, float)
        Number and arrival of the messages that are not kept yet.
    """

    next_sequence: int | None = None
    end_ps: int = 0
    under_way: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=_MOST_LATENCIES))


@dataclass(slots=True)
class Tap:
    """Looks at what passes through a stream.

    Parameters
    ----------
    instance : int
        A number that no other stream has, most likely.
    model : bytes
        JSON that describes the model.
    neutron_class, n_classes : int
        Of the model; no classes: 0.
    clock : callable
        Seconds from any start.
    """

    instance: int
    model: bytes
    neutron_class: int = 1
    n_classes: int = 2
    clock: Callable[[], float] = perf_counter
    refused: dict[str, int] = field(default_factory=dict)
    n_garbage: int = 0
    _counts: ChannelCounts = field(default_factory=ChannelCounts)
    _covered: dict[int, Covered] = field(default_factory=dict)
    _latencies: list[float] = field(default_factory=list)
    _taken: list[Examples] = field(default_factory=list)
    _taken_of: Head | None = None
    _sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SUMS, 0))
    _number: int = 0
    _begin_s: float = field(init=False)
    _last_s: float = field(init=False)
    _busy_s: float = 0.0
    _spent_s: float = 0.0
    _spent_before_s: float = 0.0
    _allowance: float = 0.0
    _allowed_at_s: float = field(init=False)
    _n_waiting: int = 0
    _kinds: Any = field(init=False)
    _uncounted: list[tuple[Any, Any]] = field(default_factory=list)
    _n_uncounted: int = 0

    def __post_init__(self) -> None:
        self._begin_s = self._last_s = self._allowed_at_s = self.clock()
        self._allowance = _MOST_AT_ONCE
        # The class -1, of pulses without one, is the last entry.
        self._kinds = np.full(self.n_classes + 1, OTHER)
        self._kinds[-1] = UNSCORED
        if self.n_classes:
            self._kinds[self.neutron_class] = NEUTRON

    def passed(self, message: Message, result: Message, *, begin_s: float, is_kept: bool = False) -> bool:
        """Look at a message of pulses and its results, and say whether it is time for a bulletin.

        Parameters
        ----------
        message, result : Message
            Of the same pulses.
        begin_s : float
            When the message was taken up, by the clock.
        is_kept : bool
            Whether the results are kept already.
        """
        now_s = self.clock()
        self._busy_s += now_s - begin_s
        head = message.head
        covered = self._covered.get(head.source)
        if covered is None:
            covered = self._covered[head.source] = Covered()
        self._sums["n_messages"] += 1
        # The usual case first: every message comes here, however fast they come.
        if (head.sequence != covered.next_sequence or head.begin_ps != covered.end_ps) and not self._is_new(
            head, covered
        ):
            return False
        covered.next_sequence, covered.end_ps = head.sequence + 1, head.end_ps
        self._sums["n_pulses"] += head.n_pulses
        if not is_kept:
            covered.under_way.append((head.sequence, begin_s))
        elif len(self._latencies) < _MOST_LATENCIES:
            self._latencies.append(now_s - begin_s)
        if self._spent_s <= _FIRST_S + MOST_SHARE * (now_s - self._begin_s):
            self._look(message, result, now_s)
            self._spend(now_s, _LONGEST_LOOK_S + _LONGEST_LOOK_A_PULSE_S * head.n_pulses)
        return now_s - self._last_s >= PERIOD_S

    def _spend(self, begin_s: float, longest_s: float) -> None:
        """Count the time since then; what is longer than it can take was another program's turn on this core."""
        self._spent_s += min(self.clock() - begin_s, longest_s)

    def _is_new(self, head: Head, covered: Covered) -> bool:
        """Count what is missing before a message, and say whether its pulses did not come before."""
        if covered.next_sequence is None:
            return True
        n_ahead, sums = head.sequence - covered.next_sequence, self._sums
        if n_ahead < 0 or (n_ahead > 0 and head.flags & CAN_SEND_AGAIN):
            sums["n_repeated"] += 1
            return False
        sums["n_lost"] += n_ahead
        sums["missing_ps"] += max(0, head.begin_ps - covered.end_ps)
        sums["overlap_ps"] += max(0, covered.end_ps - head.begin_ps)
        return True

    def _look(self, message: Message, result: Message, now_s: float) -> None:
        numbers = np.frombuffer(result.parts[3], np.int8)
        unclassed = np.where(np.isnan(result.values).any(axis=1), UNSCORED, OTHER) if not len(numbers) else None
        self._uncounted.append((message.parts[0], self._kinds[numbers] if unclassed is None else unclassed))
        self._n_uncounted += message.head.n_pulses
        if self._n_uncounted >= _COUNTED_AT_ONCE:
            self._count()
        self._take_some(message, result, now_s)

    def _count(self) -> None:
        """Count the pulses of several messages at once, which for small ones takes much less time."""
        if self._uncounted:
            columns = b"".join(memoryview(each).cast("B") for each, _ in self._uncounted)
            self._counts.add(columns, np.concatenate([kinds for _, kinds in self._uncounted]))
        self._uncounted, self._n_uncounted = [], 0

    def _take_some(self, message: Message, result: Message, now_s: float) -> None:
        head = message.head
        rate_hz = min(EXAMPLES_HZ, EXAMPLE_BYTES_HZ / max(1, head.n_samples * message.samples.itemsize))
        self._allowance = min(rate_hz * PERIOD_S, self._allowance + rate_hz * (now_s - self._allowed_at_s))
        self._allowed_at_s = now_s
        wanted = min(head.n_pulses, _MOST_AT_ONCE)
        n_taken = min(wanted, int(self._allowance))
        if n_taken < min(wanted, _FEWEST_AT_ONCE) or not self._alike(head):
            return
        self._allowance -= n_taken
        # Neighbours in time, so that what is interleaved by channel is taken of all channels.
        start = self._sums["n_messages"] * 7919 % (head.n_pulses - n_taken + 1)
        rows = slice(start, start + n_taken)
        outside, numbers = np.frombuffer(result.parts[2], np.uint16), np.frombuffer(result.parts[3], np.int8)
        scores = result.values if len(numbers) else np.empty((head.n_pulses, 0), np.float32)
        self._taken.append(
            Examples(
                columns=message.columns[rows].copy(),
                scores=scores[rows].copy(),
                numbers=numbers[rows].copy(),
                outside=outside[rows].copy(),
                samples=message.samples[rows, 0].copy(),
            )
        )

    def _alike(self, head: Head) -> bool:
        """Say whether a message can stand beside those that pulses were taken from."""
        first = self._taken_of if self._taken else None
        if first is None:
            self._taken_of = head
            return True
        return (first.n_samples, first.sample_type) == (head.n_samples, head.sample_type)

    def kept(self, source: int, n_kept: int) -> None:
        """Take note that the messages of a source below a number are kept."""
        covered = self._covered.get(source)
        if covered is None or not covered.under_way:
            return
        under_way, now_s = covered.under_way, self.clock()
        if len(under_way) > self._n_waiting:
            self._n_waiting = len(under_way)
        while under_way and under_way[0][0] < n_kept:
            _, begin_s = under_way.popleft()
            if len(self._latencies) < _MOST_LATENCIES:
                self._latencies.append(now_s - begin_s)

    @property
    def is_due(self) -> bool:
        """Whether it is time for a bulletin."""
        return self.clock() - self._last_s >= PERIOD_S

    def due(self, *, is_ended: bool = False) -> Bulletin | None:
        """Return a bulletin if it is time for one, or the stream has ended."""
        now_s = self.clock()
        if now_s - self._last_s < PERIOD_S and not is_ended:
            return None
        self._count()
        bulletin = Bulletin(self._told(now_s, is_ended=is_ended), self.model, _joined(self._taken))
        self._number += 1
        self._last_s, self._busy_s, self._spent_before_s, self._n_waiting = now_s, 0.0, self._spent_s, 0
        self._latencies.clear()
        self._taken = []
        self._spend(now_s, _LONGEST_BULLETIN_S)
        return bulletin

    def _told(self, now_s: float, *, is_ended: bool) -> Told:
        first = self._taken_of if self._taken else None
        seconds = max(now_s - self._last_s, 1e-9)
        waiting = max((len(each.under_way) for each in self._covered.values()), default=0)
        return Told(
            instance=self.instance,
            number=self._number,
            seconds=now_s - self._begin_s,
            n_counted=self._counts.n_pulses,
            channels=self._counts.rows(),
            n_garbage=self.n_garbage,
            refused=dict(self.refused),
            latency_ms=_quantiles_ms(self._latencies),
            n_waiting=max(self._n_waiting, waiting),
            busy=self._busy_s / seconds,
            watching=(self._spent_s - self._spent_before_s) / seconds,
            is_ended=is_ended,
            n_samples=0 if first is None else first.n_samples,
            sample_type=1 if first is None else first.sample_type,
            sample_period_ns=0.0 if first is None else first.sample_period_ns,
            **self._sums,
        )


def _quantiles_ms(latencies_s: list[float]) -> list[float]:
    if not latencies_s:
        return []
    return [1e3 * float(each) for each in np.quantile(latencies_s, [0.5, 0.9, 0.99, 1.0])]


def _joined(parts: list[Examples]) -> Examples:
    if not parts:
        return no_examples()
    return Examples(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in Examples.__dataclass_fields__}
    )
