"""What a page looks like in a browser."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import websocket_connect

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_LONGEST_S = 60.0
PIXELS = 1200
"""Width of a picture."""


class NoChromium(Exception):
    """Chromium is not installed."""


def picture_page(address: str, target: Path, *, height: int, width: int = 600, wait_s: float = 1.0) -> None:
    """Write what a window shows of a page as PNG, with a frame, so that it is not taken for the text around it.

    Parameters
    ----------
    address : str
        Of the page; a fragment says where it is scrolled to.
    target : Path
        Picture to write.
    height, width : int
        Of the window in CSS pixels: the narrower, the better its text can be read on a telephone.
    wait_s : float
        So long a page that changes is watched before.

    Raises
    ------
    NoChromium
        If it is not installed.
    """
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        raise NoChromium(f"none of {', '.join(_NAMES)} is installed; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            seen = _seen(Path(profile) / "DevToolsActivePort", address, height=height, width=width, wait_s=wait_s)
            target.write_bytes(framed(asyncio.run(asyncio.wait_for(seen, _LONGEST_S + wait_s))))
        finally:
            browser.terminate()
            browser.wait(timeout=30)


def framed(png: bytes) -> bytes:
    """Draw a frame into a picture."""
    from PIL import Image, ImageDraw

    with Image.open(io.BytesIO(png)) as image:
        drawn = image.convert("RGB")
    ImageDraw.Draw(drawn).rectangle((0, 0, drawn.width - 1, drawn.height - 1), outline="#777777", width=4)
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return file.getvalue()


async def _seen(port_file: Path, address: str, *, height: int, width: int, wait_s: float) -> bytes:
    """Open the page by the DevTools protocol, wait, and return the picture."""
    while not port_file.exists() or not port_file.read_text().strip():
        await asyncio.sleep(0.05)
    port = port_file.read_text().split()[0]
    answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json/list")
    page = next(each for each in json.loads(answer.body) if each["type"] == "page")
    line = await websocket_connect(page["webSocketDebuggerUrl"], max_message_size=2**28)

    async def call(number: int, method: str, **given: Any) -> dict[str, Any]:
        await line.write_message(json.dumps({"id": number, "method": method, "params": given}))
        while (told := json.loads(await line.read_message() or "{}")).get("id") != number:
            pass
        return dict(told["result"])

    size = {"width": width, "height": height, "deviceScaleFactor": PIXELS / width, "mobile": False}
    await call(1, "Emulation.setDeviceMetricsOverride", **size)
    await call(2, "Page.navigate", url=address)
    await asyncio.sleep(wait_s)
    return base64.b64decode((await call(3, "Page.captureScreenshot", format="png"))["data"])
