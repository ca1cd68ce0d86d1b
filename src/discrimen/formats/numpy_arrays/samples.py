"""Bring arrays of any number type to what waveforms are held in: integers of 16 or 32 bits, or float32.

Arrays from notebooks are often 64 bits wide though they hold ADC counts. The type is chosen once for the whole array,
from the range of its values, so that all chunks of a file have one type.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError

_INTEGERS = (np.int16, np.uint16, np.int32, np.uint32)


def needs_scan(dtype: np.dtype[Any]) -> bool:
    """Whether the values decide on the type of the samples: where they are 64 bits wide, or wider."""
    return dtype.itemsize >= 8


def direct_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type for arrays of up to 32 bits: their own, float32 for float16, uint8 for booleans."""
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    return np.dtype(np.float32) if dtype.kind == "f" else dtype.newbyteorder("=")


def scanned_type(blocks: Iterable[NDArray[Any]]) -> np.dtype[Any]:
    """Return the smallest integer type of 16 bits or more that holds all values exactly, else float32.

    Rows with NaN or infinite samples do not count.

    Parameters
    ----------
    blocks : iterable of ndarray, shape (row, sample)
        All of the array.

    Raises
    ------
    DataError
        If integers are beyond 32 bits, or numbers beyond float32.
    """
    lowest: Any = 0
    highest: Any = 0
    whole, integers = True, True
    for block in blocks:
        finite = block[finite_rows(block)]
        integers = integers and block.dtype.kind in "iu"
        if finite.size:
            lowest, highest = min(lowest, finite.min()), max(highest, finite.max())
            whole = whole and (integers or bool((finite == np.rint(finite)).all()))
    for candidate in _INTEGERS if whole else ():
        limits = np.iinfo(candidate)
        if limits.min <= lowest and highest <= limits.max:
            return np.dtype(candidate)
    if integers:
        raise DataError(f"samples {lowest}..{highest} do not fit 32 bits")
    if max(-lowest, highest) > np.finfo(np.float32).max:
        raise DataError(f"samples {lowest:.3g}..{highest:.3g} are beyond single precision")
    return np.dtype(np.float32)


def finite_rows(samples: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which waveforms hold only numbers, shape (row,)."""
    if samples.dtype.kind != "f":
        return np.ones(len(samples), dtype=bool)
    finite: NDArray[np.bool_] = np.isfinite(samples).all(axis=1)
    return finite


def whole_numbers(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the floats of an integer column as integers where all of them are whole, else as they are."""
    if dtype.kind not in "iu" or values.dtype.kind != "f":
        return values
    whole = bool((np.isfinite(values) & (values == np.rint(values)) & (np.abs(values) < 2.0**63)).all())
    return values.astype(np.int64) if whole else values
