"""What a module of ABCD says of itself each second, and what it is told to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from discrimen.formats.abcd.messages import packed
from discrimen.online.abcd.sockets import ModuleSockets

NAME = "discrimen"
STATUS_S = 1.0
"""How often the status is told."""


class Control:
    """A stream that nobody controls: it runs, until it ends."""

    is_running = True
    wants_end = False

    def step(self, now_s: float, status: Callable[[], Mapping[str, Any]]) -> None:
        """Do what is due: hear commands, and tell the status.

        Parameters
        ----------
        now_s : float
            A clock that only runs forward.
        status : callable
            What is to be told.
        """

    def tell(self, event: str) -> None:
        """Tell all who listen that something has happened."""


@dataclass(slots=True)
class ModuleControl(Control):
    """Hears commands and publishes the status, as ABCD's own modules do.

    ``start`` and ``stop`` are those of its digitizers: while it is stopped, what comes is left out. ``quit`` and
    ``off`` end the program, as in `waan`.

    Parameters
    ----------
    sockets : ModuleSockets
        Of the module.

    Attributes
    ----------
    n_unknown : int
        Commands that mean nothing here.
    """

    sockets: ModuleSockets
    is_running: bool = True
    wants_end: bool = False
    n_unknown: int = 0
    _due_s: float | None = None
    _n_told: int = 0
    _counted: dict[int, int] = field(default_factory=dict)

    def step(self, now_s: float, status: Callable[[], Mapping[str, Any]]) -> None:
        """Hear commands, and publish the status each second."""
        for command in self.sockets.come():
            self._obey(None if command is None else command["command"])
        if self._due_s is None or now_s >= self._due_s:
            since_s = STATUS_S if self._due_s is None else now_s - self._due_s + STATUS_S
            self._due_s = now_s + STATUS_S
            self._publish("status", self._in_words_of_abcd(status(), since_s))

    def tell(self, event: str) -> None:
        """Publish an event of the module."""
        self._publish("events", {"type": "event", "event": event})

    def _obey(self, command: str | None) -> None:
        if command in ("start", "stop"):
            self.is_running = command == "start"
        elif command in ("quit", "off"):
            self.wants_end = True
        else:
            self.n_unknown += 1
            self._publish("events", {"type": "error", "error": f"expected start, stop or quit, got {command}"})
            return
        self.tell(f"Command: {command}")

    def _in_words_of_abcd(self, status: Mapping[str, Any], since_s: float) -> dict[str, Any]:
        """Add the rates of the channels, where `waan` tells them."""
        counts: Mapping[int, int] = status.get("n_by_channel", {})
        rates = {each: (count - self._counted.get(each, 0)) / since_s for each, count in counts.items()}
        self._counted = dict(counts)
        return {
            **status,
            "is_running": self.is_running,
            "n_unknown_commands": self.n_unknown,
            "active_channels": sorted(counts),
            "disabled_channels": [],
            "statuses": [{"id": each, "enabled": True, "rate": rates[each]} for each in sorted(rates)],
        }

    def _publish(self, kind: str, told: Mapping[str, Any]) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S%z")
        content = {**told, "module": NAME, "timestamp": now, "msg_ID": self._n_told}
        self._n_told += 1
        self.sockets.status.send(packed(f"{kind}_{NAME}", json.dumps(content).encode()))
