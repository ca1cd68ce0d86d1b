"""Who looks at what: each view is encoded once a tick for all who look at it, and nobody is waited for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from discrimen.errors import DataError
from discrimen.online.monitor.state import State, state_of
from discrimen.online.monitor.view import Places, encode_shared, encode_view
from discrimen.online.monitor.watch import MOST_CHANNELS, Watch

MOST_VIEWERS = 64

_MOST_NUMBER = 65535


class Line(Protocol):
    """A connection to a page."""

    def is_free(self) -> bool:
        """Tell whether all that was sent before has left."""

    def send(self, content: bytes) -> None:
        """Send a view."""


@dataclass(slots=True, eq=False)
class Viewer:
    """A page that is open.

    Parameters
    ----------
    line : Line
        To it.

    Attributes
    ----------
    places : tuple of (board, channel), or None
        The channels that it shows; None for all.
    is_paused : bool
        Whether it is frozen, or nobody sees it.
    n_skipped : int
        Views that were not sent, because the ones before were still on their way.
    """

    line: Line
    places: Places | None = None
    is_paused: bool = False
    n_skipped: int = 0


@dataclass(slots=True)
class Hub:
    """The viewers of a watch.

    Parameters
    ----------
    watch : Watch
        What they look at.
    address : str
        At which the stream tells.
    now_s : callable
        The time.
    on_state : callable
        Called when it is otherwise with the stream than it was.
    """

    watch: Watch
    address: str
    now_s: Callable[[], float]
    on_state: Callable[[State], None] = lambda _: None
    viewers: set[Viewer] = field(default_factory=set)
    _said: tuple[str, str] | None = None

    def tick(self) -> None:
        """Send what is new to all who look and have room."""
        self._tell_state()
        views: dict[Places | None, bytes] = {}
        shared, now_s = b"", self.now_s()
        for viewer in tuple(self.viewers):
            if viewer.is_paused:
                continue
            if not viewer.line.is_free():
                viewer.n_skipped += 1
                continue
            if viewer.places not in views:
                shared = shared or encode_shared(self.watch, now_s=now_s, address=self.address)
                views[viewer.places] = encode_view(self.watch, viewer.places, now_s=now_s, shared=shared)
            viewer.line.send(views[viewer.places])

    def _tell_state(self) -> None:
        state = state_of(self.watch, self.now_s(), self.address)
        if self._said != (state.level, state.title):
            self._said = state.level, state.title
            self.on_state(state)

    def asked(self, viewer: Viewer, content: str | bytes) -> None:
        """Do what a page asks for.

        Raises
        ------
        DataError
            If it is nothing that a page of this server asks for.
        """
        wish = _read(content)
        if "channels" in wish:
            viewer.places = _places(wish["channels"])
        if "paused" in wish:
            viewer.is_paused = bool(wish["paused"])
        if wish.get("reset") is True:
            self.watch.reset(self.now_s())


def _read(content: str | bytes) -> dict[str, Any]:
    try:
        wish = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError("expected JSON from the page") from error
    if not isinstance(wish, dict):
        raise DataError(f"expected an object from the page, got {type(wish).__name__}")
    return wish


def _places(given: Any) -> Places | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > MOST_CHANNELS or not all(map(_is_place, given)):
        raise DataError(f"expected at most {MOST_CHANNELS} pairs of board and channel")
    return tuple(sorted({(board, channel) for board, channel in given}))


def _is_place(pair: Any) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and all(type(each) is int and 0 <= each <= _MOST_NUMBER for each in pair)
    )
