"""Which backends are timed, which are refused, and how often each has its turn; no assertion on time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from laboratory.backend import Backend, BoundBatch, on_one_core
from laboratory.latency import time_single_pulses
from laboratory.timing import LEAST_ROUNDS, Pulses, Sweep, time_batches


def fake(name: str, scores: Callable[[int], NDArray[Any]], **options: Any) -> Backend:
    def bind(samples: NDArray[Any]) -> BoundBatch:
        return BoundBatch(lambda: None, lambda: scores(len(samples)), samples)

    return Backend(name=name, threads=1, via="nothing", bind=bind, **options)


def right(pulses: Pulses) -> Callable[[int], NDArray[Any]]:
    return lambda size: np.resize(pulses.scores, (size, 2)).astype(np.float32)


def sweep(backends: list[Backend], pulses: Pulses, sizes: tuple[int, ...] = (1, 60)) -> Sweep:
    return time_batches(backends, pulses, batch_sizes=sizes, seconds=0.02, on_step=lambda _: None)


def test_every_backend_with_the_right_scores_is_timed(pulses: Pulses) -> None:
    done = sweep([fake("one", right(pulses)), fake("other", right(pulses))], pulses)
    assert [(time.backend, time.batch_size) for time in done.times] == [
        ("one", 1),
        ("other", 1),
        ("one", 60),
        ("other", 60),
    ]
    assert all(time.n_rounds >= LEAST_ROUNDS for time in done.times)
    assert all(0 < time.best_ns_per_signal <= time.median_ns_per_signal for time in done.times)
    assert not done.left_out


def shifted(pulses: Pulses, size: int) -> NDArray[Any]:
    scores = right(pulses)(size)
    scores[-1, 0] += 2e-5
    return scores


def missing(pulses: Pulses, size: int) -> NDArray[Any]:
    scores = right(pulses)(size)
    scores[-1] = np.nan
    return scores


@pytest.mark.parametrize("wrong", [shifted, missing])
def test_a_backend_that_disagrees_is_refused(pulses: Pulses, wrong: Callable[[Pulses, int], NDArray[Any]]) -> None:
    done = sweep([fake("good", right(pulses)), fake("bad", lambda size: wrong(pulses, size))], pulses)
    assert {time.backend for time in done.times} == {"good"}
    (entry,) = done.left_out
    assert entry.backend == "bad"
    assert entry.batch_size is None
    assert "off the reference" in entry.reason


def test_a_backend_that_is_wrong_in_large_batches_is_refused_there(pulses: Pulses) -> None:
    def scores(size: int) -> NDArray[Any]:
        return right(pulses)(size) if size == 1 else shifted(pulses, size)

    done = sweep([fake("late", scores)], pulses)
    assert [time.batch_size for time in done.times] == [1]
    assert "batch 60" in done.left_out[0].reason


def test_a_backend_that_fails_is_named_and_the_others_go_on(pulses: Pulses) -> None:
    def fails(size: int) -> NDArray[Any]:
        raise AssertionError("never asked for scores")

    def bind(_: NDArray[Any]) -> BoundBatch:
        raise RuntimeError("no such\noperator")

    broken = dataclasses.replace(fake("broken", fails), bind=bind, failures=(RuntimeError,))
    done = sweep([broken, fake("good", right(pulses))], pulses)
    assert {time.backend for time in done.times} == {"good"}
    assert [entry.reason for entry in done.left_out] == ["it fails at batch 1: no such operator"]


def test_pulses_that_cannot_be_prepared_score_nan_everywhere(pulses: Pulses) -> None:
    scores = pulses.scores.copy()
    scores[3] = np.nan
    assert Pulses(pulses.samples, scores).worst_difference(scores.astype(np.float32)) < 1e-6
    assert Pulses(pulses.samples, scores).worst_difference(pulses.scores.astype(np.float32)) == np.inf


def test_what_does_not_fit_into_memory_is_named(pulses: Pulses) -> None:
    done = sweep([fake("large", right(pulses), bytes_per_pulse=10**12)], pulses)
    assert not done.times
    assert [entry.batch_size for entry in done.left_out] == [1, 60]
    assert "GB" in done.left_out[0].reason


def test_a_backend_for_small_batches_is_named_where_it_ends(pulses: Pulses) -> None:
    done = sweep([fake("small", right(pulses), largest_batch=1)], pulses)
    assert [time.batch_size for time in done.times] == [1]
    assert done.left_out[0].batch_size == 60


def test_a_call_that_would_take_too_long_is_named(pulses: Pulses) -> None:
    done = time_batches(
        [fake("slow", right(pulses))], pulses, batch_sizes=(1, 50_000), seconds=1e-6, on_step=lambda _: None
    )
    assert "give more --seconds" in done.left_out[0].reason


def test_a_batch_repeats_the_pulses_in_their_order(pulses: Pulses) -> None:
    batch = pulses.batch(120)
    assert batch.flags.c_contiguous
    assert np.array_equal(batch[:50], pulses.samples)
    assert np.array_equal(batch[100:], pulses.samples[:20])


def test_latency_knows_the_c_interface_and_the_share_of_an_empty_call(frozen_path: Path, pulses: Pulses) -> None:
    def least_call(samples: NDArray[Any]) -> BoundBatch:
        return BoundBatch(lambda: None, lambda: np.empty((1, 2), np.float32), samples)

    backend = fake("fake", right(pulses), least_call=least_call)
    rows = time_single_pulses(frozen_path, [backend], pulses, seconds=0.01)
    assert [row.backend for row in rows] == ["native", "fake"]
    assert rows[0].via.startswith("C interface")
    assert rows[0].least_call_p50_ns is None
    assert rows[1].least_call_p50_ns is not None
    for row in rows:
        assert 0 <= row.p50_ns <= row.p99_ns <= row.p999_ns
        assert row.n_calls >= 1000


def test_all_threads_of_the_process_are_held_on_one_core_and_set_free() -> None:
    import os

    before = os.sched_getaffinity(0)
    with on_one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
