"""Where frames of NEDA, and merged ones, may begin behind damage, by the four bytes that all of a type share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from discrimen.formats.mfm.frames import HEAD_BYTES, ITEMS_HEAD_BYTES, MERGED, NEDA, NEDA_COMP

_SOUGHT_BYTES = 2**16
"""Looked through at once."""

_ANCHORS = (NEDA, NEDA_COMP, *MERGED)
_LITTLE_ENDIAN, _UNUSED = 0x80, 0x30


def next_candidates(content: bytes, at: int) -> Iterator[int]:
    """Yield places in the content, from `at` on, where the first bytes of such a frame stand."""
    last = len(content) - ITEMS_HEAD_BYTES
    for begin in range(at, last + 1, _SOUGHT_BYTES):
        n_places = min(_SOUGHT_BYTES, last + 1 - begin)
        stretch = np.frombuffer(content, np.uint8, n_places + HEAD_BYTES, begin)
        metatype, low, high = (stretch[place : place + n_places] for place in (0, 5, 6))
        is_little_endian = (metatype & _LITTLE_ENDIAN) != 0
        is_candidate = np.zeros(n_places, bool)
        for frame_type in _ANCHORS:
            first, second = frame_type & 0xFF, frame_type >> 8
            is_candidate |= is_little_endian & (low == first) & (high == second)
            is_candidate |= ~is_little_endian & (low == second) & (high == first)
        is_candidate &= (metatype & _UNUSED) == 0
        yield from (begin + np.flatnonzero(is_candidate)).tolist()
