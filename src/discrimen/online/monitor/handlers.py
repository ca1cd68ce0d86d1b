"""What the server answers to, each only after host and token are checked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop
from tornado.web import RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from discrimen.errors import DataError, MissingExtraError
from discrimen.online.monitor.access import COOKIE, Access, token_in
from discrimen.online.monitor.export import histograms, root_file
from discrimen.online.monitor.hub import MOST_VIEWERS, Hub, Viewer
from discrimen.online.monitor.metrics_text import CONTENT_TYPE, metrics_text
from discrimen.online.monitor.state import state_of
from discrimen.output.plain import json_text

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    "": "text/plain; charset=utf-8",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "discrimen",
}
_BAD_REQUEST = 1003


def read_files() -> dict[str, bytes]:
    """Return the files of the page by name."""
    return {each.name: each.read_bytes() for each in _FOLDER.iterdir() if each.is_file()}


@dataclass(slots=True)
class Served:
    """What all handlers share.

    Parameters
    ----------
    hub : Hub
        Watch and viewers.
    access : Access
        Who may look.
    files : dict of str to bytes
        Of the page, by name.
    exporting : Lock
        Held while a ROOT file is written.
    n_refused : int
        Requests of those who may not look.
    """

    hub: Hub
    access: Access
    files: dict[str, bytes] = field(default_factory=read_files)
    exporting: asyncio.Lock = field(default_factory=asyncio.Lock)
    n_refused: int = 0


class Guarded(RequestHandler):
    """Answers those who may look, and tells the others nothing but that."""

    def initialize(self, served: Served) -> None:
        """Take what all share."""
        self.served = served

    def set_default_headers(self) -> None:
        """Set what every answer has; see :class:`tornado.web.RequestHandler`."""
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        """Refuse whoever may not look, before anything else is done."""
        access = self.served.access
        if not access.allows_host(self.request.host):
            self._refuse(HTTPStatus.FORBIDDEN, "this page is for programs on its own machine: open it by 127.0.0.1")
            return
        query = self.get_query_argument("token", None)
        given = token_in(self.request.headers, self.get_cookie(COOKIE), query)
        if not (access.allows_token(given) or (query is not None and access.allows_token(query))):
            self._refuse(HTTPStatus.UNAUTHORIZED, "a token is needed: open the address that discrimen monitor printed")

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.served.n_refused += 1
        self.set_status(status)
        self.set_header("Connection", "close")
        self.set_header("Content-Type", _TYPES[""])
        self.finish(why + "\n")

    def write_error(self, status_code: int, **_: Any) -> None:
        """Say what is wrong in one line; see :class:`tornado.web.RequestHandler`."""
        self.set_header("Content-Type", _TYPES[""])
        self.finish(f"{status_code} {self._reason}\n")


class Nothing(Guarded):
    """Any other address."""

    def prepare(self) -> None:
        """Say that there is nothing, to those who may look."""
        super().prepare()
        if not self._finished:
            self.send_error(HTTPStatus.NOT_FOUND)


class Page(Guarded):
    """The page itself; a token in its address becomes a cookie, and leaves the address."""

    def get(self) -> None:
        """Give the page."""
        if (token := self.get_query_argument("token", None)) is not None and self.served.access.token is not None:
            self.set_cookie(COOKIE, token, httponly=True, samesite="Lax", path="/")
            self.redirect("./")
            return
        self.set_header("Content-Type", _TYPES[".html"])
        self.finish(self.served.files["index.html"])


class Static(Guarded):
    """Files of the page: those that were read at the start, by their exact names."""

    def get(self, name: str) -> None:
        """Give one of them."""
        content = self.served.files.get(name)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.set_header("Content-Type", _TYPES.get(Path(name).suffix, "application/octet-stream"))
        self.set_header("Cache-Control", "no-cache")
        self.finish(content)


class Metrics(Guarded):
    """Figures for Prometheus."""

    def get(self) -> None:
        """Give them."""
        self.set_header("Content-Type", CONTENT_TYPE)
        self.finish(metrics_text(self.served.hub.watch, self.served.hub.now_s()))


class StateText(Guarded):
    """How it is with the stream, for programs."""

    def get(self) -> None:
        """Give it as JSON."""
        hub = self.served.hub
        self.set_header("Content-Type", "application/json")
        self.finish(json_text(state_of(hub.watch, hub.now_s(), hub.address)))


class RootFile(Guarded):
    """The histograms as a ROOT file."""

    async def get(self) -> None:
        """Give it; one at a time is written."""
        if self.served.exporting.locked():
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        async with self.served.exporting:
            try:
                found = histograms(self.served.hub.watch)
                content = await IOLoop.current().run_in_executor(None, root_file, found)
            except (DataError, MissingExtraError) as error:
                self.set_status(HTTPStatus.CONFLICT)
                self.set_header("Content-Type", _TYPES[""])
                self.finish(f"{error}\n")
                return
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", 'attachment; filename="monitor.root"')
        self.finish(content)


class Socket(Guarded, WebSocketHandler):
    """The line to a page; what it sends is compressed already."""

    viewer: Viewer | None = None
    _sent: asyncio.Future[None] | None = None

    def prepare(self) -> None:
        """Refuse whoever may not look, and those who are too many."""
        super().prepare()
        if not self._finished and len(self.served.hub.viewers) >= MOST_VIEWERS:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, f"{MOST_VIEWERS} pages are open already")

    def open(self, *_: str, **__: str) -> None:
        """Count a page among the viewers."""
        self.viewer = Viewer(self)
        self.served.hub.viewers.add(self.viewer)

    def on_message(self, message: str | bytes) -> None:
        """Do what it asks for."""
        try:
            if self.viewer is not None:
                self.served.hub.asked(self.viewer, message)
        except DataError as error:
            self.close(_BAD_REQUEST, str(error)[:100])

    def on_close(self) -> None:
        """Forget it."""
        if self.viewer is not None:
            self.served.hub.viewers.discard(self.viewer)

    def is_free(self) -> bool:
        """Tell whether the last view has left; see :class:`~discrimen.online.monitor.hub.Line`."""
        return self._sent is None or self._sent.done()

    def send(self, content: bytes) -> None:
        """Send a view; see :class:`~discrimen.online.monitor.hub.Line`."""
        try:
            self._sent = asyncio.ensure_future(self._send(content))
        except WebSocketClosedError:
            self.on_close()

    async def _send(self, content: bytes) -> None:
        try:
            await self.write_message(content, binary=True)
        except WebSocketClosedError:
            self.on_close()
