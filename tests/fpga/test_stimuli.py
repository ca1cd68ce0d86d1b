"""Stress windows: of the right kind, within the range of the values, the same for the same seed."""

from __future__ import annotations

import numpy as np

from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.stimuli import at_the_rail, stress_windows

CHIP = FrontEnd(length=40)
WINDOWS = np.zeros((50, 40), np.int32)
WINDOWS[:, 15:20] = np.arange(1, 51)[:, None] * np.array([50, 100, 60, 20, 10])


def test_stress_windows_are_what_they_are_called() -> None:
    made = stress_windows(WINDOWS, CHIP, seed=1)
    low, high = CHIP.value_range
    assert set(made) == {"all zero", "all maximum", "all minimum", "random", "piled up", "saturated"}
    assert not made["all zero"].any()
    assert (made["all maximum"] == high).all()
    assert (made["all minimum"] == low).all()
    assert made["random"].min() < -0.99 * high < 0.99 * high < made["random"].max()
    assert (made["saturated"].max(axis=1) == high).all()
    assert ((made["saturated"] == high).sum(axis=1) == 4).all(), "half, the whole, 3/5 and 1/5 of eight rails"
    two_pulses = (np.diff((made["piled up"] > 0).astype(int), axis=1) == 1).sum(axis=1)
    assert (two_pulses == 2).any()
    for values in made.values():
        assert values.dtype == np.int32
        assert low <= values.min() <= values.max() <= high


def test_seed_tells_the_stress_windows() -> None:
    one, same, other = (stress_windows(WINDOWS, CHIP, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one["piled up"], same["piled up"])
    assert (one["piled up"] != other["piled up"]).any()


def test_highest_windows_are_raised_to_the_rail_with_their_shape() -> None:
    raised = at_the_rail(WINDOWS, high=10_000, share=0.1)
    assert raised.shape == (5, 40)
    assert (raised[:, 15:20] == [5000, 10_000, 6000, 2000, 1000]).all()
    kept = at_the_rail(WINDOWS, high=2000, share=0.02)
    assert kept.max() == 2000, "what is higher already is cut off, not lowered"
    assert kept[0, 15] == 2000
