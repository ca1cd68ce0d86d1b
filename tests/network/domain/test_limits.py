"""Limits keep the false alarms that they promise, of many values and of few."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.network.domain.limits import edge_limits, lower_limit, upper_limit

SHARE = 1e-3


@pytest.mark.parametrize("n_values", [60, 1000, 50_000])
@pytest.mark.parametrize("kind", ["gamma", "exponential", "normal"])
def test_few_further_values_lie_beyond_a_limit(n_values: int, kind: str) -> None:
    rng = np.random.default_rng(5)
    draw = {
        "gamma": lambda n: rng.gamma(7, size=n),
        "exponential": lambda n: rng.exponential(size=n),
        "normal": lambda n: 10 + rng.normal(size=n),
    }[kind]
    further = draw(1_000_000)
    beyond = []
    for _ in range(40):
        values = draw(n_values)
        beyond.append(((further > upper_limit(values, SHARE)).mean(), (further < lower_limit(values, SHARE)).mean()))
    assert np.mean(beyond, axis=0) == pytest.approx(0, abs=SHARE)


def test_a_limit_of_many_values_is_close_to_their_quantile() -> None:
    values = np.arange(1, 100_001)
    assert 99_900 <= upper_limit(values, SHARE) <= 99_925
    assert 75 <= lower_limit(values, SHARE) <= 101


def test_values_of_zero_leave_no_lower_limit() -> None:
    assert lower_limit(np.r_[np.zeros(10), np.ones(990)], SHARE) == 0
    assert lower_limit(np.zeros(100), SHARE) == 0


def test_equal_values_are_their_own_limits() -> None:
    assert upper_limit(np.full(100, 4.0), SHARE) == 4
    assert lower_limit(np.full(100, 4.0), SHARE) == 4


def test_few_edges_get_a_sample_more_on_each_side() -> None:
    assert edge_limits(np.array([20, 21, 20]), SHARE) == (19, 22)
    assert edge_limits(np.r_[np.full(50_000, 20), np.full(50_000, 21), 3, 70], SHARE) == (20, 21)
