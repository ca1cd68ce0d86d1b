"""What a stream wears to tell monitors: its scorer, its end and its downstream, each with a tap; or nothing."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from discrimen.online.message import Head, Message
from discrimen.online.monitor.side_channel import SidePublisher
from discrimen.online.monitor.tap import Tap
from discrimen.online.scorer import Scorer
from discrimen.online.sockets import Inlet
from discrimen.online.stream import Downstream, Stream


class TappedScorer(Scorer):
    """A scorer whose results the tap sees.

    Parameters
    ----------
    scorer : Scorer
        Whose model and threshold it has.
    tap : Tap
        Of the stream.
    has_receipts : bool
        Whether somebody else says when results are kept; by default they count as kept when they are there.
    """

    def __init__(self, scorer: Scorer, tap: Tap) -> None:
        Scorer.__init__(self, scorer.predictor, scorer.sha256, scorer.threshold)
        self.tap, self.has_receipts = tap, False
        self.tell: Callable[[], None] = lambda: None

    def __call__(self, message: Message) -> Message:
        """Return the results of some pulses; see :class:`~discrimen.online.scorer.Scorer`."""
        begin_s = self.tap.clock()
        result = Scorer.__call__(self, message)
        if self.tap.passed(message, result, begin_s=begin_s, is_kept=not self.has_receipts):
            self.tell()
        return result


@dataclass(slots=True)
class TappedDownstream:
    """A downstream whose receipts the tap sees; a :class:`~discrimen.online.stream.Downstream`."""

    inner: Downstream
    tap: Tap

    def take(self, message: Message) -> bool:
        """Take a message; see the protocol."""
        return self.inner.take(message)

    def receipts(self) -> Iterator[Head]:
        """Yield receipts; see the protocol."""
        for receipt in self.inner.receipts():
            self.tap.kept(receipt.source, receipt.sequence)
            yield receipt

    def wait(self, inlet: Inlet, *, for_room: bool) -> None:
        """Wait a little; see the protocol."""
        self.inner.wait(inlet, for_room=for_room)


@dataclass(slots=True)
class Side:
    """The side channel as a stream sees it.

    Parameters
    ----------
    scorer : Scorer
        What scores, tapped where somebody is told.
    tap : Tap or None
        Looks at what passes; None where nobody is told.
    publisher : SidePublisher or None
        Sends what it saw.
    """

    scorer: Scorer
    tap: Tap | None = None
    publisher: SidePublisher | None = None

    def around(self, downstream: Downstream) -> Downstream:
        """Return where results go, with a look at the receipts."""
        if self.tap is None or not isinstance(self.scorer, TappedScorer):
            return downstream
        self.scorer.has_receipts = True
        return TappedDownstream(downstream, self.tap)

    def while_asked(self, is_ended: Callable[[], bool], stream: Stream | None = None) -> Callable[[], bool]:
        """Return what says whether the stream is to end, and tells monitors when it is asked."""
        if self.tap is None:
            return is_ended

        def ask() -> bool:
            self.tell(n_garbage=0 if stream is None else stream.n_garbage)
            return is_ended()

        return ask

    def tell(self, *, n_garbage: int = 0, is_ended: bool = False) -> None:
        """Send a bulletin if it is time for one."""
        if self.tap is None or self.publisher is None:
            return
        if not is_ended and not self.tap.is_due:
            return
        self.tap.n_garbage = max(self.tap.n_garbage, n_garbage)
        self.tap.refused = self.scorer.refused
        bulletin = self.tap.due(is_ended=is_ended)
        if bulletin is not None:
            self.publisher.publish(bulletin)


@contextmanager
def open_side(address: str | None, scorer: Scorer) -> Iterator[Side]:
    """Open the side channel of a stream at an address, or none.

    Raises
    ------
    SettingsError
        If the address cannot be one, or another stream has it.
    """
    if address is None:
        yield Side(scorer)
        return
    with SidePublisher(address) as publisher:
        tap = tap_of(scorer)
        tapped = TappedScorer(scorer, tap)
        side = Side(tapped, tap, publisher)
        tapped.tell = side.tell
        try:
            yield side
        finally:
            side.tell(is_ended=True)


def tap_of(scorer: Scorer) -> Tap:
    """Return a tap that describes the model of a scorer."""
    description = scorer.predictor.description
    has_classes = scorer.threshold is not None
    told: dict[str, Any] = {
        "preparation": description.preparation.as_dict(),
        "settings": description.settings.model_dump(exclude_none=True, mode="json"),
        "classes": list(description.classes) if has_classes else [],
        "neutron_class": description.neutron_class if has_classes else 0,
        "knows_domain": description.domain is not None,
        "sha256": scorer.sha256,
        "threshold": str(scorer.threshold) if has_classes else "",
    }
    return Tap(
        instance=secrets.randbits(48),
        model=json.dumps(told).encode(),
        neutron_class=told["neutron_class"],
        n_classes=len(told["classes"]),
    )
