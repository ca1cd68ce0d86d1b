from __future__ import annotations

import numpy as np
import pytest
from tests.detector_fit.made_up import records, traced

from discrimen.detector_fit.bands import find_bands

RNG = np.random.default_rng(11)
IS_NEUTRON = RNG.random(600) < 0.4


def test_two_bands_are_parted_by_their_tails() -> None:
    tail = np.where(IS_NEUTRON, 0.3, 0.1) + RNG.normal(0, 0.01, 600)
    found = find_bands(traced(records(600, tail=tail, height_adc=RNG.uniform(200, 900, 600))), period_ns=2.0)
    assert found.part
    assert found.figure_of_merit is not None
    assert found.figure_of_merit > 2
    assert IS_NEUTRON[found.neutron].all()
    assert not IS_NEUTRON[found.gamma].any()


@pytest.mark.parametrize("tail", [np.full(600, 0.2), RNG.uniform(0.1, 0.3, 600)], ids=["narrow", "flat top"])
def test_one_band_is_not_taken_for_two(tail: np.ndarray) -> None:
    found = find_bands(traced(records(600, tail=tail)), period_ns=2.0)
    assert not found.part
    assert "do not part" in found.why_not


def test_few_pulses_are_not_asked() -> None:
    found = find_bands(traced(records(60, tail=np.where(IS_NEUTRON[:60], 0.3, 0.1))), period_ns=2.0)
    assert not found.part
    assert "100 are needed" in found.why_not
