"""Time of single calls with one pulse, as percentiles: the tail is what an acquisition has to wait for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference import engine
from laboratory.backend import Backend, BoundBatch
from laboratory.result import NATIVE, LatencyRow
from laboratory.timing import Pulses, no_collection

MOST_CALLS = 20_000
_TURN_CALLS = 500
_WARM_UP_CALLS = 50
_LEAST_TURNS = 2
_N_PULSES = 256
C_INTERFACE = "C interface, called from C++"

Turn = Callable[[int], NDArray[np.float64]]
"""Makes so many calls and returns the time of each in ns."""


@dataclass(slots=True, eq=False)
class _Series:
    name: str
    via: str
    turn: Turn
    backend: Backend | None
    is_least_call: bool = False
    times_ns: list[NDArray[np.float64]] = field(default_factory=list)

    @property
    def n_calls(self) -> int:
        return sum(map(len, self.times_ns))


def time_single_pulses(
    path: Path, backends: Sequence[Backend], pulses: Pulses, *, seconds: float
) -> tuple[LatencyRow, ...]:
    """Time single calls of all backends in turns, up to :data:`MOST_CALLS` of each.

    Parameters
    ----------
    path : Path
        The frozen file, for the C interface.
    backends : sequence of Backend
        Of one thread, their scores known to be right.
    pulses : Pulses
        The Python calls score the first one, as bound; the C interface goes round through some.
    seconds : float
        How long it may take, about.
    """
    series = _all_series(path, backends, pulses)
    end_s = time.perf_counter() + seconds
    n_turns = 0
    with no_collection():
        while n_turns < _LEAST_TURNS or (
            time.perf_counter() < end_s and any(one.n_calls < MOST_CALLS for one in series)
        ):
            for one in series:
                if one.n_calls < MOST_CALLS:
                    _take_turn(one)
            n_turns += 1
    return tuple(_row(one, series) for one in series if not one.is_least_call)


def clock_ns() -> float:
    """Return the shortest time between two looks at the clock: it is taken off every call."""
    now = time.perf_counter_ns
    return float(min(-(now() - now()) for _ in range(10_000)))


def _all_series(path: Path, backends: Sequence[Backend], pulses: Pulses) -> list[_Series]:
    one_pulse = pulses.batch(1)
    own_ns = clock_ns()
    series = [_Series(NATIVE, C_INTERFACE, _by_c_interface(path, pulses), None)]
    for backend in backends:
        series.append(_Series(backend.name, backend.via, _by_python(backend.bind(one_pulse), own_ns), backend))
        if backend.least_call is not None:
            turn = _by_python(backend.least_call(one_pulse), own_ns)
            series.append(_Series(backend.name, backend.via, turn, backend, is_least_call=True))
    return series


def _by_c_interface(path: Path, pulses: Pulses) -> Turn:
    some = pulses.samples[:_N_PULSES]
    return lambda n_calls: np.array(engine.single_pulse_ns(os.fspath(path), "", some, n_calls))


def _by_python(bound: BoundBatch, own_ns: float) -> Turn:
    score, now = bound.score, time.perf_counter_ns

    def turn(n_calls: int) -> NDArray[np.float64]:
        times: list[Any] = [0] * n_calls
        for call in range(n_calls):
            start = now()
            score()
            times[call] = now() - start
        return np.maximum(np.array(times, np.float64) - own_ns, 0)

    return turn


def _take_turn(series: _Series) -> None:
    n_calls = _TURN_CALLS + _WARM_UP_CALLS
    if series.backend is None:
        times_ns = series.turn(n_calls)
    else:
        with series.backend.while_timed():
            times_ns = series.turn(n_calls)
    series.times_ns.append(times_ns[_WARM_UP_CALLS:])


def _row(one: _Series, series: Sequence[_Series]) -> LatencyRow:
    times_ns = np.concatenate(one.times_ns)
    least = [other for other in series if other.is_least_call and other.name == one.name]
    p50, p99, p999 = (float(value) for value in np.percentile(times_ns, (50, 99, 99.9)))
    return LatencyRow(
        backend=one.name,
        via=one.via,
        n_calls=len(times_ns),
        p50_ns=p50,
        p99_ns=p99,
        p999_ns=p999,
        least_call_p50_ns=float(np.median(np.concatenate(least[0].times_ns))) if least else None,
    )
