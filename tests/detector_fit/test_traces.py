from __future__ import annotations

import numpy as np
import pytest
from tests.detector_fit.made_up import records, traced

from discrimen.detector_fit.traces import polarity_of, refuse_opposite
from discrimen.errors import DataError


@pytest.mark.parametrize(("sign", "name"), [(1, "positive"), (-1, "negative")])
def test_polarity_is_where_the_pulses_go(sign: int, name: str) -> None:
    samples = records(20, sign=sign)
    assert polarity_of(samples) == name
    with pytest.raises(DataError, match=f"most pulses are {name}: give --polarity {name}"):
        refuse_opposite(samples, "negative" if sign > 0 else "positive")


def test_baseline_lies_before_the_earliest_pulses() -> None:
    found = traced(records(200, onset=np.random.default_rng(3).uniform(35, 45, 200)))
    assert 20 < found.baseline_stop < 36
    assert found.baseline_adc.mean() == pytest.approx(1000, abs=0.1)
    assert found.noise_adc == pytest.approx(1.04, abs=0.06)


def test_clipped_small_and_late_pulses_are_not_clean() -> None:
    height = np.full(100, 300.0)
    height[:3], height[3:5] = 9000, 6
    onset = np.full(100, 40.0)
    onset[5:7] = 90
    samples = np.clip(records(100, height_adc=height, onset=onset), 0, 4095)
    found = traced(samples)
    assert not found.clean[:7].any()
    assert found.clean[7:].all()
    assert found.clipped[:3].all()
    assert not found.clipped[3:].any()


def test_pulses_without_anything_before_them_are_refused() -> None:
    with pytest.raises(DataError, match=r"the pulses start at sample 3 .* record with a longer pre-trigger"):
        traced(records(20, onset=2.0))


def test_too_few_clean_pulses_are_refused() -> None:
    with pytest.raises(DataError, match="only 0 of 20 pulses are clean"):
        traced(records(20, height_adc=9.0))
