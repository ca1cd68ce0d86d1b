"""Columns that the user names in a file: their units, and their numbers as the types of pulses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.pulses import COLUMNS
from discrimen.pulses.list_mode import LIST_COLUMNS

UNITS_PS: Mapping[str, int] = {"ps": 1, "ns": 10**3, "us": 10**6, "ms": 10**9, "s": 10**12}
"""Units of a time stamp, in ps."""

_UNIT = re.compile(r"(?P<ticks>\d+(\.\d+)?)?(?P<unit>ps|ns|us|ms|s)")


def split_unit(field: str, named: str) -> tuple[str, int]:
    """Take ``NAME:unit`` apart; the factor brings the file's numbers to ps.

    Parameters
    ----------
    field : str
        What the column means; only `timestamp_ps` takes a unit.
    named : str
        As on the command line.

    Raises
    ------
    SettingsError
        If there is no such unit, or the field takes none.
    """
    name, colon, unit = named.rpartition(":")
    if not colon:
        return named, 1
    if field != "timestamp_ps":
        raise SettingsError(f"--branch {field}={named}: only timestamp_ps takes a unit; {field} is read as it is")
    found = _UNIT.fullmatch(unit)
    if found is None:
        units = ", ".join(UNITS_PS)
        raise SettingsError(f"--branch {field}={named}: no unit of time '{unit}'; use {units}, or ticks like 8ns")
    factor = Decimal(found["ticks"] or 1) * UNITS_PS[found["unit"]]
    if factor != factor.to_integral_value() or not 1 <= factor <= UNITS_PS["s"]:
        expected = "a count must be a whole number of ps, from 1 ps to 1 s"
        raise SettingsError(f"--branch {field}={named}: {expected}, got {factor} ps")
    return name, int(factor)


def convert_column(values: NDArray[Any], name: str, factor: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Bring a file's numbers, times a factor, to the type of a column, and tell which of them it can hold.

    Parameters
    ----------
    values : ndarray, shape (entry,)
        Integers, floats or booleans.
    name : str
        Of the column, see :data:`~discrimen.pulses.COLUMNS` and :data:`~discrimen.pulses.list_mode.LIST_COLUMNS`.
    factor : int
        To the column's unit.

    Returns
    -------
    converted : ndarray, shape (entry,)
        Of the column's type; 0 where it does not fit.
    fits : ndarray of bool, shape (entry,)
        Whether the value fits. A float fits an integer column if it is whole; a time stamp is rounded to whole ps.
    """
    dtype = {**COLUMNS, **LIST_COLUMNS}[name]
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return (values.astype(np.float64) * factor).astype(dtype), np.ones(len(values), dtype=np.bool_)
    limits = np.iinfo(dtype)
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = np.rint(values.astype(np.float64) * factor)
            fits = (scaled >= float(limits.min)) & (scaled < float(limits.max) + 1)
            if name != "timestamp_ps":
                fits &= scaled == values.astype(np.float64) * factor
        return np.where(fits, scaled, 0).astype(dtype), fits
    whole = values.astype(np.int64) if values.dtype.kind == "b" else values
    lowest, highest = -(-limits.min // factor), limits.max // factor
    fits = (whole >= lowest) & (whole <= highest)
    return np.where(fits, whole, 0).astype(dtype) * dtype.type(factor), fits
