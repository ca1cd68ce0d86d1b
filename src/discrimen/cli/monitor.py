"""``discrimen monitor``: a page that shows that a stream is well."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from discrimen.adaptation.drift_run import read_reference
from discrimen.cli import common
from discrimen.online.monitor.access import Access, is_loopback, new_token, read_token
from discrimen.online.monitor.server import Listening, serve
from discrimen.online.monitor.side_channel import require_address
from discrimen.online.monitor.state import State
from discrimen.online.monitor.watch import Watch
from discrimen.pulses.detector import DetectorSettings, read_settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(monitor)


def monitor(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="What 'discrimen stream --monitor' was given.", show_default=False)
    ],
    host: Annotated[
        str, typer.Option(help="Where to serve; any but this machine itself asks for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any that is free.", min=0, max=65535)] = 8642,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token that pages must bring.", show_default="drawn where one is needed"),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="YAML file of detector settings: calibration and gates.", show_default=False)
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(help="What all channels together were like, made by 'discrimen drift'.", show_default=False),
    ] = None,
    json: common.JsonOption = False,
) -> None:
    """Serve a page of what a stream does: rates, heat maps, latencies, drift, gaps. docs/monitor.md."""
    require_address(address)
    known = DetectorSettings() if settings is None else read_settings(settings)
    stored = None if reference is None else read_reference(reference)
    token = read_token(token_file) if token_file is not None else None if is_loopback(host) else new_token()
    watch = Watch(
        known,
        reference=None if stored is None else stored.reference,
        reference_sha256="" if stored is None else stored.model_sha256,
    )
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda which, _: asked.append(which))
    listening = Listening(host=host, port=port, access=Access(token, is_local=is_loopback(host)))

    def ready(own_port: int) -> None:
        _tell(host, own_port, token, address, as_json=json)

    asyncio.run(serve(watch, address, listening, is_ended=lambda: bool(asked), on_ready=ready, on_state=_log_state))


def _tell(host: str, port: int, token: str | None, source: str, *, as_json: bool) -> None:
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    page = f"http://{shown}:{port}/" + ("" if token is None else f"?token={token}")
    if as_json:
        common.emit_json({"page": page, "host": host, "port": port, "token": token, "stream": source})
    else:
        print(f"open {page}")
    sys.stdout.flush()


def _log_state(state: State) -> None:
    common.log(": ".join([state.title, *state.lines[:1]]))
