"""Binary files of DRS4 evaluation boards, as DRSOsc writes them (`.dat`): read, with their cells made even.

The samples of the file are not at even times, so what is handed out is not as digitised: records are resampled
(:mod:`discrimen.formats.drs4.resample`), in the counts of the file. What that costs is measured in docs/drs4.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, opened_to_read
from discrimen.formats.drs4.dates import date_ms, sound_dates
from discrimen.formats.drs4.events import EventWalk, first_event
from discrimen.formats.drs4.layout import EVENT_MARK, MAGIC, N_CELLS, Board, FileLayout, read_layout
from discrimen.formats.drs4.resample import Resampler, even_period_ns
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

NAME = "drs4"
_LOOKED_AT = 8
"""Events at the beginning of a file of which one must be whole."""

_LONGEST_MS = 2**62 // 10**9
"""Farther from the first event than any run lasts: 53 days."""


class Drs4Reader:
    """Reader of one file; a pulse for each channel of each board of an event.

    The column `timestamp_ps` counts from the first event of the file, in steps of 1 ms: the file holds the date by the
    computer's clock, and no trigger time. `board` is the serial number, `channel` counts from 0 (C001).

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Raises
    ------
    FormatError
        If the file cannot be read or is not of version 2 of this format (DRSOsc 5).
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        with opened_to_read(path) as stream:
            self._layout = read_layout(stream, path)
            stream.seek(self._layout.first_event)
            first = first_event(stream.read(_LOOKED_AT * self._layout.event.itemsize), self._layout, path)
            n_bytes = os.fstat(stream.fileno()).st_size - self._layout.first_event
        self._chunk_events = max(1, options.chunk_bytes // self._layout.event.itemsize)
        self._centre_mv = None if first is None else int(first["centre_mv"])
        self._periods_ns = [even_period_ns(board) for board in self._layout.boards]
        period_ns = self._periods_ns[0] if len(set(self._periods_ns)) == 1 else None
        found = DetectorSettings(sample_period_ns=period_ns, adc_bits=16)
        settings, source = merge_settings(options.settings, found, found_in="file")
        self._given_ns = options.settings.sample_period_ns
        self._first_ms: int | None = None
        self.report = ReadReport()
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=_describe(self._layout, self._periods_ns, self._centre_mv),
            settings=settings,
            settings_source=source,
            n_entries=n_bytes // self._layout.event.itemsize * self._layout.n_channels,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`."""
        self.report = ReadReport()
        self._first_ms = None
        resamplers = [[Resampler(board, row) for row in range(len(board.channels))] for board in self._layout.boards]
        walk = EventWalk(self._layout, self.report)
        with opened_to_read(self.info.path) as stream:
            stream.seek(self._layout.first_event)
            for events, first, offset in walk.stretches(_pieces(stream, self._chunk_events * walk.event.itemsize)):
                kept, times_ms = self._sound(events, offset)
                for period_ns in dict.fromkeys(self._periods_ns if len(kept) else ()):
                    yield self._pulses(events[kept], first + kept, times_ms, period_ns, resamplers)

    def _sound(self, events: NDArray[np.void], offset: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which events can be read and their times in ms since the first one; count the others as damage."""
        dated = sound_dates(events["date"])
        times_ms = date_ms(np.where(dated[:, None], events["date"], 1))
        if self._first_ms is None and dated.any():
            self._first_ms = int(times_ms[dated.argmax()])
        elapsed_ms = times_ms - (self._first_ms or 0)
        dated &= np.abs(elapsed_ms) < _LONGEST_MS
        started = np.ones(len(events), np.bool_)
        for number in range(len(self._layout.boards)):
            started &= events[f"board{number}"]["trigger_cell"] < N_CELLS
        centred = events["centre_mv"] == self._centre_mv
        good = dated & started & centred
        kinds = (("date out of range", ~dated), ("trigger cell out of range", dated & ~started))
        for kind, bad in (*kinds, ("another range than the first event", dated & started & ~centred)):
            if bad.any():
                at = offset + int(bad.argmax()) * events.dtype.itemsize
                self.report.add_damage(kind, offset=at, count=int(bad.sum()) * self._layout.n_channels)
        kept = np.flatnonzero(good)
        return kept, elapsed_ms[kept]

    def _pulses(
        self,
        events: NDArray[np.void],
        number: NDArray[np.int64],
        times_ms: NDArray[np.int64],
        period_ns: float,
        resamplers: list[list[Resampler]],
    ) -> Pulses:
        """Return the pulses of all boards of one sampling period, event after event."""
        samples, places, entries, at = [], [], [], 0
        for index, board in enumerate(self._layout.boards):
            part = events[f"board{index}"]
            for row, channel in enumerate(board.channels):
                if self._periods_ns[index] == period_ns:
                    raw = np.ascontiguousarray(part["channels"]["samples"][:, row])
                    samples.append(resamplers[index][row](raw, part["trigger_cell"]))
                    places.append((board.serial, channel - 1))
                    entries.append(at)
                at += 1
        n_channels = len(samples)
        self.report.n_read += len(events) * n_channels
        return Pulses(
            samples=samples[0] if n_channels == 1 else np.stack(samples, axis=1).reshape(-1, N_CELLS),
            sample_period_ns=self._given_ns or period_ns,
            entry=(number[:, None] * self._layout.n_channels + np.array(entries)).ravel(),
            timestamp_ps=np.repeat(times_ms * 10**9, n_channels),
            board=np.tile(np.array([board for board, _ in places], np.int32), len(events)),
            channel=np.tile(np.array([channel for _, channel in places], np.int32), len(events)),
        )


def _pieces(stream: BufferedReader, n_bytes: int) -> Iterator[bytes]:
    while piece := stream.read(n_bytes):
        yield piece


def _describe(layout: FileLayout, periods_ns: list[float], centre_mv: int | None) -> str:
    boards = "; ".join(_describe_board(*each) for each in zip(layout.boards, periods_ns, strict=True))
    zero = "" if centre_mv is None else f", 0 is {centre_mv - 500} mV"
    return (
        f"DRS4 evaluation board(s): {boards}; counts of 1/65536 V{zero}; time stamps by the computer's clock, since "
        "the first event, in steps of 1 ms"
    )


def _describe_board(board: Board, period_ns: float) -> str:
    channels = ", ".join(str(channel) for channel in board.channels)
    narrowest, widest = board.widths_ns.min(), board.widths_ns.max()
    return (
        f"board {board.serial} with input(s) {channels}, cells of {narrowest:.3f} to {widest:.3f} ns resampled every "
        f"{period_ns:g} ns"
    )


def recognises(path: Path, head: bytes) -> bool:  # noqa: ARG001 - its content tells it
    """Whether the file begins as those of DRSOsc 5 do."""
    return head.startswith(MAGIC) and (len(head) == len(MAGIC) or head[len(MAGIC) :].startswith((b"B#", EVENT_MARK)))


FORMAT = Format(
    name=NAME,
    description="DRS4 evaluation board (.dat of DRSOsc 5), resampled at even times",
    suffixes=(".dat",),
    recognises=recognises,
    open_reader=Drs4Reader,
)
"""The row of the table of formats."""
