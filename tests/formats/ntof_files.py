"""n_TOF raw files as tests need them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

CHANNELS = (("LIQA", 1), ("LIQA", 2), ("WALB", 1))


def bank(tag: str, payload: bytes, *, version: int = 2) -> bytes:
    padded = payload + bytes(-len(payload) % 4)
    return struct.pack("<4sIII", tag.encode(), version, 0, len(padded) // 4) + padded


def begin(channels: Sequence[tuple[str, int]] = CHANNELS, *, rates: Sequence[float] = (1000.0,)) -> bytes:
    """RCTR and MODH; rates in MS/s, the last one for all further channels."""
    rctr = struct.pack("<III4s4I", 224572, 8, 1, b"EAR2", 0, 0, 0, len(channels))
    modh = struct.pack("<I", len(channels))
    for place, (detector, number) in enumerate(channels):
        rate = rates[min(place, len(rates) - 1)]
        modh += struct.pack("<4sI4s4Bf", detector.encode(), number, b"S014", 1, 0, place, 0, rate)
        modh += struct.pack("<If", 20000, 2018.0).ljust(68, b"\0")
    return bank("RCTR", rctr) + bank("MODH", modh)


def event(bunch: int) -> bytes:
    eveh = struct.pack("<10I", 0, bunch, 224572, bunch + 100, 1_260_729, 0, 0, 0, 0, 0)
    return bank("EVEH", eveh) + bank("ADDH", b"lsaCycle EAST".ljust(64, b"\0"))


def acqc(detector: str, number: int, blocks: Sequence[tuple[int, ArrayLike]]) -> bytes:
    payload = struct.pack("<4sII", detector.encode(), number, 0)
    for start, samples in blocks:
        values = np.asarray(samples, "<i2")
        payload += struct.pack("<QQ", start, len(values)) + values.tobytes()
    return bank("ACQC", payload)


def pulse(height: int, n_samples: int, *, baseline: int = 31_000, at: int = 259, seed: int = 1) -> np.ndarray:
    """A negative pulse, cut off at the lower end of the range."""
    time = np.arange(n_samples) - at
    after = np.maximum(time, 0)
    shape = (1 - np.exp(-after / 4.0)) * np.exp(-after / 40.0)
    noise = np.random.default_rng(seed).normal(0, 10, n_samples)
    return np.clip(baseline + noise - height * shape, -32768, 32767).astype(np.int16)


def small_file(path: Path, *, n_bunches: int = 2, n_samples: Sequence[int] = (300,), n_blocks: int = 2) -> Path:
    """Some bunches of all channels with blocks of some lengths, in turn."""
    content = begin()
    for bunch in range(1, n_bunches + 1):
        content += event(bunch)
        for place, (detector, number) in enumerate(CHANNELS):
            blocks = [
                (5000 * block + 1000 * place, pulse(5000, n_samples[block % len(n_samples)], seed=block + place))
                for block in range(n_blocks)
            ]
            content += acqc(detector, number, blocks)
    path.write_bytes(content)
    return path
