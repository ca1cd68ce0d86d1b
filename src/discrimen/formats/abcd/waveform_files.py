"""ABCD's files with waveforms: ``.adw``, the waveforms alone, and ``.adr``, all messages one behind the other.

Curves that `waan` has drawn beside the pulses are passed over. The files say neither sampling period nor polarity, and
time stamps count ticks of a length that they do not say either (:mod:`discrimen.formats.abcd.ticks`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import numpy as np

from discrimen.errors import FormatError
from discrimen.formats.abcd.messages import TOPIC, WAVEFORMS, MessageWalk, Topic
from discrimen.formats.abcd.ticks import DEFAULT_TICK_PS, TickClock
from discrimen.formats.abcd.waveform_writer import (
    open_growing_raw,
    open_growing_waveforms,
    open_raw_writer,
    open_waveforms_writer,
)
from discrimen.formats.abcd.waveforms import HEAD, SHAPE, Run, Walk, bytes_of_first
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, opened_to_read
from discrimen.pulses import Pulses

_HEAD_BYTES = 4096
_CHAIN = 4
"""Records that follow each other are taken for waveforms without the suffix."""

_DAMAGED = "unreadable record"
_LOST = "message that was lost before it was stored, by the numbers of the others"


class _AbcdReader(ABC):
    """Half of a :class:`~discrimen.formats.base.Reader`: pieces of the file, and pulses out of runs of records.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        `tick_ps`, settings, size of the pieces, and `growth` for a file that is still written.
    """

    name: str
    layout: str

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path, self._options = path, options
        self._clock = TickClock(DEFAULT_TICK_PS if options.tick_ps is None else options.tick_ps)
        self.report = ReadReport()
        with opened_to_read(path) as stream:
            self._require_begin(stream.read(_HEAD_BYTES), stream.seek(0, 2))
        known = options.settings.model_dump(exclude_none=True)
        told = "as --tick-ps says" if options.tick_ps is not None else "ABCD's default; --tick-ps says otherwise"
        self.info = RunInfo(
            path=path,
            format=self.name,
            layout=f"{self.layout}, {self._clock} ({told})",
            settings=options.settings,
            settings_source=MappingProxyType(dict.fromkeys(known, "command line")),
        )

    @abstractmethod
    def _require_begin(self, begin: bytes, file_bytes: int) -> None:
        """Refuse a file that begins with something else."""

    @abstractmethod
    def _blocks(self) -> Iterator[list[Run]]:
        """Yield the records of each piece of the file, and count what is damaged."""

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`."""
        self.report = ReadReport()
        for runs in self._blocks():
            for n_samples in dict.fromkeys(run.records["samples"].shape[1] for run in runs):
                pulses = self._pulses([run for run in runs if run.records["samples"].shape[1] == n_samples])
                self.report.n_read += len(pulses)
                yield pulses

    def _pulses(self, runs: list[Run]) -> Pulses:
        columns = ("timestamp", "channel", "samples")
        ticks, channel, samples = (
            runs[0].records[name] if len(runs) == 1 else np.concatenate([run.records[name] for run in runs])
            for name in columns
        )
        return Pulses(
            samples=samples,
            sample_period_ns=self.info.settings.sample_period_ns,
            timestamp_ps=self._clock.to_ps(ticks),
            channel=channel.astype(np.int32),
            entry=np.concatenate([np.arange(run.first, run.first + len(run.records)) for run in runs]),
        )

    def _pieces(self) -> Iterator[tuple[bytes, bool]]:
        """Yield pieces of the file, and whether it is the last one: nothing may stay of that."""
        growth = self._options.growth
        with opened_to_read(self._path) as stream:
            while True:
                piece = stream.read(self._options.chunk_bytes)
                if not piece and (growth is None or growth.wait(stream.tell()) is None):
                    yield b"", True
                    return
                yield piece, False


