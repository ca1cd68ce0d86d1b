"""Intervals that count pulses, or runs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.metrics import (
    Intervals,
    auc,
    auc_difference,
    draw_runs,
    intervals_for,
    leakage_at_efficiency,
    paired_leakage,
    wilson_interval,
)
from discrimen.metrics.interval_strategy import widened

Runs = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]


def runs(n_runs: int, *, shift: float, seed: int, n: int = 300) -> Runs:
    rng = np.random.default_rng(seed)
    run = np.repeat(np.arange(n_runs), 2 * n)
    labels = np.tile(np.repeat([0, 1], n), n_runs)
    return rng.normal(2.5 * labels + rng.normal(0, shift, n_runs)[run], 1), labels, run


def test_weights_have_the_mean_of_one_and_as_many_runs_as_there_are() -> None:
    _, labels, run = runs(8, shift=0.0, seed=1, n=20)
    draws = draw_runs(run, labels, rng=np.random.default_rng(0))
    assert draws is not None
    assert (draws.n_runs, draws.n_degrees) == (8, 7)
    assert draws.weight.sum(axis=1) == pytest.approx(8)
    assert draws.weight.mean(axis=0) == pytest.approx(1, abs=0.2)


def test_pure_and_mixed_runs_are_drawn_apart() -> None:
    labels = np.repeat([0, 0, 0, 0, 1, 1, 1], 10)
    run = np.repeat(np.arange(7), 10)
    draws = draw_runs(run, labels, rng=np.random.default_rng(0))
    assert draws is not None
    assert draws.n_degrees == 5
    assert draws.weight[:, :4].sum(axis=1) == pytest.approx(4)


@pytest.mark.parametrize("n_runs", [1, 2, 4])
def test_few_runs_say_nothing(n_runs: int) -> None:
    _, labels, run = runs(n_runs, shift=0.0, seed=1, n=20)
    assert draw_runs(run, labels, rng=np.random.default_rng(0)) is None


def test_a_lonely_run_of_its_kind_says_nothing() -> None:
    labels = np.repeat([0, 0, 0, 0, 0, 0, 1], 10)
    assert draw_runs(np.repeat(np.arange(7), 10), labels, rng=np.random.default_rng(0)) is None


def test_every_run_counted_once_gives_the_figures_of_all_pulses() -> None:
    scores, labels, run = runs(6, shift=0.5, seed=2)
    draws = draw_runs(run, labels, rng=np.random.default_rng(0))
    assert draws is not None
    draws.weight[:] = 1.0
    expected = leakage_at_efficiency(scores, labels, efficiency=0.95)
    assert draws.leakages(scores, labels, efficiency=0.95) == pytest.approx(expected.leakage)
    assert draws.areas(scores, labels) == pytest.approx(auc(scores, labels).value)


def test_with_few_runs_figures_are_those_of_the_pulses() -> None:
    scores, labels, run = runs(2, shift=0.5, seed=2)
    intervals = intervals_for(run, labels, confidence=0.9, rng=np.random.default_rng(0))
    assert intervals.n_runs is None
    assert intervals.auc(scores, labels) == auc(scores, labels, confidence=0.9)
    assert intervals.leakage(scores, labels, efficiency=0.95) == leakage_at_efficiency(
        scores, labels, efficiency=0.95, confidence=0.9
    )
    neutron, passing = labels == 1, scores > 1
    n_passing = int((passing & neutron).sum())
    assert intervals.share(passing, neutron) == wilson_interval(n_passing, int(neutron.sum()), confidence=0.9)


def test_shares_and_temperatures_count_runs_too() -> None:
    scores, labels, run = runs(8, shift=0.8, seed=6)
    by_runs = intervals_for(run, labels, confidence=0.95, rng=np.random.default_rng(0))
    by_pulses = Intervals(confidence=0.95, rng=np.random.default_rng(0))
    assert by_runs.n_runs == 8
    wide, found = (each.share(scores > 1, labels == 1) for each in (by_runs, by_pulses))
    assert (wide.value, wide.n_counted, wide.n_total) == (found.value, found.n_counted, found.n_total)
    assert wide.high - wide.low > 1.5 * (found.high - found.low)
    hot, plain = (each.temperature(2 * scores - 2.5, labels) for each in (by_runs, by_pulses))
    assert hot.value == plain.value
    assert hot.high - hot.low > 1.5 * (plain.high - plain.low)


def test_runs_that_differ_widen_every_interval_and_equal_ones_hardly() -> None:
    widths = {}
    for shift in (0.0, 0.6):
        scores, labels, run = runs(10, shift=shift, seed=3)
        intervals = intervals_for(run, labels, confidence=0.95, rng=np.random.default_rng(0))
        assert intervals.n_runs == 10
        found = leakage_at_efficiency(scores, labels, efficiency=0.95)
        wide = intervals.leakage(scores, labels, efficiency=0.95)
        area = auc(scores, labels)
        wide_area = intervals.auc(scores, labels)
        assert wide.low <= found.low
        assert wide.high >= found.high
        widths[shift] = (
            (wide.high - wide.low) / (found.high - found.low),
            (wide_area.high - wide_area.low) / (area.high - area.low),
        )
    assert max(widths[0.0]) < 1.8
    assert min(widths[0.6]) > 2.5


def test_differences_between_methods_count_runs_too() -> None:
    scores, labels, run = runs(8, shift=0.0, seed=4)
    rng = np.random.default_rng(0)
    other = scores + rng.normal(0, 0.5, 8)[run] + rng.normal(0, 0.3, len(scores))
    intervals = intervals_for(run, labels, confidence=0.95, rng=rng)
    assert intervals.n_runs == 8
    found = paired_leakage(other, scores, labels, efficiency=0.95, rng=rng)
    wide = intervals.paired_leakage(other, scores, labels, efficiency=0.95)
    assert wide.difference.high - wide.difference.low > 1.5 * (found.difference.high - found.difference.low)
    assert wide.ratio.low < found.ratio.low < found.ratio.high < wide.ratio.high
    area = auc_difference(other, scores, labels)
    wide_area = intervals.auc_difference(other, scores, labels)
    assert wide_area.high - wide_area.low > 1.5 * (area.high - area.low)


def test_shares_stay_between_none_and_all() -> None:
    assert widened(0.0, 0.0, 0.01, error=0.1, half_width=3.0) == (0.0, 0.01)
    low, high = widened(0.99, 0.98, 0.995, error=0.05, half_width=3.0)
    assert 0 < low < 0.98
    assert 0.995 < high < 1


def test_runs_without_a_class_are_counted_as_they_are() -> None:
    scores, labels, run = runs(12, shift=0.3, seed=5)
    pure = (run % 2 == 0) == (labels == 0)
    draws = draw_runs(run[pure], labels[pure], rng=np.random.default_rng(0))
    assert draws is not None
    assert draws.n_degrees == 10
    drawn = draws.leakages(scores[pure], labels[pure], efficiency=0.95)
    assert drawn.mean() == pytest.approx(
        leakage_at_efficiency(scores[pure], labels[pure], efficiency=0.95).leakage, abs=0.05
    )


def without_leaks(shift: float, *, n_runs: int = 8) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Gammas whose number above a low score differs from run to run, none above the neutrons."""
    rng = np.random.default_rng(7)
    run = np.repeat(np.arange(n_runs), 1000)
    labels = np.tile(np.repeat([0, 1], 500), n_runs)
    gammas = np.minimum(rng.normal(rng.normal(0, shift, n_runs)[run], 1), 5)
    return np.where(labels == 1, rng.normal(10, 1, len(run)), gammas), labels, run


