"""Gamma leakage at a neutron efficiency: the value, its interval and the interval's coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, norm

from discrimen.errors import DataError
from discrimen.metrics import leakage_at_efficiency, leaked_share


def sample(n_gamma: int, n_neutron: int, distance: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    scores = np.concatenate([rng.normal(0, 1, n_gamma), rng.normal(distance, 1, n_neutron)])
    return scores, np.repeat([0, 1], [n_gamma, n_neutron])


def true_leakage(distance: float, efficiency: float) -> float:
    return float(norm.sf(distance + norm.ppf(1 - efficiency)))


def test_leakage_of_two_unit_gaussians_is_analytic() -> None:
    found = leakage_at_efficiency(*sample(100_000, 100_000, 3.0, np.random.default_rng(0)), efficiency=0.95)
    truth = true_leakage(3.0, 0.95)
    assert found.leakage == pytest.approx(truth, rel=0.03)
    assert found.low < truth < found.high
    assert found.threshold == pytest.approx(3.0 + norm.ppf(0.05), abs=0.02)
    assert found.n_neutron_passing == 95_000
    assert found.n_gamma_passing == round(found.leakage * found.n_gamma)


def test_threshold_keeps_exactly_the_wished_neutrons() -> None:
    scores = np.concatenate([np.zeros(10), np.arange(1.0, 101.0)])
    labels = np.repeat([0, 1], [10, 100])
    found = leakage_at_efficiency(scores, labels, efficiency=0.95)
    assert (found.threshold, found.n_neutron_passing) == (6.0, 95)


def test_ties_pass_together() -> None:
    scores = np.array([0.5, 0.5, 0.1, 0.1, 0.5, 0.5, 0.9, 0.9])
    found = leakage_at_efficiency(scores, np.repeat([0, 1], 4), efficiency=0.6)
    assert (found.threshold, found.n_neutron_passing, found.n_gamma_passing) == (0.5, 4, 2)


def test_nothing_leaked_gives_the_binomial_limit() -> None:
    scores, labels = sample(1000, 2000, 30.0, np.random.default_rng(1))
    found = leakage_at_efficiency(scores, labels, efficiency=0.95)
    assert (found.leakage, found.low) == (0, 0)
    assert found.high == pytest.approx(beta.ppf(0.975, 0.5, 1000.5), rel=1e-6)


def test_interval_is_wider_than_the_gammas_alone_make_it() -> None:
    scores, labels = sample(50_000, 400, 2.0, np.random.default_rng(2))
    found = leakage_at_efficiency(scores, labels, efficiency=0.95)
    counting = beta.interval(0.95, found.n_gamma_passing + 0.5, found.n_gamma - found.n_gamma_passing + 0.5)
    assert found.high - found.low > 3 * (counting[1] - counting[0])


def test_too_few_neutrons_for_the_efficiency_leave_the_upper_end_open() -> None:
    found = leakage_at_efficiency(*sample(1000, 100, 5.0, np.random.default_rng(3)), efficiency=0.99)
    assert found.high > 0.99
    assert leakage_at_efficiency(*sample(1000, 2000, 5.0, np.random.default_rng(3)), efficiency=0.99).high < 0.05


def coverage(n_gamma: int, n_neutron: int, distance: float, efficiency: float, n_repetitions: int) -> float:
    rng = np.random.default_rng(17)
    truth = true_leakage(distance, efficiency)
    held = 0
    for _ in range(n_repetitions):
        found = leakage_at_efficiency(*sample(n_gamma, n_neutron, distance, rng), efficiency=efficiency)
        held += found.low <= truth <= found.high
    return held / n_repetitions


def test_interval_holds_the_truth_as_often_as_it_says() -> None:
    assert 0.92 <= coverage(1000, 1000, 2.5, 0.95, 250) <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("n_gamma", [300, 3000])
@pytest.mark.parametrize("n_neutron", [500, 5000])
@pytest.mark.parametrize("efficiency", [0.90, 0.95])
@pytest.mark.parametrize("distance", [1.5, 3.0])
def test_coverage_over_sizes_and_separations(n_gamma: int, n_neutron: int, efficiency: float, distance: float) -> None:
    assert 0.92 <= coverage(n_gamma, n_neutron, distance, efficiency, 600) <= 0.98


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_gamma=st.integers(1, 60),
    n_neutron=st.integers(1, 60),
    n_levels=st.integers(1, 50),
    efficiency=st.floats(0.01, 0.999),
)
def test_interval_holds_the_value_and_counts_agree(
    seed: int, n_gamma: int, n_neutron: int, n_levels: int, efficiency: float
) -> None:
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], [n_gamma, n_neutron])
    scores = rng.integers(0, n_levels, len(labels)).astype(float)
    found = leakage_at_efficiency(scores, labels, efficiency=efficiency)
    assert 0 <= found.low <= found.leakage <= found.high <= 1
    assert found.n_neutron_passing >= efficiency * n_neutron - 1e-6
    assert found.n_gamma_passing == np.count_nonzero(scores[labels == 0] >= found.threshold)
    quick = leaked_share(scores[labels == 0], scores[labels == 1], efficiency=efficiency)
    assert quick == found.leakage


def test_pulses_without_a_score_lose_efficiency_and_do_not_leak() -> None:
    scores, labels = sample(1000, 1000, 3.0, np.random.default_rng(4))
    scores[:500] = np.nan
    scores[1000:1030] = np.nan
    found = leakage_at_efficiency(scores, labels, efficiency=0.95)
    assert found.n_neutron_passing == 950
    assert found.n_gamma == 1000
    assert found.n_gamma_passing == np.count_nonzero(scores[:1000] >= found.threshold)
    assert leaked_share(scores[:1000], scores[1000:], efficiency=0.95) == found.leakage


def test_too_many_neutrons_without_a_score_are_an_error() -> None:
    scores, labels = sample(100, 100, 3.0, np.random.default_rng(5))
    scores[100:108] = np.nan
    with pytest.raises(DataError, match=r"cannot keep 95.0% of the neutrons: 8.0% of 100 have no score"):
        leakage_at_efficiency(scores, labels, efficiency=0.95)
    assert leakage_at_efficiency(scores, labels, efficiency=0.9).n_neutron_passing == 90


@pytest.mark.parametrize(("efficiency", "confidence"), [(0.0, 0.95), (1.0, 0.95), (0.9, 1.0)])
def test_efficiency_and_confidence_are_shares(efficiency: float, confidence: float) -> None:
    with pytest.raises(DataError, match="must lie between 0 and 1"):
        leakage_at_efficiency(np.array([0.0, 1.0]), np.array([0, 1]), efficiency=efficiency, confidence=confidence)
