"""Writing raw frames of NEDA: little-endian, revision 1, a unit of 2 bytes.

A frame holds 232 samples and is 512 bytes long, as NEDA's; pulses of other lengths make frames of other sizes.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.mfm.frames import NEDA, NEDA_END, NEDA_HEADER_BYTES, Layout, head_at, layout_at
from discrimen.formats.mfm.neda import (
    ADC_BITS,
    BOARD_BITS,
    CHANNEL_MASK,
    N_SAMPLES,
    SAMPLE_PERIOD_NS,
    TICK_PS,
    index_parity,
    raw_type,
)
from discrimen.formats.staged_writer import StagedWriter
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

KEPT = ("entry", "timestamp_ps", "board", "channel", "energy", "energy_short")
"""Columns that a frame has a place for: the entry is its event number."""

_LITTLE_ENDIAN_UNIT_2, _BLOB = 0x81, 0x40
_REVISION = 1
_MOST_ITEMS = 2**16
_LATEST_TICK = 2**48 - 1
_MOST_CHARGE = 2**16 - 1
_HIGHEST_BOARD = (2**16 - 1) >> BOARD_BITS[0]


def head_bytes(frame_type: int, n_bytes: int) -> bytes:
    """Return the first 8 bytes of a frame as they are written here."""
    size = (n_bytes // 2).to_bytes(3, "little")
    return bytes([_LITTLE_ENDIAN_UNIT_2]) + size + b"\x00" + frame_type.to_bytes(2, "little") + bytes([_REVISION])


def blob_head_bytes(frame_type: int, n_bytes: int) -> bytes:
    """Return the first 8 bytes of a frame without items."""
    whole = head_bytes(frame_type, n_bytes)
    return bytes([whole[0] | _BLOB]) + whole[1:]


def raw_frames(pulses: Pulses, *, first_event: int) -> tuple[NDArray[np.void], Layout]:
    """Return pulses as raw frames; pulses without entries are numbered from `first_event` on.

    Raises
    ------
    DataError
        If samples, places or times do not fit.
    """
    _require_samples(pulses)
    begin = (
        head_bytes(NEDA, NEDA_HEADER_BYTES + 2 * pulses.n_samples + len(NEDA_END))
        + (NEDA_HEADER_BYTES // 2).to_bytes(2, "little")
        + (2).to_bytes(2, "little")
        + pulses.n_samples.to_bytes(4, "little")
    )
    head = head_at(begin, 0)
    layout = None if head is None else layout_at(begin, 0, head)
    assert layout is not None
    content = np.zeros((len(pulses), layout.head.bytes), np.uint8)
    content[:, : len(begin)] = np.frombuffer(begin, np.uint8)
    content[:, layout.end_mark : layout.end_mark + len(NEDA_END)] = NEDA_END[0]
    frames = content.view(raw_type(layout))[:, 0]
    frames["samples"] = pulses.samples | index_parity(pulses.n_samples)
    entry = np.arange(first_event, first_event + len(pulses)) if pulses.entry is None else pulses.entry
    frames["event_number"] = entry & 0xFFFF_FFFF
    frames["location"] = location_of(pulses.board, pulses.channel, len(pulses))
    frames["time"] = time_bytes(pulses.timestamp_ps, len(pulses))
    if pulses.energy is not None:
        fast = _charge(np.zeros(len(pulses)) if pulses.energy_short is None else pulses.energy_short)
        frames["fast"], frames["slow"] = fast, _charge(pulses.energy - fast)
    return frames, layout


def location_of(
    board: NDArray[np.int32] | None, channel: NDArray[np.int32] | None, n_pulses: int
) -> NDArray[np.uint16]:
    """Put board and channel together.

    Raises
    ------
    DataError
        If one does not fit.
    """
    whole = np.zeros(n_pulses, np.int64)
    for what, values, highest, shift in (
        ("channel", channel, CHANNEL_MASK, 0),
        ("board", board, _HIGHEST_BOARD, BOARD_BITS[0]),
    ):
        if values is None or not n_pulses:
            continue
        if values.min() < 0 or values.max() > highest:
            raise DataError(f"NEDA's frames hold a {what} of 0 to {highest}, got {values.min()}..{values.max()}")
        whole |= values.astype(np.int64) << shift
    return whole.astype(np.uint16)


def time_bytes(timestamp_ps: NDArray[np.int64] | None, n_pulses: int) -> NDArray[np.uint8]:
    """Return times to the nearest 10 ns in 6 bytes, lowest first, shape (pulse, 6); 0 where there are none.

    Raises
    ------
    DataError
        If a time does not fit.
    """
    if timestamp_ps is None or not n_pulses:
        return np.zeros((n_pulses, 6), np.uint8)
    ticks = (timestamp_ps + TICK_PS // 2) // TICK_PS
    if ticks.min() < 0 or ticks.max() > _LATEST_TICK:
        raise DataError(
            f"NEDA's frames hold times of 0 to {_LATEST_TICK * TICK_PS} ps, got {timestamp_ps.min()} to "
            f"{timestamp_ps.max()} ps; shift them, or write the native format"
        )
    return ticks.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :6]


def _charge(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    return np.clip(np.rint(np.nan_to_num(values)), 0, _MOST_CHARGE).astype(np.uint16)


def _require_samples(pulses: Pulses) -> None:
    samples, period_ns = pulses.samples, pulses.sample_period_ns
    if samples.dtype.kind not in "iu":
        raise DataError(f"NEDA's frames hold whole numbers of {ADC_BITS} bits, got {samples.dtype}")
    if samples.size and not (samples.min() >= 0 and samples.max() < 2**ADC_BITS):
        raise DataError(f"NEDA's frames hold samples of 0..{2**ADC_BITS - 1}, got {samples.min()}..{samples.max()}")
    if pulses.n_samples > _MOST_ITEMS:
        raise DataError(f"NEDA's frames hold at most {_MOST_ITEMS} samples, got {pulses.n_samples}")
    if pulses.n_samples == N_SAMPLES and period_ns is not None and period_ns != SAMPLE_PERIOD_NS:
        raise DataError(
            f"{N_SAMPLES} samples in a frame of NEDA are read as samples of {SAMPLE_PERIOD_NS:g} ns, got "
            f"{period_ns:g} ns: write another format (.lh5); simulate such frames with --digitizer NUMEXO2-NEDA"
        )


class MfmWriter(StagedWriter):
    """Writer of one file of raw frames; columns that a frame has no place for are left out.

    Parameters
    ----------
    path : Path
        The final name.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._n_written = 0
        self._stream: IO[bytes] | None = None

    def _open(self, stack: ExitStack) -> None:
        self._stream = self._open_run_file(stack)
        stack.callback(setattr, self, "_stream", None)

    def write(self, pulses: Pulses) -> None:
        """Append pulses.

        Raises
        ------
        DataError
            If a sample, place or time does not fit a frame of NEDA, or its sampling period would be read as another.
        """
        if self._stream is None:
            raise DataError(f"{self._path}: open the writer with 'with' before writing")
        frames, _ = raw_frames(pulses, first_event=self._n_written)
        self._stream.write(frames.tobytes())
        self._n_written += len(pulses)


def open_mfm_writer(path: Path, settings: DetectorSettings) -> MfmWriter:  # noqa: ARG001 - no place for settings
    """Open a file of raw frames for writing."""
    return MfmWriter(path)
