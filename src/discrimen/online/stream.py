"""Pulses come in as messages, go through a model, and go out as results: to a file, or to the next program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from discrimen.errors import DataError
from discrimen.online.delivery import Keeper, Ledger
from discrimen.online.message import Head, Kind, Message, unpack
from discrimen.online.result_log import is_full
from discrimen.online.sockets import Inlet, Outlet, wait_for

WAIT_S = 0.05
"""Longest time that nothing is looked at."""

FAREWELLS = 5
"""How often the last receipts are sent: a sender that hears none of them waits for ever."""


class Downstream(Protocol):
    """Where results go."""

    def take(self, message: Message) -> bool:
        """Take a message, and say whether it could be taken now."""

    def receipts(self) -> Iterator[Head]:
        """Yield the receipts that are due to the sender."""

    def wait(self, inlet: Inlet, *, for_room: bool) -> None:
        """Wait a little for pulses or receipts; where a message could not be taken, for room and receipts."""


@dataclass(slots=True)
class ToStore:
    """Results are kept here.

    Parameters
    ----------
    keeper : Keeper
        With the store.
    on_full : callable
        Called when the disk becomes full. The stream waits then, and so does the sender, until there is room again.

    Attributes
    ----------
    n_full : int
        How often it became full.
    """

    keeper: Keeper
    on_full: Callable[[], None] = lambda: None
    n_full: int = 0
    _is_full: bool = False
    _due: list[Head] = field(default_factory=list)

    def take(self, message: Message) -> bool:
        """Keep it; see :class:`Downstream`."""
        try:
            receipt = self.keeper.take(message)
        except OSError as error:
            if not is_full(error):
                raise
            self._note_full()
            return False
        self._is_full = False
        if receipt is not None:
            self._due.append(receipt)
        return True

    def _note_full(self) -> None:
        if not self._is_full:
            self._is_full = True
            self.n_full += 1
            self.on_full()

    def receipts(self) -> Iterator[Head]:
        """Yield what the keeper says; see :class:`Downstream`."""
        due, self._due = self._due, []
        return iter(due)

    def wait(self, inlet: Inlet, *, for_room: bool) -> None:
        """Wait for pulses; see :class:`Downstream`."""
        wait_for(*() if for_room else (inlet.messages,), timeout_s=WAIT_S)


@dataclass(slots=True)
class ToNext:
    """Results are kept by another program.

    Parameters
    ----------
    outlet : Outlet
        To that program.
    """

    outlet: Outlet

    def take(self, message: Message) -> bool:
        """Send it on; see :class:`Downstream`."""
        return self.outlet.try_to_send(message)

    def receipts(self) -> Iterator[Head]:
        """Yield what the other program says; see :class:`Downstream`."""
        for content in self.outlet.come():
            head = unpack([content]).head
            if head.kind == Kind.RECEIPT:
                yield head

    def wait(self, inlet: Inlet, *, for_room: bool) -> None:
        """Wait for pulses or receipts; see :class:`Downstream`."""
        if for_room:
            wait_for(self.outlet.receipts, room_at=self.outlet.messages, timeout_s=WAIT_S)
        else:
            wait_for(inlet.messages, self.outlet.receipts, timeout_s=WAIT_S)


@dataclass(slots=True)
class Stream:
    """The program between a sender of pulses and whoever keeps the results.

    Parameters
    ----------
    inlet : Inlet
        Where pulses come in.
    score : callable
        From a message of pulses to one of results.
    downstream : Downstream
        Where these go.

    Attributes
    ----------
    passed : dict of int to Ledger
        What came from each source; messages that were sent again count each time.
    n_garbage : int
        Messages that could not be read.
    garbage : str
        Why the last of these could not.
    """

    inlet: Inlet
    score: Callable[[Message], Message]
    downstream: Downstream
    passed: dict[int, Ledger] = field(default_factory=dict)
    n_garbage: int = 0
    garbage: str = ""
    _pending: Message | None = None
    _last: dict[int, Head] = field(default_factory=dict)
    _stop: dict[int, int] = field(default_factory=dict)

    def run(self, is_ended: Callable[[], bool]) -> None:
        """Go on until that says so, or every source that came has stopped and all its results are kept."""
        while not is_ended() and not self.is_done:
            self.step()
        for _ in range(FAREWELLS):
            for receipt in self._last.values():
                self.inlet.send_receipt(receipt)
            wait_for(timeout_s=WAIT_S)

    @property
    def is_done(self) -> bool:
        """Whether every source that came has stopped, and all its results are kept."""
        return bool(self._stop) and all(
            source in self._stop and source in self._last and self._last[source].sequence > self._stop[source]
            for source in self.passed
        )

    def step(self) -> None:
        """Wait a little for what comes, and do what is due."""
        self.downstream.wait(self.inlet, for_room=self._pending is not None)
        if self._pending is not None and self.downstream.take(self._pending):
            self._pending = None
        if self._pending is None:
            for frames in self.inlet.come():
                if not self._take(frames):
                    break
                self._pass_receipts()
        self._pass_receipts()

    def _take(self, frames: list[memoryview]) -> bool:
        """Score a message and send it on; say whether another one can be taken."""
        try:
            message = unpack(frames)
        except DataError as error:
            self.n_garbage, self.garbage = self.n_garbage + 1, str(error)
            return True
        head = message.head
        if head.kind not in (Kind.PULSES, Kind.STOP, Kind.HELLO):
            self.n_garbage, self.garbage = self.n_garbage + 1, f"a message of {head.kind.name.lower()}, pulses expected"
            return True
        ledger = self.passed.setdefault(head.source, Ledger())
        if head.kind == Kind.PULSES:
            message = self.score(message)
        if head.kind != Kind.HELLO:
            ledger.add(head)
        if head.kind == Kind.STOP:
            self._stop[head.source] = head.sequence
        if self.downstream.take(message):
            return True
        self._pending = message
        return False

    def _pass_receipts(self) -> None:
        for receipt in self.downstream.receipts():
            self._last[receipt.source] = receipt
            self.inlet.send_receipt(receipt)
