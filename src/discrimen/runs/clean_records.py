"""Clean records of pulses: the same pulses without noise, as a simulation writes them beside a run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.pulses import Pulses
from discrimen.runs.dataset import Dataset

_KEYS = ("entry", "timestamp_ps", "board", "channel")
"""What two records of one pulse have in common."""


def clean_samples(recorded: Dataset, clean: Dataset) -> NDArray[Any]:
    """Return the clean record of each pulse of a data set.

    Parameters
    ----------
    recorded, clean : Dataset
        Of the same files in the same order.

    Returns
    -------
    ndarray, shape (pulse, sample)
        In ADC counts.

    Raises
    ------
    DataError
        If they are not records of the same pulses.
    """
    for noisy, bare in zip(recorded.files, clean.files, strict=True):
        if noisy["n_pulses"] != bare["n_pulses"]:
            raise DataError(
                f"{bare['name']}: {bare['n_pulses']} clean records for the {noisy['n_pulses']} pulses of "
                f"{noisy['name']}: give the file that was written with it, and label no pulse away"
            )
    require_same_pulses(recorded.pulses, clean.pulses)
    return clean.pulses.samples


def require_same_pulses(recorded: Pulses, clean: Pulses) -> None:
    """Refuse clean records of other pulses.

    Raises
    ------
    DataError
        If their length, number, time stamps, channels or entries differ.
    """
    if recorded.samples.shape != clean.samples.shape:
        raise DataError(
            f"the clean records have {clean.n_samples} samples, the pulses {recorded.n_samples}: they must be of the "
            "same pulses"
            if recorded.n_samples != clean.n_samples
            else f"there are {len(clean)} clean records for {len(recorded)} pulses"
        )
    clean_columns = clean.columns()
    for name, column in recorded.columns().items():
        if name in _KEYS and name in clean_columns and not np.array_equal(column, clean_columns[name]):
            first = int(np.flatnonzero(column != clean_columns[name])[0])
            raise DataError(
                f"the clean records are of other pulses: {name} of pulse {first} is {column[first]}, that of its clean "
                f"record {clean_columns[name][first]}; give the files that were written together, in one order"
            )
