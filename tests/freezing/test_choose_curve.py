"""Thresholds by height keep the wished share of the neutrons at every height."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.freezing.choose_curve import FEWEST_NEUTRONS, curve_for_efficiency
from discrimen.network.height_curve import MOST_KNOTS
from discrimen.pulses import Label

Pulses = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int8]]
EDGES_ADC = (50, 70, 100, 150, 200, 300, 500, 1000, 5000)


def made_up(n_pulses: int, *, seed: int, clipped_above: float = np.inf) -> Pulses:
    """Return scores, heights and labels: the logit of the neutrons is normal about 3 log(height / 60) - 1.

    Above a height pulses are clipped the more the higher they are, and less sure.
    """
    rng = np.random.default_rng(seed)
    labels = (np.arange(n_pulses) % 2).astype(np.int8)
    heights = np.minimum(50 * (1 + rng.pareto(1.2, n_pulses)), 5000)
    mean = 3 * np.log(heights / 60) - 1
    mean -= 5 * np.log(np.maximum(heights / clipped_above, 1))
    logits = np.where(labels == Label.NEUTRON, 1, -1) * mean + rng.normal(0, 1.5, n_pulses)
    scores = 1 / (1 + np.exp(-logits))
    return scores.astype(np.float32), heights.astype(np.float32), labels


@pytest.mark.parametrize("efficiency", [0.5, 0.95])
def test_other_pulses_of_every_range_keep_the_share(efficiency: float) -> None:
    chosen = curve_for_efficiency(*made_up(80_000, seed=1), efficiency=efficiency)
    assert chosen is not None
    scores, heights, labels = made_up(400_000, seed=2)
    passes = scores >= chosen.value.at(heights)
    for low, high in pairwise(EDGES_ADC):
        there = (heights >= low) & (heights < high) & (labels == Label.NEUTRON)
        assert passes[there].mean() == pytest.approx(efficiency, abs=0.01 if there.sum() > 10_000 else 0.02)
    one = np.quantile(scores[labels == Label.NEUTRON], 1 - efficiency)
    low = (heights < 70) & (labels == Label.NEUTRON)
    assert (scores[low] >= one).mean() < efficiency - 0.03


def test_thresholds_are_the_quantile_where_it_is_known() -> None:
    chosen = curve_for_efficiency(*made_up(200_000, seed=3), efficiency=0.95)
    assert chosen is not None
    heights = np.array([80.0, 160.0, 640.0])
    at = chosen.value.at(heights)
    np.testing.assert_allclose(np.log(at / (1 - at)), 3 * np.log(heights / 60) - 1 - 1.5 * 1.645, atol=0.15)
    assert (np.diff(chosen.value.threshold) >= 0).all()
    assert 2 < len(chosen.value.height_adc) <= MOST_KNOTS


def test_what_is_told_is_what_the_curve_does() -> None:
    scores, heights, labels = made_up(20_000, seed=4)
    chosen = curve_for_efficiency(scores, heights, labels, efficiency=0.9)
    assert chosen is not None
    passes = scores >= chosen.value.at(heights)
    assert chosen.efficiency.value == passes[labels == Label.NEUTRON].mean()
    assert chosen.leakage.value == passes[labels == Label.GAMMA].mean()
    assert [each.low_adc for each in chosen.ranges] == list(chosen.value.height_adc[:-1])
    for each in chosen.ranges:
        there = (heights >= each.low_adc) & (heights < each.high_adc)
        assert each.efficiency is not None
        assert each.efficiency.value == passes[there & (labels == Label.NEUTRON)].mean() == pytest.approx(0.9, abs=0.02)


def test_it_falls_only_where_the_pulses_say_so() -> None:
    scores, heights, labels = made_up(80_000, seed=5, clipped_above=300)
    chosen = curve_for_efficiency(scores, heights, labels, efficiency=0.95)
    assert chosen is not None
    assert np.diff(chosen.value.threshold).min() < -0.01
    high = (heights > 800) & (labels == Label.NEUTRON)
    assert (scores >= chosen.value.at(heights))[high].mean() == pytest.approx(0.95, abs=0.02)


def test_scores_that_pile_up_at_one_still_pass() -> None:
    scores, heights, labels = made_up(20_000, seed=6)
    scores = np.where((labels == Label.NEUTRON) & (heights > 100), np.float32(1), scores)
    chosen = curve_for_efficiency(scores, heights, labels, efficiency=0.95)
    assert chosen is not None
    high = (heights > 150) & (labels == Label.NEUTRON)
    assert (scores >= chosen.value.at(heights))[high].all()
    assert not (np.nextafter(np.float32(1), np.float32(0)) >= chosen.value.at(np.array([2000.0])))[0]


def test_few_neutrons_have_few_knots_and_too_few_none() -> None:
    n_knots = []
    for n_neutrons in (FEWEST_NEUTRONS - 1, 4 * FEWEST_NEUTRONS, 6000, 60_000):
        chosen = curve_for_efficiency(*made_up(2 * n_neutrons, seed=7), efficiency=0.9)
        n_knots.append(0 if chosen is None else len(chosen.value.height_adc))
    assert n_knots[0] == 0
    assert 2 <= n_knots[1] <= n_knots[2] < n_knots[3] <= MOST_KNOTS


def test_pulses_without_score_or_height_do_not_count_in_the_choice() -> None:
    scores, heights, labels = made_up(20_000, seed=8)
    whole = curve_for_efficiency(scores, heights, labels, efficiency=0.9)
    odd = np.full(50, np.nan, np.float32)
    more = curve_for_efficiency(
        np.concatenate([scores, odd]), np.concatenate([heights, odd]), np.concatenate([labels, np.ones(50, np.int8)]),
        efficiency=0.9,
    )  # fmt: skip
    assert whole is not None
    assert more is not None
    assert more.value == whole.value
    assert more.efficiency.value < whole.efficiency.value
