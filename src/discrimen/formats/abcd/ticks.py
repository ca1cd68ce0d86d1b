"""The unit of ABCD's time stamps, which its messages and files do not say.

A time stamp counts ticks of the digitizer, or fractions of them: most analyses of ABCD leave room for 10 bits behind
the point. ABCD's own tools take 2/1024 ns where nothing else is said (``defaults_cofi_ns_per_sample`` and
``ns_per_sample`` of `tofcalc` and the plots of ``ade_tools``): a digitizer of 500 MS/s. At 250 MS/s it is 4/1024 ns.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError

DEFAULT_TICK_PS = 2000 / 1024
"""A tick in ps where nothing else is said: 2/1024 ns, as in ABCD's own tools."""

LATEST_PS = 2**62
"""Later than any run: 53 days."""

_FINEST = 2**20


@dataclass(frozen=True, slots=True)
class TickClock:
    """Turns ticks into ps and back; a file that is read and written again keeps its ticks.

    Parameters
    ----------
    tick_ps : float
        Length of a tick in ps, at least 0.01.

    Raises
    ------
    SettingsError
        If it is no such length.
    """

    tick_ps: float = DEFAULT_TICK_PS

    def __post_init__(self) -> None:
        if not 0.01 <= self.tick_ps <= 1e9:
            raise SettingsError(f"a tick of ABCD lasts 0.01 to 1e9 ps, got {self.tick_ps:g}; 2/1024 ns are 1.953125 ps")

    @property
    def latest_tick(self) -> int:
        """The first tick that is later than any run."""
        return min(LATEST_PS * self._ratio.denominator // self._ratio.numerator, 2**63 - 1)

    @property
    def _ratio(self) -> Fraction:
        return Fraction(self.tick_ps).limit_denominator(_FINEST)

    def to_ps(self, ticks: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
        """Return times in ps, to the nearest; each tick must be below `latest_tick`."""
        return _scaled(ticks.astype(np.int64), self._ratio)

    def to_ticks(self, times_ps: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return times in ticks, to the nearest.

        Raises
        ------
        DataError
            If a time lies before 0 or later than any run: ABCD has no place for it.
        """
        if len(times_ps) and not (times_ps.min() >= 0 and times_ps.max() < LATEST_PS):
            raise DataError(
                f"ABCD stores times from 0 to {LATEST_PS} ps, got {times_ps.min()} to {times_ps.max()} ps; shift them, "
                "or write the native format"
            )
        return _scaled(times_ps, 1 / self._ratio).astype(np.uint64)

    def __str__(self) -> str:
        return f"ticks of {self.tick_ps:g} ps"


def _scaled(values: NDArray[np.int64], ratio: Fraction) -> NDArray[np.int64]:
    """Multiply by a ratio, exactly up to the rounding at the end."""
    whole, rest = np.divmod(values, ratio.denominator)
    rounded = (2 * rest * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)
    return np.asarray(whole * ratio.numerator + rounded)
