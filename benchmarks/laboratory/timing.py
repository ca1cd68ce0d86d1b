"""Times of calls: backends take turns within one run, so that whatever else the machine does meets all alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from laboratory.backend import Backend, BoundBatch
from laboratory.limits import available_memory_bytes
from laboratory.result import BatchTime, LeftOut

TOLERANCE = 1e-5
"""How far a score may be off the reference; a backend that is further off is not timed."""
LEAST_ROUNDS = 3
_STRETCH_NS = 2_000_000
"""Calls are timed in stretches of about this length."""
_MOST_TRIALS = 20
_SETTLE_S = 0.003
"""Before a stretch of a backend with several threads: those of the one before stop spinning and fall asleep."""
_MOST_ALLOWANCES = 0.5
"""A backend is left out where one call would take more than this share of what a batch size is allowed."""


@dataclass(frozen=True, slots=True, eq=False)
class Pulses:
    """Raw pulses with the scores that every backend must give.

    Parameters
    ----------
    samples : ndarray of int16 or uint16, shape (pulse, sample)
        As digitised; repeated to fill a batch.
    scores : ndarray, shape (pulse, class)
        By the reference; NaN for a pulse that cannot be prepared.
    """

    samples: NDArray[Any]
    scores: NDArray[Any]

    def batch(self, size: int) -> NDArray[Any]:
        """Return the raw samples of a batch, contiguous."""
        return np.ascontiguousarray(np.resize(self.samples, (size, self.samples.shape[1])))

    def worst_difference(self, scores: NDArray[np.float32]) -> float:
        """Return how far scores of a batch are off; infinite where the shape differs or only one of two is NaN."""
        n_pulses, n_classes = self.scores.shape
        if scores.ndim != 2 or scores.shape[1] != n_classes or not len(scores):
            return np.inf
        worst = 0.0
        for start in range(0, len(scores), n_pulses):
            part = scores[start : start + n_pulses]
            expected = self.scores[: len(part)]
            if not np.array_equal(np.isnan(part), np.isnan(expected)):
                return np.inf
            worst = max(worst, float(np.nan_to_num(np.abs(part - expected)).max()))
        return worst


@dataclass(slots=True)
class Sweep:
    """Times over the batch sizes, as they come."""

    times: list[BatchTime] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def last_ns_per_signal(self, backend: Backend) -> float:
        """Return what a signal took at the largest batch size so far; 0 if nothing is known."""
        known = [time for time in self.times if (time.backend, time.threads) == (backend.name, backend.threads)]
        return known[-1].best_ns_per_signal if known else 0.0

    def refused(self, backend: Backend) -> bool:
        """Whether a backend was left out for good."""
        return any(
            (entry.backend, entry.threads, entry.batch_size) == (backend.name, backend.threads, None)
            for entry in self.left_out
        )


@dataclass(slots=True, eq=False)
class _Contender:
    backend: Backend
    bound: BoundBatch
    n_calls: int
    stretches_ns: list[float] = field(default_factory=list)


def time_batches(
    backends: Sequence[Backend],
    pulses: Pulses,
    *,
    batch_sizes: Sequence[int],
    seconds: float,
    on_step: Callable[[str], None],
) -> Sweep:
    """Time all backends at all batch sizes.

    Parameters
    ----------
    backends : sequence of Backend
        Of the same number of threads.
    pulses : Pulses
        What to score.
    batch_sizes : sequence of int
        In growing order.
    seconds : float
        How long the calls may take in all, about: each batch size gets the same share, and at least
        :data:`LEAST_ROUNDS` rounds.
    on_step : callable
        Hears of each batch size.
    """
    sweep = Sweep()
    allowance_ns = seconds * 1e9 / len(batch_sizes)
    for batch_size in batch_sizes:
        on_step(f"{backends[0].threads} thread(s), batch {batch_size}")
        samples = pulses.batch(batch_size)
        contenders = []
        for backend in backends:
            reason = None if sweep.refused(backend) else _too_much(backend, batch_size, sweep, allowance_ns)
            if reason is not None:
                entry = LeftOut(backend=backend.name, threads=backend.threads, batch_size=batch_size, reason=reason)
                sweep.left_out.append(entry)
            elif not sweep.refused(backend):
                contenders += _checked(backend, samples, pulses, sweep)
        _take_turns(contenders, allowance_ns)
        sweep.times += [_batch_time(contender, batch_size) for contender in contenders]
    return sweep


def _too_much(backend: Backend, batch_size: int, sweep: Sweep, allowance_ns: float) -> str | None:
    """Return why a backend is not timed at a batch size, or None."""
    if backend.largest_batch is not None and batch_size > backend.largest_batch:
        return f"only timed up to batches of {backend.largest_batch}"
    needed, there = backend.bytes_per_pulse * batch_size, available_memory_bytes() // 2
    if needed > there:
        return f"intermediate values would take about {needed / 1e9:.1f} GB, half the free memory is {there / 1e9:.1f}"
    expected_ns = sweep.last_ns_per_signal(backend) * batch_size
    if expected_ns > _MOST_ALLOWANCES * allowance_ns:
        return f"one call would take about {expected_ns / 1e9:.1f} s: give more --seconds"
    return None


def _checked(backend: Backend, samples: NDArray[Any], pulses: Pulses, sweep: Sweep) -> list[_Contender]:
    """Bind a batch and compare the scores; a backend that fails or is off is left out for good."""
    try:
        bound = backend.bind(samples)
        bound.score()
    except backend.failures as error:
        reason = f"it fails at batch {len(samples)}: {' '.join(str(error).split())}"
        sweep.left_out.append(LeftOut(backend=backend.name, threads=backend.threads, reason=reason))
        return []
    worst = pulses.worst_difference(bound.scores())
    if not worst <= TOLERANCE:
        reason = f"its scores are off the reference by {worst:.3g}, allowed are {TOLERANCE:g} (batch {len(samples)})"
        sweep.left_out.append(LeftOut(backend=backend.name, threads=backend.threads, reason=reason))
        return []
    return [_Contender(backend, bound, _calls_to_a_stretch(bound))]


def _take_turns(contenders: Sequence[_Contender], allowance_ns: float) -> None:
    """Let each have a stretch in each round, every round begun by another, until the time is over."""
    end_ns = time.perf_counter_ns() + allowance_ns
    n_rounds = 0
    with no_collection():
        while contenders and (n_rounds < LEAST_ROUNDS or time.perf_counter_ns() < end_ns):
            first = n_rounds % len(contenders)
            for contender in (*contenders[first:], *contenders[:first]):
                if contender.backend.threads > 1:
                    time.sleep(_SETTLE_S)
                with contender.backend.while_timed():
                    contender.stretches_ns.append(_stretch_ns(contender.bound, contender.n_calls))
            n_rounds += 1


def _calls_to_a_stretch(bound: BoundBatch) -> int:
    """Choose by the best of a few calls: one alone may have waited for another process."""
    shortest_ns = _stretch_ns(bound, 1)
    for _ in range(_MOST_TRIALS):
        if shortest_ns * bound.batches > 10 * _STRETCH_NS:
            break
        shortest_ns = min(shortest_ns, _stretch_ns(bound, 1))
    return max(1, round(_STRETCH_NS / (shortest_ns * bound.batches)))


def _stretch_ns(bound: BoundBatch, n_calls: int) -> float:
    score = bound.score
    start_ns = time.perf_counter_ns()
    for _ in range(n_calls):
        score()
    return (time.perf_counter_ns() - start_ns) / (n_calls * bound.batches)


def _batch_time(contender: _Contender, batch_size: int) -> BatchTime:
    return BatchTime(
        backend=contender.backend.name,
        threads=contender.backend.threads,
        batch_size=batch_size,
        best_ns_per_signal=min(contender.stretches_ns) / batch_size,
        median_ns_per_signal=median(contender.stretches_ns) / batch_size,
        n_rounds=len(contender.stretches_ns),
    )


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep Python's collector of garbage from running in between."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
