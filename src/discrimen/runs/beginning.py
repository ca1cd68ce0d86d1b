"""The beginning of a run in memory: a report need not see more."""

from __future__ import annotations

from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.pulses import Pulses, concatenate
from discrimen.runs.polarity import upright_chunks


def beginning(reader: Reader, n_pulses: int) -> Pulses:
    """Read the first pulses of a run.

    Parameters
    ----------
    reader : Reader
        Open input.
    n_pulses : int
        At most so many.

    Raises
    ------
    DataError
        If there is no pulse.
    """
    parts: list[Pulses] = []
    for pulses in upright_chunks(reader):
        parts.append(pulses)
        if sum(map(len, parts)) >= n_pulses:
            break
    if not parts:
        raise DataError(f"{reader.info.path}: no pulses")
    return concatenate(parts)[:n_pulses]
