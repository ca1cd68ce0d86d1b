"""Thresholds for a wished efficiency or leakage hold on other pulses, too."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.metrics import threshold_for_efficiency, threshold_for_leakage


def pulses(seed: int, n_pulses: int = 4000) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n_pulses)
    return rng.normal(3.0 * labels, 1.0), labels


def test_the_wished_efficiency_is_reached_on_other_pulses() -> None:
    covered = 0
    for seed in range(60):
        found = threshold_for_efficiency(*pulses(seed), efficiency=0.95)
        others, labels = pulses(1000 + seed, 200_000)
        true = float((others[labels == 1] >= found.value).mean())
        covered += found.efficiency.low <= true <= found.efficiency.high
        assert found.efficiency.value >= 0.95
    assert covered >= 52


def test_the_wished_leakage_is_not_exceeded_and_holds_on_other_pulses() -> None:
    covered = 0
    for seed in range(60):
        found = threshold_for_leakage(*pulses(seed), leakage=0.02)
        others, labels = pulses(1000 + seed, 200_000)
        true = float((others[labels == 0] >= found.value).mean())
        covered += found.leakage.low <= true <= found.leakage.high
        assert 0.019 < found.leakage.value <= 0.02
    assert covered >= 52


def test_equal_scores_pass_together() -> None:
    scores = np.array([0.1] * 50 + [0.9] * 50 + [0.9] * 90 + [0.95] * 10)
    labels = np.repeat([0, 1], 100)
    found = threshold_for_leakage(scores, labels, leakage=0.1)
    assert (found.leakage.n_counted, found.efficiency.n_counted) == (0, 10)
    assert 0.9 < found.value <= 0.95
    assert threshold_for_efficiency(scores, labels, efficiency=0.5).efficiency.n_counted == 100


def test_unclassified_neutrons_are_lost_and_gammas_do_not_leak() -> None:
    scores, labels = pulses(1)
    scores[::10] = np.nan
    found = threshold_for_efficiency(scores, labels, efficiency=0.5)
    assert found.efficiency.n_total == (labels == 1).sum()
    with pytest.raises(DataError, match="have no score"):
        threshold_for_efficiency(scores, labels, efficiency=0.95)


def test_too_few_pulses_are_refused_with_the_number_needed() -> None:
    scores, labels = pulses(1, 40)
    with pytest.raises(DataError, match="at least 1000"):
        threshold_for_leakage(scores, labels, leakage=0.001)
    with pytest.raises(DataError, match="too few"):
        threshold_for_efficiency(scores, labels, efficiency=0.999)
    with pytest.raises(DataError, match="no neutron scores above"):
        threshold_for_leakage(np.array([1.0] * 20 + [1.0] * 20), np.repeat([0, 1], 20), leakage=0.1)
    with pytest.raises(DataError, match="between 0 and 1"):
        threshold_for_efficiency(scores, labels, efficiency=95.0)
