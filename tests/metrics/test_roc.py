"""ROC curve and the area under it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from discrimen.errors import DataError
from discrimen.metrics import auc, roc_curve, split_scores


def two_gaussians(
    n_pulses: int, distance: float, rng: np.random.Generator, *, share_of_neutrons: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    n_neutron = round(n_pulses * share_of_neutrons)
    labels = (np.arange(n_pulses) < n_neutron).astype(np.int8)
    return rng.normal(0, 1, n_pulses) + distance * labels, labels


def test_auc_of_two_unit_gaussians_is_analytic() -> None:
    scores, labels = two_gaussians(100_000, 1.5, np.random.default_rng(0))
    found = auc(scores, labels)
    expected = norm.cdf(1.5 / np.sqrt(2))
    assert found.value == pytest.approx(expected, abs=2.5e-3)
    assert found.low < expected < found.high


@settings(deadline=None)
@given(
    scores=st.lists(st.integers(0, 6), min_size=2, max_size=40),
    labels=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_auc_is_the_rank_statistic_with_ties_at_half(scores: list[int], labels: list[bool]) -> None:
    values, truth = np.array(scores, dtype=float), np.array(labels[: len(scores)], dtype=np.int8)
    truth[:2] = [0, 1]
    found = auc(values, truth)
    gamma, neutron = values[truth == 0], values[truth == 1]
    pairs = (neutron[:, np.newaxis] > gamma) + 0.5 * (neutron[:, np.newaxis] == gamma)
    assert found.value == pytest.approx(pairs.mean())
    assert 0 <= found.low <= found.value <= found.high <= 1


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_auc_agrees_with_mann_whitney_and_turns_with_the_score(seed: int) -> None:
    scores, labels = two_gaussians(60, 0.7, np.random.default_rng(seed))
    statistic = mannwhitneyu(scores[labels == 1], scores[labels == 0]).statistic
    found, turned = auc(scores, labels), auc(-scores, labels)
    assert found.value == pytest.approx(statistic / 900)
    assert turned.value == pytest.approx(1 - found.value)
    assert turned.low == pytest.approx(1 - found.high)
    assert auc(np.exp(scores), labels) == found


def test_delong_variance_agrees_with_the_pairwise_definition() -> None:
    scores, labels = two_gaussians(60, 1.0, np.random.default_rng(5))
    gamma, neutron = scores[labels == 0], scores[labels == 1]
    pairs = (neutron[:, np.newaxis] > gamma).astype(float)
    variance = pairs.mean(axis=1).var(ddof=1) / 30 + pairs.mean(axis=0).var(ddof=1) / 30
    found = auc(scores, labels, confidence=0.6826895)
    half_in_logit = (np.log(found.high / (1 - found.high)) - np.log(found.low / (1 - found.low))) / 2
    assert half_in_logit * found.value * (1 - found.value) == pytest.approx(np.sqrt(variance), rel=1e-6)


@pytest.mark.parametrize("distance", [0.5, 2.0])
def test_auc_interval_holds_the_truth_as_often_as_it_says(distance: float) -> None:
    rng = np.random.default_rng(11)
    truth = norm.cdf(distance / np.sqrt(2))
    held = 0
    for _ in range(400):
        found = auc(*two_gaussians(300, distance, rng))
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_complete_separation_leaves_the_open_end_uncertain() -> None:
    scores, labels = np.arange(40.0), (np.arange(40) >= 20).astype(np.int8)
    found = auc(scores, labels)
    assert found.value == found.high == 1
    assert found.low == pytest.approx(0.025 ** (1 / 20))
    assert auc(-scores, labels).high == pytest.approx(1 - found.low)


def test_curve_of_two_gaussians_is_analytic() -> None:
    scores, labels = two_gaussians(200_000, 2.0, np.random.default_rng(1))
    curve = roc_curve(scores, labels)
    at = np.searchsorted(curve.efficiency, [0.5, 0.9, 0.95])
    expected = norm.sf(2.0 + norm.ppf([0.5, 0.1, 0.05]))
    np.testing.assert_allclose(curve.leakage[at], expected, atol=5e-3)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_pulses=st.integers(2, 200), n_levels=st.integers(1, 300))
def test_curve_rises_from_nothing_to_all_and_thins_without_new_points(seed: int, n_pulses: int, n_levels: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n_pulses)
    labels[:2] = [0, 1]
    scores = rng.integers(0, n_levels, n_pulses).astype(float)
    curve = roc_curve(scores, labels)
    assert (curve.efficiency[0], curve.leakage[0]) == (0, 0)
    assert (curve.efficiency[-1], curve.leakage[-1]) == (1, 1)
    assert (np.diff(curve.efficiency) >= 0).all()
    assert (np.diff(curve.leakage) >= 0).all()
    assert len(curve.threshold) == len(np.unique(scores)) + 1
    area = np.trapezoid(curve.efficiency, curve.leakage)
    assert area == pytest.approx(auc(scores, labels).value)
    thin = curve.thinned(10)
    assert len(thin.threshold) <= 14
    points = set(zip(curve.efficiency, curve.leakage, strict=True))
    assert set(zip(thin.efficiency, thin.leakage, strict=True)) <= points
    assert (thin.efficiency[-1], thin.leakage[-1]) == (1, 1)


def test_pulses_without_a_score_never_pass() -> None:
    scores = np.array([0.1, np.nan, 0.3, 0.8, np.nan, 0.9])
    labels = np.array([0, 0, 0, 1, 1, 1])
    curve = roc_curve(scores, labels)
    assert curve.efficiency[-1] == pytest.approx(2 / 3)
    assert curve.leakage[-1] == pytest.approx(2 / 3)
    parts = split_scores(scores, labels)
    assert (parts.n_gamma_unclassified, parts.n_neutron_unclassified) == (1, 1)
    # Of nine pairs six part rightly, the two without score tie, and the lost neutron loses to two gammas.
    assert auc(scores, labels).value == pytest.approx((6 + 0.5) / 9)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 0, 0], "3 gammas and 0 neutrons"),
        ([0, 1, -1], "1 of 3 pulses are neither gamma nor neutron"),
        ([0, 1], r"scores \(3,\) and labels \(2,\)"),
    ],
)
def test_labels_must_fit_the_scores(labels: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        auc(np.array([0.1, 0.2, 0.3]), np.array(labels))
