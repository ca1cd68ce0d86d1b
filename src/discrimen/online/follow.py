"""A run file that is still written, followed as it grows, into the log of its results."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

from discrimen.errors import DataError, FormatError
from discrimen.formats.base import Growth, Reader
from discrimen.online.delivery import Ledger
from discrimen.online.message import Head, Kind, Message
from discrimen.online.result_log import ResultLog, is_full
from discrimen.online.run_log import BLOCK_PULSES, message_of, source_of
from discrimen.pulses import Pulses

POLL_S = 0.02
"""How often the size of a file is looked at."""

IDLE_S = 30.0
"""A file that has not grown for so long is complete."""

ROLLED_OVER_S = 1.0
"""And for so long, where the file that continues it is there."""

_SETTLING_S = 5.0
"""So long the head of a file that was just begun may be no head yet."""

_NUMBERED = re.compile(r"(?P<run>.+)_(?P<number>\d+)")


class Ended(Exception):
    """Somebody asked the program to end."""


@dataclass(slots=True)
class FileGrowth:
    """Looks after a file while it grows; a :class:`~discrimen.formats.base.Growth`.

    Parameters
    ----------
    path : Path
        The file.
    is_ended : callable
        Whether somebody asked the program to end.
    idle_s : float
        See :data:`IDLE_S`.
    now_s, pause : callable
        The clock, and what waits a little.
    """

    path: Path
    is_ended: Callable[[], bool]
    idle_s: float = IDLE_S
    now_s: Callable[[], float] = monotonic
    pause: Callable[[], None] = lambda: sleep(POLL_S)
    _file: tuple[int, int] | None = None
    _largest: int = 0

    def wait(self, size: int) -> int | None:
        """Wait until there are more bytes than these; see the protocol.

        Raises
        ------
        FormatError
            If the file was deleted, replaced or cut.
        Ended
            If the program is asked to end.
        """
        begin_s = self.now_s()
        while (now := self._size()) <= size:
            if self.is_ended():
                raise Ended
            idle_s = self.now_s() - begin_s
            if idle_s > self.idle_s or (idle_s > ROLLED_OVER_S and continuation_of(self.path).exists()):
                return None
            self.pause()
        return now

    def _size(self) -> int:
        try:
            stat = self.path.stat()
        except FileNotFoundError as error:
            raise FormatError("the file was deleted or renamed while it was followed", self.path) from error
        identity = (stat.st_dev, stat.st_ino)
        if self._file not in (None, identity):
            raise FormatError("another file has taken the place of the one that was followed", self.path)
        if stat.st_size < self._largest:
            raise FormatError(
                f"the file was cut from {self._largest} to {stat.st_size} bytes while it was followed", self.path
            )
        self._file, self._largest = identity, stat.st_size
        return stat.st_size


def continuation_of(path: Path) -> Path:
    """Return the file that goes on where this one ends: ``run.BIN``, then ``run_1.BIN``, ``run_2.BIN`` and so on."""
    match = _NUMBERED.fullmatch(path.stem)
    if match is not None and (first := path.with_name(match["run"] + path.suffix)).exists():
        return first.with_name(f"{match['run']}_{int(match['number']) + 1}{path.suffix}")
    return path.with_name(f"{path.stem}_1{path.suffix}")


@dataclass(slots=True)
class Follower:
    """One file on its way through a model.

    Parameters
    ----------
    path : Path
        The file; it may not be there yet.
    open_reader : callable
        Opens it as it grows.
    score : callable
        From a message of pulses to one of results.
    store : ResultLog
        Where these are kept; it knows what was done before.
    growth : FileGrowth
        Of the file.
    on_full : callable
        Called when the disk becomes full. The follower waits then until there is room again.

    Attributes
    ----------
    ledger : Ledger
        What was done now.
    n_before : int
        Messages that were kept before.
    n_full : int
        How often the disk became full.
    """

    path: Path
    open_reader: Callable[[Growth], Reader]
    score: Callable[[Message], Message]
    store: ResultLog
    growth: FileGrowth
    on_full: Callable[[], None] = lambda: None
    ledger: Ledger = field(default_factory=Ledger)
    n_before: int = 0
    n_full: int = 0

    def run(self) -> Reader:
        """Follow the file to its end, and return what has read it.

        Raises
        ------
        DataError
            If the file gives its events in another order than it did before: records of several lengths.
        FormatError
            If it cannot be read, or is not the same file any more.
        Ended
            If the program is asked to end.
        """
        source = source_of(f"{self.path.resolve()} followed")
        last = self.store.last(source)
        self.n_before = self.store.n_kept(source)
        reader = self._opened()
        if last is not None and last.head.kind == Kind.STOP:
            return reader
        sequence, end_ps = self.n_before, None if last is None else last.head.end_ps
        for pulses in self._new_blocks(reader, last):
            message = message_of(pulses, source=source, sequence=sequence, begin_ps=end_ps)
            self._keep(self.score(message))
            sequence, end_ps = sequence + 1, message.head.end_ps
        at_ps = end_ps or 0
        self._keep(Message(Head(kind=Kind.STOP, source=source, sequence=sequence, begin_ps=at_ps, end_ps=at_ps)))
        return reader

    def _keep(self, message: Message) -> None:
        if not self._try_to_keep(message):
            self.n_full += 1
            self.on_full()
            while not self._try_to_keep(message):
                if self.growth.is_ended():
                    raise Ended
                self.growth.pause()
        self.ledger.add(message.head)

    def _try_to_keep(self, message: Message) -> bool:
        try:
            self.store.append(message)
        except OSError as error:
            if not is_full(error):
                raise
            return False
        return True

    def _new_blocks(self, reader: Reader, last: Message | None) -> Iterator[Pulses]:
        """Yield blocks of what was not done before."""
        entry = -1 if last is None else int(last.columns["entry"][-1])
        for pulses in reader.chunks():
            entries = pulses.column("entry")
            if last is not None and int(entries[0]) <= int(last.columns["entry"][-1]):
                pulses = pulses[entries > int(last.columns["entry"][-1])]
            for start in range(0, len(pulses), BLOCK_PULSES):
                block = pulses[start : start + BLOCK_PULSES]
                first = int(block.column("entry")[0])
                if first <= entry:
                    raise DataError(
                        f"{self.path}: event {first} comes behind event {entry}: records of several lengths or "
                        "sampling periods cannot be followed; choose one board with --board"
                    )
                entry = int(block.column("entry")[-1])
                yield block

    def _opened(self) -> Reader:
        """Open the file as soon as it has a head."""
        begin_s = self.growth.now_s()
        while True:
            try:
                return self.open_reader(self.growth)
            except FormatError:
                missing = not self.path.exists()
                if self.growth.is_ended():
                    raise Ended from None
                if not missing and self.growth.now_s() - begin_s > _SETTLING_S:
                    raise
                if missing:
                    begin_s = self.growth.now_s()
                self.growth.pause()
