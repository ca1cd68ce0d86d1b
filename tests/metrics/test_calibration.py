"""Calibration on logits of known temperature."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.metrics import calibration_error, fit_temperature, neutron_logits, reliability_curve
from discrimen.pulses import Label


def calibrated_logits(n_pulses: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, n_pulses)
    return logits, (rng.random(n_pulses) < probability(logits)).astype(np.int64)


def probability(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-logits))


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_temperature_of_known_logits_is_found(temperature: float) -> None:
    logits, labels = calibrated_logits(40_000, 1)
    found = fit_temperature(temperature * logits, labels, confidence=0.999)
    assert found.low < temperature < found.high
    assert found.value == pytest.approx(temperature, rel=0.05)
    assert found.log_loss_after <= found.log_loss_before


def test_temperature_intervals_cover() -> None:
    covered = 0
    for seed in range(200):
        logits, labels = calibrated_logits(400, seed)
        found = fit_temperature(2 * logits, labels)
        covered += found.low < 2 < found.high
    assert 182 <= covered <= 199


def test_error_of_a_calibrated_score_is_chance_and_of_a_sharpened_one_is_not() -> None:
    exceeded = 0
    for seed in range(40):
        logits, labels = calibrated_logits(2000, seed)
        found = calibration_error(probability(logits), labels, rng=np.random.default_rng(seed))
        exceeded += found.value > found.chance_high
    # 5 % are expected: more than 7 of 40 have a chance of 0.1 %.
    assert exceeded <= 7
    sharp = calibration_error(probability(3 * logits), labels, rng=np.random.default_rng(0))
    assert sharp.value > 2 * sharp.chance_high > 2 * sharp.chance > 0


def test_interval_of_the_error_leaves_the_scatter_out() -> None:
    logits, labels = calibrated_logits(4000, 3)
    perfect = calibration_error(probability(logits), labels, rng=np.random.default_rng(0))
    assert perfect.low == 0
    assert perfect.value > 0
    sharp = calibration_error(probability(2 * logits), labels, rng=np.random.default_rng(0))
    # What infinitely many pulses show is 0.0729.
    assert 0.05 < sharp.low < 0.0729 < sharp.high < 0.1
    wider = calibration_error(probability(2 * logits), labels, rng=np.random.default_rng(0), confidence=0.999)
    assert wider.low < sharp.low < sharp.high < wider.high


def test_intervals_of_the_error_cover() -> None:
    held = 0
    for seed in range(100):
        logits, labels = calibrated_logits(2000, seed)
        found = calibration_error(probability(2 * logits), labels, rng=np.random.default_rng(seed))
        held += found.low < 0.0729 < found.high
    assert held >= 89


def test_no_pulse_wrong_and_no_scatter_is_an_error_of_nothing() -> None:
    found = calibration_error(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1]), rng=np.random.default_rng(0))
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_temperature_of_runs_that_differ_is_known_less_well() -> None:
    rng = np.random.default_rng(1)
    logits, labels = calibrated_logits(4000, 4)
    run = np.arange(4000) // 500
    skewed = logits * np.exp(rng.normal(0, 0.4, 8))[run]
    by_pulse, by_run = fit_temperature(skewed, labels), fit_temperature(skewed, labels, run=run)
    assert by_run.value == by_pulse.value
    assert np.log(by_run.high / by_run.low) > 2 * np.log(by_pulse.high / by_pulse.low)
    missing = skewed.copy()
    missing[:10] = np.nan
    assert fit_temperature(missing, labels, run=run).n_pulses == 3990


def test_reliability_bins_hold_equally_many_and_follow_the_diagonal() -> None:
    logits, labels = calibrated_logits(30_000, 1)
    curve = reliability_curve(probability(logits), labels, n_bins=10, confidence=0.9999)
    assert [point.neutrons.n_total for point in curve] == pytest.approx([3000] * 10, abs=1)
    assert all(point.neutrons.low <= point.mean_score <= point.neutrons.high for point in curve)
    assert all(low.high <= high.low for low, high in pairwise(curve))


def test_order_of_equal_scores_does_not_matter() -> None:
    scores = np.repeat([0.2, 0.8], 500)
    labels = np.concatenate([np.zeros(400), np.ones(100), np.ones(400), np.zeros(100)]).astype(int)
    curve = reliability_curve(scores, labels)
    assert [point.mean_score for point in curve] == pytest.approx([0.2, 0.8])
    assert [point.neutrons.value for point in curve] == pytest.approx([0.2, 0.8])
    assert calibration_error(scores, labels, rng=np.random.default_rng(0)).value == pytest.approx(0)


def test_logits_keep_the_digits_of_both_scores() -> None:
    scores = np.array([[1e-20, 1.0], [1.0, 1e-20], [0.5, 0.5], [0.0, 1.0], [np.nan, np.nan]], np.float32)
    logits = neutron_logits(scores, neutron_class=1)
    assert logits[:3] == pytest.approx([np.log(1e20), -np.log(1e20), 0], abs=1e-4)
    assert 80 < logits[3] < 100
    assert np.isnan(logits[4])
    assert neutron_logits(scores, neutron_class=0)[0] == pytest.approx(-logits[0])


def test_what_cannot_be_judged_is_refused() -> None:
    both = np.array([Label.GAMMA, Label.NEUTRON] * 50)
    with pytest.raises(DataError, match="part completely"):
        fit_temperature(np.where(both == Label.NEUTRON, 3.0, -3.0), both)
    with pytest.raises(DataError, match="no neutron"):
        fit_temperature(np.zeros(5), np.zeros(5, int))
    with pytest.raises(DataError, match="between 0 and 1"):
        reliability_curve(np.array([0.5, 1.5]), np.array([0, 1]))
    with pytest.raises(DataError, match="no pulse has a score"):
        reliability_curve(np.full(2, np.nan), np.array([0, 1]))
    with pytest.raises(DataError, match="two classes"):
        neutron_logits(np.zeros((2, 3)), neutron_class=0)


def test_a_temperature_takes_no_unknown_label_for_a_gamma() -> None:
    labels = np.array([Label.GAMMA, Label.NEUTRON, Label.UNKNOWN] * 20)
    with pytest.raises(DataError, match="unknown label"):
        fit_temperature(np.random.default_rng(1).normal(size=60), labels)
