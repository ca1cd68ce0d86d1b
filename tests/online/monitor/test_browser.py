"""The page in a real browser, and the whole command under a thousand connections that say nothing."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.online.monitor.made import Source

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")
pytest.importorskip("tornado", reason="NO TORNADO: pip install 'discrimen[online]'")

from tests.online.monitor.browser import CHROMIUM, Browser

from discrimen.online.monitor.side_channel import SidePublisher

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM: the page is not tested in a browser")
pytestmark = pytest.mark.slow

COLOURED = """(() => { const canvas = document.getElementById('%s');
const bytes = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
let n = 0;
for (let i = 0; i < bytes.length; i += 4) {
  const colour = [bytes[i], bytes[i + 1], bytes[i + 2]];
  if (Math.max(...colour) - Math.min(...colour) > 60) n++;
}
return n; })()"""
"""Pixels of a canvas that have a colour."""


@contextmanager
def monitor(address: str, *options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "discrimen", "monitor", address, "--port", "0", "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        assert line, process.communicate()
        text += line
    try:
        yield json.loads(text)["page"]
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors


@contextmanager
def streaming(publisher: SidePublisher, source: Source, **given: object) -> Iterator[None]:
    """Publish bulletins ten times a second."""
    ended = threading.Event()

    def publish() -> None:
        while not ended.wait(0.1):
            publisher.publish(source.bulletin(1000, **given))  # type: ignore[arg-type]

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@needs_chromium
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("n_channels", [1, 16, 64])
def test_the_page_shows_a_stream(tmp_path: Path, n_channels: int, width: int) -> None:
    address = f"ipc://{tmp_path}/side"
    with monitor(address) as page, Browser(width=width) as browser:
        browser.open(page)
        browser.wait_for("document.getElementById('title').textContent === 'no stream'")
        assert address in browser.ask("document.getElementById('lines').textContent")
        with SidePublisher(address) as publisher, streaming(publisher, Source(n_channels=n_channels)):
            browser.wait_for("document.getElementById('title').textContent === 'running'")
            for name in ("map-psd", "map-score"):
                browser.wait_for(f"{COLOURED % name} > 1000")
            browser.wait_for("document.querySelectorAll('.plot canvas').length === 4")
            browser.wait_for(f"document.querySelectorAll('#channels button').length === {n_channels + 1}")
            assert browser.ask("document.documentElement.scrollWidth") <= width
            browser.picture(tmp_path / f"page_{n_channels}_{width}.png")
    assert not browser.errors


@needs_chromium
def test_channels_are_chosen_frozen_reset_and_saved(tmp_path: Path) -> None:
    address = f"ipc://{tmp_path}/side"
    told = "document.getElementById('psd-told').textContent"
    with monitor(address) as page, SidePublisher(address) as publisher, Browser(width=1440) as browser:
        browser.open(page)
        with streaming(publisher, Source(n_channels=4)):
            browser.wait_for(f"{told}.includes('pulses')")
            browser.ask("document.querySelectorAll('#channels button')[2].click()")
            browser.wait_for("document.querySelector('#tiles b').textContent.length > 0")
            browser.wait_for(
                "[...document.querySelectorAll('#channels button')].map((b) => b.ariaPressed).join() === "
                "'false,false,true,false,false'"
            )
            browser.ask("document.getElementById('freeze').click()")
            time.sleep(0.5)
            frozen = browser.ask(told)
            time.sleep(1.5)
            assert browser.ask(told) == frozen
            browser.ask("document.getElementById('freeze').click()")
            browser.wait_for(f"{told} !== {json.dumps(frozen)}")
        saved = browser.ask(
            "new Promise((done) => { const make = URL.createObjectURL; "
            "URL.createObjectURL = (blob) => { done(blob.size); return make(blob); }; "
            "document.getElementById('png').click(); })"
        )
        assert saved > 20_000
        browser.ask("(() => { window.confirm = () => true; document.getElementById('reset').click(); })()")
        browser.wait_for("document.querySelector('#tiles b').textContent === '0'")
    assert not browser.errors


@needs_chromium
def test_a_gap_and_an_alarm_are_seen(tmp_path: Path) -> None:
    address = f"ipc://{tmp_path}/side"
    title = "document.getElementById('title').textContent"
    with monitor(address) as page, Browser(width=1440) as browser:
        browser.open(page)
        with SidePublisher(address) as publisher, streaming(publisher, Source(n_channels=2)):
            browser.wait_for(f"{title} === 'running'")
            time.sleep(2)
        browser.wait_for(f"{title} === 'no stream'")
        assert browser.ask("getComputedStyle(document.getElementById('state')).backgroundColor") == "rgb(179, 38, 30)"
        time.sleep(3)
        source = Source(n_channels=2, instance=2)
        with SidePublisher(address) as publisher:
            with streaming(publisher, source):
                browser.wait_for("document.getElementById('gaps').textContent.includes('started again')")
                time.sleep(2)
            with streaming(publisher, source, shift_adc={1: 4}):
                browser.wait_for(f"{title} === 'drift'")
                browser.ask("document.querySelectorAll('#channels button')[2].click()")
                browser.wait_for("document.getElementById('drift').textContent.includes('baseline_adc')")
                browser.picture(tmp_path / "gap_and_alarm.png")
    assert not browser.errors


def test_a_thousand_connections_that_say_nothing_stop_nothing(tmp_path: Path) -> None:
    address = f"ipc://{tmp_path}/side"
    with monitor(address) as page:
        port = int(page.rpartition(":")[2].strip("/"))
        silent = []
        for number in range(1000):
            each = socket.create_connection(("127.0.0.1", port), timeout=10)
            each.send(b"GET / HTTP/1.1\r\nHost: loc"[: number % 25])
            silent.append(each)
            if number % 100 == 99:
                with urllib.request.urlopen(page, timeout=10) as answer:
                    assert answer.status == 200
        with SidePublisher(address) as publisher, streaming(publisher, Source()):
            time.sleep(3)
            with urllib.request.urlopen(page + "state.json", timeout=10) as answer:
                assert json.load(answer)["title"] == "running"
        for each in silent:
            each.close()


def test_a_token_is_asked_for_where_others_reach_the_page(tmp_path: Path) -> None:
    with monitor(f"ipc://{tmp_path}/side", "--host", "0.0.0.0") as page:
        token = page.partition("token=")[2]
        assert len(token) >= 32
        port = page.partition("0.0.0.0:")[2].partition("/")[0]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert b"discrimen_up 0" in answer.read()
