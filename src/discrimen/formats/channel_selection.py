"""Which boards and channels of a run are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import ListModeReader, Reader, ReadReport, RunInfo
from discrimen.pulses import Pulses
from discrimen.pulses.array import listed
from discrimen.pulses.list_mode import ListModeEvents, select_events
from discrimen.pulses.places import Place, board_and_channel, numbered_places

_Read = TypeVar("_Read", Pulses, ListModeEvents)

_COLUMNS = ("board", "channel")


@dataclass(frozen=True, slots=True)
class ChannelSelection:
    """The boards and channels that are chosen; a pulse is if both its board and its channel are.

    Parameters
    ----------
    boards, channels : tuple of int
        Numbers as in the columns of the run; empty stands for all. Kept in order, each once.

    Raises
    ------
    SettingsError
        If a number is negative.
    """

    boards: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            numbers = tuple(sorted(set(self._of(name))))
            if numbers and numbers[0] < 0:
                raise SettingsError(f"{name} numbers start at 0, got {numbers[0]}")
            object.__setattr__(self, f"{name}s", numbers)

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left out."""
        return not self.boards and not self.channels

    def takes(self, place: Place) -> bool:
        """Say whether a channel is chosen."""
        return all(not self._of(name) or getattr(place, name) in self._of(name) for name in _COLUMNS)

    def as_attributes(self) -> dict[str, str]:
        """Return the selection as text, for the provenance of a file of scores."""
        return {f"{name}s": ", ".join(map(str, self._of(name))) or "all" for name in _COLUMNS}

    def __str__(self) -> str:
        parts = [f"{name} {' or '.join(map(str, self._of(name)))}" for name in _COLUMNS if self._of(name)]
        return ", ".join(parts) or "all channels"

    def _of(self, column: str) -> tuple[int, ...]:
        return self.boards if column == "board" else self.channels


ALL_CHANNELS = ChannelSelection()
"""Nothing is left out."""


@dataclass(slots=True)
class ChannelSieve:
    """A selection at work on one run.

    Parameters
    ----------
    selection : ChannelSelection
        What is chosen.
    where : str
        Name of the file, for messages.

    Attributes
    ----------
    n_left_out : int
        Pulses of other boards and channels.
    met : dict of str to set of int
        The boards and channels in the run; filled only where there is something to choose.
    """

    selection: ChannelSelection
    where: str
    n_left_out: int = 0
    met: dict[str, set[int]] = field(default_factory=lambda: {name: set() for name in _COLUMNS})

    def __call__(self, pulses: _Read) -> _Read:
        """Return the pulses that are chosen, perhaps none.

        Raises
        ------
        DataError
            If the run does not say which board or channel its pulses are of.
        """
        if self.selection.takes_all:
            return pulses
        chosen = np.ones(len(pulses), np.bool_)
        for name, wanted in (("board", self.selection.boards), ("channel", self.selection.channels)):
            values = getattr(pulses, name)
            if wanted and values is None:
                raise DataError(f"{self.where}: the file does not tell the {name} of its pulses: leave out --{name}")
            if values is not None:
                self.met[name].update(np.unique(values).tolist())
            if wanted:
                chosen &= np.isin(values, wanted)
        self.n_left_out += len(pulses) - int(np.count_nonzero(chosen))
        if chosen.all():
            return pulses
        return pulses[chosen] if isinstance(pulses, Pulses) else select_events(pulses, chosen)

    def absent(self) -> tuple[str, ...]:
        """Return what is chosen, but not in the run: ``channel 5``."""
        wanted = (("board", self.selection.boards), ("channel", self.selection.channels))
        return tuple(
            f"{name} {number}" for name, numbers in wanted for number in numbers if number not in self.met[name]
        )

    def describe_met(self) -> str:
        """Return the boards and channels in the run, for people."""
        return ", ".join(f"{name}s {_listed(numbers)}" for name, numbers in self.met.items() if numbers)


def _listed(numbers: Iterable[int]) -> str:
    return " ".join(map(str, sorted(numbers)))


