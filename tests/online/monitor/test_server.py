"""The server answers those who may look, and nobody stops it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.online.monitor.made import Source, fed_watch, small_scorer

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")
pytest.importorskip("tornado", reason="NO TORNADO: pip install 'discrimen[online]'")

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import websocket_connect

from discrimen.errors import SettingsError
from discrimen.online.monitor.access import Access
from discrimen.online.monitor.handlers import HEADERS
from discrimen.online.monitor.server import Listening, serve
from discrimen.online.monitor.side import open_side
from discrimen.online.monitor.side_channel import SideListener, SidePublisher, require_address
from discrimen.online.monitor.view import unpack
from discrimen.online.monitor.watch import Watch

TOKEN = "correct-horse-battery"


@asynccontextmanager
async def served(watch: Watch, folder: Path, *, token: str | None = None, is_local: bool = True) -> AsyncIterator[int]:
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    ended: list[bool] = []
    listening = Listening(host="127.0.0.1", port=0, access=Access(token, is_local=is_local))
    task = asyncio.ensure_future(
        serve(
            watch,
            f"ipc://{folder}/side",
            listening,
            is_ended=lambda: bool(ended),
            on_ready=ready.set_result,
            tick_s=0.05,
        )
    )
    try:
        await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield ready.result()
    finally:
        ended.append(True)
        await task


async def fetch(port: int, path: str, **given: Any) -> HTTPResponse:
    request = HTTPRequest(f"http://127.0.0.1:{port}{path}", follow_redirects=False, **given)
    return await AsyncHTTPClient(force_instance=True).fetch(request, raise_error=False)


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 30))


async def raw(port: int, content: bytes) -> bytes:
    """Send bytes as they are, and return the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(content)
        await writer.drain()
        return await asyncio.wait_for(reader.read(), 5)
    except (TimeoutError, ConnectionError):
        return b""
    finally:
        writer.close()


