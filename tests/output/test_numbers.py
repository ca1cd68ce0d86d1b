"""Numbers for people."""

from __future__ import annotations

from discrimen.output.numbers import beside_spread, plain_digits, with_error


def test_digits_come_without_an_exponent() -> None:
    assert [plain_digits(value, 2) for value in (123.4, 0.0354, 1.2e6, 47)] == ["120", "0.035", "1200000", "47"]


def test_a_value_has_as_many_decimals_as_its_error() -> None:
    assert with_error(4.97271, 0.0354) == "4.973 ± 0.035"
    assert with_error(15000.04, 51.2) == "15000 ± 51"
    assert with_error(15000.04, 0.0, most_decimals=1) == "15000.0 ± 0.0"


def test_nothing_is_less_than_zero_by_rounding() -> None:
    assert with_error(-1e-7, 0.01) == "0.000 ± 0.010"


def test_a_mean_shows_a_shift_of_a_hundredth_of_the_spread() -> None:
    assert beside_spread(14999.8765, 5.08) == "14999.88"
    assert beside_spread(0.20417, 0.0215) == "0.2042"
    assert beside_spread(7984.2, 1660.0) == "7984"
    assert beside_spread(-1e-9, 1.0) == "0.00"
