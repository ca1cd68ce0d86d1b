"""Every message of a source once and in order, whatever is lost, doubled, delayed or killed on the way.

Two ends keep what matters: the sender has a log (a run file, or what it has not yet a receipt for), the keeper writes
what it takes and knows from that, also after it was killed, how many messages of a source it has. Whoever stands
between them passes messages down and receipts up, and keeps nothing.

- A sender begins with a *hello*. The keeper answers it with a *receipt*: how many messages of this source it has kept,
  and that the sender is to go on (or begin again) behind them.
- The sender may be ahead of the last receipt by a window of messages: so memory is bounded, and a slow keeper slows
  the sender.
- The keeper takes the next message of a source and no other. One that it has is a repetition; one too far ahead means
  that something is lost, and asks for it again. Of a sender that cannot send again, it goes on and counts the loss.
- A sender that hears nothing for a while says hello again.
- Each time that a sender begins again is another *attempt*, whose number its messages carry. It begins again only on a
  receipt of its present attempt, so that late and doubled ones do no harm.

Nothing here knows sockets, files or clocks: time comes as a number, and messages go out as return values, so that
everything that can go wrong can be played in a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from discrimen.errors import DataError
from discrimen.online.message import CAN_SEND_AGAIN, SEND_AGAIN, Head, Kind, Message

WINDOW = 32
"""Messages that a sender may be ahead of the last receipt."""

PATIENCE_S = 1.0
"""Without a receipt for so long, a sender says hello again."""

FIRST_PATIENCE_S = 0.05
"""And so long before the first one: the receiver may only just be listening."""


class Log(Protocol):
    """The messages of one source, as far as there are any; the last one is a stop."""

    @property
    def source(self) -> int:
        """Number of the source."""

    @property
    def n_messages(self) -> int:
        """How many there are up to now."""

    @property
    def n_forgotten(self) -> int:
        """How many, from the start, are not there any more."""

    @property
    def is_complete(self) -> bool:
        """Whether no more will come."""

    def message(self, sequence: int) -> Message:
        """Return one of them.

        Raises
        ------
        DataError
            If it is not there, or not any more.
        """

    def forget(self, n_kept: int) -> None:
        """Take note that this many from the start will never be asked for again."""


class Sender:
    """Sends what is in a log, and sends again what was lost.

    Parameters
    ----------
    log : Log
        Of the source.
    attempt : int
        Number of the first attempt: another one than of any sender before it, most likely.
    patience_s : float
        See :data:`PATIENCE_S`.
    """

    def __init__(self, log: Log, *, attempt: int, patience_s: float = PATIENCE_S) -> None:
        self._log, self._attempt, self._patience_s = log, attempt, patience_s
        self._n_kept: int | None = None
        self._next = 0
        self._window = 0
        self._heard_s: float | None = None

    @property
    def n_kept(self) -> int:
        """Messages that the keeper has, as far as is known."""
        return self._n_kept or 0

    @property
    def is_heard(self) -> bool:
        """Whether a receiver has answered."""
        return self._n_kept is not None

    @property
    def n_wanted(self) -> int:
        """How many messages the log should have, for the window to be full."""
        return self.n_kept + self._window

    @property
    def is_done(self) -> bool:
        """Whether all messages of a complete log are kept."""
        return self._log.is_complete and self._n_kept == self._log.n_messages

    def due(self, now_s: float) -> Iterator[Message]:
        """Yield what is to be sent now; each message counts as sent when the next one is asked for."""
        waits = self._n_kept is None or self._next > self._n_kept
        patience_s = min(self._patience_s, FIRST_PATIENCE_S) if self._n_kept is None else self._patience_s
        if self._heard_s is None or (waits and now_s - self._heard_s > patience_s):
            yield self._stamped(Message(Head(kind=Kind.HELLO, source=self._log.source, sequence=self._next)))
            self._heard_s = now_s
        while self._n_kept is not None and self._next < min(self._n_kept + self._window, self._log.n_messages):
            yield self._stamped(self._log.message(self._next))
            self._next += 1

    def _stamped(self, message: Message) -> Message:
        return Message(replace(message.head, flags=CAN_SEND_AGAIN, attempt=self._attempt), message.parts)

    def take(self, receipt: Head, now_s: float) -> None:
        """Hear what is kept.

        Raises
        ------
        DataError
            If the keeper has more than was ever sent: another log had the number of this source.
        """
        if receipt.kind != Kind.RECEIPT or receipt.source != self._log.source:
            return
        if receipt.sequence > self._log.n_messages and self._log.is_complete:
            raise DataError(
                f"the receiver keeps {receipt.sequence} messages of source {self._log.source}, which has "
                f"{self._log.n_messages}: its output is of another run; give it a new one"
            )
        again = receipt.sample_type == SEND_AGAIN and receipt.attempt == self._attempt
        if receipt.sequence < max(self.n_kept, self._log.n_forgotten):
            return  # overtaken by a later one
        self._heard_s, self._window = now_s, receipt.window
        self._n_kept = receipt.sequence
        self._next = self._n_kept if again else max(self._next, self._n_kept)
        self._attempt = (self._attempt + again) % 2**32
        self._log.forget(self._n_kept)


@dataclass(slots=True)
class Ledger:
    """What came from one source.

    Attributes
    ----------
    n_messages, n_pulses : int
        Taken, each once.
    n_repeated : int
        Messages that were there already.
    n_lost : int
        Messages that never came, of a sender that cannot send them again.
    n_asked_again : int
        How often something was asked for again.
    missing_ps : int
        Time that no message covers, between two that follow each other.
    overlap_ps : int
        Time that two messages cover that follow each other.
    end_ps : int or None
        End of the time that was covered.
    is_stopped : bool
        Whether the last message said so.
    """

    n_messages: int = 0
    n_pulses: int = 0
    n_repeated: int = 0
    n_lost: int = 0
    n_asked_again: int = 0
    missing_ps: int = 0
    overlap_ps: int = 0
    end_ps: int | None = None
    is_stopped: bool = False

    def add(self, head: Head) -> None:
        """Count a message that follows the last one."""
        self.n_messages += 1
        if head.kind == Kind.STOP:
            self.is_stopped = True
            return
        self.n_pulses += head.n_pulses
        if self.end_ps is not None and self.n_lost == 0:
            self.missing_ps += max(0, head.begin_ps - self.end_ps)
            self.overlap_ps += max(0, self.end_ps - head.begin_ps)
        self.end_ps = head.end_ps

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self)


class Store(Protocol):
    """What a keeper writes to; what it returned from is there after a kill."""

    def n_kept(self, source: int) -> int:
        """How many messages of a source it has: one more than the sequence number of the last one."""

    def append(self, message: Message) -> None:
        """Keep the next one of its source.

        Raises
        ------
        OSError
            If there is no place for it; nothing is kept of it then.
        """


class Keeper:
    """Takes every message once and in order into a store.

    Parameters
    ----------
    store : Store
        Knows what is kept, also from before.
    window : int
        See :data:`WINDOW`.
    """

    def __init__(self, store: Store, *, window: int = WINDOW) -> None:
        self._store, self._window = store, window
        self.ledgers: dict[int, Ledger] = {}
        self._asked: dict[int, int] = {}

    def take(self, message: Message) -> Head | None:
        """Take a message, and return the receipt to send, if one is due.

        Raises
        ------
        OSError
            If the store refuses it; nothing is kept or counted then, and it may be given again.
        """
        head = message.head
        if head.kind == Kind.RECEIPT:
            return None
        ledger = self.ledgers.setdefault(head.source, Ledger())
        n_kept = self._store.n_kept(head.source)
        if head.kind == Kind.HELLO:
            return self._receipt(head, n_kept, again=True)
        if head.sequence < n_kept:
            ledger.n_repeated += 1
            return self._receipt(head, n_kept)
        if head.sequence > n_kept and head.flags & CAN_SEND_AGAIN:
            return self._asks_again(head, n_kept, ledger)
        self._store.append(message)  # first, for it may refuse
        ledger.n_lost += head.sequence - n_kept
        ledger.add(head)
        return self._receipt(head, head.sequence + 1)

    def _asks_again(self, head: Head, n_kept: int, ledger: Ledger) -> Head | None:
        # The rest of the attempt is on its way already: to ask once is enough.
        if self._asked.get(head.source) == head.attempt:
            return None
        self._asked[head.source] = head.attempt
        ledger.n_asked_again += 1
        return self._receipt(head, n_kept, again=True)

    def _receipt(self, answered: Head, n_kept: int, *, again: bool = False) -> Head:
        return Head(
            kind=Kind.RECEIPT,
            source=answered.source,
            sequence=n_kept,
            sample_type=SEND_AGAIN if again else 0,
            window=self._window,
            attempt=answered.attempt,
        )


def as_result(head: Head, *, n_values: int) -> Head:
    """Return the head of the results of some pulses."""
    return replace(head, kind=Kind.RESULTS, n_samples=n_values, sample_type=0)
