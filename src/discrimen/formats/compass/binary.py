"""CAEN CoMPASS binary files (``.BIN``): every combination of contents, with and without file header.

The layout is described in :mod:`discrimen.formats.compass.binary_layout`, how damage is met in
:mod:`discrimen.formats.compass.binary_events`. Sampling period, polarity and pre-trigger come from the settings.xml
beside the run (:mod:`discrimen.formats.compass.settings`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, no_waveforms
from discrimen.formats.compass.binary_events import EventWalk, Stretch
from discrimen.formats.compass.binary_layout import MAX_SAMPLES, EventContent, Fetch
from discrimen.formats.compass.binary_recognition import find_layout, recognises
from discrimen.formats.compass.binary_writer import CompassBinWriter, open_growing_writer
from discrimen.formats.compass.boards import BoardPeriods
from discrimen.formats.compass.files import open_run_file, read_exactly
from discrimen.formats.compass.settings import find_compass_settings, with_companion
from discrimen.formats.compass.writer import KEPT
from discrimen.pulses import FAKE_FLAGS, Pulses
from discrimen.pulses.list_mode import ListModeEvents, events_of_columns

_BLOCK_BYTES = 2 * 2**20
"""Larger blocks, though allowed, are slower: they fall out of the processor's cache before the samples are used."""


