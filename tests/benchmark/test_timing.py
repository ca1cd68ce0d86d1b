"""Calls take turns and each is called often enough; no assertion on how quick they are."""

from __future__ import annotations

import time
from functools import partial

from discrimen.benchmark.timing import LEAST_ROUNDS, time_in_turns


def test_every_call_has_a_stretch_in_each_round() -> None:
    times_ns = time_in_turns({"one": lambda: None, "other": lambda: sum(range(1000))}, seconds=0)
    assert set(times_ns) == {"one", "other"}
    for times in times_ns.values():
        assert times.shape == (LEAST_ROUNDS,)
        assert (times >= 0).all()


def test_the_turns_are_taken_in_another_order_in_each_round() -> None:
    called: list[str] = []
    time_in_turns({"a": partial(_remember, called, "a"), "b": partial(_remember, called, "b")}, seconds=0)
    stretches = [name for number, name in enumerate(called) if number == 0 or called[number - 1] != name]
    # Two stretches of one call side by side are seen as one: a trial, then a, b - b, a - a, b and so on.
    assert stretches.count("a") + stretches.count("b") == 2 + LEAST_ROUNDS + 1


def _remember(called: list[str], name: str) -> None:
    called.append(name)


def test_the_clock_of_the_process_leaves_out_what_waits() -> None:
    (waited,) = time_in_turns({"wait": lambda: time.sleep(0.02)}, seconds=0.01, clock_ns=time.process_time_ns).values()
    assert waited.max() < 0.5 * 0.02e9
