"""Thresholds that follow the height of the pulse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discrimen.errors import SettingsError
from discrimen.network.height_curve import MOST_KNOTS, HeightCurve, thresholds_of

CURVE = HeightCurve(height_adc=(50.0, 200.0, 800.0), threshold=(0.2, 0.9, 0.999))


def test_a_knot_has_its_own_threshold_and_nothing_changes_outside() -> None:
    at = CURVE.at(np.array([-3.0, 0.0, 1.0, 50.0, 200.0, 800.0, 801.0, np.inf]))
    assert at.tolist() == [0.2, 0.2, 0.2, 0.2, 0.9, 0.999, 0.999, 0.999]


def test_half_way_in_the_logarithm_of_the_height_is_half_way_in_the_logit() -> None:
    # log(0.2 / 0.8) and log(0.9 / 0.1): odds of 0.25 and 9, whose geometric mean is 1.5
    assert CURVE.at(np.array([100.0]))[0] == pytest.approx(0.6)


def test_a_height_that_is_not_known_has_no_threshold() -> None:
    assert not (np.array([1.0]) >= CURVE.at(np.array([np.nan]))).any()


@given(st.lists(st.floats(2**-10, 2**20, width=32), min_size=1, max_size=20))
def test_thresholds_lie_between_those_of_the_neighbouring_knots(heights: list[float]) -> None:
    at = CURVE.at(np.array(sorted(heights)))
    assert (np.diff(at) >= 0).all()
    assert ((at >= 0.2) & (at <= 0.999)).all()


def test_one_number_holds_for_all_heights_and_asks_for_none() -> None:
    assert thresholds_of(0.4, None, n_pulses=3).tolist() == [0.4, 0.4, 0.4]
    with pytest.raises(SettingsError, match="height of the pulse, which is not known"):
        thresholds_of(CURVE, None, n_pulses=3)


def test_plain_data_and_back() -> None:
    assert HeightCurve.from_dict(CURVE.as_dict()) == CURVE


@pytest.mark.parametrize(
    ("heights", "thresholds", "said"),
    [
        ((1.0,), (0.5,), "needs 2 to 16"),
        (tuple(range(1, MOST_KNOTS + 2)), (0.5,) * (MOST_KNOTS + 1), "needs 2 to 16"),
        ((1.0, 2.0), (0.5,), "as many thresholds, got 2 and 1"),
        ((2.0, 1.0), (0.5, 0.6), "positive and ascend"),
        ((0.0, 1.0), (0.5, 0.6), "positive and ascend"),
        ((1.0, np.inf), (0.5, 0.6), "positive and ascend"),
        ((1.0, np.nan), (0.5, 0.6), "positive and ascend"),
        ((1.0, 2.0), (0.5, 1.0), "between 0 and 1"),
        ((1.0, 2.0), (np.nan, 0.9), "between 0 and 1"),
    ],
)
def test_what_is_no_curve_is_refused(heights: Any, thresholds: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        HeightCurve(heights, thresholds)


def test_other_data_is_refused() -> None:
    with pytest.raises(SettingsError, match="no curve of thresholds"):
        HeightCurve.from_dict({"height": [1, 2], "threshold": [0.1, 0.2]})
