"""What is said of a run: how many pulses are outside, in what, and what to do; and when a run is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import comb

import numpy as np
import pytest
from tests.network.domain.seen_pulses import PREPARATION, records, seen_domain

from discrimen.network.domain import OutsideTally, exceeds, outside
from discrimen.network.domain.tally import SURE


def tally_of(*parts: np.ndarray) -> OutsideTally:
    tally = OutsideTally(seen_domain(), PREPARATION)
    for samples in parts:
        tally.add(samples, outside(samples, PREPARATION, seen_domain()))
    return tally


@pytest.mark.parametrize("n_pulses", [1, 5, 50, 400])
@pytest.mark.parametrize("allowed", [0.01, 0.2])
def test_chance_alone_refuses_no_more_runs_than_stated(n_pulses: int, allowed: float) -> None:
    chance = sum(
        comb(n_pulses, k) * allowed**k * (1 - allowed) ** (n_pulses - k)
        for k in range(n_pulses + 1)
        if exceeds(k, n_pulses, allowed)
    )
    assert chance <= SURE * (1 + 1e-9)
    assert exceeds(n_pulses, n_pulses, allowed) == (allowed**n_pulses <= SURE)


def test_a_share_of_one_accepts_everything_and_a_share_of_none_nothing() -> None:
    assert not exceeds(10, 10, 1.0)
    assert exceeds(1, 10_000, 0.0)
    assert not exceeds(0, 10, 0.0)
    assert not exceeds(0, 0, 0.01)


def test_chunks_add_up() -> None:
    samples = np.concatenate([records(50, seed=1), records(150, seed=2, edge=5)])
    whole, parts = tally_of(samples), tally_of(samples[:20], samples[20:60], samples[60:])
    assert (parts.n_pulses, parts.n_outside) == (whole.n_pulses, whole.n_outside) == (200, 150)
    assert parts.counts() == whole.counts()
    assert parts.reasons() == whole.reasons()


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (lambda: records(100, seed=2, edge=5), r"100.00% have their edge \(at 5\d.* ns\) inside the baseline window"),
        (lambda: records(100, seed=2, edge=5), r"\(0 to 120 ns\), which is an error: .*--pretrigger-ns"),
        (
            lambda: records(100, seed=2, edge=30),
            r"cross half their height at 30\d.* ns, trained were 1.*--align",
        ),
        (lambda: records(100, seed=2, noise_adc=12), r"baseline that spreads over .* another noise or gain"),
        (lambda: records(100, seed=2, heights_adc=(50.0, 100.0)), r"ADC counts high, trained were 1\d\d to 6"),
        (lambda: records(100, seed=2, decay=3.0), r"another shape \(off by .* times"),
        (lambda: records(100, seed=2, polarity=-1), r"fall, where those of the training rise: .*--polarity negative"),
        (lambda: np.full((100, 75), 7, np.uint16), r"cannot be prepared"),
        (lambda: records(100, seed=2, heights_adc=(18e3, 2e4)), r"are clipped at 16383 ADC counts"),
    ],
)
def test_the_difference_and_its_cure_are_told(samples: Callable[[], np.ndarray], said: str) -> None:
    (line, *_) = tally_of(samples()).reasons()
    assert re.search(said, line), line


def test_a_reason_that_brings_others_along_is_told_alone() -> None:
    tally = tally_of(records(100, seed=2, edge=5))
    assert tally.counts()["baseline_noise"] == 100
    assert len(tally.reasons()) == 1


def test_nothing_is_told_of_pulses_inside() -> None:
    tally = tally_of(records(100, seed=20))
    assert (tally.n_outside, tally.share, tally.reasons()) == (0, 0.0, ())
