"""What a list of events without waveforms holds: counts, rates and charges of each channel, in one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import ListModeReader, ReadReport, RunInfo
from discrimen.output.plain import plain
from discrimen.output.summary import Summarised
from discrimen.pulses import PulseFlag
from discrimen.pulses.list_mode import ListModeEvents

_QUANTILES = (0.05, 0.5, 0.95)
MEASURED = ("long_charge", "psd", "tof_ns")
_SATURATED = np.uint32(PulseFlag.SATURATED_GATE | PulseFlag.SATURATED_INPUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedChannel:
    """One channel of a list.

    Parameters
    ----------
    board, channel : int or None
        None where the file does not say.
    n_pulses : int
        Events.
    rate_hz : float or None
        Events over the time from the first to the last one; None without time stamps in known units.
    n_saturated : int or None
        Events that carry a saturation flag; None without flags.
    quantiles : mapping of str to (float, float, float)
        5 %, median and 95 % of charge, pulse shape parameter and time of flight, of those that are there.
    """

    board: int | None
    channel: int | None
    n_pulses: int
    rate_hz: float | None
    n_saturated: int | None
    quantiles: Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ListInspection(Summarised):
    """What one pass over a list found."""

    info: RunInfo
    report: ReadReport
    channels: tuple[ListedChannel, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "file": str(self.info.path),
            "format": self.info.format,
            "layout": self.info.layout,
            "settings": self.info.settings.model_dump(exclude_none=True),
            "settings_source": dict(self.info.settings_source),
            **self.report.as_dict(),
            "channels": plain(self.channels),
        }


@dataclass(slots=True)
class _Tally:
    n_pulses: int = 0
    first_ps: int | None = None
    last_ps: int = 0
    n_saturated: int | None = None
    values: dict[str, list[NDArray[np.float32]]] = field(default_factory=lambda: defaultdict(list))


def inspect_list(reader: ListModeReader, *, on_progress: Callable[[int], None] = lambda _: None) -> ListInspection:
    """Read a list once and summarise each channel.

    Parameters
    ----------
    reader : ListModeReader
        The open file.
    on_progress : callable
        Called with the number of events of each chunk.

    Raises
    ------
    FormatError, DataError
        If the file cannot be read, or holds no event.
    """
    tallies: dict[tuple[int | None, int | None], _Tally] = {}
    for events in reader.event_chunks():
        places = np.stack(
            [np.full(len(events), -1) if number is None else number for number in (events.board, events.channel)]
        )
        found, which = np.unique(places, axis=1, return_inverse=True)
        for number, (board, channel) in enumerate(found.T):
            key = (None if events.board is None else int(board), None if events.channel is None else int(channel))
            _add(tallies.setdefault(key, _Tally()), events, which.ravel() == number)
        on_progress(len(events))
    if not tallies:
        left_out = "; ".join(reader.report.left_out()) or "the file holds no event"
        raise DataError(f"{reader.info.path}: no events to look at: {left_out}")
    ordered = sorted(tallies.items(), key=lambda item: tuple(-1 if part is None else part for part in item[0]))
    channels = tuple(_summary(board, channel, tally) for (board, channel), tally in ordered)
    return ListInspection(info=reader.info, report=reader.report, channels=channels)


def _add(tally: _Tally, events: ListModeEvents, chosen: NDArray[np.bool_]) -> None:
    tally.n_pulses += int(chosen.sum())
    if events.timestamp_ps is not None:
        first, last = int(events.timestamp_ps[chosen].min()), int(events.timestamp_ps[chosen].max())
        tally.first_ps = first if tally.first_ps is None else min(tally.first_ps, first)
        tally.last_ps = max(tally.last_ps, last)
    if events.flags is not None:
        saturated = int(((events.flags[chosen] & _SATURATED) != 0).sum())
        tally.n_saturated = saturated + (tally.n_saturated or 0)
    for name in MEASURED:
        values = getattr(events, name)
        if values is not None:
            tally.values[name].append(values[chosen].astype(np.float32))


def _summary(board: int | None, channel: int | None, tally: _Tally) -> ListedChannel:
    span_s = 0.0 if tally.first_ps is None else (tally.last_ps - tally.first_ps) * 1e-12
    quantiles = {}
    for name, parts in tally.values.items():
        values = np.concatenate(parts)
        if np.isfinite(values).any():
            low, middle, high = np.nanquantile(values, _QUANTILES)
            quantiles[name] = (float(low), float(middle), float(high))
    return ListedChannel(
        board=board,
        channel=channel,
        n_pulses=tally.n_pulses,
        rate_hz=(tally.n_pulses - 1) / span_s if span_s > 0 else None,
        n_saturated=tally.n_saturated,
        quantiles=quantiles,
    )
