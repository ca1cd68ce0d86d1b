"""Messages of ABCD become pulses; what was lost, damaged or is no message is counted, and the stream goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.abcd.messages import WAVEFORMS, require_version, unpacked
from discrimen.formats.abcd.ticks import TickClock
from discrimen.formats.abcd.waveforms import Run, Walk
from discrimen.online.abcd.numbers import Numbers
from discrimen.pulses import Pulses


@dataclass(frozen=True, slots=True)
class Batch:
    """Pulses of one length out of a message.

    Parameters
    ----------
    pulses : Pulses
        With `entry`, the number of the pulse since the beginning.
    ticks : ndarray of uint64, shape (pulse,)
        Their time stamps as they came.
    follows : bool
        Whether no message is known to be lost before them.
    """

    pulses: Pulses
    ticks: NDArray[np.uint64]
    follows: bool = True


@dataclass(slots=True)
class Intake:
    """What comes from one program of ABCD.

    Parameters
    ----------
    sample_period_ns : float
        Of the digitizer.
    clock : TickClock
        For the time stamps.
    channels : tuple of int
        To be taken; all if empty.

    Attributes
    ----------
    numbers : Numbers
        Of the messages.
    n_pulses : int
        Of the channels to be taken.
    n_other_channels : int
        Pulses of other channels.
    n_damaged : int
        Places in messages where no waveform could be read.
    n_garbage : int
        Messages that could not be read, or not be those of waveforms.
    garbage : str
        Why the last of these could not.
    told : list of str
        What is to be told of the numbers; whoever tells it empties the list.
    """

    sample_period_ns: float
    clock: TickClock = field(default_factory=TickClock)
    channels: tuple[int, ...] = ()
    numbers: Numbers = field(default_factory=Numbers)
    n_pulses: int = 0
    n_other_channels: int = 0
    n_damaged: int = 0
    n_garbage: int = 0
    garbage: str = ""
    told: list[str] = field(default_factory=list)
    _walk: Walk = field(init=False)
    _follows: bool = True

    def __post_init__(self) -> None:
        self._walk = Walk(self.clock.latest_tick)

    def go_on_behind(self, entry: int) -> None:
        """Give the next pulse the number behind this one."""
        self._walk.n_records = entry + 1

    def skip(self, frame: memoryview | None) -> memoryview | None:
        """Count a message, and return its payload; None if it cannot be read."""
        try:
            if frame is None:
                raise DataError("expected a message of one frame, several came")
            topic, payload = unpacked(frame)
            require_version(topic)
            if topic.name != WAVEFORMS:
                raise DataError(f"expected {WAVEFORMS}, got {topic.name}")
        except DataError as error:
            self.n_garbage, self.garbage = self.n_garbage + 1, str(error)
            return None
        news = self.numbers.add(topic.number)
        self._follows = not news
        if news:
            self.told.append(news)
        return payload

    def take(self, frame: memoryview | None) -> Iterator[Batch]:
        """Yield the pulses of a message: all at once, or a batch for each length."""
        payload = self.skip(frame)
        if payload is None:
            return
        walk = self._walk
        walk.through(payload, is_end=True)
        self.n_damaged += len(walk.damaged)
        for n_samples in dict.fromkeys(run.records["samples"].shape[1] for run in walk.runs):
            batch = self._batch([run for run in walk.runs if run.records["samples"].shape[1] == n_samples])
            if batch is not None:
                self.n_pulses += len(batch.pulses)
                yield batch

    def _batch(self, runs: list[Run]) -> Batch | None:
        ticks, channel, samples = (_joined(runs, name) for name in ("timestamp", "channel", "samples"))
        entry = np.concatenate([np.arange(run.first, run.first + len(run.records)) for run in runs])
        if self.channels:
            wanted = np.isin(channel, self.channels)
            self.n_other_channels += int(np.count_nonzero(~wanted))
            ticks, channel, samples, entry = ticks[wanted], channel[wanted], samples[wanted], entry[wanted]
            if not len(ticks):
                return None
        pulses = Pulses(
            samples=samples,
            sample_period_ns=self.sample_period_ns,
            timestamp_ps=self.clock.to_ps(ticks),
            channel=channel.astype(np.int32),
            entry=entry,
        )
        return Batch(pulses, ticks, self._follows)

    def as_dict(self) -> dict[str, Any]:
        """Return what was counted as plain data, ready for JSON."""
        return {
            **self.numbers.as_dict(),
            "n_pulses": self.n_pulses,
            "n_other_channels": self.n_other_channels,
            "n_damaged": self.n_damaged,
        }


def _joined(runs: list[Run], name: str) -> NDArray[Any]:
    return runs[0].records[name] if len(runs) == 1 else np.concatenate([run.records[name] for run in runs])
