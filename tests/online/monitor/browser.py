"""A real browser without a screen, driven by its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_LONGEST_S = 30.0


class Browser:
    """One page in headless Chromium.

    Parameters
    ----------
    width, height : int
        Of the window, in CSS pixels.
    """

    def __init__(self, *, width: int, height: int = 900) -> None:
        self._size = {"width": width, "height": height}
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._loop = asyncio.new_event_loop()
        self._number = 0
        self.errors: list[str] = []

    def __enter__(self) -> Self:
        assert CHROMIUM is not None
        profile = Path(self._profile.name)
        self._process = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
             f"--user-data-dir={profile}", "--no-first-run", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            self._line = self._run(self._connect(profile / "DevToolsActivePort"))
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
            is_phone = self._size["width"] < 600
            self.call("Emulation.setDeviceMetricsOverride", **self._size, deviceScaleFactor=1, mobile=is_phone)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        self._loop.close()
        self._profile.cleanup()

    def _run(self, what: Any) -> Any:
        return self._loop.run_until_complete(asyncio.wait_for(what, _LONGEST_S))

    async def _connect(self, port_file: Path) -> WebSocketClientConnection:
        while not port_file.exists() or not port_file.read_text().strip():
            await asyncio.sleep(0.05)
        port = int(port_file.read_text().split()[0])
        answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json/list")
        pages = [each for each in json.loads(answer.body) if each["type"] == "page"]
        return await websocket_connect(pages[0]["webSocketDebuggerUrl"], max_message_size=2**28)

    def call(self, method: str, **given: Any) -> dict[str, Any]:
        """Call a method of the protocol, and note errors of the page that come meanwhile."""
        self._number += 1
        return self._run(self._call(self._number, method, given))

    async def _call(self, number: int, method: str, given: dict[str, Any]) -> dict[str, Any]:
        await self._line.write_message(json.dumps({"id": number, "method": method, "params": given}))
        while True:
            told = json.loads(await self._line.read_message() or "{}")
            if told.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(told["params"]["exceptionDetails"])[:1000])
            if told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
                self.errors.append(told["params"]["entry"]["text"] + " " + told["params"]["entry"].get("url", ""))
            if told.get("id") == number:
                assert "error" not in told, told
                return dict(told["result"])

    def open(self, url: str) -> None:
        """Open a page, and wait until it is there."""
        self.call("Page.navigate", url=url)
        self.wait_for("location.protocol === 'http:' && document.readyState === 'complete'")

    def ask(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def wait_for(self, script: str, *, longest_s: float = _LONGEST_S) -> None:
        """Wait until an expression in the page is true."""
        end_s = time.monotonic() + longest_s
        while not self.ask(script):
            assert time.monotonic() < end_s, f"never true: {script}; {self.ask('document.body?.innerText')}"
            time.sleep(0.1)

    def picture(self, path: Path, *, whole: bool = True) -> Path:
        """Write what the page looks like as PNG."""
        told = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": self._size["width"], "height": size["height"], "scale": 1}
            told = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(told["data"]))
        return path
