"""The tables of an LH5 file, one a channel, read side by side: their pulses in the order in which they once came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from discrimen.errors import DataError
from discrimen.pulses import COLUMNS, Pulses


def in_order(tables: Sequence[Iterator[Pulses]]) -> Iterator[Pulses]:
    """Merge tables by the column `entry`; no more of each is held than one of its chunks.

    Parameters
    ----------
    tables : sequence of iterator of Pulses
        Each with ascending entries.

    Yields
    ------
    Pulses
        With ascending entries, those of each length, type and sampling period for themselves.

    Raises
    ------
    DataError
        If the entries of a table do not ascend.
    """
    waiting: list[tuple[Iterator[Pulses], Pulses]] = []
    for table in tables:
        waiting += _next(table)
    while waiting:
        bound = min(int(pulses.column("entry")[-1]) for _, pulses in waiting)
        parts, rest = [], []
        for table, pulses in waiting:
            count = int(np.searchsorted(pulses.column("entry"), bound, side="right"))
            if count:
                parts.append(pulses[:count])
            rest += _next(table) if count == len(pulses) else [(table, pulses[count:])]
        waiting = rest
        yield from _of_each_kind(parts)


def _next(table: Iterator[Pulses]) -> list[tuple[Iterator[Pulses], Pulses]]:
    """Return the next chunk of a table behind it; nothing where it ends."""
    pulses = next(table, None)
    if pulses is None:
        return []
    if (np.diff(pulses.column("entry")) < 0).any():
        raise DataError("the pulses of a table are not in the order of their entries: they cannot be put in order")
    return [(table, pulses)]


def _of_each_kind(parts: Sequence[Pulses]) -> Iterator[Pulses]:
    parts = sorted(parts, key=lambda part: int(part.column("entry")[0]))
    kinds = [(part.n_samples, part.samples.dtype, part.sample_period_ns) for part in parts]
    for kind in dict.fromkeys(kinds):
        alike = [part for part, of_part in zip(parts, kinds, strict=True) if of_part == kind]
        shared = [name for name in COLUMNS if all(getattr(part, name) is not None for part in alike)]
        order = np.argsort(np.concatenate([part.column("entry") for part in alike]), kind="stable")
        columns = {name: np.concatenate([part.column(name) for part in alike])[order] for name in shared}
        samples = np.concatenate([part.samples for part in alike])[order]
        yield Pulses(samples=samples, sample_period_ns=kind[2], **columns)
