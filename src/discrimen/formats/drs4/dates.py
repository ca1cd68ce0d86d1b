"""The dates of events: seven numbers of the computer's local time, from the year down to the millisecond."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LOWEST = np.array([1970, 1, 1, 0, 0, 0, 0])
_HIGHEST = np.array([2200, 12, 31, 23, 59, 60, 999])


def sound_dates(dates: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Say which rows of year, month, day, hour, minute, second and millisecond can be a date."""
    return np.asarray(((dates >= _LOWEST) & (dates <= _HIGHEST)).all(axis=1))


def date_ms(dates: NDArray[Any]) -> NDArray[np.int64]:
    """Return sound dates in ms since 1970, as if the local time were that of Greenwich."""
    year, month, day, hour, minute, second, millisecond = dates.astype(np.int64).T
    months = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + day - 1
    return np.asarray((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millisecond)
