"""What a backend is to a benchmark: a batch is bound once, then scored again and again by the leanest call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DiscrimenError

_OWN_THREADS = Path("/proc/self/task")


@dataclass(frozen=True, slots=True, eq=False)
class BoundBatch:
    """One batch with its buffers.

    Parameters
    ----------
    score : callable
        Computes the scores once.
    scores : callable
        Returns them, shape (pulse, class), as the last call left them.
    samples : ndarray, shape (pulse, sample)
        What is scored: kept here, for a runtime that reads the buffer does not own it.
    batches : int
        How many batches like this one call scores.
    """

    score: Callable[[], object]
    scores: Callable[[], NDArray[np.float32]]
    samples: NDArray[Any]
    batches: int = 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Backend:
    """One way to score raw pulses.

    Parameters
    ----------
    name : str
        Of the backend, without the threads.
    threads : int
        How many compute at once.
    via : str
        What is called, for people.
    bind : callable
        Takes raw samples, shape (pulse, sample), and gives them with all buffers made.
    least_call : callable or None
        As `bind`, for a graph of the same input and output that only converts a few samples: what a call costs alone.
    bytes_per_pulse : int
        Memory for intermediate values, estimated; 0 where it does not grow with the batch.
    largest_batch : int or None
        More would tell nothing new.
    failures : tuple of exception types
        What it raises where it cannot compute the model or the batch.
    while_timed : callable
        Gives the context that a stretch of calls runs in.
    """

    name: str
    threads: int
    via: str
    bind: Callable[[NDArray[Any]], BoundBatch]
    least_call: Callable[[NDArray[Any]], BoundBatch] | None = None
    bytes_per_pulse: int = 0
    largest_batch: int | None = None
    failures: tuple[type[Exception], ...] = (DiscrimenError,)
    while_timed: Callable[[], AbstractContextManager[None]] = nullcontext


@contextmanager
def on_one_core() -> Iterator[None]:
    """Hold every thread of this process on one core: for libraries that do not let their threads be chosen."""
    before = {thread: os.sched_getaffinity(thread) for thread in _own_threads()}
    core = {min(os.sched_getaffinity(0))}
    try:
        for thread in before:
            _hold(thread, core)
        yield
    finally:
        for thread, cores in before.items():
            _hold(thread, cores)


def _own_threads() -> list[int]:
    return [int(path.name) for path in _OWN_THREADS.iterdir()]


def _hold(thread: int, cores: set[int]) -> None:
    with suppress(ProcessLookupError):  # it ended meanwhile
        os.sched_setaffinity(thread, cores)
