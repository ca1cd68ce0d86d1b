"""A run file plays the part of an acquisition card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from discrimen.errors import DataError
from discrimen.online.delivery import Sender
from discrimen.online.message import Message, unpack
from discrimen.online.run_log import RunLog
from discrimen.online.sockets import Outlet, wait_for

_LONGEST_WAIT_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What was played.

    Parameters
    ----------
    n_messages : int
        That the receiver keeps, the stop among them.
    n_pulses : int
        Sent or kept from before.
    seconds : float
        Since the first receipt.
    """

    n_messages: int
    n_pulses: int
    seconds: float


def replay_run(
    log: RunLog,
    outlet: Outlet,
    *,
    attempt: int,
    rate_hz: float | None = None,
    by_own_time: bool = False,
    is_ended: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Send the pulses of a run until the receiver keeps all of them.

    Parameters
    ----------
    log : RunLog
        Of the file.
    outlet : Outlet
        To the receiver.
    attempt : int
        See :class:`~discrimen.online.delivery.Sender`.
    rate_hz : float, optional
        Pulses a second; by default as fast as the receiver takes them.
    by_own_time : bool
        Whether blocks are sent when their own time stamps say so.
    is_ended : callable
        Asked now and then whether to give up.
    on_progress : callable
        Called with the number of pulses of each block that is read.

    Raises
    ------
    DataError
        If the receiver has results of another run under the number of this one, or the file cannot be sent.
    """
    sender, clock = Sender(log, attempt=attempt), _Clock(rate_hz, by_own_time)
    while not sender.is_done and not is_ended():
        for content in outlet.come():
            sender.take(unpack([content]).head, monotonic())
        clock.start(monotonic(), heard=sender.is_heard)
        while not log.is_complete and log.n_messages < sender.n_wanted and clock.allows(monotonic()):
            read = log.read_on()
            if read is not None:
                clock.add(read)
                on_progress(read.head.n_pulses)
        has_room = all(map(outlet.try_to_send, sender.due(monotonic())))
        wait_for(outlet.receipts, timeout_s=_LONGEST_WAIT_S, room_at=None if has_room else outlet.messages)
    return Replayed(n_messages=sender.n_kept, n_pulses=clock.n_pulses, seconds=clock.seconds(monotonic()))


class _Clock:
    """Says when the next block may go."""

    def __init__(self, rate_hz: float | None, by_own_time: bool) -> None:
        if rate_hz is not None and by_own_time:
            raise DataError("a run is played at a rate or by its own time stamps, not both")
        self._rate_hz, self._by_own_time = rate_hz, by_own_time
        self._start_s: float | None = None
        self._first_ps: int | None = None
        self._last_ps = 0
        self.n_pulses = 0

    def start(self, now_s: float, *, heard: bool) -> None:
        if self._start_s is None and heard:
            self._start_s = now_s

    def add(self, message: Message) -> None:
        self.n_pulses += message.head.n_pulses
        if self._first_ps is None:
            self._first_ps = message.head.begin_ps
        self._last_ps = message.head.end_ps

    def allows(self, now_s: float) -> bool:
        if self._start_s is None:
            return False
        if self._rate_hz is not None:
            return self.n_pulses < (now_s - self._start_s) * self._rate_hz
        if self._by_own_time and self._first_ps is not None:
            return (self._last_ps - self._first_ps) * 1e-12 <= now_s - self._start_s
        return True

    def seconds(self, now_s: float) -> float:
        return 0.0 if self._start_s is None else now_s - self._start_s
