"""``discrimen replay``: run files play the part of an acquisition card."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.input_options import InputOptions, with_input_options
from discrimen.online.replay import replay_run
from discrimen.online.run_log import BLOCK_PULSES, RunLog
from discrimen.online.sockets import Outlet


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(replay))


def replay(
    files: Annotated[list[Path], typer.Argument(help="Run files, played one after the other.", show_default=False)],
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="ADDRESS",
            help="Of the stream: tcp://HOST:PORT or ipc://PATH.",
            show_default=False,
        ),
    ],
    rate_hz: Annotated[
        float | None, typer.Option("--rate-hz", help="Pulses a second.", show_default="as many as are taken")
    ] = None,
    own_time: Annotated[bool, typer.Option("--own-time", help="Play by the time stamps of the run.")] = False,
    block: Annotated[int, typer.Option(help="Pulses of a message.", min=1, max=2**20)] = BLOCK_PULSES,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Send run files to a stream; it ends when their results are kept, and goes on where it was after a kill."""
    if rate_hz is not None and (own_time or rate_hz <= 0):
        raise typer.BadParameter("give a --rate-hz above 0, or --own-time, not both")
    results = []
    with Outlet(output) as outlet:
        for path in files:
            reader = inputs.open(path)
            log = RunLog(reader, block_pulses=block)
            with common.progress(path.name, total=reader.info.n_entries) as tick:
                done = replay_run(
                    log,
                    outlet,
                    attempt=secrets.randbits(32),
                    rate_hz=rate_hz,
                    by_own_time=own_time,
                    on_progress=tick,
                )
            results.append(
                {
                    "input": str(path),
                    "n_pulses": done.n_pulses,
                    "n_messages": done.n_messages,
                    "seconds": done.seconds,
                    "source": log.source,
                }
            )
            common.log_left_out(path, reader.report)
    if json:
        common.emit_json({"files": results})
        return
    for result in results:
        print(
            f"{result['input']}: {result['n_pulses']} pulses sent in {result['seconds']:.2f} s, and all "
            f"{result['n_messages']} messages are kept"
        )
