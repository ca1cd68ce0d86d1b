"""Write blocks of GGP digitizers, for tests."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray


def channel(
    adc: NDArray[np.int16], *, energy: float = 0.0, compression: int = 0, packed: bytes = b"", key: int = 0xDA01
) -> bytes:
    """Return a channel; with a compression its samples are given as they are packed."""
    head = struct.pack("<HiH4xHH", key, round(energy * 65536), 0, compression, len(packed) // 2)
    # Bits 14 and 15 of a sample mean nothing here.
    words = (adc.astype(np.uint16) ^ 0x2000) | np.uint16(0x4000) * (np.arange(len(adc)) % 3).astype(np.uint16)
    return head + (packed if compression else words.astype("<u2").tobytes())


def block(
    *channels: bytes,
    n_samples: int,
    tick: int = 1000,
    crystal: int = 2,
    status: int = 0,
    key: int = 0xDA00,
    event: int = 1,
    unit: int = 2,
) -> bytes:
    """Return a block; its total length counts words, or bytes (unit 1)."""
    load = b"".join(channels)
    ticks = (tick & 0xFFFF, tick >> 16 & 0xFFFF, tick >> 32 & 0xFFFF)
    words = (key, event & 0xFFFF, event >> 16, *ticks, n_samples, (32 + len(load)) // unit, crystal, status)
    return struct.pack("<10H12x", *words) + load
