"""Numbers as people read them: as many digits as mean something, without an exponent."""

from __future__ import annotations

from math import floor, log10


def plain_digits(value: float, digits: int) -> str:
    """Return a number rounded to some significant digits, without an exponent where it has at most ten digits."""
    return f"{float(f'{value:.{digits}g}'):.10g}"


def with_error(value: float, error: float, *, most_decimals: int = 12) -> str:
    """Return a value and its error with two digits of the error, or as many decimals as are wanted at most."""
    decimals = most_decimals if error <= 0 else min(most_decimals, max(0, 1 - floor(log10(error))))
    return f"{value:z.{decimals}f} ± {error:.{decimals}f}"
