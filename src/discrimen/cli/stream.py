"""``discrimen stream``: pulses as they come through a frozen model."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.errors import OutputError, SettingsError
from discrimen.inference.load import load_model
from discrimen.network.thresholds import choose_threshold
from discrimen.online.delivery import Keeper
from discrimen.online.kept_scores import log_of, require_same_model, write_scores
from discrimen.online.result_log import ResultLog
from discrimen.online.scorer import Scorer
from discrimen.online.sockets import SOCKETS, Inlet, Outlet
from discrimen.online.stream import Downstream, Stream, ToNext, ToStore
from discrimen.output.provenance import utc_now
from discrimen.scoring.scores import SCORE_SUFFIXES


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(stream)


def stream(
    model: common.ModelArgument,
    source: Annotated[
        str,
        typer.Option(
            "--input", metavar="ADDRESS", help="To listen at: tcp://HOST:PORT or ipc://PATH.", show_default=False
        ),
    ],
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
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|NAME",
            help="Least neutron score of a neutron, or the name of a stored one.",
            show_default=False,
        ),
    ] = None,
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    json: common.JsonOption = False,
) -> None:
    """Score pulses as they come; it ends when every source that came has stopped. docs/stream.md."""
    loaded = load_model(model, backend=backend, threads=threads)
    has_classes = any(each.kind == "classes" for each in loaded.description.outputs)
    if threshold is not None and not has_classes:
        raise typer.BadParameter("this model has no classes, so there is nothing to put a threshold on")
    chosen = choose_threshold(loaded.description.thresholds, threshold) if has_classes else None
    scorer = Scorer(loaded.predictor, loaded.sha256, chosen)
    with _stop_signals() as stopped, Inlet(source) as inlet, _downstream(output, loaded) as downstream:
        streamed = Stream(inlet, scorer, downstream)
        common.log(f"listening at {source}")
        streamed.run(lambda: bool(stopped))
    result: dict[str, Any] = {
        "n_pulses": scorer.n_pulses,
        "n_neutron": scorer.n_neutron,
        "n_not_scored": scorer.n_unscored,
        "refused": scorer.refused,
        "n_garbage": streamed.n_garbage,
        "sources": {str(number): ledger.as_dict() for number, ledger in streamed.passed.items()},
        "is_complete": streamed.is_done,
    }
    path = None if output.startswith(SOCKETS) else Path(output)
    if path is not None and streamed.is_done:
        result["n_written"] = write_scores(
            log_of(path), path, {"model_sha256": loaded.sha256, "threshold": str(chosen), "date_utc": utc_now()}
        )
        log_of(path).unlink()
    if json:
        common.emit_json({"model": str(model), "output": output, **result})
    else:
        _tell(result, output)


@contextmanager
def _downstream(output: str, loaded: Any) -> Iterator[Downstream]:
    """Open where results go."""
    if output.startswith(SOCKETS):
        with Outlet(output) as outlet:
            yield ToNext(outlet)
        return
    path = Path(output)
    if path.suffix not in SCORE_SUFFIXES:
        raise typer.BadParameter(
            f"expected a file of scores ({', '.join(SCORE_SUFFIXES)}) or an address ({' '.join(SOCKETS)}), got {output}"
        )
    kinds = [each.kind for each in loaded.description.outputs]
    if kinds != ["classes"]:
        raise SettingsError(
            f"a file of scores holds one output of classes, this model gives {', '.join(kinds)}: send its results to "
            "an address"
        )
    log = log_of(path)
    # With a log beside it the file was complete, but its sender may not know that yet.
    if path.exists() and not log.exists():
        raise OutputError(f"{path} is there already: give another name, or move it away")
    require_same_model(log, loaded.sha256)
    with ResultLog.open(log) as store:
        if store.n_cut_bytes:
            common.log(f"{log}: {store.n_cut_bytes} bytes of a message that was not complete are left out")
        yield ToStore(Keeper(store))


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Give a list that fills when somebody asks the program to end."""
    asked: list[int] = []

    def ask(number: int, _: object) -> None:
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(result: dict[str, Any], output: str) -> None:
    print(
        f"{result['n_pulses']} pulses from {len(result['sources'])} source(s): {result['n_neutron']} neutrons, "
        f"{result['n_not_scored']} not scored"
    )
    for reason, count in result["refused"].items():
        print(f"{count} pulses do not fit the model: {reason}")
    for source, ledger in result["sources"].items():
        wrong = {name: ledger[name] for name in ("n_lost", "missing_ps", "overlap_ps") if ledger[name]}
        if wrong:
            print(f"source {source}: {', '.join(f'{name} {value}' for name, value in wrong.items())}")
    if result["n_garbage"]:
        print(f"{result['n_garbage']} messages could not be read")
    if "n_written" in result:
        print(f"{result['n_written']} scores written to {output}")
    elif not result["is_complete"]:
        print("stopped before every source was; the same command goes on from here")