class CompassBinReader:
    """Reader of one CoMPASS ``.BIN`` file.

    The column `energy` is the energy in channels where the file has it, else the calibrated one; both have the unit
    that was set in CoMPASS. `energy_short` is the charge in the short gate.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        Settings and size of the chunks.

    Raises
    ------
    FormatError
        If the file cannot be read, or the first events do not bear out what its header says.
    SettingsError
        If the settings.xml beside it is broken, or several contradict each other.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._chunk_bytes, self._growth = options.chunk_bytes, options.growth
        self.report = ReadReport()
        with open_run_file(path) as stream:
            size = stream.seek(0, 2)
            self._layout = find_layout(path, _fetcher(stream, path), size)
        companion = find_compass_settings(path, given=options.companion, known=options.settings)
        settings, source = with_companion(path, options.settings, companion)
        self._periods_ns = BoardPeriods(options.settings.sample_period_ns, companion)
        self.charges_only = EventContent.WAVEFORM not in self._layout.content
        self.info = RunInfo(
            path=path,
            format=FORMAT.name,
            layout=f"CoMPASS binary{', charges only' if self.charges_only else ''} ({self._layout})",
            settings=settings,
            settings_source=source,
            n_entries=(size - self._layout.start) // self._layout.head_bytes if self.charges_only else None,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once and yield its pulses; see :meth:`discrimen.formats.base.Reader.chunks`.

        Raises
        ------
        DataError
            If no event of the file has a waveform.
        FormatError
            If the operating system reports a read error.
        """
        self.report = report = ReadReport()
        if self.charges_only:
            raise no_waveforms(self.info)
        with open_run_file(self._path) as stream:
            fetch, size = _fetcher(stream, self._path), stream.seek(0, 2)
            walk = EventWalk(self._layout, fetch, size, report, grows=self._growth is not None)
            for block, base, stretches in self._blocks(stream, walk, self._layout.start):
                yield from self._pulses(block, base, stretches, report)
        if report.n_empty and not report.n_read and not report.n_fake:
            raise DataError(f"{self._path}: none of its {report.n_empty} events has a waveform (all have 0 samples)")

    def seams(self) -> Sequence[int]:
        """Return the offsets of the blocks, if all events are as long as the first one; see the protocol."""
        with open_run_file(self._path) as stream:
            first, size = self._first_event_bytes(stream), stream.seek(0, 2)
        step = self._block_bytes // first * first
        return [*range(self._layout.start, size, step), size] if step else [self._layout.start, size]

    def chunks_between(self, start: int, stop: int) -> Iterator[Pulses]:
        """Read events between two offsets, each of which must be as long as the first of the file; see the protocol.

        Raises
        ------
        FormatError
            If one is not.
        """
        self.report = report = ReadReport()
        with open_run_file(self._path) as stream:
            event_bytes, size = self._first_event_bytes(stream), stream.seek(0, 2)
            walk = EventWalk(self._layout, _fetcher(stream, self._path), stop, report)
            walk.entry = (start - self._layout.start) // event_bytes
            for block, base, stretches in self._blocks(stream, walk, start):
                if any(self._layout.event_bytes(stretch.n_samples) != event_bytes for stretch in stretches):
                    raise FormatError(f"expected events of {event_bytes} bytes only", self._path, base)
                yield from self._pulses(block, base, stretches, report)
            if stop < size and walk.entry != (stop - self._layout.start) // event_bytes:
                raise FormatError(f"expected an event to end at byte {stop}", self._path, stop)

    @property
    def _block_bytes(self) -> int:
        return max(min(self._chunk_bytes, _BLOCK_BYTES), self._layout.head_bytes)

    def _first_event_bytes(self, stream: BinaryIO) -> int:
        head = _fetcher(stream, self._path)(self._layout.start, self._layout.head_bytes)
        return self._layout.event_bytes(self._layout.plausible(head) or 0)

    def _blocks(
        self, stream: BinaryIO, walk: EventWalk, at: int
    ) -> Iterator[tuple[NDArray[np.uint8], int, list[Stretch]]]:
        """Yield blocks of the file, their offsets and the events in them; pulses may keep a block, so each is new."""
        block_bytes = self._block_bytes
        while at < walk.end or self._grown(walk):
            block = np.empty(min(block_bytes, walk.end - at), np.uint8)
            got = read_exactly(stream, at, block.data, self._path)
            if got < len(block):
                walk.end = at + got
            stretches, after = walk.stretches(block[:got], at)
            if stretches:
                yield block, at, stretches
            if after == at and at + got == walk.end and not self._grown(walk):
                break
            if after == at:
                block_bytes = min(2 * block_bytes, self._layout.event_bytes(MAX_SAMPLES))
            at = after
        walk.finish(at)

    def _grown(self, walk: EventWalk) -> bool:
        """Wait for more of the file; whether there is more, or the rest is to be looked at as what it is."""
        if self._growth is None or not walk.grows:
            return False
        size = self._growth.wait(walk.end)
        walk.grows, walk.end = size is not None, size or walk.end
        return True

    def _pulses(
        self, block: NDArray[np.uint8], base: int, stretches: list[Stretch], report: ReadReport
    ) -> Iterator[Pulses]:
        for n_samples in dict.fromkeys(stretch.n_samples for stretch in stretches):
            alike = [stretch for stretch in stretches if stretch.n_samples == n_samples]
            events = _events(block, alike, self._layout.event_bytes(n_samples))
            columns = _columns(events[:, : self._layout.head_bytes].view(self._layout.head)[:, 0])
            columns["entry"] = np.concatenate(
                [np.arange(stretch.entry, stretch.entry + stretch.n_events) for stretch in alike]
            )
            keep = _kept(columns, alike, base, events.shape[1], n_samples, report)
            if keep is not None and not keep.any():
                continue
            samples = events[:, self._layout.head_bytes :].view("<u2")
            for pulses in self._by_period(*((samples, columns) if keep is None else _chosen(samples, columns, keep))):
                report.n_read += len(pulses)
                yield pulses

    def _by_period(self, samples: NDArray[np.uint16], columns: dict[str, NDArray[Any]]) -> Iterator[Pulses]:
        for period_ns, chosen in self._periods_ns.split(columns["board"]):
            part, taken = (samples, columns) if chosen is None else _chosen(samples, columns, chosen)
            yield Pulses(samples=part, sample_period_ns=period_ns, **taken)


