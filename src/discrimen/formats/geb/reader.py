"""Reader of the waveforms of GEB streams: every trace of a type 100 frame, and every channel of mode 3, is a pulse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadOptions, ReadReport, RunInfo
from discrimen.formats.frame_walk import heads_of
from discrimen.formats.geb.channels import WRONG_PACKET, columns_of, packets_in
from discrimen.formats.geb.frames import (
    CHANNELS,
    HEAD,
    HEAD_BYTES,
    TICK_PS,
    TRACES,
    TRACES_BYTES,
    Piece,
    Stretch,
    pieces,
)
from discrimen.formats.geb.survey import Survey, name_of
from discrimen.formats.geb.traces import TRACES_FRAME, trace_energies
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

NAME = "geb"
SAMPLE_PERIOD_NS = 10.0

_Columns = dict[str, NDArray[Any]]


class GebReader:
    """Reader of the waveforms of one file; other frames are passed over and counted.

    `channel` is 0 to 35 for segments and 36 for the core. Type 100 does not say which crystal it is: its board is 0;
    that of mode 3 is four times the hole plus the crystal.

    Parameters
    ----------
    path : Path
    options : ReadOptions
    found : Survey
        Of the beginning of the file.
    """

    def __init__(self, path: Path, options: ReadOptions, found: Survey) -> None:
        told = DetectorSettings(sample_period_ns=SAMPLE_PERIOD_NS)
        settings, source = merge_settings(options.settings, told, found_in="GRETINA's digitizers")
        self._chunk_bytes = options.chunk_bytes
        self.report = ReadReport()
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=f"GEB stream, {found}",
            settings=settings,
            settings_source=source,
            n_entries=found.n_pulses,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`.

        Raises
        ------
        FormatError
            If the operating system reports a read error.
        """
        self.report = ReadReport()
        first = 0
        for piece in pieces(self.info.path, chunk_bytes=self._chunk_bytes, report=self.report):
            parts: list[_Columns] = []
            for stretch in piece.stretches:
                found, n_entries = self._read(piece, stretch)
                parts += [{**part, "entry": first + part["entry"]} for part in found]
                first += n_entries
            for n_samples in dict.fromkeys(part["samples"].shape[1] for part in parts):
                pulses = self._joined([part for part in parts if part["samples"].shape[1] == n_samples])
                self.report.n_read += len(pulses)
                yield pulses

    def _joined(self, parts: list[_Columns]) -> Pulses:
        columns = parts[0]
        if len(parts) > 1:
            order = np.argsort(np.concatenate([part["entry"] for part in parts]), kind="stable")
            columns = {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
        return Pulses(sample_period_ns=self.info.settings.sample_period_ns, **columns)

    def _read(self, piece: Piece, stretch: Stretch) -> tuple[list[_Columns], int]:
        """Return the pulses of a stretch, their entries counted from 0, and how many entries there are."""
        if stretch.type == TRACES and stretch.frame_bytes == HEAD_BYTES + TRACES_BYTES:
            columns, count = _traces(piece.rows(stretch))
            n_strange = int(np.isnan(columns["energy"]).sum())
            if n_strange:
                self.report.add_remark("trace(s) with an energy that is no number", count=n_strange)
            return [columns], count
        if stretch.type == CHANNELS:
            return self._channels(piece, stretch)
        self.report.pass_over(name_of(stretch.type, stretch.frame_bytes), count=stretch.count)
        return [], 0

    def _channels(self, piece: Piece, stretch: Stretch) -> tuple[list[_Columns], int]:
        rows = piece.rows(stretch)
        if stretch.frame_bytes == HEAD_BYTES:
            self.report.pass_over("empty GEB frame of mode 3", count=stretch.count)
            return [], 0
        parts, n_packets = packets_in(rows[:, HEAD_BYTES:])
        damaged = np.flatnonzero(n_packets == 0)
        if len(damaged):
            offset = piece.offset + stretch.at + int(damaged[0]) * stretch.frame_bytes
            self.report.add_damage(WRONG_PACKET, offset=offset, count=len(damaged))
        n_entries = np.maximum(n_packets, 1)
        begin = np.cumsum(n_entries) - n_entries
        found = [{**columns_of(part), "entry": begin[part.frame] + part.number} for part in parts]
        return found, int(n_entries.sum())


def _traces(rows: NDArray[np.uint8]) -> tuple[_Columns, int]:
    """Return the pulses of frames with the traces of a whole crystal."""
    loads = np.ascontiguousarray(rows[:, HEAD_BYTES:]).view(TRACES_FRAME)[:, 0]
    n_frames, n_channels = loads["traces"].shape[:2]
    count = n_frames * n_channels
    columns: _Columns = {
        "samples": loads["traces"].reshape(count, -1).astype(np.int16, copy=False),
        "entry": np.arange(count),
        "timestamp_ps": np.repeat(TICK_PS * heads_of(rows, HEAD)["tick"].astype(np.int64), n_channels),
        "board": np.zeros(count, np.int32),
        "channel": np.tile(np.arange(n_channels, dtype=np.int32), n_frames),
        "energy": trace_energies(loads).reshape(-1),
        "flags": np.zeros(count, np.uint32),
    }
    return columns, count
