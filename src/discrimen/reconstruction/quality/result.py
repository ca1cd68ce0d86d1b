"""What became of the channels of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discrimen.formats.base import ReadReport
from discrimen.output.summary import Summarised
from discrimen.pulses.places import Place
from discrimen.reconstruction.quality.history import History
from discrimen.reconstruction.quality.watch import Alarm


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChannelQuality:
    """What became of one channel of a run.

    Parameters
    ----------
    place : Place
        Which.
    n_pulses, n_unjudged : int
        Pulses of it; the latest of them, too few for a verdict.
    n_marked : dict of str to int
        Pulses by what they tell on their own.
    windows, windows_left_out : tuple of int
        Pulses of the windows that were judged; of those that were not, for which the run or the reference is too short.
    alarms : tuple of Alarm
        In their order.
    history : History
        Scores over time.
    """

    place: Place
    n_pulses: int
    n_unjudged: int
    n_marked: dict[str, int]
    windows: tuple[int, ...]
    windows_left_out: tuple[int, ...]
    alarms: tuple[Alarm, ...]
    history: History

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; the history is left to the report."""
        return {
            **self.place._asdict(),
            "n_pulses": self.n_pulses,
            "n_unjudged": self.n_unjudged,
            "n_marked": {name.lower(): count for name, count in self.n_marked.items()},
            "windows": list(self.windows),
            "windows_left_out": list(self.windows_left_out),
            "largest_score": self.history.largest,
            "alarms": [alarm.as_dict() for alarm in self.alarms],
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class RunQuality(Summarised):
    """What became of one run.

    Parameters
    ----------
    path : Path
        Where it lies.
    report : ReadReport
        What was met.
    channels : tuple of ChannelQuality
        In their order.
    absent : tuple of Place
        Channels of the reference without a pulse in this run.
    """

    path: Path
    report: ReadReport
    channels: tuple[ChannelQuality, ...]
    absent: tuple[Place, ...]

    @property
    def n_alarms(self) -> int:
        """Of all channels."""
        return sum(len(channel.alarms) for channel in self.channels)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "input": str(self.path),
            **self.report.as_dict(),
            "n_alarms": self.n_alarms,
            "absent": [place._asdict() for place in self.absent],
            "channels": [channel.as_dict() for channel in self.channels],
        }
