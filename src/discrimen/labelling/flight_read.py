"""Times of flight of whole runs: from a column of the file, or from the time stamps of two detectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import ListModeReader, Reader
from discrimen.labelling.coincidence import StartDetector, find_coincidences
from discrimen.labelling.flight_run import FlightTimes, times_of_events, times_of_pulses
from discrimen.labelling.places import Place, board_and_channel, by_place, joined
from discrimen.labelling.walk import Walk, find_walk
from discrimen.pulses import Pulses
from discrimen.pulses.list_mode import ListModeEvents


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RunTimes:
    """The times of one run.

    Parameters
    ----------
    times : FlightTimes
        Of every pulse.
    walks : mapping of Place to Walk
        By how much times were corrected.
    measured : bool
        Whether they were measured here, between two detectors, and are no column of the file.
    """

    times: FlightTimes
    walks: Mapping[Place, Walk] = field(default_factory=dict)
    measured: bool = False

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return what labelled pulses get beside their label."""
        return {"tof_ns": self.times.tof_ns} if self.measured else {}

    def walks_as_dicts(self) -> list[dict[str, Any]]:
        """Return plain data, ready for JSON."""
        names = ("charge_low", "charge_high", "sigma_before_ns", "sigma_after_ns")
        return [
            {**place._asdict(), **{name: getattr(walk, name) for name in names}} for place, walk in self.walks.items()
        ]


def read_times(
    reader: Reader,
    *,
    start: StartDetector | None,
    tick_ps: float | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> RunTimes:
    """Read the times of a whole run, of waveforms or of a list.

    Parameters
    ----------
    reader : Reader
        The open file.
    start : StartDetector or None
        None takes the column `tof_ns`; with one, times are measured from it and corrected for walk.
    tick_ps : float, optional
        Length of a tick where time stamps count ticks.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    DataError
        If there are no pulses or no times, or as :func:`~discrimen.labelling.coincidence.find_coincidences` does.
    """
    where = reader.info.path
    parts, stamps = [], []
    chunks = reader.event_chunks() if isinstance(reader, ListModeReader) else reader.chunks()
    for chunk in chunks:
        if start is not None:
            parts.append(_untimed(chunk))
            stamps.append(_stamps(chunk, tick_ps, where))
        elif isinstance(chunk, ListModeEvents):
            parts.append(times_of_events(chunk, where=where))
        else:
            parts.append(times_of_pulses(chunk, where=where))
        on_progress(len(chunk))
    if not parts:
        raise DataError(f"{where}: no pulses to label")
    times = joined(parts)
    if start is None:
        return RunTimes(times=times)
    found = find_coincidences(np.concatenate(stamps), times.board, times.channel, start=start)
    return _walk_corrected(replace(times, tof_ns=found.tof_ns))


def _untimed(chunk: Pulses | ListModeEvents) -> FlightTimes:
    """Return what is known but the times; the size of a pulse with a waveform is its height."""
    where = board_and_channel(chunk)
    unknown = np.full(len(chunk), np.nan)
    if isinstance(chunk, ListModeEvents):
        return FlightTimes(
            tof_ns=unknown, **_numbers(where), energy=chunk.long_charge, psd=chunk.psd, score=chunk.score
        )
    height = np.abs(chunk.samples.astype(np.float64) - chunk.samples[:, :1]).max(axis=1)
    return FlightTimes(tof_ns=unknown, **_numbers(where), energy=height)


def _numbers(where: Mapping[str, NDArray[np.int32]]) -> dict[str, Any]:
    return {"board": where["board"], "channel": where["channel"]}


def _stamps(chunk: Pulses | ListModeEvents, tick_ps: float | None, where: Path) -> NDArray[np.int64]:
    if chunk.timestamp_ps is not None:
        if tick_ps is not None:
            raise DataError(f"{where}: its time stamps are in ps already; leave out --tick-ps")
        return chunk.timestamp_ps
    ticks = chunk.timestamp_ticks if isinstance(chunk, ListModeEvents) else None
    if ticks is None:
        raise DataError(f"{where}: no time stamps to take differences of; name them with --branch timestamp_ps=NAME:ns")
    if tick_ps is None:
        raise DataError(f"{where}: time stamps count ticks whose length the file does not say; give --tick-ps")
    # In whole numbers where a tick is one; a float64 is exact for the first 2.5 hours.
    whole = np.int64(round(tick_ps))
    stamps: NDArray[np.int64] = ticks * whole if whole == tick_ps else np.rint(ticks * tick_ps).astype(np.int64)
    return stamps


def _walk_corrected(times: FlightTimes) -> RunTimes:
    if times.energy is None:
        return RunTimes(times=times, measured=True)
    corrected, walks = times.tof_ns.copy(), {}
    for place, chosen in by_place(times).items():
        try:
            walk = find_walk(times.tof_ns[chosen], times.energy[chosen])
        except DataError:
            # Without a flash there is nothing to follow; the labelling will say so of this channel.
            continue
        if walk is not None:
            walks[place] = walk
            corrected[chosen] = walk.corrected(times.tof_ns[chosen], times.energy[chosen])
    return RunTimes(times=replace(times, tof_ns=corrected), walks=walks, measured=True)
