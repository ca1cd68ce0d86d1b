"""A server on this machine that answers as Zenodo does, for made records of small files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class FakeZenodo:
    """What the server has: whole answers by path, which of them break off half-way, and what was asked for."""

    url: str = ""
    answers: dict[str, bytes] = field(default_factory=dict)
    broken_off: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def publish(self, number: int, files: Mapping[str, bytes], **changes: Any) -> None:
        """Put a record on the server, in the form of Zenodo's interface."""
        listed = []
        for name, content in files.items():
            path = f"/api/records/{number}/files/{name}/content"
            self.answers[path] = content
            listed.append(
                {
                    "key": name,
                    "size": len(content),
                    "checksum": f"md5:{hashlib.md5(content).hexdigest()}",
                    "links": {"self": self.url + path},
                }
            )
        record = {"id": number, "metadata": {"title": "made", "license": {"id": "cc-by-4.0"}}, "files": listed}
        self.answers[f"/api/records/{number}"] = json.dumps(record | changes).encode()

    def downloads(self) -> list[str]:
        """Return the names of the files that were asked for."""
        return [path.split("/")[-2] for path in self.asked if path.endswith("/content")]


@contextmanager
def serving() -> Iterator[FakeZenodo]:
    fake = FakeZenodo()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fake.asked.append(self.path)
            content = fake.answers.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if self.path in fake.broken_off else content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
