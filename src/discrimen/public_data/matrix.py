"""Text matrices, as public sets often are: one pulse a row, numbers parted by blanks or commas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError

_HIGHEST_EXACT = 2**24
"""Whole numbers above are not exact in float32."""


def read_matrix(path: Path) -> NDArray[Any]:
    """Read a text matrix into memory.

    Parameters
    ----------
    path : Path
        The first row decides whether commas part the numbers.

    Returns
    -------
    ndarray, shape (pulse, sample)
        int16 or int32 where all numbers are whole, else float32.

    Raises
    ------
    FormatError
        If it cannot be read, rows differ in length, or a number is not finite.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            first = stream.readline()
            if not first.strip():
                raise FormatError("expected a matrix of numbers, the first line is empty", path)
            stream.seek(0)
            values = np.loadtxt(stream, delimiter="," if "," in first else None, ndmin=2)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}", path) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise FormatError(f"expected a matrix of numbers: {' '.join(str(error).split())[:200]}", path) from error
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise FormatError(f"row {row} holds a number that is not finite", path)
    return _narrowed(values)


def read_numbers(path: Path, *, n_pulses: int) -> NDArray[Any]:
    """Read one number for each pulse: one a line, or all in one line.

    Raises
    ------
    FormatError
        If there are not as many numbers as pulses, or they are not whole.
    """
    values = read_matrix(path)
    if values.size != n_pulses or 1 not in values.shape:
        raise FormatError(f"expected one number for each of {n_pulses} pulses, got a matrix of {values.shape}", path)
    if values.dtype.kind != "i":
        raise FormatError("expected whole numbers that name a class", path)
    return values.ravel()


def _narrowed(values: NDArray[np.float64]) -> NDArray[Any]:
    highest = float(np.abs(values).max())
    if highest < _HIGHEST_EXACT and np.array_equal(values, np.rint(values)):
        return values.astype(np.int16 if highest <= np.iinfo(np.int16).max else np.int32)
    return values.astype(np.float32)
