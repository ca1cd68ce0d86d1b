"""``discrimen stream``: pulses as they come through a frozen model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.cli.given_options import given_options, refuse_idle
from discrimen.cli.input_options import INPUT_OPTION_NAMES, with_input_options
from discrimen.cli.stop_signals import stop_signals
from discrimen.cli.stream_abcd import OPTIONS as ABCD_OPTIONS
from discrimen.cli.stream_abcd import listen_to_abcd, tell_abcd
from discrimen.cli.stream_follow import follow_files
from discrimen.cli.stream_told import tell, tell_full
from discrimen.formats.inputs import InputOptions
from discrimen.inference.load import load_model
from discrimen.network.thresholds import choose_threshold
from discrimen.online.abcd.sockets import is_abcd
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
            help="File of scores (.h5, .parquet, .root, .csv, .mfm), or the address of the next program.",
            show_default=False,
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="ADDRESS",
            help="To listen at: tcp://HOST:PORT or ipc://PATH; or of ABCD's waveforms: abcd+tcp://HOST:PORT.",
            show_default=False,
        ),
    ] = None,
    follow: Annotated[
        Path | None,
        typer.Option(
            help="A run file that is still written (CoMPASS .BIN, WaveDump .dat, ABCD .adw or .adr), and those that "
            "continue it."
        ),
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
    charge_factor: Annotated[
        float,
        typer.Option(
            "--charge-factor", help="ABCD: from ADC counts times samples to qlong.", min=1e-6, show_default="1"
        ),
    ] = 1.0,
    backend: common.BackendOption = None,
    device: common.DeviceOption = "cpu",
    threads: common.ThreadsOption = None,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Score pulses as they come, to the end of the followed file or until every source has stopped. docs/stream.md."""
    if (source is None) == (follow is None):
        raise typer.BadParameter("say where the pulses come from: --input ADDRESS, or --follow FILE")
    from_abcd, to_abcd = source is not None and is_abcd(source), is_abcd(output)
    if to_abcd and not from_abcd:
        raise typer.BadParameter("events for ABCD are made of its waveforms: give --input abcd+tcp://HOST:PORT")
    if follow is None:
        files_only = [name for name in INPUT_OPTION_NAMES if not (from_abcd and name in ABCD_OPTIONS)]
        refuse_idle(context, files_only if from_abcd else ("idle_s", *files_only), without="--follow")
    if not to_abcd:
        refuse_idle(context, ("charge_factor",), without="-o abcd+tcp://HOST:PORT")
    loaded = load_model(model, device=device, backend=backend, threads=threads)
    has_classes = any(each.kind == "classes" for each in loaded.description.outputs)
    if threshold is not None and not has_classes:
        raise typer.BadParameter("this model has no classes, so there is nothing to put a threshold on")
    chosen = choose_threshold(loaded.description.thresholds, threshold) if has_classes else None
    scorer = Scorer(loaded.predictor, loaded.sha256, chosen)
    with stop_signals() as is_ended, open_side(monitor, scorer) as side:
        if side.publisher is not None:
            common.log(f"telling monitors at {side.publisher.address}")
        if follow is not None:
            _require_scores(output)
            asked = side.while_asked(is_ended)
            result = follow_files(follow, Path(output), side.scorer, inputs=inputs, idle_s=idle_s, is_ended=asked)
        elif from_abcd:
            _require_scores(output, or_address=True)
            result = listen_to_abcd(
                str(source),
                output,
                side.scorer,
                inputs=inputs,
                charge_factor=charge_factor,
                idle_s=idle_s if "idle_s" in given_options(context) else None,
                is_ended=side.while_asked(is_ended),
            )
        else:
            result = _listen(str(source), output, side, is_ended)
    if json:
        common.emit_json({"model": str(model), "output": output, **result})
    else:
        (tell_abcd if from_abcd else tell)(result, output)


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


def _require_scores(output: str, *, or_address: bool = False) -> None:
    if or_address and (is_abcd(output) or output.startswith(SOCKETS)):
        return
    if Path(output).suffix not in SCORE_SUFFIXES or output.startswith(SOCKETS):
        raise typer.BadParameter(f"expected a file of scores ({', '.join(SCORE_SUFFIXES)}), got {output}")
