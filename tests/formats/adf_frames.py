"""Write ADF files, for tests."""

from __future__ import annotations

import struct

from tests.formats.geb_frames import some_points

from discrimen.formats.adf.points import psa_frame

CRYSTAL, CALIBRATED_CRYSTAL, CONFIGURATION = 0xFA010101, 0xFA010111, 0xFA000200
EVENT, EVENT_CRYSTAL, EVENT_PSA = 0xCA000100, 0xCA010101, 0xCA010102


def frame(frame_type: int, payload: bytes = b"", *, event: int = 7, tick: int = 5000) -> bytes:
    """Return a frame of any type; that of an event holds frames."""
    return struct.pack("<IIIQ", 20 + len(payload), frame_type, event, tick) + payload


def psa(number: int, *, tick: int = 5000) -> bytes:
    """Return a data:psa frame with the points of one of five hits."""
    points = some_points(5)
    return psa_frame(points[points.event == number], event=number, tick=tick)
