from __future__ import annotations

import numpy as np
import pytest

from discrimen.metrics.place_draws import PlaceDraws, repeated_places
from discrimen.metrics.position import PositionErrors, mean_estimate, position_figures

N_PLACES, HITS_A_PLACE = 12, 50


def scan(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Errors whose mean differs from place to place by 1 mm, and from hit to hit by 1 mm."""
    place = np.repeat(np.arange(N_PLACES), HITS_A_PLACE)
    return place, rng.normal(0, 1, N_PLACES)[place] + rng.normal(0, 1, len(place))


def test_places_are_found_where_they_repeat() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 80, (6, 3)).astype(np.float32).astype(np.float64)
    places[:3, 2] = np.nan
    number = repeated_places(np.repeat(places, 10, axis=0) + rng.uniform(0, 1e-7, (60, 1)))
    assert number is not None
    assert len(np.unique(number)) == 6
    assert len(np.unique(number[:10])) == 1
    assert repeated_places(rng.uniform(0, 80, (60, 3))) is None
    # One hit that comes twice does not make a scan.
    assert repeated_places(np.concatenate([rng.uniform(0, 80, (60, 3)), np.zeros((2, 3))])) is None


def test_intervals_of_a_scan_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    by_hits = by_places = 0
    for _ in range(40):
        place, values = scan(rng)
        found = mean_estimate(values, confidence=0.9)
        wider = PlaceDraws.of(place, confidence=0.9, rng=rng).widened(found, lambda each: float(each.mean()), values)
        by_hits += found.low <= 0 <= found.high
        by_places += wider.low <= 0 <= wider.high
    assert by_hits < 24
    assert by_places >= 31


def test_figures_of_places_are_the_same_and_wider() -> None:
    rng = np.random.default_rng(2)
    place, _ = scan(rng)
    residual = np.stack([scan(rng)[1] for _ in range(3)], axis=1)
    deviation = np.ones_like(residual)
    alone, together = (
        position_figures(
            PositionErrors(residual_mm=residual, deviation_mm=deviation, place=each), confidence=0.95, rng=rng
        )
        for each in (None, place)
    )
    assert alone is not None
    assert together is not None
    for name, found in together.items():
        assert found.value == alone[name].value
        assert found.low <= alone[name].low + 0.3
        assert found.high >= found.value
    for name in ("median_3d_mm", "x_rms_mm", "y_bias_mm", "z_coverage", "x_pull_width"):
        width, counted = (each[name].high - each[name].low for each in (together, alone))
        assert width > 1.5 * counted, name
    assert together["x_coverage"].high <= 100


def test_fewer_than_five_places_leave_intervals_as_they_are() -> None:
    place = np.repeat(np.arange(4), 20)
    found = mean_estimate(np.arange(80.0), confidence=0.9)
    draws = PlaceDraws.of(place, confidence=0.9, rng=np.random.default_rng(0))
    assert draws.widened(found, lambda each: float(each.mean()), np.arange(80.0)) == found
    assert PlaceDraws.of(None, confidence=0.9, rng=np.random.default_rng(0)).draws is None


def test_a_figure_that_cannot_be_negative_has_no_negative_interval() -> None:
    rng = np.random.default_rng(3)
    place, values = scan(rng)
    squares = values**8
    found = mean_estimate(squares, confidence=0.95)
    wider = PlaceDraws.of(place, confidence=0.95, rng=rng).widened(
        found, lambda each: float(each.mean()), squares, least=0
    )
    assert wider.low == pytest.approx(0)
    assert wider.high > found.high
