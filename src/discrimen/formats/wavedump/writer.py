"""Write pulses as a CAEN WaveDump binary file.

WaveDump itself writes one file a channel; here all pulses go into one file, each with its channel in the header, which
the format allows. The trigger tag has steps of 8 ns and more and starts again after some seconds: times are rounded
to it. WaveDump keeps polarity and post-trigger in WaveDumpConfig.txt, not in this file; no such file is written, for it
would speak for every run of the folder.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.staged_writer import StagedWriter
from discrimen.formats.wavedump.config import TagClock, tag_clock
from discrimen.formats.wavedump.layout import (
    BOARD_MASK,
    EVENT_HEADER,
    LARGEST_CHANNEL,
    LARGEST_EVENT_BYTES,
)
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings


class WaveDumpWriter(StagedWriter):
    """Writer of one `.dat` file with six-word headers.

    Unsigned 8-bit samples are written as they are, other integers as 16-bit, floating-point ones as x742 data. A
    column that the format has no place for (label, energy and so on) is left out.

    Parameters
    ----------
    path : Path
        The final name.
    grows : bool
        See :class:`~discrimen.formats.staged_writer.StagedWriter`.
    """

    def __init__(self, path: Path, *, grows: bool = False) -> None:
        super().__init__(path, grows=grows)
        self._stream: IO[bytes] | None = None
        self._sample_type: str | None = None
        self._n_written = 0
        self._last_ps: dict[tuple[int, int], int] = {}

    def _open(self, stack: ExitStack) -> None:
        self._stream = self._open_run_file(stack)
        stack.callback(setattr, self, "_stream", None)

    def write(self, pulses: Pulses) -> None:
        """Append pulses.

        Raises
        ------
        DataError
            If a sample, board, channel or time does not fit the format.
        """
        if self._stream is None:
            raise DataError(f"{self._path}: open the writer with 'with' before writing")
        samples = self._encoded_samples(pulses.samples)
        n_bytes = EVENT_HEADER.itemsize + samples.dtype.itemsize * pulses.n_samples
        if n_bytes > LARGEST_EVENT_BYTES:
            raise DataError(f"an event of {n_bytes} bytes is beyond the {LARGEST_EVENT_BYTES} of this format")
        dtype = np.dtype([("header", EVENT_HEADER), ("samples", samples.dtype, (pulses.n_samples,))])
        events = np.zeros(len(pulses), dtype=dtype)
        header = events["header"]
        header["size"] = n_bytes
        header["board"] = _number(pulses.board, BOARD_MASK, "board")
        header["channel"] = _number(pulses.channel, LARGEST_CHANNEL, "channel")
        header["number"] = np.arange(self._n_written, self._n_written + len(pulses)) & 0xFFFFFFFF
        header["tag"] = self._tags(pulses, header)
        events["samples"] = samples
        self._stream.write(events.data)
        self._n_written += len(pulses)

    def _encoded_samples(self, samples: NDArray[Any]) -> NDArray[Any]:
        sample_type = {("u", 1): "u1", ("f", 4): "<f4"}.get((samples.dtype.kind, samples.dtype.itemsize), "<u2")
        if self._sample_type is not None and sample_type != self._sample_type:
            raise DataError(f"one file holds one type of sample: got {sample_type} after {self._sample_type}")
        if sample_type == "<u2" and samples.size and (samples.min() < 0 or samples.max() > 0xFFFF):
            raise DataError(
                f"samples {samples.min()}..{samples.max()} do not fit the 16 bits of WaveDump; write the native format"
            )
        self._sample_type = sample_type
        return samples.astype(sample_type, copy=False)

    def _tags(self, pulses: Pulses, header: NDArray[Any]) -> NDArray[np.int64]:
        if pulses.timestamp_ps is None:
            return np.zeros(len(pulses), dtype=np.int64)
        clock = tag_clock(pulses.sample_period_ns, sample_bytes=4 if self._sample_type == "<f4" else 2)
        if clock is None:
            raise DataError(
                f"no WaveDump board samples every {pulses.sample_period_ns} ns, so the step of its trigger tag is "
                "open; give the sampling period of a real board, leave out the timestamps, or write the native format"
            )
        key = (header["board"].astype(np.int64) << 32) | header["channel"]
        for value in np.unique(key).tolist():
            self._check_times(value, pulses.timestamp_ps[key == value], clock)
        return clock.ticks(pulses.timestamp_ps) & ((1 << clock.bits) - 1)

    def _check_times(self, key: int, times_ps: NDArray[np.int64], clock: TagClock) -> None:
        """Refuse times that could not be read back: the tag only runs forward and starts again."""
        board, channel = key >> 32, key & 0xFFFFFFFF
        steps = np.diff(times_ps, prepend=self._last_ps.get((board, channel), 0))
        if len(steps) and (steps.min() < 0 or steps.max() >= clock.range_ps):
            raise DataError(
                f"channel {channel}: time stamps must run forward with gaps below {clock.range_ps / 1e12:.3g} s, the "
                f"range of a trigger tag; got steps of {steps.min()} to {steps.max()} ps; sort them, or write the "
                "native format"
            )
        self._last_ps[(board, channel)] = int(times_ps[-1])


def _number(column: NDArray[np.int32] | None, largest: int, name: str) -> NDArray[np.int32] | int:
    if column is None:
        return 0
    if len(column) and (column.min() < 0 or column.max() > largest):
        raise DataError(f"WaveDump holds a {name} of 0 to {largest}, got {column.min()}..{column.max()}")
    return column


def open_writer(path: Path, settings: DetectorSettings) -> WaveDumpWriter:  # noqa: ARG001 - no place for settings
    """Open a WaveDump binary file for writing; the format has no place for settings."""
    return WaveDumpWriter(path)


def open_growing_writer(path: Path, settings: DetectorSettings) -> WaveDumpWriter:  # noqa: ARG001 - no place for settings
    """Open a WaveDump binary file that grows as WaveDump's own do."""
    return WaveDumpWriter(path, grows=True)
