"""NEDA's MFM frames and the score frames of the NARVAL example, as bytes; the layout is that of mfm_frame.hpp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HEADER = [
    ("metatype", "u1"),
    ("size_units", "u1", 3),
    ("source", "u1"),
    ("type", "<u2"),
    ("revision", "u1"),
    ("header_units", "<u2"),
    ("item_size", "<u2"),
    ("n_items", "<u4"),
]
SCORE_FRAME = np.dtype(
    [
        *HEADER,
        ("number", "<u4"),
        ("frame_time", "u1", 6),
        ("of_type", "<u2"),
        ("time", "u1", 6),
        ("location", "<u2"),
        ("score", "<f4"),
        ("decision", "u1"),
        ("flags", "u1"),
        ("zero", "<u2"),
    ]
)
"""With one item: 28 + 16 bytes."""


def neda_frame(n_samples: int) -> np.dtype[np.void]:
    """Return the layout of a NEDA frame."""
    return np.dtype(
        [
            *HEADER,
            ("location", "<u2"),
            ("number", "<u4"),
            ("time", "u1", 6),
            ("firmware", "u1", 12),
            ("flags", "u1"),
            ("more", "u1", 3),
            ("samples", "<u2", n_samples),
            ("end", "<u4"),
        ]
    )


def neda_frames(samples: NDArray[np.uint16]) -> NDArray[np.void]:
    """Put each pulse (row) into a frame, with the bits that NEDA adds to its samples."""
    n_pulses, n_samples = samples.shape
    frames = np.zeros(n_pulses, neda_frame(n_samples))
    frames["metatype"] = 0x81
    frames["size_units"] = bytes_of(np.array([frames.dtype.itemsize // 2]), 3)
    frames["type"] = 0x12
    frames["revision"] = 1
    frames["header_units"] = 22
    frames["item_size"] = 2
    frames["n_items"] = n_samples
    frames["location"] = np.arange(n_pulses) % 16 | 100 << 5
    frames["number"] = np.arange(n_pulses)
    frames["time"] = bytes_of(10**12 + 7 * np.arange(n_pulses), 6)
    frames["samples"] = samples | np.where(np.arange(n_samples) % 2, 0x4000, 0) | 0x8000
    frames["end"] = 0xF0F0F0F0
    return frames


def bytes_of(values: NDArray[np.integer], n_bytes: int) -> NDArray[np.uint8]:
    """Return the lowest bytes of integers, lowest first; (value, byte)."""
    return values.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :n_bytes]