def test_the_limit_of_no_leak_grows_where_runs_differ() -> None:
    high = {}
    for shift in (0.0, 0.5):
        scores, labels, run = without_leaks(shift)
        by_pulses = leakage_at_efficiency(scores, labels, efficiency=0.95)
        found = intervals_for(run, labels, confidence=0.95, rng=np.random.default_rng(0)).leakage(
            scores, labels, efficiency=0.95
        )
        assert found.leakage == found.low == 0
        high[shift] = found.high / by_pulses.high
    assert 1 <= high[0.0] < 1.1
    assert 1.2 < high[0.5] < 10


def test_the_limit_of_no_leak_is_that_of_gamma_distributed_rates() -> None:
    # Of six runs of one size, (1 + n p v)^(-6 / v) = 0.025.
    draws = draw_runs(np.repeat(np.arange(6), 200), np.tile(np.repeat([0, 1], 100), 6), rng=np.random.default_rng(0))
    assert draws is not None
    labels = np.tile(np.repeat([0, 1], 100), 6)
    scores = np.where(labels == 1, 9.0, -1.0 - np.arange(1200) % 7)
    counts = np.array([60, 0, 0, 30, 20, 10])
    for run, count in enumerate(counts):
        scores[200 * run : 200 * run + count] = 0.0
    variance = (((counts - 20.0) ** 2).sum() * 6 / 5 - 120) / (6 * 400)
    variance *= (draws.quantile(0.95) / 1.959964) ** 2
    expected = 6 / variance * (0.025 ** (-variance / 6) - 1)
    found = draws.zero_limit_factor(scores, labels, confidence=0.95)
    assert found == pytest.approx(expected / -np.log(0.025), rel=1e-5)