class CompassBinListReader(CompassBinReader):
    """Reader of one CoMPASS ``.BIN`` file without waveforms; a :class:`~discrimen.formats.base.ListModeReader`."""

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file once and yield its events; see the protocol.

        Raises
        ------
        FormatError
            If the operating system reports a read error.
        """
        self.report = report = ReadReport()
        size = self._layout.head_bytes
        with open_run_file(self._path) as stream:
            fetch, end = _fetcher(stream, self._path), stream.seek(0, 2)
            walk = EventWalk(self._layout, fetch, end, report, grows=self._growth is not None)
            for block, base, stretches in self._blocks(stream, walk, self._layout.start):
                events = _events(block, stretches, size)
                columns = _columns(events.view(self._layout.head)[:, 0])
                columns["entry"] = np.concatenate(
                    [np.arange(stretch.entry, stretch.entry + stretch.n_events) for stretch in stretches]
                )
                keep = _kept(columns, stretches, base, size, None, report)
                kept = columns if keep is None else {name: values[keep] for name, values in columns.items()}
                if len(kept["entry"]):
                    report.n_read += len(kept["entry"])
                    yield events_of_columns(kept)


def open_compass_bin(path: Path, options: ReadOptions) -> CompassBinReader:
    """Open a file with waveforms or without; see :class:`CompassBinReader`."""
    reader = CompassBinReader(path, options)
    return CompassBinListReader(path, options) if reader.charges_only else reader


def _fetcher(stream: BinaryIO, path: Path) -> Fetch:
    def fetch(offset: int, count: int) -> bytes:
        into = bytearray(count)
        return bytes(into[: read_exactly(stream, offset, memoryview(into), path)])

    return fetch


def _events(block: NDArray[np.uint8], stretches: list[Stretch], size: int) -> NDArray[np.uint8]:
    """Return the bytes of each event, shape (event, byte): a view of the block where the events lie in one stretch."""
    parts = [block[stretch.start : stretch.start + stretch.n_events * size].reshape(-1, size) for stretch in stretches]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _columns(heads: NDArray[Any]) -> dict[str, NDArray[Any]]:
    names = heads.dtype.names or ()
    columns: dict[str, NDArray[Any]] = {
        "timestamp_ps": heads["timestamp"].astype(np.int64),
        "board": heads["board"].astype(np.int32),
        "channel": heads["channel"].astype(np.int32),
        "flags": heads["flags"].astype(np.uint32),
    }
    energy = next((name for name in ("energy", "calibrated_energy") if name in names), None)
    if energy is not None:
        columns["energy"] = heads[energy].astype(np.float64)
    if "energy_short" in names:
        columns["energy_short"] = heads["energy_short"].astype(np.float64)
    return columns


def _kept(
    columns: dict[str, NDArray[Any]],
    stretches: list[Stretch],
    base: int,
    size: int,
    n_samples: int | None,
    report: ReadReport,
) -> NDArray[np.bool_] | None:
    """Count fake and empty events and return which ones hold a pulse; None stands for all of them.

    In a list none is expected to have samples: `n_samples` is None then.
    """
    flags, timestamp_ps = columns["flags"], columns["timestamp_ps"]
    if n_samples != 0 and not np.bitwise_or.reduce(flags) & FAKE_FLAGS and timestamp_ps.min() >= 0:
        return None
    fake = (flags & np.uint32(FAKE_FLAGS)) != 0
    # The file holds the time without sign: what lies beyond MAX_TIMESTAMP has turned negative.
    wild = (timestamp_ps < 0) & ~fake
    n_fake, n_wild = int(np.count_nonzero(fake)), int(np.count_nonzero(wild))
    report.n_fake += n_fake
    if n_wild:
        starts = np.concatenate([stretch.start + size * np.arange(stretch.n_events) for stretch in stretches])
        report.add_damage("timestamp out of range", offset=base + int(starts[wild.argmax()]), count=n_wild)
    if n_samples == 0:
        report.n_empty += len(flags) - n_fake - n_wild
        return np.zeros(len(flags), bool)
    kept: NDArray[np.bool_] = ~(fake | wild)
    return kept


def _chosen(
    samples: NDArray[np.uint16], columns: dict[str, NDArray[Any]], which: NDArray[np.bool_]
) -> tuple[NDArray[np.uint16], dict[str, NDArray[Any]]]:
    return samples[which], {name: values[which] for name, values in columns.items()}


FORMAT = Format(
    name="compass-bin",
    description="CAEN CoMPASS binary (.BIN)",
    suffixes=(".bin",),
    recognises=recognises,
    open_reader=open_compass_bin,
    open_writer=CompassBinWriter,
    open_growing_writer=open_growing_writer,
    keeps=KEPT,
    takes=("companion", "growth"),
)
"""The row of the table of formats."""
