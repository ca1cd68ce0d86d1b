"""``discrimen stream``: pulses as they come through a frozen model."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.cli.given_options import refuse_idle
from discrimen.cli.input_options import INPUT_OPTION_NAMES, InputOptions, with_input_options
from discrimen.cli.stream_follow import follow_files
from discrimen.cli.stream_told import tell, tell_full
from discrimen.inference.load import load_model
from discrimen.network.thresholds import choose_threshold
from discrimen.online.delivery import Keeper
from discrimen.online.follow import IDLE_S
from discrimen.online.kept_scores import finish, open_log
from discrimen.online.monitor.side import Side, open_side
from discrimen.online.scorer import Scorer
from discrimen.online.sockets import SOCKETS, Inlet, Outlet
from discrimen.online.stream import Downstream, Stream, ToNext, ToStore
from discrimen.scoring.scores import SCORE_SUFFIXES


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(stream))


def stream(
    context: typer.Context,
    model: common.ModelArgument,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|ADDRESS",
            help="File of scores (.h5, .parquet, .root, .csv), or the address of the next program.",
            show_default=False,
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="ADDRESS", help="To listen at: tcp://HOST:PORT or ipc://PATH.", show_default=False
        ),
    ] = None,
    follow: Annotated[
        Path | None,
        typer.Option(help="A run file that is still written (CoMPASS .BIN), and those that continue it."),
    ] = None,
    idle_s: Annotated[
        float, typer.Option("--idle-s", help="A followed file that has not grown for so long is complete.", min=0.0)
    ] = IDLE_S,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|NAME",
            help="Least neutron score of a neutron, or the name of a stored one.",
            show_default=False,
        ),
    ] = None,
    monitor: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where 'discrimen monitor' listens: tcp://HOST:PORT or ipc://PATH.",
            show_default=False,
        ),
    ] = None,
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Score pulses as they come, to the end of the followed file or until every source has stopped. docs/stream.md."""
    if (source is None) == (follow is None):
        raise typer.BadParameter("say where the pulses come from: --input ADDRESS, or --follow FILE")
    if follow is None:
        refuse_idle(context, ("idle_s", *INPUT_OPTION_NAMES), without="--follow")
    loaded = load_model(model, backend=backend, threads=threads)
    has_classes = any(each.kind == "classes" for each in loaded.description.outputs)
    if threshold is not None and not has_classes:
        raise typer.BadParameter("this model has no classes, so there is nothing to put a threshold on")
    chosen = choose_threshold(loaded.description.thresholds, threshold) if has_classes else None
    scorer = Scorer(loaded.predictor, loaded.sha256, chosen)
    with _stop_signals() as is_ended, open_side(monitor, scorer) as side:
        if side.publisher is not None:
            common.log(f"telling monitors at {side.publisher.address}")
        if follow is not None:
            _require_scores(output)
            asked = side.while_asked(is_ended)
            result = follow_files(follow, Path(output), side.scorer, inputs=inputs, idle_s=idle_s, is_ended=asked)
        else:
            result = _listen(str(source), output, side, is_ended)
    if json:
        common.emit_json({"model": str(model), "output": output, **result})
    else:
        tell(result, output)


def _listen(source: str, output: str, side: Side, is_ended: Callable[[], bool]) -> dict[str, Any]:
    scorer = side.scorer
    with Inlet(source) as inlet, _downstream(output, scorer) as downstream:
        streamed = Stream(inlet, scorer, side.around(downstream))
        common.log(f"listening at {source}")
        streamed.run(side.while_asked(is_ended, streamed))
    result = {
        **scorer.as_dict(),
        "n_garbage": streamed.n_garbage,
        "n_disk_full": downstream.n_full if isinstance(downstream, ToStore) else 0,
        "sources": {str(number): ledger.as_dict() for number, ledger in streamed.passed.items()},
        "is_complete": streamed.is_done,
    }
    if streamed.is_done and not output.startswith(SOCKETS):
        result["n_written"] = finish(Path(output), scorer)
    return result


@contextmanager
def _downstream(output: str, scorer: Scorer) -> Iterator[Downstream]:
    """Open where results go."""
    if output.startswith(SOCKETS):
        with Outlet(output) as outlet:
            yield ToNext(outlet)
        return
    _require_scores(output)
    with open_log(Path(output), scorer) as store:
        yield ToStore(Keeper(store), on_full=lambda: tell_full(output))


def _require_scores(output: str) -> None:
    if Path(output).suffix not in SCORE_SUFFIXES or output.startswith(SOCKETS):
        raise typer.BadParameter(f"expected a file of scores ({', '.join(SCORE_SUFFIXES)}), got {output}")


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Give what says whether somebody asked the program to end."""
    asked: list[int] = []

    def ask(number: int, _: object) -> None:
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
