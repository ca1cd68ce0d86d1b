"""Write pulses as packets of mode 3 in a GEB stream: those of one crystal and time in a row share a frame.

Times become steps of 10 ns and energies whole numbers. The channel is 0 to 35 for segments, 36 to 39 for the four
copies of the core, the board the crystal.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.geb.channels import (
    CORE_CHANNEL,
    CORE_OF_BOARD,
    PACKET_HEAD_BYTES,
    SEGMENTS_OF_BOARD,
    packet_type,
)
from discrimen.formats.geb.frames import CHANNELS, HEAD, TICK_PS
from discrimen.formats.staged_writer import StagedWriter
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings

KEPT = ("entry", "timestamp_ps", "board", "channel", "flags", "energy")
MOST_SAMPLES = (4 * 0x7FF + 4 - PACKET_HEAD_BYTES) // 2
_LATEST_TICK = 2**48
_MOST_PACKETS = 40
"""Of a frame: all channels of a crystal."""


class GebWriter(StagedWriter):
    """Writer of one `.geb` file of mode 3; columns that the format has no place for are left out.

    Parameters
    ----------
    path : Path
        The final name.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._stream: IO[bytes] | None = None

    def _open(self, stack: ExitStack) -> None:
        self._stream = self._open_run_file(stack)
        stack.callback(setattr, self, "_stream", None)

    def write(self, pulses: Pulses) -> None:
        """Append pulses.

        Raises
        ------
        DataError
            If a sample, place, time or energy does not fit the format, or a record is too long for it.
        """
        if self._stream is None:
            raise DataError(f"{self._path}: open the writer with 'with' before writing")
        packets, ticks = _packets(pulses)
        board = packets["words"][:, 1] >> 6
        is_new = np.append(True, (ticks[1:] != ticks[:-1]) | (board[1:] != board[:-1]))
        begins = np.flatnonzero(is_new)
        for begin, end in zip(begins, np.append(begins[1:], len(packets)), strict=True):
            for start in range(begin, end, _MOST_PACKETS):
                load = packets[start : min(end, start + _MOST_PACKETS)].tobytes()
                self._stream.write(np.array((CHANNELS, len(load), ticks[start]), HEAD).tobytes() + load)


def _packets(pulses: Pulses) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Return pulses as packets, and their times in steps of 10 ns."""
    zeros = np.zeros(len(pulses), np.int64)
    board, channel, flags = (
        zeros if column is None else column.astype(np.int64) for column in (pulses.board, pulses.channel, pulses.flags)
    )
    ticks = zeros if pulses.timestamp_ps is None else (pulses.timestamp_ps + TICK_PS // 2) // TICK_PS
    energy = zeros if pulses.energy is None else _whole(pulses.energy)
    _check(pulses, board=board, channel=channel, ticks=ticks, energy=energy)
    packets = np.zeros(len(pulses), packet_type(pulses.n_samples))
    packets["mark"] = 0xAAAAAAAA
    is_core = channel >= CORE_CHANNEL
    quarter = np.where(is_core, channel - CORE_CHANNEL, channel // SEGMENTS_OF_BOARD)
    words = packets["words"]
    words[:, 0] = quarter << 11 | (packets.dtype.itemsize - 4) // 4
    words[:, 1] = board << 6 | quarter << 4 | np.where(is_core, CORE_OF_BOARD, channel % SEGMENTS_OF_BOARD)
    for word, shift in ((3, 0), (2, 16), (5, 32)):
        words[:, word] = ticks >> shift & 0xFFFF
    words[:, 4] = energy & 0xFFFF
    pile_up = (flags & PulseFlag.PILE_UP).astype(bool)
    words[:, 7] = energy >> 16 & 0xFF | (energy < 0) << 8 | pile_up << 15
    packets["samples"] = pulses.samples.reshape(len(pulses), -1, 2)[:, :, ::-1].reshape(len(pulses), -1)
    return packets, ticks


def _whole(energy: NDArray[np.float64]) -> NDArray[np.int64]:
    if not np.isfinite(energy).all():
        raise DataError("GEB stores energies as whole numbers, got NaN or infinite ones")
    return np.rint(np.clip(energy, -(2.0**40), 2.0**40)).astype(np.int64)


def _check(
    pulses: Pulses,
    *,
    board: NDArray[np.int64],
    channel: NDArray[np.int64],
    ticks: NDArray[np.int64],
    energy: NDArray[np.int64],
) -> None:
    samples = pulses.samples
    if pulses.n_samples > MOST_SAMPLES or pulses.n_samples % 2:
        raise DataError(f"GEB stores an even number of samples up to {MOST_SAMPLES}, got {pulses.n_samples}")
    if samples.dtype.kind not in "iu":
        raise DataError(f"GEB stores samples as whole numbers, got {samples.dtype}; write another format")
    limits = {
        "samples": (samples, -(2**15), 2**15),
        "boards (crystals)": (board, 0, 128),
        "channels": (channel, 0, CORE_CHANNEL + 4),
        "times in steps of 10 ns": (ticks, 0, _LATEST_TICK),
        "energies": (energy, -(2**24), 2**24),
    }
    for what, (values, lowest, beyond) in limits.items():
        if values.size and not (values.min() >= lowest and values.max() < beyond):
            raise DataError(f"GEB stores {what} of {lowest} to {beyond - 1}, got {values.min()} to {values.max()}")


def open_writer(path: Path, settings: DetectorSettings) -> GebWriter:  # noqa: ARG001 - the format has no place for them
    """Open a `.geb` file for writing; it has no place for the settings."""
    return GebWriter(path)