def selection_of_each(readers: Iterable[Reader]) -> dict[Place, ChannelSelection]:
    """Find the channels of some runs, in order, each with what chooses it alone.

    Raises
    ------
    DataError
        If a file does not tell the channel of its pulses.
    """
    met: set[Place] = set()
    with_boards = True
    for reader in readers:
        for pulses in reader.chunks():
            if pulses.channel is None:
                raise DataError(f"{reader.info.path}: the file does not tell the channel of its pulses")
            with_boards &= pulses.board is not None
            met.update(numbered_places(*board_and_channel(pulses).values())[0])
    return {
        place: ChannelSelection(boards=(place.board,) if with_boards else (), channels=(place.channel,))
        for place in sorted(met)
    }


class SelectedReader:
    """A reader that hands out the pulses of some boards and channels only.

    Parameters
    ----------
    reader : Reader
        The open file. If its settings list channels, it must have no others among the chosen ones.
    selection : ChannelSelection
        What is chosen.
    """

    def __init__(self, reader: Reader, selection: ChannelSelection) -> None:
        self._reader = reader
        self._selection = selection
        self._listed = frozenset(listed(reader.info.settings))
        self._sieve = ChannelSieve(selection, str(reader.info.path))
        self._met: set[Place] = set()

    @property
    def info(self) -> RunInfo:
        """What is known before reading."""
        return self._reader.info

    @property
    def report(self) -> ReadReport:
        """What the latest pass met; pulses of other channels count as left out."""
        met, sieve = self._reader.report, self._sieve
        absent = [f"{place}, which the detector file lists" for place in sorted(self._wanted() - self._met)]
        return replace(
            met,
            n_read=met.n_read - sieve.n_left_out,
            n_other_channels=sieve.n_left_out,
            absent=(*sieve.absent(), *absent),
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once; chunks without a chosen pulse are not handed out.

        Raises
        ------
        DataError
            If no pulse is chosen, the run does not say which board or channel its pulses are of, or the settings list
            channels and one of the run is not among them.
        """
        return self._chosen(self._reader.chunks())

    def _chosen(self, chunks: Iterator[_Read]) -> Iterator[_Read]:
        self._sieve, self._met = ChannelSieve(self._selection, str(self.info.path)), set()
        n_read = 0
        for read in chunks:
            n_read += len(read)
            kept = self._sieve(read)
            if len(kept):
                self._check(kept)
                yield kept
        if n_read and self._sieve.n_left_out == n_read:
            raise DataError(
                f"{self.info.path}: none of its {n_read} pulses is of {self._selection}; it holds "
                f"{self._sieve.describe_met()}"
            )

    def _wanted(self) -> set[Place]:
        """Return the listed channels that are chosen."""
        return {place for place in self._listed if self._selection.takes(place)}

    def _check(self, read: Pulses | ListModeEvents) -> None:
        if not self._listed:
            return
        places, _ = numbered_places(*board_and_channel(read).values())
        strange = [place for place in places if place not in self._listed]
        if strange:
            raise DataError(
                f"{self.info.path}: pulses of {', '.join(map(str, strange))}, which the detector file does not list "
                f"(it has {', '.join(map(str, sorted(self._listed)))}): add the channel to its 'channels', or choose "
                "others with --channel"
            )
        self._met.update(places)


class SelectedListReader(SelectedReader):
    """A reader of list mode that hands out the events of some boards and channels only."""

    def __init__(self, reader: ListModeReader, selection: ChannelSelection) -> None:
        super().__init__(reader, selection)
        self._list = reader

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file once; see :meth:`SelectedReader.chunks`."""
        return self._chosen(self._list.event_chunks())


def select_channels(reader: Reader, selection: ChannelSelection) -> Reader:
    """Return a reader of the chosen boards and channels, which checks them against those that the settings list."""
    if selection.takes_all and reader.info.settings.channels is None:
        return reader
    selected = SelectedListReader if isinstance(reader, ListModeReader) else SelectedReader
    return selected(reader, selection)  # type: ignore[arg-type]
