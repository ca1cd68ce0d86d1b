"""Write frames of FASTER, for tests."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

GROUP, OSCILLOSCOPE, SAMPLER, SPECTROSCOPY, QDC_X2, QDC_TDC_X2, COUNTER = 10, 21, 22, 61, 42, 142, 70


def frame(kind: int, load: bytes = b"", *, clock: int = 0, label: int = 1) -> bytes:
    """Return a frame; the clock counts steps of 2 ns."""
    return bytes([kind, 0xAA]) + clock.to_bytes(6, "little") + struct.pack("<HH", label, len(load)) + load


def group(*frames: bytes, clock: int = 0, label: int = 3000) -> bytes:
    """Return a group of frames."""
    return frame(GROUP, b"".join(frames), clock=clock, label=label)


def sampler(
    samples: NDArray[np.int16],
    *,
    clock: int = 0,
    label: int = 1,
    scale: int = 4,
    before: int = 12,
    has_head: bool = True,
) -> bytes:
    """Return a sampler frame; scales go from 0 (150 mV) to 4 (2400 mV)."""
    head = struct.pack("<I", scale | len(samples) << 3 | (40 - before) << 14) if has_head else b""
    return frame(SAMPLER, head + samples.astype("<i2").tobytes(), clock=clock, label=label)


def oscilloscope(
    samples: NDArray[np.int16],
    *,
    clock: int = 0,
    label: int = 2001,
    x: tuple[float, float, bytes] = (-40.0, 4.0, b"ns"),
    y: tuple[float, bytes] = (0.5, b"mV"),
) -> bytes:
    """Return an oscilloscope frame: time of the first sample, step and unit; step and unit of the voltage."""
    head = struct.pack("<3f8s8s", x[0], x[1], y[0], x[2], y[1])
    return frame(OSCILLOSCOPE, head + samples.astype("<i2").tobytes(), clock=clock, label=label)


def counter(*, clock: int = 0, label: int = 1001) -> bytes:
    """Return a counter of spectroscopy."""
    return frame(COUNTER, struct.pack("<3I", 10, 10, 12), clock=clock, label=label)


def spectroscopy(
    measure: int, *, clock: int = 0, label: int = 1, saturated: bool = False, pile_up: bool = False
) -> bytes:
    """Return a spectroscopy frame."""
    word = measure & 0x3FFFFF | saturated << 30 | pile_up << 31
    return frame(SPECTROSCOPY, struct.pack("<II", 140 << 10, word), clock=clock, label=label)


def qdc(charges: Sequence[int], *, clock: int = 0, label: int = 1, tdc: int | None = None, saturated: int = 0) -> bytes:
    """Return a QDC frame; `saturated` has a bit for each charge."""
    words = [charge & 0x7FFFFFFF | (saturated >> number & 1) << 31 for number, charge in enumerate(charges)]
    load = struct.pack(f"<{len(words)}I", *words) + (b"" if tdc is None else struct.pack("<i", tdc))
    return frame((40 if tdc is None else 140) + len(words), load, clock=clock, label=label)
