"""Readers of MFM files: raw frames of NEDA give pulses, NEDACOMP frames list mode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadOptions, ReadReport, RunInfo, WithoutWaveforms
from discrimen.formats.mfm.blocks import FrameTable, frame_tables
from discrimen.formats.mfm.frames import NEDA, NEDA_COMP
from discrimen.formats.mfm.neda import (
    ADC_BITS,
    BETWEEN_BIT,
    BOARD_BITS,
    FULL_SCORE,
    N_SAMPLES,
    NOT_SCORED_ZEROS,
    SAMPLE_PERIOD_NS,
    TICK_PS,
    adc_samples,
    places,
    ticks,
)
from discrimen.formats.mfm.survey import Survey
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.list_mode import ListModeEvents, concatenate_events, select_events

NAME = "mfm"

SLIPPED = "NEDA frame with a sample out of its place (bit 14)"
BOARD_BEGINS_AT_4 = (
    "location(s) of NEDA have bit 4 set, between channel and board: "
    "if the boards of this run begin there, give --board-bit 4"
)

_LIST_FRAMES = 65_536
"""NEDACOMP frames of a chunk at most, whatever the size of a chunk."""


class _MfmReader:
    """What both readers share.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        `board_bit`, settings, size of the pieces.
    survey : Survey
        What the file holds, by its beginning.
    """

    wanted: int

    def __init__(self, path: Path, options: ReadOptions, survey: Survey) -> None:
        self._path, self._options = path, options
        self._board_bit = BOARD_BITS[0] if options.board_bit is None else options.board_bit
        self.report = ReadReport()
        is_whole = survey.n_samples == N_SAMPLES and self.wanted == NEDA
        found = DetectorSettings(
            sample_period_ns=SAMPLE_PERIOD_NS if is_whole else None, adc_bits=ADC_BITS if self.wanted == NEDA else None
        )
        settings, source = merge_settings(options.settings, found, found_in="NEDA's frames")
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=f"{survey.told(self.wanted)}, board from bit {self._board_bit} of the location",
            settings=settings,
            settings_source=source,
        )

    def _tables(self) -> Iterator[list[FrameTable]]:
        """Start a new pass."""
        self.report = ReadReport()
        wanted = frozenset([self.wanted])
        return frame_tables(self._path, wanted, chunk_bytes=self._options.chunk_bytes, report=self.report)

    def _places(self, table: FrameTable) -> dict[str, NDArray[np.int32]]:
        location = table.frames["location"]
        if self._board_bit == BOARD_BITS[0]:
            n_between = int(np.count_nonzero(location & BETWEEN_BIT))
            if n_between:
                self.report.add_remark(BOARD_BEGINS_AT_4, count=n_between)
        return places(location, board_bit=self._board_bit)


class NedaReader(_MfmReader):
    """Reader of the raw frames of NEDA in an MFM file; a :class:`~discrimen.formats.base.Reader`."""

    wanted = NEDA

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once and yield its pulses; see :class:`~discrimen.formats.base.Reader`.

        Raises
        ------
        FormatError
            If the operating system reports a read error.
        """
        for tables in self._tables():
            for n_samples in dict.fromkeys(table.layout.n_items for table in tables):
                alike = [table for table in tables if table.layout.n_items == n_samples]
                pulses = self._pulses([self._columns(table) for table in alike])
                if len(pulses):
                    self.report.n_read += len(pulses)
                    yield pulses

    def _columns(self, table: FrameTable) -> dict[str, NDArray[Any]]:
        """Return samples and columns of the frames of one layout; a frame whose samples have slipped is left out."""
        frames, layout = table.frames, table.layout
        samples, is_slipped = adc_samples(frames)
        fast = frames["fast"].astype(np.float64)
        columns: dict[str, NDArray[Any]] = {
            "samples": samples,
            "entry": table.entry,
            "timestamp_ps": TICK_PS * ticks(frames, layout, is_raw=True),
            **self._places(table),
            "energy": frames["slow"] + fast,
            "energy_short": fast,
        }
        if is_slipped is None:
            return columns
        n_slipped = int(is_slipped.sum())
        self.report.add_damage(SLIPPED, offset=int(table.offset[is_slipped.argmax()]), count=n_slipped)
        return {name: values[~is_slipped] for name, values in columns.items()}

    def _pulses(self, parts: list[dict[str, NDArray[Any]]]) -> Pulses:
        """Join frames of several layouts and one length, in the order of the file."""
        columns = parts[0]
        if len(parts) > 1:
            order = np.argsort(np.concatenate([part["entry"] for part in parts]))
            columns = {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
        is_whole = columns["samples"].shape[1] == N_SAMPLES
        told = self._options.settings.sample_period_ns
        period_ns = SAMPLE_PERIOD_NS if told is None and is_whole else told
        return Pulses(sample_period_ns=period_ns, **columns)


class NedaCompReader(WithoutWaveforms, _MfmReader):
    """Reader of the NEDACOMP frames of an MFM file; a :class:`~discrimen.formats.base.ListModeReader`."""

    wanted = NEDA_COMP

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file once and yield its events; see the protocol.

        Raises
        ------
        FormatError
            If the operating system reports a read error.
        """
        for tables in self._tables():
            events = concatenate_events(self._events(table) for table in tables)
            if len(tables) > 1:
                events = select_events(events, np.argsort(events.entry))
            for begin in range(0, len(events), _LIST_FRAMES):
                some = select_events(events, np.arange(begin, min(begin + _LIST_FRAMES, len(events))))
                self.report.n_read += len(some)
                yield some

    def _events(self, table: FrameTable) -> ListModeEvents:
        frames, where = table.frames, self._places(table)
        fast = frames["fast"].astype(np.float64)
        return ListModeEvents(
            entry=table.entry,
            long_charge=frames["slow"] + fast,
            short_charge=fast,
            score=scores_of(frames),
            timestamp_ps=TICK_PS * ticks(frames, table.layout, is_raw=False),
            board=where["board"],
            channel=where["channel"],
        )


def scores_of(frames: NDArray[np.void]) -> NDArray[np.float64]:
    """Return the neutron scores of NEDACOMP frames; NaN where a frame says that its pulse could not be scored."""
    score = frames["neural_network"] / FULL_SCORE
    score[(frames["neural_network"] == 0) & (frames["n_zeros"] == NOT_SCORED_ZEROS)] = np.nan
    return np.asarray(score)
