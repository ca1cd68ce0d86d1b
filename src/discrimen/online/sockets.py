"""Messages over ZeroMQ: pulses or results one way by PUSH and PULL, receipts the other way by PUB and SUB.

The receiver of messages binds an address and publishes its receipts at a second one: of ``tcp://HOST:PORT`` the port
behind it, of ``ipc://PATH`` the path with ``.receipts``. Receipts are few and each says all that those before it said,
so that a lost one costs nothing; a sender listens to those of its own sources.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import zmq

from discrimen.errors import SettingsError
from discrimen.online.message import HEAD_BYTES, MAGIC, Head, Message

SOCKETS = ("tcp://", "ipc://")
"""How an address of a socket begins."""

_QUEUED = 8
"""Messages that ZeroMQ may hold for a peer on each side, beside the window of the sender."""

_MOST_BYTES = 2**30
_HANDSHAKE_MS = 5000


def receipts_address(address: str) -> str:
    """Return where the receipts of an address are published.

    Raises
    ------
    SettingsError
        If the address cannot be one.
    """
    if address.startswith("ipc://") and len(address) > len("ipc://"):
        return f"{address}.receipts"
    host, colon, port = address.removeprefix("tcp://").rpartition(":")
    if not address.startswith("tcp://") or not colon or not host or not port.isdigit() or not 0 < int(port) < 65535:
        raise SettingsError(f"expected an address like tcp://127.0.0.1:5570 or ipc:///tmp/pulses, got {address!r}")
    return f"tcp://{host}:{int(port) + 1}"


class _Pair:
    """Two sockets that are opened together."""

    def __init__(self, messages: int, receipts: int) -> None:
        self._context = zmq.Context()
        self.messages, self.receipts = self._context.socket(messages), self._context.socket(receipts)
        for socket in (self.messages, self.receipts):
            socket.linger = 0
            socket.set_hwm(_QUEUED)
            socket.handshake_ivl = _HANDSHAKE_MS
            socket.maxmsgsize = _MOST_BYTES
        self.receipts.set_hwm(1000)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.destroy(linger=0)


class Inlet(_Pair):
    """Where messages come in; it binds.

    Parameters
    ----------
    address : str
        Such as ``tcp://127.0.0.1:5570``.

    Raises
    ------
    SettingsError
        If the address cannot be bound: another program has it.
    """

    def __init__(self, address: str) -> None:
        second = receipts_address(address)
        super().__init__(zmq.PULL, zmq.PUB)
        try:
            self.messages.bind(address)
            self.receipts.bind(second)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise SettingsError(
                f"cannot listen at {address} and {second}: {error}; another program may do so already"
            ) from error

    def come(self) -> Iterator[list[memoryview]]:
        """Yield the parts of every message that has come."""
        while True:
            try:
                yield [frame.buffer for frame in self.messages.recv_multipart(zmq.NOBLOCK, copy=False)]
            except zmq.Again:
                return

    def send_receipt(self, receipt: Head) -> None:
        """Publish a receipt."""
        self.receipts.send(receipt.pack())


class Outlet(_Pair):
    """Where messages go out; it connects, now or as soon as the receiver is there.

    Parameters
    ----------
    address : str
        Of the receiver.
    """

    def __init__(self, address: str) -> None:
        second = receipts_address(address)
        super().__init__(zmq.PUSH, zmq.SUB)
        # Nothing is queued for a receiver that is not there.
        self.messages.immediate = True
        self.messages.connect(address)
        self.receipts.subscribe(MAGIC)
        self.receipts.connect(second)

    def try_to_send(self, message: Message) -> bool:
        """Send a message, unless the receiver is not there or has too many waiting; say whether it is sent."""
        try:
            parts: list[Any] = message.frames()
            self.messages.send_multipart(parts, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        return True

    def come(self) -> Iterator[bytes]:
        """Yield every receipt that has come."""
        while True:
            try:
                receipt: Any = self.receipts.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(receipt) == HEAD_BYTES:
                yield receipt


def wait_for(*sockets: Any, timeout_s: float, room_at: Any = None) -> None:
    """Return when something has come at a socket, when there is room at another one, or after a time."""
    poller = zmq.Poller()
    for socket in sockets:
        poller.register(socket, zmq.POLLIN)
    if room_at is not None:
        poller.register(room_at, zmq.POLLOUT)
    poller.poll(math.ceil(timeout_s * 1000))
