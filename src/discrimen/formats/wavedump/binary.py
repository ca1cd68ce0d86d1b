"""CAEN WaveDump binary files (`wave0.dat`): read in blocks, written for simulation and tests.

Each event is a header of six little-endian words (size in bytes with the header, board, pattern, channel, event number,
trigger time tag) and its samples: 16-bit, 8-bit on x721 and x731, or floating-point on x742, where recent versions have
two words more (DC offset, start cell). Facts: CAEN UM2091 and the behaviour of WaveDump 3.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, opened_to_read
from discrimen.formats.wavedump.chain import Block, EventChain, Stretch
from discrimen.formats.wavedump.config import TagUnwrapper, find_config, run_settings, tag_clock
from discrimen.formats.wavedump.layout import (
    EVENT_HEADER,
    EventLayout,
    board_number,
    find_layout,
    starts_a_chain,
)
from discrimen.formats.wavedump.writer import open_growing_writer, open_writer
from discrimen.pulses import Pulses

NAME = "wavedump"


class WaveDumpReader:
    """Reader of one `.dat` file.

    The column `timestamp_ps` is there only if the clock of the trigger tags is known: for x742, or from the sampling
    period, which the file does not hold.

    Parameters
    ----------
    path : Path
    options : ReadOptions
        `sample_bytes` where the width of the samples is open; `companion` names a WaveDumpConfig.txt that does not lie
        beside the file.

    Raises
    ------
    FormatError
        If the file cannot be read or does not start with an event.
    SettingsError
        If the layout is open or contradicts what the user or WaveDumpConfig.txt says.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        config = find_config(path, options.companion)
        with opened_to_read(path) as stream:
            file_bytes = os.fstat(stream.fileno()).st_size
            self._layout = find_layout(
                stream, path, file_bytes=file_bytes, config=config, sample_bytes=options.sample_bytes
            )
        settings, source = run_settings(
            options,
            config,
            channel=self._layout.channel,
            adc_bits=8 if self._layout.sample_bytes == 1 else None,
        )
        self._options = options
        self._clock = tag_clock(settings.sample_period_ns, sample_bytes=self._layout.sample_bytes)
        self.report = ReadReport()
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=_describe(self._layout, self._clock, config.skipped if config else ()),
            settings=settings,
            settings_source=source,
            n_entries=None if self._layout.header_bytes else file_bytes // self._layout.event_bytes,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`."""
        self.report = ReadReport()
        with opened_to_read(self.info.path) as stream:
            for pulses in self._with_headers(stream) if self._layout.header_bytes else self._without_headers(stream):
                self.report.n_read += len(pulses)
                yield pulses

    def _with_headers(self, stream: BufferedReader) -> Iterator[Pulses]:
        file_bytes = os.fstat(stream.fileno()).st_size
        chain = EventChain(stream, file_bytes, self._layout, self.report, self._options.growth)
        unwrapper = TagUnwrapper(self._clock) if self._clock else None
        for block in chain.blocks(self._options.chunk_bytes):
            times_ps = _times_ps(block, unwrapper)
            for size in dict.fromkeys(stretch.event_bytes for stretch in block.stretches):
                chosen = [number for number, stretch in enumerate(block.stretches) if stretch.event_bytes == size]
                yield from self._pulses_of_size(block, [(block.stretches[k], times_ps[k]) for k in chosen], size)

    def _pulses_of_size(
        self, block: Block, stretches: list[tuple[Stretch, NDArray[np.int64] | None]], size: int
    ) -> Iterator[Pulses]:
        """Make one chunk of all events of one size in a block."""
        count = sum(stretch.count for stretch, _ in stretches)
        n_bytes = size - self._layout.header_bytes
        if n_bytes == 0:
            self.report.n_empty += count
            return
        if n_bytes < 0 or n_bytes % self._layout.sample_bytes:
            self.report.add_damage("size does not fit the samples", offset=None, count=count)
            return
        dtype = np.dtype(
            [
                ("header", EVENT_HEADER),
                ("x742", "u1", (self._layout.header_bytes - EVENT_HEADER.itemsize,)),
                ("samples", self._layout.sample_type, (n_bytes // self._layout.sample_bytes,)),
            ]
        )
        parts = [block.records(stretch, dtype) for stretch, _ in stretches]
        records = parts[0] if len(parts) == 1 else np.concatenate(parts)
        entry = np.concatenate([np.arange(stretch.entry, stretch.entry + stretch.count) for stretch, _ in stretches])
        known_ps = [times for _, times in stretches if times is not None]
        header = records["header"]
        yield from self._select(
            records["samples"],
            _finite(records["samples"], self.report),
            entry=entry,
            timestamp_ps=np.concatenate(known_ps) if known_ps else None,
            board=board_number(header["board"]).astype(np.int32),
            channel=header["channel"].astype(np.int32),
        )

    def _select(
        self, samples: NDArray[np.generic], finite: NDArray[np.bool_] | None, **columns: NDArray[np.generic] | None
    ) -> Iterator[Pulses]:
        """Make pulses of the events without NaN."""
        if finite is not None:
            samples = samples[finite]
            columns = {name: None if values is None else values[finite] for name, values in columns.items()}
        if len(samples):
            period_ns = self.info.settings.sample_period_ns
            yield Pulses(samples=samples, sample_period_ns=period_ns, **columns)  # type: ignore[arg-type]

    def _without_headers(self, stream: BufferedReader) -> Iterator[Pulses]:
        if self._options.growth is not None:
            raise SettingsError(f"{self.info.path}: a file without headers of its events cannot be followed")
        layout = self._layout
        n_rows = max(1, self._options.chunk_bytes // layout.event_bytes)
        entry = 0
        while data := stream.read(n_rows * layout.event_bytes):
            count = len(data) // layout.event_bytes
            if count * layout.event_bytes < len(data):
                self.report.add_damage("truncated last event", offset=(entry + count) * layout.event_bytes)
            samples = np.frombuffer(data, layout.sample_type, count * layout.n_samples).reshape(count, -1)
            yield from self._select(samples, _finite(samples, self.report), entry=np.arange(entry, entry + count))
            entry += count


def _times_ps(block: Block, unwrapper: TagUnwrapper | None) -> list[NDArray[np.int64] | None]:
    """Return the trigger times of each stretch, unwrapped in file order."""
    if unwrapper is None:
        return [None] * len(block.stretches)
    headers = np.concatenate([block.records(stretch, EVENT_HEADER) for stretch in block.stretches])
    times = unwrapper.time_ps(
        board_number(headers["board"]).astype(np.int64),
        headers["channel"].astype(np.int64),
        headers["tag"].astype(np.int64),
    )
    return list(np.split(times, np.cumsum([stretch.count for stretch in block.stretches])[:-1]))


def _finite(samples: NDArray[np.generic], report: ReadReport) -> NDArray[np.bool_] | None:
    """Return which waveforms hold only numbers, None if all do; count the others as damage."""
    if samples.dtype.kind != "f":
        return None
    finite: NDArray[np.bool_] = np.isfinite(samples).all(axis=1)
    if finite.all():
        return None
    report.add_damage("NaN or infinite samples", offset=None, count=int((~finite).sum()))
    return finite


def _describe(layout: EventLayout, clock: object, skipped: tuple[str, ...]) -> str:
    tags = f"trigger tags in steps of {clock}" if clock else "trigger tags of unknown step, left out"
    parts = [f"WaveDump binary: {layout}"]
    if layout.header_bytes:
        parts.append(tags)
    if skipped:
        parts.append(f"remark in the configuration: {' '.join(skipped)[:80]}")
    return "; ".join(parts)


def recognises(path: Path, head: bytes) -> bool:
    """Whether the file starts with a chain of WaveDump events, or its configuration says that it has no headers."""
    if len(head) < EVENT_HEADER.itemsize:
        return False
    try:
        with path.open("rb") as stream:
            if starts_a_chain(stream, os.fstat(stream.fileno()).st_size):
                return True
        # Two samples of 'DRS2' are beyond the 14 bits of every board: it is a file of a DRS4 board that lies there.
        may_be = path.suffix.lower() == ".dat" and not head.startswith(b"DRS2")
        return may_be and bool((config := find_config(path, None)) and config.headers_off)
    except (OSError, SettingsError):
        return False


FORMAT = Format(
    name=NAME,
    description="CAEN WaveDump binary",
    suffixes=(".dat",),
    recognises=recognises,
    open_reader=WaveDumpReader,
    open_writer=open_writer,
    open_growing_writer=open_growing_writer,
    keeps=("entry", "timestamp_ps", "board", "channel"),
    takes=("companion", "sample_bytes", "growth"),
)
