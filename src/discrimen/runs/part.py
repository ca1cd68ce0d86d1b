"""A part of a run, by the order of its events: some to learn from, others to judge by."""

from __future__ import annotations

from collections.abc import Callable

from discrimen.errors import SettingsError
from discrimen.formats.base import Reader
from discrimen.pulses import Pulses


def part_of_run(reader: Reader, share: tuple[float, float]) -> Callable[[Pulses], Pulses]:
    """Return what leaves the pulses of a part of the run, for each of its chunks.

    Parts that end and begin at the same share have no pulse in common.

    Parameters
    ----------
    reader : Reader
        Open input. Where it does not know its number of events, it is read once to count them.
    share : tuple of float
        Where the part begins and where it ends, as shares of the events of the file, from 0 to 1.

    Raises
    ------
    SettingsError
        If these are no two shares in ascending order.
    """
    first, stop = share
    if not 0 <= first < stop <= 1:
        raise SettingsError(f"expected two shares from 0 to 1 in ascending order, got {first:g}:{stop:g}")
    n_events = _n_events(reader)
    first_entry, stop_entry = round(first * n_events), round(stop * n_events)

    def inside(pulses: Pulses) -> Pulses:
        entry = pulses.column("entry")
        return pulses[(entry >= first_entry) & (entry < stop_entry)]

    return inside


def _n_events(reader: Reader) -> int:
    if reader.info.n_entries is not None:
        return reader.info.n_entries
    return max((int(pulses.column("entry").max()) + 1 for pulses in reader.chunks() if len(pulses)), default=0)
