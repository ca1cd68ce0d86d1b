"""Whether the pulses of a run go the way that the settings say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.pulses import Pulses
from discrimen.pulses.detector import ChannelSettings, PolarityName
from discrimen.pulses.places import numbered_places

FEWEST = 10
"""Of fewer pulses of a channel nothing is said."""

_LOOKED_AT = 1000
_MOST_AGAINST = 0.9
_CLEARLY = 3.0


Place = tuple[int | None, int | None]
"""Board and channel, None where the file does not say."""


class PolarityCheck:
    """Refuses a run where a channel's pulses go the other way.

    A pulse goes the other way if it reaches three times as far from the median of its record to that side as to its
    own; a channel, if more than nine in ten of its first thousand pulses do.

    Parameters
    ----------
    path : Path
        Of the run, for the error.
    polarity : {"positive", "negative"} or None
        Of the pulses; where nothing says it, nothing is refused.
    channels : sequence of ChannelSettings, optional
        Those that may have a polarity of their own.
    """

    def __init__(
        self, path: Path, polarity: PolarityName | None, *, channels: Sequence[ChannelSettings] | None = None
    ) -> None:
        self._path = path
        self._polarity = polarity
        self._own = {(each.board, each.channel): each.polarity for each in channels or () if each.polarity}
        self._seen: Counter[Place] = Counter()
        self._against: Counter[Place] = Counter()

    def __call__(self, pulses: Pulses) -> None:
        """Look at the next pulses of the run.

        Raises
        ------
        DataError
            With the channel, the counts and the way out.
        """
        if self._polarity is None and not self._own:
            return
        boards, channels = (
            np.full(len(pulses), -1, np.int64) if column is None else column.astype(np.int64)
            for column in (pulses.board, pulses.channel)
        )
        places, number = numbered_places(boards, channels)
        for at, (board, channel) in enumerate(places):
            place = (None if board < 0 else board, None if channel < 0 else channel)
            room = _LOOKED_AT - self._seen[place]
            if room > 0:
                self._look(place, pulses.samples[np.flatnonzero(number == at)[:room]])

    def as_list(self) -> list[list[int | None]]:
        """Return board, channel, pulses looked at and pulses against of each channel, for :meth:`add_list`."""
        return [[*place, seen, self._against[place]] for place, seen in self._seen.items()]

    def add_list(self, part: Sequence[Sequence[int | None]]) -> None:
        """Take what the check of the next part of the run has counted, if it is not too late.

        Raises
        ------
        DataError
            As for pulses.
        """
        for board, channel, seen, against in part:
            if self._seen[board, channel] < _LOOKED_AT:
                self._seen[board, channel] += seen or 0
                self._against[board, channel] += against or 0
                self._judge((board, channel))

    def _look(self, place: Place, samples: NDArray[Any]) -> None:
        polarity = self._of(place)
        if polarity is None:
            return
        middle = np.median(samples, axis=1)
        up, down = samples.max(axis=1) - middle, middle - samples.min(axis=1)
        own, other = (up, down) if polarity == "positive" else (down, up)
        self._seen[place] += len(samples)
        self._against[place] += int((other > _CLEARLY * own).sum())
        self._judge(place)

    def _judge(self, place: Place) -> None:
        if self._seen[place] >= FEWEST and self._against[place] > _MOST_AGAINST * self._seen[place]:
            raise DataError(f"{self._path}: {self._told(place)}")

    def _of(self, place: Place) -> PolarityName | None:
        return self._own.get((place[0] or 0, place[1] or 0), self._polarity)

    def _told(self, place: Place) -> str:
        named = zip(("board", "channel"), place, strict=True)
        where = "".join(f" {name} {number}" for name, number in named if number is not None)
        polarity = self._of(place)
        goes, other = ("down", "negative") if polarity == "positive" else ("up", "positive")
        return (
            f"{self._against[place]} of {self._seen[place]} pulses{where and ' of' + where} go {goes}, and the "
            f"polarity is {polarity}: give --polarity {other}, or leave that channel out; 'discrimen inspect' "
            "shows where each channel goes"
        )


def upright_chunks(reader: Reader) -> Iterator[Pulses]:
    """Yield the chunks of a run, each looked at by a :class:`PolarityCheck` of the polarity in its settings.

    Raises
    ------
    DataError
        As the check does.
    """
    settings = reader.info.settings
    check = PolarityCheck(reader.info.path, settings.polarity, channels=settings.channels)
    for pulses in reader.chunks():
        check(pulses)
        yield pulses
