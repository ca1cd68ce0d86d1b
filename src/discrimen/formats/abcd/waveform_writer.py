"""Writing ABCD's waveforms: as records alone (``.adw``), or as messages (``.adr``).

Times become ticks of 2/1024 ns, ABCD's default. The format has no place for boards, flags and energies, nor for
sampling period and polarity.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.abcd.messages import WAVEFORMS, packed
from discrimen.formats.abcd.ticks import TickClock
from discrimen.formats.abcd.waveforms import record_type
from discrimen.formats.staged_writer import StagedWriter
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

MESSAGE_PULSES = 4096
"""Pulses of a message in a file, as many as ABCD puts into one."""


def records_of(pulses: Pulses, clock: TickClock) -> NDArray[np.void]:
    """Return pulses as ABCD packs them, of :func:`~discrimen.formats.abcd.waveforms.record_type`.

    Raises
    ------
    DataError
        If samples, channels or times do not fit.
    """
    samples = pulses.samples
    if samples.dtype.kind not in "iu":
        raise DataError(f"ABCD stores samples as whole numbers 0..65535, got {samples.dtype}; write another format")
    if samples.dtype != np.uint16 and samples.size and not (samples.min() >= 0 and samples.max() <= 0xFFFF):
        raise DataError(f"ABCD stores samples 0..65535, got {samples.min()}..{samples.max()}; shift the baseline up")
    channel = pulses.channel
    if channel is not None and len(channel) and not (channel.min() >= 0 and channel.max() <= 0xFF):
        raise DataError(f"ABCD holds a channel of 0 to 255, got {channel.min()}..{channel.max()}")
    records = np.zeros(len(pulses), record_type(pulses.n_samples, 0))
    records["n_samples"] = pulses.n_samples
    records["samples"] = samples
    if channel is not None:
        records["channel"] = channel
    if pulses.timestamp_ps is not None:
        records["timestamp"] = clock.to_ticks(pulses.timestamp_ps)
    return records


class AbcdWriter(StagedWriter):
    """Writer of one file; columns that ABCD has no place for are left out.

    Parameters
    ----------
    path : Path
        The final name.
    as_messages : bool
        Whether there is a topic before the records of each message.
    grows : bool
        See :class:`~discrimen.formats.staged_writer.StagedWriter`.
    """

    def __init__(self, path: Path, *, as_messages: bool, grows: bool = False) -> None:
        super().__init__(path, grows=grows)
        self._as_messages, self._n_messages = as_messages, 0
        self._stream: IO[bytes] | None = None

    def _open(self, stack: ExitStack) -> None:
        self._stream = self._open_run_file(stack)
        stack.callback(setattr, self, "_stream", None)

    def write(self, pulses: Pulses) -> None:
        """Append pulses.

        Raises
        ------
        DataError
            If a sample, channel or time does not fit the format.
        """
        if self._stream is None:
            raise DataError(f"{self._path}: open the writer with 'with' before writing")
        for content in self._contents(records_of(pulses, TickClock())):
            self._stream.write(content)

    def _contents(self, records: NDArray[np.void]) -> Iterator[bytes]:
        if not self._as_messages:
            yield records.tobytes()
            return
        for start in range(0, len(records), MESSAGE_PULSES):
            payload = records[start : start + MESSAGE_PULSES].tobytes()
            yield packed(WAVEFORMS, payload, version=0, number=self._n_messages)
            self._n_messages += 1


def open_waveforms_writer(path: Path, settings: DetectorSettings) -> AbcdWriter:  # noqa: ARG001 - no place for settings
    """Open an ``.adw`` file for writing."""
    return AbcdWriter(path, as_messages=False)


def open_raw_writer(path: Path, settings: DetectorSettings) -> AbcdWriter:  # noqa: ARG001 - no place for settings
    """Open an ``.adr`` file for writing."""
    return AbcdWriter(path, as_messages=True)


def open_growing_waveforms(path: Path, settings: DetectorSettings) -> AbcdWriter:  # noqa: ARG001 - no place for settings
    """Open an ``.adw`` file that grows."""
    return AbcdWriter(path, as_messages=False, grows=True)


def open_growing_raw(path: Path, settings: DetectorSettings) -> AbcdWriter:  # noqa: ARG001 - no place for settings
    """Open an ``.adr`` file that grows."""
    return AbcdWriter(path, as_messages=True, grows=True)
