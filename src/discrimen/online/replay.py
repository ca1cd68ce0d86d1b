"""A run file plays the part of an acquisition card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from discrimen.online.delivery import Sender
from discrimen.online.message import unpack
from discrimen.online.pace import Pace
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
    sender, pace = Sender(log, attempt=attempt), Pace(rate_hz, by_own_time=by_own_time)
    while not sender.is_done and not is_ended():
        for content in outlet.come():
            sender.take(unpack([content]).head, monotonic())
        if sender.is_heard:
            pace.start(monotonic())
        while not log.is_complete and log.n_messages < sender.n_wanted and pace.allows(monotonic()):
            read = log.read_on()
            if read is not None:
                pace.add(read.head.n_pulses, begin_ps=read.head.begin_ps, end_ps=read.head.end_ps)
                on_progress(read.head.n_pulses)
        has_room = all(map(outlet.try_to_send, sender.due(monotonic())))
        is_paced = not log.is_complete and log.n_messages < sender.n_wanted
        timeout_s = min(_LONGEST_WAIT_S, max(0.0, pace.wait_s(monotonic()))) if is_paced else _LONGEST_WAIT_S
        wait_for(outlet.receipts, timeout_s=timeout_s, room_at=None if has_room else outlet.messages)
    return Replayed(n_messages=sender.n_kept, n_pulses=pace.n_pulses, seconds=pace.seconds(monotonic()))
