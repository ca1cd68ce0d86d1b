"""Write pulses as oscilloscope frames of a FASTER file.

Times become steps of 2 ns and channels labels. The format has no place for boards, flags and energies; what a count is
in mV is not known of pulses, so a count is written as the unit of voltage.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.faster.frames import MAGIC, TICK_PS
from discrimen.formats.faster.kinds import OSCILLOSCOPE
from discrimen.formats.faster.records import SCOPE_HEAD
from discrimen.formats.staged_writer import StagedWriter
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

MOST_SAMPLES = 704
"""Of an oscilloscope frame, for which FASTER's own programs have room."""

_LATEST_TICK = 2**48
_HEAD = [("kind", "u1"), ("magic", "u1"), ("clock", "u1", (6,)), ("label", "<u2"), ("load_bytes", "<u2")]


class FasterWriter(StagedWriter):
    """Writer of one `.fast` file; columns that the format has no place for are left out.

    Parameters
    ----------
    path : Path
        The final name.
    settings : DetectorSettings
        Its pre-trigger becomes the time of the first sample.
    """

    def __init__(self, path: Path, settings: DetectorSettings) -> None:
        super().__init__(path)
        self._pretrigger_ns = settings.pretrigger_ns or 0.0
        self._stream: IO[bytes] | None = None

    def _open(self, stack: ExitStack) -> None:
        self._stream = self._open_run_file(stack)
        stack.callback(setattr, self, "_stream", None)

    def write(self, pulses: Pulses) -> None:
        """Append pulses.

        Raises
        ------
        DataError
            If a sample, channel or time does not fit the format, or a record is too long for it.
        SettingsError
            If the sampling period is unknown.
        """
        if self._stream is None:
            raise DataError(f"{self._path}: open the writer with 'with' before writing")
        _check(pulses)
        fields = [*_HEAD, ("scope", SCOPE_HEAD), ("samples", "<i2", (pulses.n_samples,))]
        frames = np.zeros(len(pulses), np.dtype(fields))
        frames["kind"], frames["magic"] = OSCILLOSCOPE, MAGIC
        frames["load_bytes"] = SCOPE_HEAD.itemsize + 2 * pulses.n_samples
        if pulses.channel is not None:
            frames["label"] = pulses.channel
        if pulses.timestamp_ps is not None:
            frames["clock"] = _ticks(pulses.timestamp_ps).astype("<u8").view("u1").reshape(-1, 8)[:, :6]
        scope = frames["scope"]
        scope["x0"], scope["x_step"], scope["x_unit"] = -self._pretrigger_ns, pulses.require_sample_period_ns(), b"ns"
        scope["y_step"], scope["y_unit"] = 1, b"ADC"
        frames["samples"] = pulses.samples
        self._stream.write(frames.tobytes())


def _check(pulses: Pulses) -> None:
    if pulses.n_samples > MOST_SAMPLES:
        raise DataError(
            f"FASTER's own programs read records of up to {MOST_SAMPLES} samples, got {pulses.n_samples}: write "
            "another format"
        )
    samples = pulses.samples
    is_whole = samples.dtype.kind in "iu"
    if not is_whole or (samples.size and not (samples.min() >= -(2**15) and samples.max() < 2**15)):
        what = f"{samples.min()}..{samples.max()}" if is_whole else str(samples.dtype)
        raise DataError(f"FASTER stores samples as whole numbers -32768..32767, got {what}; write another format")
    channel = pulses.channel
    if channel is not None and len(channel) and not (channel.min() >= 0 and channel.max() <= 0xFFFF):
        raise DataError(f"FASTER holds a label of 0 to 65535, got {channel.min()}..{channel.max()}")


def _ticks(times_ps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return times in steps of the clock, to the nearest."""
    ticks = (times_ps + TICK_PS // 2) // TICK_PS
    if len(ticks) and not (ticks.min() >= 0 and ticks.max() < _LATEST_TICK):
        raise DataError(
            f"FASTER stores times from 0 to {_LATEST_TICK * TICK_PS} ps, got {times_ps.min()} to {times_ps.max()} ps; "
            "shift them, or write the native format"
        )
    return ticks


def open_writer(path: Path, settings: DetectorSettings) -> FasterWriter:
    """Open a `.fast` file for writing."""
    return FasterWriter(path, settings)
