"""Valleys: found where two distributions meet, and in no single one, whatever its shape."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.labelling.valley import find_valley


def test_two_distributions_have_a_valley_at_its_place() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.0, 1.0, 3000), rng.normal(5.0, 1.0, 3000)])
    found = find_valley(values, rng=rng)
    assert (found.lower, found.valley, found.upper) == pytest.approx((0.0, 2.5, 5.0), abs=0.4)
    assert found.least_significance > 10
    # Both Gaussians at 2.5 widths over one at its centre, averaged over what is counted.
    assert 2 * np.exp(-0.5 * 2.5**2) < found.depth_ratio < 0.2


@pytest.mark.parametrize("shape", ["flat", "skewed", "long tails", "triangle"])
def test_one_distribution_of_any_shape_has_none(shape: str) -> None:
    rng = np.random.default_rng(0)
    draw = {
        "flat": lambda: rng.uniform(0, 1, 600),
        "skewed": lambda: rng.exponential(1, 600),
        "long tails": lambda: rng.standard_t(2, 600),
        "triangle": lambda: rng.triangular(0, 0.1, 1, 600),
    }[shape]
    significance = np.array([find_valley(draw(), rng=rng).significance for _ in range(60)])
    # 60 times two halves, each at most a standard normal: the mean of both beyond 2 in less than one of 20.
    assert (significance >= 2).sum() <= 3
    assert np.median(significance) < 0.5


def test_few_pulses_between_are_judged_by_their_number() -> None:
    def significance(n: int) -> float:
        rng = np.random.default_rng(4)
        return find_valley(np.concatenate([rng.normal(0, 1, n), rng.normal(4, 1, n)]), rng=rng).significance

    # Ten times the pulses, the root of ten times the significance.
    assert significance(4000) / significance(400) == pytest.approx(10**0.5, rel=0.35)
