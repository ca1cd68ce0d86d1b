"""Limits of means and counts: the tails are those of the values, not of a Gaussian."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from discrimen.reconstruction.quality.tails import Values, most_marked

N_VALUES = 100


def exponential_values() -> Values:
    """An exponential as quantiles of equal share, which bounds it far out."""
    at = stats.expon.ppf((np.arange(200_000) + 0.5) / 200_000)
    return Values.of(at)


@pytest.mark.parametrize("p_value", [1e-2, 1e-4, 1e-7])
def test_limits_of_a_skewed_mean_are_exact(p_value: float) -> None:
    lower, upper = exponential_values().limits(N_VALUES, p_value)
    # The mean of exponentials is a gamma.
    for limit, sign, tail in ((upper, 1, stats.gamma.sf), (lower, -1, stats.gamma.cdf)):
        total = N_VALUES * (1 + sign * limit / np.sqrt(N_VALUES))
        assert np.log(tail(total, N_VALUES)) == pytest.approx(np.log(p_value), rel=0.02)
    gaussian = stats.norm.isf(p_value)
    assert lower < gaussian < upper


def test_limits_are_passed_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    reference = np.minimum(rng.exponential(size=50_000), 5.0)
    values, p_value, n_means = Values.of(reference), 2e-3, 100_000
    means = np.mean([rng.choice(reference, n_means) for _ in range(20)], axis=0)
    sigmas = (means - values.mean) / values.spread * np.sqrt(20)
    lower, upper = values.limits(20, p_value)
    for count in (np.count_nonzero(sigmas > upper), np.count_nonzero(sigmas < -lower)):
        low, high = stats.poisson.interval(0.999, p_value * n_means)
        assert low <= count <= high


def test_a_value_that_never_changes_has_no_limits() -> None:
    assert Values.of(np.ones(50)).limits(10, 1e-3) == (np.inf, np.inf)


def test_a_bounded_mean_of_few_values_may_have_no_limit() -> None:
    lower, upper = Values.of(np.array([0.0, 1.0] * 50)).limits(2, 1e-9)
    assert (lower, upper) == (np.inf, np.inf)


@pytest.mark.parametrize(("n_reference", "n_marked"), [(1000, 0), (1000, 1), (100_000, 100)])
@pytest.mark.parametrize("n_pulses", [100, 5000])
def test_marked_pulses_follow_a_beta_binomial(n_reference: int, n_marked: int, n_pulses: int) -> None:
    p_value = 1e-5
    most = most_marked(n_reference, n_marked, n_pulses, p_value)
    exact = stats.betabinom(n_pulses, n_marked + 0.5, n_reference - n_marked + 0.5)
    assert exact.sf(most) < p_value
    assert most == 0 or exact.sf(most - 1) >= p_value
