"""Intervals that count runs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.metrics import (
    auc,
    auc_difference,
    draw_runs,
    leakage_at_efficiency,
    paired_leakage,
    widened,
    widened_auc,
    widened_auc_difference,
    widened_leakage,
    widened_paired,
)

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


def test_runs_that_differ_widen_every_interval_and_equal_ones_hardly() -> None:
    widths = {}
    for shift in (0.0, 0.6):
        scores, labels, run = runs(10, shift=shift, seed=3)
        draws = draw_runs(run, labels, rng=np.random.default_rng(0))
        assert draws is not None
        found = leakage_at_efficiency(scores, labels, efficiency=0.95)
        wide = widened_leakage(found, scores, labels, draws=draws, confidence=0.95)
        area = auc(scores, labels)
        wide_area = widened_auc(area, scores, labels, draws=draws, confidence=0.95)
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
    draws = draw_runs(run, labels, rng=rng)
    assert draws is not None
    found = paired_leakage(other, scores, labels, efficiency=0.95, rng=rng)
    wide = widened_paired(found, other, scores, labels, draws=draws, confidence=0.95)
    assert wide.difference.high - wide.difference.low > 1.5 * (found.difference.high - found.difference.low)
    assert wide.ratio.low < found.ratio.low < found.ratio.high < wide.ratio.high
    area = auc_difference(other, scores, labels)
    wide_area = widened_auc_difference(area, other, scores, labels, draws=draws, confidence=0.95)
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
