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


def beside_spread(value: float, spread: float) -> str:
    """Return a mean with digits down to a hundredth of the spread, so that a small shift shows."""
    decimals = max(0, 2 - floor(log10(spread))) if spread > 0 else 6
    return f"{value:z.{decimals}f}"
