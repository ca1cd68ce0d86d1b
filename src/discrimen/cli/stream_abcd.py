"""The part of ``discrimen stream`` that takes pulses from ABCD."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from discrimen.cli import common
from discrimen.errors import SettingsError
from discrimen.formats.abcd.messages import WAVEFORMS
from discrimen.formats.abcd.ticks import DEFAULT_TICK_PS, TickClock
from discrimen.formats.inputs import InputOptions
from discrimen.online.abcd.control import Control, ModuleControl
from discrimen.online.abcd.events import EventMaker
from discrimen.online.abcd.intake import Intake
from discrimen.online.abcd.sinks import Sink, ToAbcd, ToLog, ToProgram
from discrimen.online.abcd.sockets import ModuleSockets, Subscriber, is_abcd
from discrimen.online.abcd.stream import AbcdStream
from discrimen.online.kept_scores import finish, log_of, open_log
from discrimen.online.run_log import source_of
from discrimen.online.scorer import Scorer
from discrimen.online.sockets import SOCKETS, Outlet

OPTIONS = ("settings", "sample_period_ns", "tick_ps", "channel")
"""Options of input files that mean something for ABCD's messages."""


def listen_to_abcd(
    source: str,
    output: str,
    scorer: Scorer,
    *,
    inputs: InputOptions,
    charge_factor: float,
    idle_s: float | None,
    is_ended: Callable[[], bool],
) -> dict[str, Any]:
    """Score the waveforms that ABCD publishes at an address until somebody ends it, and return what was done."""
    intake = _intake(inputs, scorer)
    with (
        Subscriber(source, WAVEFORMS) as subscriber,
        _sink(source, output, scorer, charge_factor, is_ended, intake) as (sink, control),
    ):
        streamed = AbcdStream(
            subscriber, intake, scorer, sink, control, about={"model_sha256": scorer.sha256}, log=common.log
        )
        common.log(f"listening to ABCD at {source}")
        streamed.run(is_ended, idle_s=idle_s)
    counted = streamed.as_dict()
    result = {**scorer.as_dict(), "sources": {source: intake.as_dict()}, **sink.as_dict(), "is_complete": True}
    for name in ("n_garbage", "garbage", "n_messages_while_stopped"):
        result[name] = counted[name]
    if isinstance(sink, ToLog):
        result["n_written"] = _finish(Path(output), scorer, sink)
    return result


def _intake(inputs: InputOptions, scorer: Scorer) -> Intake:
    period_ns = inputs.read.settings.sample_period_ns
    if period_ns is None:
        wanted = scorer.predictor.description.preparation.sample_period_ns
        raise SettingsError(
            "ABCD's messages do not say the sampling period: give --sample-period-ns; the model was trained at "
            f"{wanted:g} ns"
        )
    tick_ps = inputs.read.tick_ps
    clock = TickClock(DEFAULT_TICK_PS if tick_ps is None else tick_ps)
    return Intake(period_ns, clock, tuple(inputs.selection.channels))


@contextmanager
def _sink(
    source: str, output: str, scorer: Scorer, charge_factor: float, is_ended: Callable[[], bool], intake: Intake
) -> Iterator[tuple[Sink, Control]]:
    """Open where results go."""
    if is_abcd(output):
        description = scorer.predictor.description
        if [each.kind for each in description.outputs] != ["classes"]:
            raise SettingsError("an event of ABCD carries one score: the model must have one output, of classes")
        maker = EventMaker(description.preparation, charge_factor)
        with ModuleSockets(output) as sockets:
            yield ToAbcd(sockets, maker, description.neutron_class), ModuleControl(sockets)
    elif output.startswith(SOCKETS):
        with Outlet(output) as outlet:
            yield ToProgram(outlet, secrets.randbits(64), is_ended), Control()
    else:
        number = source_of(source)
        with open_log(Path(output), scorer) as store:
            if (last := store.last(number)) is not None:
                intake.go_on_behind(int(last.columns["entry"].max()))
            yield ToLog(store, number), Control()


def _finish(output: Path, scorer: Scorer, sink: ToLog) -> int:
    """Make the file of scores, unless nothing ever came."""
    if sink.store.n_kept(sink.source) == 0:
        log_of(output).unlink()
        return 0
    return finish(output, scorer)


def tell_abcd(result: dict[str, Any], output: str) -> None:
    """Print what came and what was wrong with it."""
    print(f"{result['n_pulses']} pulses: {result['n_neutron']} neutrons, {result['n_not_scored']} not scored")
    for reason, count in result["refused"].items():
        print(f"{count} pulses do not fit the model: {reason}")
    for source, came in result["sources"].items():
        print(f"{source}: {came['n_messages']} messages, {came['n_lost']} lost, {came['n_restarts']} restarts")
        if came["n_without_number"]:
            print(f"{came['n_without_number']} messages have no number: of these a loss cannot be seen")
        if came["n_damaged"]:
            print(f"{came['n_damaged']} places in messages could not be read as waveforms")
    for name, words in _WORDS.items():
        if result.get(name):
            print(f"{result[name]} {words}")
    if "n_written" in result:
        print(f"{result['n_written']} scores written to {output}" if result["n_written"] else "nothing came")


_WORDS = {
    "n_garbage": "messages could not be read",
    "n_messages_while_stopped": "messages came while the module was stopped",
    "n_events": "events sent",
    "n_not_drawn": "pulses without an event: no score, or no charge",
    "n_charge_overflow": "charges are beyond 65534 and stand there: give a smaller --charge-factor",
    "n_messages_not_to_all": "messages of events did not go to all listeners: one does not follow",
}
