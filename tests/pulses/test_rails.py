"""Pulses that reach an end of the ADC's range."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.pulses.rails import at_rail


@pytest.mark.parametrize(
    ("dtype", "adc_bits", "expected"),
    [
        (np.uint16, 10, [True, False, True]),
        (np.uint16, None, [True, False, False]),
        (np.int16, 10, [True, False, True]),
        (np.int16, None, None),
        (np.float32, 10, None),
    ],
)
def test_ends_are_0_and_the_highest_code(dtype: type, adc_bits: int | None, expected: list[bool] | None) -> None:
    highest, lowest = np.array([500, 1022, 1023], dtype), np.array([0, 1, 2], dtype)
    found = at_rail(highest, lowest, adc_bits=adc_bits)
    assert (None if found is None else found.tolist()) == expected


def test_ends_lie_around_0_where_a_sample_is_negative() -> None:
    highest, lowest = np.array([10, 1, 511, 0], np.int16), np.array([-3, 0, 2, -512], np.int16)
    assert at_rail(highest, lowest, adc_bits=10).tolist() == [False, False, True, True]  # type: ignore[union-attr]
