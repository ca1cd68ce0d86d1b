"""Where the results of ABCD's pulses go: to ABCD again, into a log, or to the next program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, Protocol

import numpy as np

from discrimen.formats.abcd.events import EVENT
from discrimen.formats.abcd.messages import EVENTS, packed
from discrimen.online.abcd.events import EventMaker
from discrimen.online.abcd.intake import Batch
from discrimen.online.abcd.sockets import Publisher
from discrimen.online.delivery import Store
from discrimen.online.message import Head, Kind, Message
from discrimen.online.run_log import message_of
from discrimen.online.sockets import Outlet, wait_for

PATIENCE_S = 0.5
"""So long a listener may hold up the events of all others."""

FAREWELL_S = 3.0
"""And so long, when the stream ends, the next program is waited for."""

_PAUSE_S = 0.001
Score = Callable[[Message], Message]


class Sink(Protocol):
    """Takes the pulses of one message after the other."""

    def take(self, batches: Sequence[Batch], score: Score) -> None:
        """Score pulses, and see to it that the results are kept or sent."""

    def end(self) -> None:
        """Tell that no more will come."""

    def as_dict(self) -> dict[str, Any]:
        """Return what was counted as plain data, ready for JSON."""


@dataclass(slots=True)
class ToAbcd:
    """Events with scores for ABCD's programs; each message of pulses gives one of events.

    Parameters
    ----------
    publisher : Publisher
        Where they listen.
    events : EventMaker
        Makes them.
    neutron_class : int
        Which of the scores is drawn.

    Attributes
    ----------
    n_messages : int
        That were sent.
    n_held_up : int
        Of these, how many did not go to all listeners: one did not follow.
    """

    publisher: Publisher
    events: EventMaker
    neutron_class: int
    n_messages: int = 0
    n_held_up: int = 0
    _is_held_up: bool = False

    def take(self, batches: Sequence[Batch], score: Score) -> None:
        """Publish events in the order of the pulses; see :class:`Sink`."""
        made, places = [], []
        for batch in batches:
            results = score(message_of(batch.pulses, source=0, sequence=0, begin_ps=None))
            pulses = batch.pulses
            scores = results.values[:, self.neutron_class]
            events, drawn = self.events(batch.ticks, pulses.column("channel"), pulses.samples, scores)
            made.append(events)
            places.append(pulses.column("entry")[drawn])
        events = made[0] if len(made) == 1 else np.concatenate(made)[np.argsort(np.concatenate(places), kind="stable")]
        if len(events):
            self._send(packed(EVENTS, events.astype(EVENT, copy=False).tobytes(), version=0, number=self.n_messages))
            self.n_messages += 1

    def _send(self, message: bytes) -> None:
        # A listener that was too slow is waited for again only when it follows.
        until_s = monotonic() + (0 if self._is_held_up else PATIENCE_S)
        while not self.publisher.try_to_send(message):
            if monotonic() >= until_s:
                self._is_held_up, self.n_held_up = True, self.n_held_up + 1
                self.publisher.send_to_some(message)
                return
            sleep(_PAUSE_S)
        self._is_held_up = False

    def end(self) -> None:
        """See :class:`Sink`; ABCD has no word for it."""

    def as_dict(self) -> dict[str, Any]:
        """Return what was counted; see :class:`Sink`."""
        return {
            "n_event_messages": self.n_messages,
            "n_events": self.events.n_events,
            "n_not_drawn": self.events.n_not_drawn,
            "n_charge_overflow": self.events.n_overflow,
            "n_messages_not_to_all": self.n_held_up,
        }


@dataclass(slots=True)
class ToLog:
    """Results are kept here.

    Parameters
    ----------
    store : Store
        The log.
    source : int
        Number of the source in it.
    """

    store: Store
    source: int

    def take(self, batches: Sequence[Batch], score: Score) -> None:
        """Keep results; see :class:`Sink`."""
        for batch in batches:
            sequence = self.store.n_kept(self.source)
            self.store.append(score(message_of(batch.pulses, source=self.source, sequence=sequence, begin_ps=None)))

    def end(self) -> None:
        """See :class:`Sink`; a log may go on."""

    def as_dict(self) -> dict[str, Any]:
        """Return what was counted; see :class:`Sink`."""
        return {}


@dataclass(slots=True)
class ToProgram:
    """Results go to a program that keeps them; while it does not take them, nothing is taken from ABCD either.

    Parameters
    ----------
    outlet : Outlet
        To that program.
    source : int
        A number that no sender before it had.
    is_ended : callable
        Whether to give up.
    """

    outlet: Outlet
    source: int
    is_ended: Callable[[], bool]
    n_messages: int = 0
    _end_ps: int = 0

    def take(self, batches: Sequence[Batch], score: Score) -> None:
        """Send results; see :class:`Sink`."""
        for batch in batches:
            # Time before a message is missing only where another one was lost.
            begin_ps = self._end_ps if batch.follows and self.n_messages else None
            pulses = message_of(batch.pulses, source=self.source, sequence=self.n_messages, begin_ps=begin_ps)
            self._end_ps = pulses.head.end_ps
            self._send(score(pulses))

    def end(self) -> None:
        """Send a stop; see :class:`Sink`."""
        head = Head(
            kind=Kind.STOP, source=self.source, sequence=self.n_messages, begin_ps=self._end_ps, end_ps=self._end_ps
        )
        self._send(Message(head))

    def _send(self, message: Message) -> None:
        until_s: float | None = None
        while not self.outlet.try_to_send(message):
            for _ in self.outlet.come():
                pass
            if self.is_ended():
                until_s = monotonic() + FAREWELL_S if until_s is None else until_s
                if message.head.kind != Kind.STOP or monotonic() > until_s:
                    return
            wait_for(self.outlet.receipts, room_at=self.outlet.messages, timeout_s=0.05)
        self.n_messages += 1

    def as_dict(self) -> dict[str, Any]:
        """Return what was counted; see :class:`Sink`."""
        return {"n_messages_sent": self.n_messages}
