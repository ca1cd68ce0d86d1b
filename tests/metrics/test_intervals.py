"""Intervals of a counted share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from discrimen.errors import DataError
from discrimen.metrics import wilson_interval


@given(n_total=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_agrees_with_scipy(n_total: int, share: float) -> None:
    n_counted = round(share * n_total)
    expected = binomtest(n_counted, n_total).proportion_ci(0.9, method="wilson")
    found = wilson_interval(n_counted, n_total, confidence=0.9)
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)
    assert found.low <= found.value <= found.high


def test_wilson_covers_the_truth() -> None:
    held = sum(
        binom.pmf(count, 200, 0.03)
        for count in range(201)
        if wilson_interval(count, 200).low <= 0.03 <= wilson_interval(count, 200).high
    )
    assert 0.92 < held < 0.98


@pytest.mark.parametrize(("n_counted", "n_total"), [(0, 0), (3, 2), (-1, 5)])
def test_no_share_is_an_error(n_counted: int, n_total: int) -> None:
    with pytest.raises(DataError, match="expected a count"):
        wilson_interval(n_counted, n_total)