class AbcdWaveformsReader(_AbcdReader):
    """Reader of one ``.adw`` file; see :class:`_AbcdReader`.

    Raises
    ------
    FormatError
        If the file cannot be read or does not begin with a waveform.
    """

    name = "abcd-waveforms"
    layout = "ABCD waveforms"

    def _require_begin(self, begin: bytes, file_bytes: int) -> None:
        record_bytes = bytes_of_first(begin, self._clock.latest_tick)
        if record_bytes is None or (record_bytes > file_bytes and self._options.growth is None):
            raise FormatError(
                f"expected the waveforms of ABCD, which begin with a head of {HEAD.itemsize} bytes and its samples",
                self._path,
                0,
            )

    def _blocks(self) -> Iterator[list[Run]]:
        walk, rest, offset = Walk(self._clock.latest_tick), b"", 0
        for piece, is_end in self._pieces():
            content = rest + piece
            done = walk.through(content, is_end=is_end)
            for at in walk.damaged:
                self.report.add_damage(_DAMAGED, offset=offset + at)
            rest, offset = content[done:], offset + done
            yield walk.runs


class AbcdRawReader(_AbcdReader):
    """Reader of one ``.adr`` file; see :class:`_AbcdReader`. Only its messages of waveforms are read.

    Raises
    ------
    FormatError
        If the file cannot be read or does not begin with a message.
    """

    name = "abcd-raw"
    layout = "ABCD raw messages"

    def _require_begin(self, begin: bytes, file_bytes: int) -> None:  # noqa: ARG002 - a message may still be coming
        if TOPIC.match(begin) is None:
            raise FormatError("expected the messages of ABCD, of which each begins with a topic", self._path, 0)

    def _blocks(self) -> Iterator[list[Run]]:
        walk, last = Walk(self._clock.latest_tick), None
        for topic, payload, offset in self._messages():
            if topic.name != WAVEFORMS:
                if topic.name.startswith("compressed_"):
                    self.report.add_damage("compressed message: unpack the file with ABCD's unzad", offset=offset)
                continue
            if topic.number is not None:
                if last is not None and topic.number > last + 1:
                    self.report.add_damage(_LOST, offset=offset, count=topic.number - last - 1)
                last = topic.number
            walk.through(payload, is_end=True)
            for at in walk.damaged:
                self.report.add_damage(_DAMAGED, offset=offset + at)
            yield walk.runs

    def _messages(self) -> Iterator[tuple[Topic, bytes, int]]:
        """Yield the topic, payload and place of each message; what lies between them is damage."""
        walk, rest, offset = MessageWalk(), b"", 0
        for piece, is_end in self._pieces():
            content = rest + piece
            done = walk.through(content, is_end=is_end)
            for kind, at in walk.damaged:
                self.report.add_damage(kind, offset=offset + at)
            for topic, at in walk.found:
                yield topic, content[at : at + topic.size], offset + at
            rest, offset = content[done:], offset + done


def _recognises_waveforms(path: Path, head: bytes) -> bool:
    """Whether the file is named ``.adw`` and begins as one, or is a chain of records of one shape: there is no mark."""
    size = bytes_of_first(head, TickClock().latest_tick)
    if size is None or path.suffix.lower() == ".adw":
        return size is not None
    shapes = set()
    with path.open("rb") as stream:
        for number in range(_CHAIN):
            stream.seek(number * size)
            shapes.add(stream.read(HEAD.itemsize)[SHAPE])
    return len(shapes) == 1


def _recognises_raw(path: Path, head: bytes) -> bool:  # noqa: ARG001 - its content tells it
    """Whether the file begins with the topic of a message."""
    return TOPIC.match(head) is not None


WAVEFORMS_FORMAT = Format(
    name=AbcdWaveformsReader.name,
    description="ABCD waveforms (.adw)",
    suffixes=(".adw",),
    recognises=_recognises_waveforms,
    open_reader=AbcdWaveformsReader,
    open_writer=open_waveforms_writer,
    open_growing_writer=open_growing_waveforms,
    keeps=("entry", "timestamp_ps", "channel"),
    takes=("growth", "tick_ps"),
)
"""The row of ``.adw`` in the table of formats."""

RAW_FORMAT = Format(
    name=AbcdRawReader.name,
    description="ABCD raw messages (.adr)",
    suffixes=(".adr",),
    recognises=_recognises_raw,
    open_reader=AbcdRawReader,
    open_writer=open_raw_writer,
    open_growing_writer=open_growing_raw,
    keeps=("entry", "timestamp_ps", "channel"),
    takes=("growth", "tick_ps"),
)
"""The row of ``.adr``."""
