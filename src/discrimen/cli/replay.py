"""``discrimen replay``: run files play the part of an acquisition card."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.cli.replay_elsewhere import play_as_abcd, play_into_file
from discrimen.formats.base import Reader
from discrimen.formats.inputs import InputOptions
from discrimen.online.abcd.sockets import is_abcd
from discrimen.online.looped import LoopedReader
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
            metavar="ADDRESS|FILE",
            help="Of the stream: tcp://HOST:PORT or ipc://PATH; abcd+tcp://HOST:PORT plays ABCD; with --grow a file.",
            show_default=False,
        ),
    ],
    rate_hz: Annotated[
        float | None, typer.Option("--rate-hz", help="Pulses a second.", show_default="as many as are taken")
    ] = None,
    own_time: Annotated[bool, typer.Option("--own-time", help="Play by the time stamps of the run.")] = False,
    block: Annotated[int, typer.Option(help="Pulses of a message.", min=1, max=2**20)] = BLOCK_PULSES,
    grow: Annotated[
        bool, typer.Option("--grow", help="Write a run file that grows: .BIN, .dat, .adw or .adr, by its suffix.")
    ] = False,
    loop: Annotated[
        int, typer.Option(metavar="N", help="Play each file so many times; its time and numbers go on.", min=1)
    ] = 1,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Send run files to a stream; it ends when their results are kept, and goes on where it was after a kill.

    Or play ABCD for its programs, or write a file that grows. docs/stream.md, docs/abcd.md.
    """
    if rate_hz is not None and (own_time or rate_hz <= 0):
        raise typer.BadParameter("give a --rate-hz above 0, or --own-time, not both")
    pace = {"rate_hz": rate_hz, "by_own_time": own_time}
    readers = [_reader(inputs, path, loop) for path in files]
    if grow:
        results = play_into_file(readers, output, block=block, n_rounds=loop, **pace)
    elif is_abcd(output):
        results = play_as_abcd(readers, output, block=block, tick_ps=inputs.read.tick_ps, n_rounds=loop, **pace)
    else:
        results = _send(readers, output, block=block, n_rounds=loop, **pace)
    if json:
        common.emit_json({"files": results})
        return
    for result in results:
        print(_IN_WORDS[result["to"]](result))


def _reader(inputs: InputOptions, path: Path, n_rounds: int) -> Reader:
    reader = inputs.open(path)
    return reader if n_rounds == 1 else LoopedReader(reader, n_rounds)


def _send(readers: Sequence[Reader], output: str, *, block: int, n_rounds: int, **pace: Any) -> list[dict[str, Any]]:
    results = []
    with Outlet(output) as outlet:
        for reader in readers:
            path, total = reader.info.path, reader.info.n_entries
            log = RunLog(reader, block_pulses=block, n_rounds=n_rounds)
            with common.progress(path.name, total=None if total is None else n_rounds * total) as tick:
                done = replay_run(log, outlet, attempt=secrets.randbits(32), on_progress=tick, **pace)
            results.append(
                {
                    "input": str(path),
                    "to": "stream",
                    "n_pulses": done.n_pulses,
                    "n_messages": done.n_messages,
                    "seconds": done.seconds,
                    "source": log.source,
                }
            )
            common.log_left_out(path, reader.report)
    return results


_IN_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "stream": lambda done: (
        f"{done['input']}: {done['n_pulses']} pulses sent in {done['seconds']:.2f} s, and all {done['n_messages']} "
        "messages are kept"
    ),
    "abcd": lambda done: (
        f"{done['input']}: {done['n_pulses']} pulses sent in {done['seconds']:.2f} s, in {done['n_messages']} messages"
    ),
    "file": lambda done: f"{done['input']}: {done['n_pulses']} pulses written in {done['seconds']:.2f} s",
}
