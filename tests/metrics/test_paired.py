"""Two methods on the same pulses."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.metrics import auc, auc_difference, leakage_at_efficiency, paired_leakage

Sample = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]


def two_methods(n: int, *, own: float, worse: float, seed: int) -> Sample:
    """Two scores that share their scatter but for `own`; the first parts the classes by less."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], n)
    common = rng.normal(0, 1, 2 * n)
    first, second = rng.normal(0, own, (2, 2 * n))
    return (3.0 - worse) * labels + common + first, 3.0 * labels + common + second, labels


def test_values_are_those_of_each_method_alone() -> None:
    first, second, labels = two_methods(2000, own=0.3, worse=0.4, seed=1)
    found = paired_leakage(first, second, labels, efficiency=0.95, rng=np.random.default_rng(0))
    one, other = (leakage_at_efficiency(scores, labels, efficiency=0.95) for scores in (first, second))
    assert found.difference.value == pytest.approx(one.leakage - other.leakage)
    assert found.ratio.ratio == pytest.approx(one.leakage / other.leakage)
    assert found.n_only - found.n_only_reference == one.n_gamma_passing - other.n_gamma_passing
    assert found.difference.low < found.difference.value < found.difference.high
    assert auc_difference(first, second, labels).value == pytest.approx(
        auc(first, labels).value - auc(second, labels).value
    )


def test_what_both_share_is_not_in_the_interval() -> None:
    first, second, labels = two_methods(2000, own=0.1, worse=0.2, seed=2)
    found = paired_leakage(first, second, labels, efficiency=0.95, rng=np.random.default_rng(0))
    one, other = (leakage_at_efficiency(scores, labels, efficiency=0.95) for scores in (first, second))
    assert found.difference.high - found.difference.low < 0.5 * (one.high - other.low)
    # Each alone cannot tell them apart, together they do.
    assert one.low < other.high
    assert found.difference.low > 0
    assert found.ratio.low > 1
    assert auc_difference(first, second, labels).high < 0


def test_a_method_does_not_differ_from_itself() -> None:
    _, scores, labels = two_methods(500, own=0.3, worse=0.0, seed=3)
    found = paired_leakage(scores, scores, labels, efficiency=0.9, rng=np.random.default_rng(0))
    assert (found.difference.value, found.ratio.ratio, found.n_only) == (0.0, 1.0, 0)
    assert -0.01 < found.difference.low <= 0 <= found.difference.high < 0.01
    assert auc_difference(scores, scores, labels).value == 0


def test_nothing_leaked_leaves_the_ratio_open() -> None:
    labels = np.repeat([0, 1], 300)
    perfect = labels + np.linspace(0, 0.5, 600)
    leaking = perfect.copy()
    leaking[:30] = 1.4
    rng = np.random.default_rng(0)
    none = paired_leakage(perfect, perfect, labels, efficiency=0.9, rng=rng)
    assert np.isnan(none.ratio.ratio)
    assert (none.ratio.low, none.ratio.high) == (0.0, np.inf)
    some = paired_leakage(leaking, perfect, labels, efficiency=0.9, rng=rng)
    assert some.ratio.ratio == np.inf
    assert 5 < some.ratio.low < np.inf
    assert auc_difference(perfect, perfect, labels).low < 0 < auc_difference(perfect, perfect, labels).high


def test_pulses_must_be_the_same() -> None:
    first, second, labels = two_methods(50, own=0.3, worse=0.0, seed=4)
    with pytest.raises(DataError, match="same pulses"):
        paired_leakage(first[:-1], second, labels, efficiency=0.9, rng=np.random.default_rng(0))
    with pytest.raises(DataError, match="same pulses"):
        auc_difference(first[:-1], second, labels)


def test_pulses_without_a_score_never_pass() -> None:
    first, second, labels = two_methods(1000, own=0.3, worse=0.0, seed=5)
    first[:200] = np.nan
    found = paired_leakage(first, second, labels, efficiency=0.9, rng=np.random.default_rng(0))
    assert found.difference.value == pytest.approx(
        leakage_at_efficiency(first, labels, efficiency=0.9).leakage
        - leakage_at_efficiency(second, labels, efficiency=0.9).leakage
    )


@pytest.mark.parametrize("own", [0.2, 1.0])
def test_intervals_hold_the_truth_as_often_as_they_say(own: float) -> None:
    from scipy.stats import norm

    width = np.sqrt(1 + own**2)
    truth = [norm.sf((distance + width * norm.ppf(0.05)) / width) for distance in (2.6, 3.0)]
    held = 0
    for seed in range(120):
        sample = two_methods(600, own=own, worse=0.4, seed=seed)
        found = paired_leakage(*sample, efficiency=0.95, rng=np.random.default_rng(seed)).difference
        held += found.low <= truth[0] - truth[1] <= found.high
    assert held >= 107
