"""Write files of DRS4 evaluation boards, for tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

N_CELLS = 1024
DATE = (2024, 3, 31, 23, 59, 58, 990)


def uneven_widths(period_ns: float, *, seed: int = 1) -> NDArray[np.float32]:
    """Return the widths of 1024 cells with a spread of a quarter."""
    drawn = np.random.default_rng(seed).normal(1, 0.25, N_CELLS).clip(0.3)
    return (drawn / drawn.mean() * period_ns).astype(np.float32)


def head(boards: Mapping[int, Mapping[int, NDArray[np.float32]]]) -> bytes:
    """Return the head of a file: widths by serial number of the board and input, from 1 on."""
    content = b"DRS2TIME"
    for serial, channels in boards.items():
        content += b"B#" + struct.pack("<H", serial)
        for channel, widths in channels.items():
            content += b"C%03d" % channel + widths.astype("<f4").tobytes()
    return content


def event(
    number: int,
    boards: Mapping[int, tuple[int, Mapping[int, NDArray[np.uint16]]]],
    *,
    date: Sequence[int] = DATE,
    centre_mv: int = 0,
) -> bytes:
    """Return an event: trigger cell and samples by serial number of the board and input."""
    content = b"EHDR" + struct.pack("<I7Hh", number, *date, centre_mv)
    for serial, (trigger_cell, channels) in boards.items():
        content += b"B#" + struct.pack("<H", serial) + b"T#" + struct.pack("<H", trigger_cell)
        for channel, samples in channels.items():
            content += b"C%03d" % channel + struct.pack("<I", 1000) + samples.astype("<u2").tobytes()
    return content


def dates(n_events: int, step_ms: int = 7) -> list[tuple[int, ...]]:
    """Return dates some ms from each other, over the end of a month."""
    start = np.datetime64("2024-03-31T23:59:58.990", "ms")
    taken = start + np.arange(n_events) * np.timedelta64(step_ms, "ms")
    return [(d.year, d.month, d.day, d.hour, d.minute, d.second, d.microsecond // 1000) for d in taken.astype(object)]


def write_random(
    path: Path, n_events: int, *, serials: Sequence[int] = (2711,), channels: Sequence[int] = (1,)
) -> None:
    """Write events of random samples, with other widths on every channel."""
    rng = np.random.default_rng(11)
    widths = {s: {c: uneven_widths(0.5, seed=s + c) for c in channels} for s in serials}
    content = head(widths)
    for number, date in enumerate(dates(n_events), 1):
        drawn = {
            s: (int(rng.integers(N_CELLS)), {c: rng.integers(2000, 60000, N_CELLS).astype(np.uint16) for c in channels})
            for s in serials
        }
        content += event(number, drawn, date=date)
    path.write_bytes(content)
