"""The side channel between a stream and its monitors: ZeroMQ PUB and SUB, which drop rather than wait."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import zmq

from discrimen.errors import SettingsError
from discrimen.online.monitor.bulletin import MARK, Bulletin

_QUEUED = 4
"""Bulletins that wait for a slow monitor; it misses those after them."""

_MOST_BYTES = 2**26
_HANDSHAKE_MS = 5000
_FAREWELL_MS = 300


def require_address(address: str) -> None:
    """Refuse what is no address of a side channel.

    Raises
    ------
    SettingsError
        If it is none.
    """
    host, colon, port = address.removeprefix("tcp://").rpartition(":")
    is_tcp = address.startswith("tcp://") and colon and host and port.isdigit() and int(port) < 65536
    if not is_tcp and not (address.startswith("ipc://") and len(address) > len("ipc://")):
        raise SettingsError(f"expected an address like tcp://127.0.0.1:5580 or ipc:///tmp/monitor, got {address!r}")


class _Side:
    """One socket with a context of its own."""

    def __init__(self, kind: int) -> None:
        self._context = zmq.Context()
        self.socket: Any = self._context.socket(kind)
        self.socket.linger = 0
        self.socket.set_hwm(_QUEUED)
        self.socket.handshake_ivl = _HANDSHAKE_MS
        self.socket.maxmsgsize = _MOST_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the address go."""
        self._context.destroy(linger=0)


class SidePublisher(_Side):
    """Of a stream; it binds, and never waits.

    Parameters
    ----------
    address : str
        ``tcp://HOST:PORT`` (port 0: any that is free) or ``ipc://PATH``.

    Raises
    ------
    SettingsError
        If the address cannot be bound: another stream has it.
    """

    def __init__(self, address: str) -> None:
        require_address(address)
        _require_free(address)
        super().__init__(zmq.PUB)
        try:
            self.socket.bind(address)
        except zmq.ZMQError as error:
            self.close()
            raise SettingsError(
                f"cannot tell a monitor at {address}: {error}; another stream may do so already: give each its own"
            ) from error
        self.address: str = self.socket.last_endpoint.decode().rstrip("\0")

    def close(self) -> None:
        """Let the address go; the last bulletin has a moment to leave."""
        self._context.destroy(linger=_FAREWELL_MS)

    def publish(self, bulletin: Bulletin) -> None:
        """Send to whoever listens and has room."""
        self.socket.send_multipart(bulletin.frames(), zmq.NOBLOCK, copy=False)


class SideListener(_Side):
    """Of a monitor; it connects, now or as soon as a stream is there, and again after that was away.

    Parameters
    ----------
    address : str
        Of the stream.
    """

    def __init__(self, address: str) -> None:
        require_address(address)
        super().__init__(zmq.SUB)
        self.socket.reconnect_ivl, self.socket.reconnect_ivl_max = 100, 1000
        self.socket.subscribe(MARK[:4])
        self.socket.connect(address)

    def come(self) -> Iterator[list[bytes]]:
        """Yield the parts of every message that has come."""
        while True:
            try:
                yield self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return


def _require_free(address: str) -> None:
    """Refuse a path at which somebody listens: ZeroMQ would take it away in silence."""
    if not address.startswith("ipc://"):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(address.removeprefix("ipc://"))
        except OSError:
            return
    raise SettingsError(f"another program listens at {address}: give each stream an address of its own")
