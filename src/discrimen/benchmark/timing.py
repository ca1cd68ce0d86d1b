"""Times of calls that take turns, so that whatever else the machine does meets all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

LEAST_ROUNDS = 5
_STRETCH_NS = 2_000_000
"""Calls are timed in stretches of about this length."""
_TRIALS = 5


def time_in_turns(
    calls: Mapping[str, Callable[[], object]], *, seconds: float, clock_ns: Callable[[], int] = time.perf_counter_ns
) -> dict[str, NDArray[np.float64]]:
    """Time calls in rounds: in each, every call is repeated for a stretch of some milliseconds.

    Parameters
    ----------
    calls : mapping of str to callable
        By name.
    seconds : float
        How long all may take, about; at least :data:`LEAST_ROUNDS` rounds.
    clock_ns : callable
        What a call is timed by; `time.process_time_ns` leaves out what waits for a disk.

    Returns
    -------
    dict of str to ndarray of float64, shape (round,)
        Time of one call in ns, the mean of each stretch.
    """
    n_calls = {name: _calls_to_a_stretch(call) for name, call in calls.items()}
    times_ns: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    end_ns = time.perf_counter_ns() + seconds * 1e9
    n_rounds = 0
    while n_rounds < LEAST_ROUNDS or time.perf_counter_ns() < end_ns:
        for name in names:
            times_ns[name].append(_stretch_ns(calls[name], n_calls[name], clock_ns))
        names.append(names.pop(0))  # every round is begun by another
        n_rounds += 1
    return {name: np.array(times) for name, times in times_ns.items()}


def _calls_to_a_stretch(call: Callable[[], object]) -> int:
    """Choose by the best of a few calls: the first may compile, another may have waited for another process."""
    shortest_ns = _stretch_ns(call, 1, time.perf_counter_ns)
    for _ in range(_TRIALS):
        if shortest_ns > _STRETCH_NS:
            break
        shortest_ns = min(shortest_ns, _stretch_ns(call, 1, time.perf_counter_ns))
    return max(1, round(_STRETCH_NS / max(shortest_ns, 1.0)))


def _stretch_ns(call: Callable[[], object], n_calls: int, clock_ns: Callable[[], int]) -> float:
    start_ns = clock_ns()
    for _ in range(n_calls):
        call()
    return (clock_ns() - start_ns) / n_calls
