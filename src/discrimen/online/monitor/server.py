"""The server of a monitor: one loop for the side channel, the viewers and their requests."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import time
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from discrimen.errors import SettingsError
from discrimen.online.monitor import handlers
from discrimen.online.monitor.access import Access
from discrimen.online.monitor.handlers import Served
from discrimen.online.monitor.hub import Hub
from discrimen.online.monitor.side_channel import SideListener
from discrimen.online.monitor.state import State
from discrimen.online.monitor.watch import Watch

TICK_S = 0.5
"""Between two views."""

_POLL_MS = 50
_ASKED_MS = 100
_MOST_SILENT = 128
_MOST_CONNECTIONS = 512
_TIMEOUT_S = 15
_LARGEST_BODY, _LARGEST_HEAD, _LARGEST_WISH = 1024, 16 * 1024, 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where a monitor serves.

    Parameters
    ----------
    host : str
        Name or address of this machine.
    port : int
        0 for any that is free.
    access : Access
        Who may look.
    """

    host: str
    port: int
    access: Access


class PatientServer(HTTPServer):
    """A server that many connections which say nothing cannot stop: the oldest of them make room."""

    def initialize(self, *arguments: Any, **options: Any) -> None:
        """Begin without connections; see :class:`tornado.httpserver.HTTPServer`."""
        super().initialize(*arguments, **options)
        self.silent: OrderedDict[Any, None] = OrderedDict()

    def handle_stream(self, stream: Any, address: Any) -> None:
        """Take a connection; see :class:`tornado.tcpserver.TCPServer`."""
        while len(self.silent) >= _MOST_SILENT:
            oldest, _ = self.silent.popitem(last=False)
            oldest.close()
        if len(self._connections) >= _MOST_CONNECTIONS:
            stream.close()
            return
        self.silent[stream] = None
        super().handle_stream(stream, address)

    def on_close(self, server_conn: Any) -> None:
        """Forget a connection; see :class:`tornado.httpserver.HTTPServer`."""
        self.silent.pop(server_conn.stream, None)
        super().on_close(server_conn)


def make_application(served: Served, on_request: Callable[[Any], None] = lambda _: None) -> Application:
    """Return what answers, without a server.

    Parameters
    ----------
    served : Served
        What the handlers share.
    on_request : callable
        Called with the connection of every request that was answered.
    """
    shared = {"served": served}

    def log(handler: RequestHandler) -> None:
        on_request(handler.request.connection)

    return Application(
        [
            ("/", handlers.Page, shared),
            ("/view", handlers.Socket, shared),
            ("/metrics", handlers.Metrics, shared),
            ("/state.json", handlers.StateText, shared),
            ("/monitor.root", handlers.RootFile, shared),
            ("/static/([A-Za-z0-9._-]+)", handlers.Static, shared),
        ],
        default_handler_class=handlers.Nothing,
        default_handler_args=shared,
        log_function=log,
        websocket_max_message_size=_LARGEST_WISH,
        websocket_ping_interval=10,
        websocket_ping_timeout=10,
    )


async def serve(
    watch: Watch,
    address: str,
    listening: Listening,
    *,
    is_ended: Callable[[], bool],
    on_ready: Callable[[int], None],
    on_state: Callable[[State], None] = lambda _: None,
    tick_s: float = TICK_S,
) -> None:
    """Serve the page of a watch until somebody says that it is enough.

    Parameters
    ----------
    watch : Watch
        What is shown.
    address : str
        At which the stream tells.
    listening : Listening
        Where to serve.
    is_ended : callable
        Asked ten times a second.
    on_ready : callable
        Called with the port when it serves.
    on_state : callable
        Called when it is otherwise with the stream than it was.
    tick_s : float
        Between two views.

    Raises
    ------
    SettingsError
        If an address cannot be had.
    """
    # What strangers send is no news of the program.
    logging.getLogger("tornado.general").setLevel(logging.ERROR)
    hub = Hub(watch, address, time, on_state)
    with SideListener(address) as listener:
        server, port = _open_server(Served(hub, listening.access), listening)

        def hear() -> None:
            for frames in listener.come():
                watch.take(frames, time())

        calls = [PeriodicCallback(hear, _POLL_MS), PeriodicCallback(hub.tick, tick_s * 1000)]
        for call in calls:
            call.start()
        try:
            on_ready(port)
            while not is_ended():
                await asyncio.sleep(_ASKED_MS / 1000)
        finally:
            for call in calls:
                call.stop()
            server.stop()


def _open_server(served: Served, listening: Listening) -> tuple[PatientServer, int]:
    server: PatientServer

    def spoke(connection: Any) -> None:
        server.silent.pop(getattr(connection, "stream", None), None)

    server = PatientServer(
        make_application(served, spoke),
        max_body_size=_LARGEST_BODY,
        max_header_size=_LARGEST_HEAD,
        idle_connection_timeout=_TIMEOUT_S,
        body_timeout=_TIMEOUT_S,
    )
    try:
        sockets = bind_sockets(listening.port, listening.host)
    except (OSError, OverflowError, UnicodeError) as error:
        raise SettingsError(
            f"cannot serve at {listening.host} port {listening.port}: {error}; give another --host or --port"
        ) from error
    server.add_sockets(sockets)
    return server, int(sockets[0].getsockname()[1])