async def upgraded(port: int, headers: dict[str, str]) -> int:
    """Ask for a line to a page, and return the status of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    given = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
    }
    given |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **headers}
    lines = ["GET /view HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    writer.write("\r\n".join(lines).encode())
    status = int((await asyncio.wait_for(reader.readline(), 5)).split()[1])
    writer.close()
    await writer.wait_closed()
    return status


def test_a_page_and_its_files_are_served_under_a_strict_policy(tmp_path: Path) -> None:
    async def test() -> None:
        watch, _ = fed_watch()
        async with served(watch, tmp_path) as port:
            page = await fetch(port, "/")
            assert page.code == 200
            for name in ("page.js", "monitor.css", "uPlot.iife.min.js", "uPlot-LICENSE"):
                assert (await fetch(port, f"/static/{name}")).code == 200, name
            for path in ("/", "/static/page.js", "/metrics", "/nothing", "/state.json", "/monitor.root"):
                headers = (await fetch(port, path)).headers
                assert {name: headers[name] for name in HEADERS if name != "Cache-Control"} == {
                    name: value for name, value in HEADERS.items() if name != "Cache-Control"
                }, path
            policy = page.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy
            text = page.body.decode()
            assert "http:" not in text.replace("http://www.w3.org", "")
            assert "https:" not in text
            assert "<script>" not in text
            assert "style=" not in text

    run(test)


def test_without_the_token_there_is_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        watch, _ = fed_watch()
        async with served(watch, tmp_path, token=TOKEN, is_local=False) as port:
            for path in (
                "/",
                "/static/page.js",
                "/metrics",
                "/state.json",
                "/monitor.root",
                "/view",
                "/nothing",
                "/?token=wrong",
            ):
                answer = await fetch(port, path)
                assert (answer.code, len(answer.body)) == (401, len(answer.body)), path
                assert b"token is needed" in answer.body
                assert "Set-Cookie" not in answer.headers
            for wish in ({}, {"Cookie": "discrimen_monitor=wrong"}, {"Authorization": "Bearer wrong"}):
                assert await upgraded(port, wish) == 401
            assert (await fetch(port, "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})).code == 200
            opened = await fetch(port, f"/?token={TOKEN}")
            cookie = opened.headers["Set-Cookie"]
            assert (opened.code, opened.headers["Location"]) == (302, "./")
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            brought = {"Cookie": cookie.partition(";")[0]}
            assert (await fetch(port, "/", headers=brought)).code == 200
            line = await websocket_connect(HTTPRequest(f"ws://127.0.0.1:{port}/view", headers=brought))
            assert await line.read_message()
            line.close()

    run(test)


def test_a_page_from_elsewhere_is_not_answered(tmp_path: Path) -> None:
    async def test() -> None:
        watch, _ = fed_watch()
        async with served(watch, tmp_path) as port:
            assert (await fetch(port, "/", headers={"Host": f"evil.example:{port}"})).code == 403
            assert await upgraded(port, {"Origin": "http://evil.example"}) == 403
            assert await upgraded(port, {"Origin": f"http://127.0.0.1:{port}"}) == 101
            assert (await fetch(port, "/", headers={"Host": f"localhost:{port}"})).code == 200

    run(test)


def test_tricks_with_paths_methods_and_sizes_get_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        watch, _ = fed_watch()
        async with served(watch, tmp_path) as port:
            for path in ("/static/../handlers.py", "/static/..%2fhandlers.py", "/static/%2e%2e/handlers.py", "/static/",
                         "/static//etc/passwd", "/..", "//", "/static/page.js/..", "/static/page.js%00"):  # fmt: skip
                answer = await raw(
                    port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
                )
                assert b" 404 " in answer.splitlines()[0], path
                assert b"import" not in answer
            assert (await fetch(port, "/", method="POST", body="x" * 100)).code == 405
            head = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
            assert b" 200 " not in await raw(port, head + b"Content-Length: 9999999\r\n\r\n" + b"x" * 100_000)
            assert b" 200 " not in await raw(
                port, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"
            )
            assert b" 200 " not in await raw(port, b"\x16\x03\x01" + bytes(range(256)) * 4 + b"\r\n\r\n")
            assert (await fetch(port, "/")).code == 200

    run(test)


def test_a_page_is_shown_what_it_chooses_and_garbage_ends_its_line(tmp_path: Path) -> None:
    async def test() -> None:
        watch, _ = fed_watch()
        async with served(watch, tmp_path) as port:
            line = await websocket_connect(f"ws://127.0.0.1:{port}/view")
            await line.write_message(json.dumps({"channels": [[0, 1]]}))
            for _ in range(20):
                content = await line.read_message()
                assert isinstance(content, bytes)
                if unpack(content)[0]["selected"] == [[0, 1]]:
                    break
            else:
                pytest.fail("the choice is not followed")
            await line.write_message("garbage")
            while await line.read_message() is not None:
                pass
            assert line.close_code == 1003
            line.close()
            large = await websocket_connect(f"ws://127.0.0.1:{port}/view")
            await large.write_message("x" * 100_000)
            while await large.read_message() is not None:
                pass
            large.close()
            assert (await fetch(port, "/")).code == 200

    run(test)


def test_a_stream_is_heard_and_its_end_too(tmp_path: Path) -> None:
    async def test() -> None:
        watch = Watch()
        async with served(watch, tmp_path) as port:
            assert json.loads((await fetch(port, "/state.json")).body)["title"] == "no stream"
            with SidePublisher(f"ipc://{tmp_path}/side") as publisher:
                source = Source()
                while watch.feed.last is None:
                    publisher.publish(source.bulletin())
                    await asyncio.sleep(0.02)
                assert json.loads((await fetch(port, "/state.json")).body)["title"] == "running"
                publisher.publish(source.bulletin(0, is_ended=True))
            while not watch.feed.last.is_ended:
                await asyncio.sleep(0.02)
            assert json.loads((await fetch(port, "/state.json")).body)["title"] == "ended"

    run(test)


def test_connections_that_say_nothing_make_room_for_others(tmp_path: Path) -> None:
    async def test() -> None:
        watch, _ = fed_watch()
        async with served(watch, tmp_path) as port:
            silent = []
            for number in range(300):
                each = socket.create_connection(("127.0.0.1", port))
                each.send(b"GET / HTTP/1.1\r\nHo"[: number % 19])
                silent.append(each)
                if number % 20 == 0:
                    await asyncio.sleep(0)
            try:
                assert (await fetch(port, "/")).code == 200
                silent[0].settimeout(5)
                assert silent[0].recv(100) == b""
            finally:
                for each in silent:
                    each.close()

    run(test)


# Tornado forgets the socket that it could not bind.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    async def test() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            listening = Listening(host="127.0.0.1", port=port, access=Access(None, is_local=True))
            with pytest.raises(SettingsError, match=f"cannot serve at 127.0.0.1 port {port}"):
                await serve(Watch(), f"ipc://{tmp_path}/side", listening, is_ended=lambda: True, on_ready=print)

    run(test)


def test_a_second_stream_at_an_address_is_refused(tmp_path: Path) -> None:
    for address in (f"ipc://{tmp_path}/side", "tcp://127.0.0.1:0"):
        with SidePublisher(address) as first, pytest.raises(SettingsError, match="another"):
            SidePublisher(first.address)
    SidePublisher(f"ipc://{tmp_path}/side").close()


@pytest.mark.parametrize(
    "address", ["", "tcp://", "tcp://:1", "tcp://a", "tcp://a:b", "tcp://a:70000", "ipc://", "http://a:1"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="expected an address"):
        require_address(address)


def test_a_stream_without_monitors_is_left_as_it_is(tmp_path: Path) -> None:
    scorer = small_scorer(tmp_path)
    with open_side(None, scorer) as side:
        assert side.scorer is scorer
        asked = [False]
        assert side.while_asked(lambda: asked[0])() is False
    with open_side(f"ipc://{tmp_path}/side", scorer) as side, SideListener(f"ipc://{tmp_path}/side"):
        assert side.scorer is not scorer
        assert side.while_asked(lambda: True)()
