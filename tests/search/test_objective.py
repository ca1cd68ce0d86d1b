from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.search.objective import choose_judges, smoothed_log_leakage


def test_uniform_scores_leak_what_theory_says() -> None:
    """Neutrons uniform on 0..1 and gammas on -9..1: the threshold 1 - e lets e / 10 of the gammas pass."""
    n = 200_000
    neutron, gamma = np.linspace(0, 1, n), np.linspace(-9, 1, n)
    wanted = np.log10(np.linspace(0.93, 0.97, 9) / 10).mean()
    assert smoothed_log_leakage(gamma, neutron, efficiency=0.95) == pytest.approx(wanted, abs=1e-4)


def test_no_leaking_gamma_is_half_a_gamma() -> None:
    assert smoothed_log_leakage(np.zeros(99), np.ones(100), efficiency=0.95) == pytest.approx(np.log10(0.005))


def test_the_objective_varies_less_than_the_leakage_at_one_threshold() -> None:
    rng = np.random.default_rng(0)
    smooth, plain = [], []
    for _ in range(200):
        gamma, neutron = rng.normal(-1, 1, 800), rng.normal(1, 1, 800)
        smooth.append(smoothed_log_leakage(gamma, neutron, efficiency=0.95))
        plain.append(np.log10((np.count_nonzero(gamma >= np.quantile(neutron, 0.05)) + 0.5) / 801))
    assert np.std(smooth) < 0.95 * np.std(plain)
    assert np.mean(smooth) == pytest.approx(np.mean(plain), abs=0.02)


def test_bins_weigh_the_same_whatever_they_hold() -> None:
    rng = np.random.default_rng(1)
    energy = np.repeat([40.0, 70.0], [200, 2000])
    labels = np.tile([0, 1], 1100)
    scores = rng.normal(labels, 1.0)
    judges = choose_judges(labels, energy, edges_kevee=(30.0, 50.0, 100.0), efficiency=0.95)
    alone = [
        smoothed_log_leakage(
            scores[(energy == at) & (labels == 0)], scores[(energy == at) & (labels == 1)], efficiency=0.95
        )
        for at in (40.0, 70.0)
    ]
    assert judges.objective(scores) == pytest.approx(np.mean(alone))
    leakages = judges.leakages(scores)
    assert [one.energy for one in leakages] == ["30-50 keVee", "50-100 keVee"]
    assert all(one.leakage.low < one.leakage.leakage < one.leakage.high for one in leakages)


def test_a_bin_with_too_few_pulses_is_named() -> None:
    labels = np.tile([0, 1], 200)
    energy = np.full(400, 40.0)
    with pytest.raises(DataError, match="50-100 keVee: the validation part holds 0 gammas and 0 neutrons"):
        choose_judges(labels, energy, edges_kevee=(30.0, 50.0, 100.0), efficiency=0.95)


def test_all_energies_are_one_bin() -> None:
    judges = choose_judges(np.tile([0, 1], 60), None, edges_kevee=None, efficiency=0.9)
    assert [(name, len(members)) for name, members in judges.bins] == [("all pulses", 120)]


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(DataError, match="finite"):
        smoothed_log_leakage(np.array([0.1, np.nan]), np.ones(3), efficiency=0.95)
