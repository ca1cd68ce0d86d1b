"""ABCD's sockets: messages by PUB and SUB, which may lose some; commands by PUSH and PULL.

A module of ABCD has three addresses in a row: its status, its data, its commands (16206 to 16208 are those of `waan`).
Where this program is such a module, it takes the ports beside that of its data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import zmq

from discrimen.errors import SettingsError

SCHEME = "abcd+tcp://"
"""How the address of a socket of ABCD begins."""

_QUEUED_IN, _QUEUED_OUT = 1000, 100
"""Messages that ZeroMQ may hold: 1000 is its own default, and that of ABCD's programs."""

_MOST_BYTES = 2**30
_HANDSHAKE_MS = 5000
_DELIVERY_MS = 3000
"""So long, at the end, the last messages may take to leave."""


def is_abcd(address: str) -> bool:
    """Whether an address is one of ABCD's sockets."""
    return address.startswith(SCHEME)


def tcp_address(address: str, *, beside: int = 0) -> str:
    """Return the address as ZeroMQ has it, or the one so many ports behind it.

    Raises
    ------
    SettingsError
        If it is none.
    """
    host, colon, port = address.removeprefix(SCHEME).rpartition(":")
    if not is_abcd(address) or not colon or not host or not port.isdigit() or not 1 < int(port) < 65535:
        raise SettingsError(f"expected an address like {SCHEME}127.0.0.1:16181, got {address!r}")
    return f"tcp://{host}:{int(port) + beside}"


class _Sockets:
    """Sockets that are opened and closed together."""

    def __init__(self) -> None:
        self._context = zmq.Context()

    def _socket(self, kind: int) -> Any:
        socket = self._context.socket(kind)
        socket.linger = _DELIVERY_MS
        socket.handshake_ivl = _HANDSHAKE_MS
        socket.maxmsgsize = _MOST_BYTES
        socket.rcvhwm, socket.sndhwm = _QUEUED_IN, _QUEUED_OUT
        return socket

    def _bind(self, socket: Any, address: str) -> None:
        try:
            socket.bind(address)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise SettingsError(
                f"cannot listen at {address}: {error}; another program may do so already, perhaps one of ABCD's"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.destroy(linger=_DELIVERY_MS if kind is None else 0)


class Subscriber(_Sockets):
    """Takes the messages of some topics from another program, whenever that is there.

    Parameters
    ----------
    address : str
        Of its data, ``abcd+tcp://HOST:PORT``.
    topic : str
        How the topics begin.
    """

    def __init__(self, address: str, topic: str) -> None:
        connected = tcp_address(address)
        super().__init__()
        self.socket = self._socket(zmq.SUB)
        self.socket.subscribe(topic.encode())
        self.socket.connect(connected)

    def come(self) -> Iterator[memoryview | None]:
        """Yield every frame that has come; None for a message of several, which ABCD never sends."""
        while True:
            try:
                parts: Any = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            yield parts[0].buffer if len(parts) == 1 else None


class Publisher(_Sockets):
    """Sends messages to all who listen.

    Unlike a plain PUB socket it knows when somebody listens, and when a listener does not follow.

    Parameters
    ----------
    address : str
        To listen at, ``abcd+tcp://HOST:PORT``.
    """

    def __init__(self, address: str) -> None:
        bound = tcp_address(address)
        super().__init__()
        self.socket = self._socket(zmq.XPUB)
        self.socket.setsockopt(zmq.XPUB_NODROP, 1)
        self._topics: set[bytes] = set()
        self._bind(self.socket, bound)

    def has_listener(self, topic: str) -> bool:
        """Whether somebody wants messages of this topic."""
        while True:
            try:
                told: Any = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return any(topic.encode().startswith(wanted) for wanted in self._topics)
            if told[:1] == b"\1":
                self._topics.add(told[1:])
            else:
                self._topics.discard(told[1:])

    def try_to_send(self, message: bytes) -> bool:
        """Send a message; say whether it is on its way: not while the queue of a listener is full."""
        self.has_listener("")  # what listeners say must be read
        try:
            self.socket.send(message, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def send_to_some(self, message: bytes) -> None:
        """Send a message to those listeners only whose queues are not full."""
        self.socket.setsockopt(zmq.XPUB_NODROP, 0)
        self.socket.send(message)
        self.socket.setsockopt(zmq.XPUB_NODROP, 1)


class ModuleSockets(Publisher):
    """The three sockets of a module: status, data and commands.

    Parameters
    ----------
    address : str
        Of the data; status and commands have the ports before and behind.
    """

    def __init__(self, address: str) -> None:
        status, commands = tcp_address(address, beside=-1), tcp_address(address, beside=1)
        super().__init__(address)
        self.status, self.commands = self._socket(zmq.PUB), self._socket(zmq.PULL)
        self._bind(self.status, status)
        self._bind(self.commands, commands)

    def come(self) -> Iterator[dict[str, Any] | None]:
        """Yield every command that has come; None for what is none."""
        while True:
            try:
                content: Any = self.commands.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                command = json.loads(content)
            except (ValueError, RecursionError):
                command = None
            yield command if isinstance(command, dict) and isinstance(command.get("command"), str) else None
